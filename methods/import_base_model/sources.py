"""Where a base model comes from: a folder, a file or a model hub (packages.py: a package), made into local files."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from kit.events import fail
from kit.models import PICKLES

MODEL_FILES = frozenset({".gguf", ".safetensors", ".json", ".jinja", ".model", ".txt", ".md"})
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Found:
    """Local files of a model: their names inside it and where they are, and the licence its source states."""

    files: dict[str, Path]
    licence: str | None = None


def from_folder(reference: str, max_bytes: int) -> Found:
    """The files of a model's folder on this machine, in the form that Hugging Face libraries write."""
    folder = _allowed(reference)
    if not folder.is_dir():
        unknown("folder", reference)
    files = {path.name: _allowed(str(path)) for path in sorted(folder.iterdir()) if path.is_file()}
    check_size(sum(path.stat().st_size for path in files.values()), max_bytes)
    return Found(files)


def from_file(reference: str, max_bytes: int) -> Found:
    """A single GGUF file on this machine."""
    path = _allowed(reference)
    if not path.is_file():
        unknown("file", reference)
    if path.suffix.lower() in PICKLES:
        text = f"{path.name} is in a format that can run code (pickle); give a GGUF file or a safetensors folder."
        fail("model_pickle_weights", text, file=path.name)
    if path.suffix.lower() != ".gguf":
        fail("file_not_gguf", f"{path.name} is not a GGUF file.", file=path.name)
    check_size(path.stat().st_size, max_bytes)
    return Found({path.name: path})


def from_hub(reference: str, revision: str, scratch: Path, max_bytes: int) -> Found:
    """A model of a Hugging Face hub; sizes and names are looked at before anything is downloaded."""
    if _REPOSITORY.fullmatch(reference) is None:
        unknown("hub", reference)
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub import errors as hub

    try:
        facts = HfApi().model_info(reference, revision=revision, files_metadata=True)
        siblings = [item for item in facts.siblings or [] if "/" not in item.rfilename]
        names = [item.rfilename for item in siblings]
        wanted = [name for name in names if Path(name).suffix in MODEL_FILES]
        if not any(Path(name).suffix in (".safetensors", ".gguf") for name in wanted):
            no_weights(names, reference)
        check_size(sum(item.size or 0 for item in siblings if item.rfilename in wanted), max_bytes)
        folder = scratch / "hub"
        snapshot_download(reference, revision=facts.sha, allow_patterns=wanted, local_dir=folder)
    except (hub.RepositoryNotFoundError, hub.RevisionNotFoundError):
        unknown("hub", reference)
    except (hub.HTTPError, OSError) as error:  # the hub client's own HTTP library, whichever it is, and the sockets
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        fail("hub_unreachable", f"The model hub cannot be reached: {reason}", reference=reference, reason=reason)
    licence = facts.card_data.get("license") if facts.card_data else None
    return Found({name: folder / name for name in wanted}, licence)


def no_weights(names: list[str], reference: str) -> NoReturn:
    """Refuse a source without weights, saying so when it has only pickled ones."""
    pickles = [name for name in names if Path(name).suffix in PICKLES]
    if pickles:
        text = f"The weights in {pickles[0]} are in a format that can run code (pickle); only safetensors is read."
        fail("model_pickle_weights", text, file=pickles[0])
    fail("no_model_in_source", f"There is no model file in {reference}.", reference=reference)


def _allowed(reference: str) -> Path:
    """The real path, which must lie in one of the folders that this machine's owner opened for imports."""
    path = Path(reference).expanduser().resolve()
    roots = os.environ.get("TUNESMITH_IMPORT_ROOTS")
    if roots is None or any(path.is_relative_to(Path(root).resolve()) for root in roots.split(os.pathsep) if root):
        return path
    fail("path_not_allowed", f"This machine does not allow imports from {reference}.", path=reference)


def unknown(source: str, reference: str) -> NoReturn:
    """Refuse with ``unknown_reference``: the source has nothing by that name."""
    text = f"There is no {source} {reference}." if source != "hub" else f"The model hub has no {reference}."
    fail("unknown_reference", text, source=source, reference=reference)


def check_size(size: int, max_bytes: int) -> None:
    """Refuse with ``model_too_large`` more bytes than the job allows."""
    if size > max_bytes:
        text = f"The model has {size:,} bytes; this job allows {max_bytes:,}."
        fail("model_too_large", text, size=size, maximum=max_bytes)
