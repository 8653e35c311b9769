"""Our own wheel, and an environment that has nothing but it and what it asks for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support import missing

ROOT = Path(__file__).parents[1]


def build(folder: Path) -> Path:
    """The wheel of this checkout, written into `folder`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path, extras: str) -> Path:
    """The `bin` folder of a new environment in `folder`; a skip with the reason where it cannot be had (no network)."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    command = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", f"{wheel}[{extras}]"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        missing(f"the wheel could not be installed: {done.stderr[-500:]}")
    return folder / "bin"
