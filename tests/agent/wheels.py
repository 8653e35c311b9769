"""Tiny wheels, and what an environment says of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from agent.build import Environment


def wheel(folder: Path, name: str, version: str, requires: str = "") -> None:
    """Write a wheel of one module that knows its VERSION."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else ""))
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


def installer(environment: Environment, name: str) -> str:
    """What installed a distribution, by its own record."""
    (record,) = environment.python.parents[1].glob(f"lib/python*/site-packages/{name}-*.dist-info/INSTALLER")
    return record.read_text().strip()
