"""The folder of an attempt: code, inputs, job file, outputs, logs.

    attempts/<id>/{code/…, inputs/<name>/…, inputs/<name>.base/…, job.json, out/, log/{stdout,stderr,agent}, tmp/}

Inputs and code are hard links to read-only files of the cache.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from agent.hardware.nvidia import gpus
from agent.storage.cache import Cache
from agent.storage.files import PathUnsafe, inside
from tunesmith.v1 import fleet_pb2 as pb


def files(offer: pb.Offer) -> list[pb.FileRef]:
    """All files that the attempt reads."""
    found = list(offer.code)
    for given in _inputs(offer):
        found += given.files
    return found


def check(offer: pb.Offer) -> None:
    """Raises PathUnsafe when a path or name in the offer would lead out of its folder."""
    here = Path("/")
    for path in [*(file.path for file in files(offer)), *(output.path for output in offer.outputs)]:
        inside(here, path)
    names = [offer.method, offer.entry, *(given.name for given in offer.inputs)]
    for name in names:
        if not name or "/" in name or name.startswith("."):
            raise PathUnsafe(name)
        inside(here, name)


def lay_out(folder: Path, offer: pb.Offer, cache: Cache, threads: int) -> None:
    """Make the folder with everything that is in the cache already; again after an interruption."""
    for name in ("out", "log", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    links = {inside(folder / "code", file.path): file.sha256 for file in offer.code}
    for given, place in _places(folder, offer):
        place.mkdir(parents=True, exist_ok=True)
        links |= {inside(place, file.path): file.sha256 for file in given.files}
    cache.give(links)
    (folder / "job.json").write_text(json.dumps(job(folder, offer, threads), ensure_ascii=False, indent=1))


def job(folder: Path, offer: pb.Offer, threads: int) -> dict[str, Any]:
    """The job file's content, as docs/developers/methods.md has it."""
    return {
        "method": offer.method,
        "parameters": json.loads(offer.parameters or "{}"),
        "inputs": {given.name: _input(folder, given) for given in offer.inputs},
        "seed": offer.seed,
        "devices": device_names(offer),
        "threads": threads,
        "reward": None,
        "resume": str(folder / "inputs" / "resume.checkpoint") if offer.HasField("resume") else None,
    }


def kept(body: bytes, attempt_id: int, fence: int) -> pb.Offer | None:
    """The offer of an attempt as it was written down; None where the disk or a hand has damaged it since."""
    try:
        offer = pb.Offer.FromString(body)
    except (DecodeError, TypeError):
        return None
    return offer if (offer.attempt_id, offer.fence) == (attempt_id, fence) else None


def device_names(offer: pb.Offer) -> list[str]:
    """The devices as the trainer sees them: its own GPUs are numbered from 0."""
    seen = gpus(offer.devices)
    return [f"cuda:{seen.index(uuid)}" if uuid in seen else uuid for uuid in offer.devices]


def threads_of(offer: pb.Offer) -> int:
    """CPU threads of the trainer: those it was given, else all."""
    return offer.threads or os.cpu_count() or 1


def _input(folder: Path, given: pb.Input) -> dict[str, Any]:
    place = folder / "inputs" / given.name
    if given.kind == "dataset":
        parts = {Path(file.path).stem: str(inside(place, file.path)) for file in given.files}
        return {"kind": "dataset", "format": given.format, "train": parts.get("train"), "test": parts.get("test")}
    described: dict[str, Any] = {"kind": given.kind, "form": given.form, "path": str(place)}
    if given.HasField("base"):
        described["base"] = {"kind": "model", "form": given.base.form, "path": f"{place}.base"}
    return described


def _inputs(offer: pb.Offer) -> Iterator[pb.Input]:
    for given, _ in _places(Path(), offer):
        yield given


def _places(folder: Path, offer: pb.Offer) -> Iterator[tuple[pb.Input, Path]]:
    """Each input, an adapter's base and the checkpoint, with the folder it goes to."""
    inputs = folder / "inputs"
    for given in offer.inputs:
        yield given, inputs / given.name
        if given.HasField("base"):
            yield given.base, inputs / f"{given.name}.base"
    if offer.HasField("resume"):
        yield offer.resume, inputs / "resume.checkpoint"
