"""Dry runs: a version of a method, published or not, on a tiny model and a few rows, on one chosen machine.

The job is like any other but for what it reads and leaves: its inputs are files of ours that belong to no project's
models and data, and what it makes is committed, looked at by its author, and becomes no model.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import MethodDeleted, MethodUntriable, NotFound
from control_plane.domain.lifecycle import DRY_RUN
from control_plane.domain.manifest import Input, Manifest
from control_plane.domain.permissions import Actor, require
from control_plane.services import audit, authoring, methods, references, transitions
from control_plane.services.access import projects
from control_plane.services.methods import DELETED
from control_plane.store.database import transaction
from control_plane.store.jobs import JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.methods import MethodVersionRecord

_MODEL = Path(__file__).resolve().parents[1] / "dry_run_model"
_FORMS = ("base", "merged")  # what the tiny model can be taken for
_SEED = 42
_LONGEST = 1_800.0  # seconds that a dry run may take
# what a method's parameters become where it has them and takes the value: enough to see each part of it work
SMALL: Mapping[str, Any] = {
    "steps": 4, "epochs": 1, "batch_size": 4, "max_length": 128, "rows": 4, "held_out_rows": 4, "checkpoint_every": 2,
    "max_new_tokens": 8, "prompts_per_step": 2, "group_size": 2, "reward": [{"check": "json_valid", "weight": 1.0}],
}  # fmt: skip
_COLOURS = ("red", "green", "blue", "white")
_THINGS = ("door", "lamp", "chair", "cup")


def start(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    version_id: int,
    machine_id: str,
    parameters: Mapping[str, Any] | None = None,
) -> JobRecord:
    """A job in `project` that tries a version on a machine; `parameters` beside the small ones of a dry run.

    Raises Denied, NotFound, MethodDeleted, MethodUntriable, ParameterUnknown, ParameterInvalid, DiskFull.
    """
    require(actor, "method.write")
    place = projects.get(actor, cp, project, "job.submit")
    version = authoring.version(actor, cp, version_id, "method.write")
    if version.state == DELETED:
        raise MethodDeleted(method=version.name)
    machine = MachineRecord.get_or_none(MachineRecord.id == machine_id, MachineRecord.removed_at == 0)
    if machine is None:
        raise NotFound
    manifest = methods.manifest(version)
    complete = methods.check_parameters(manifest, _small(manifest) | dict(parameters or {}))
    with cp.blobs.holding():
        inputs = {name: _pin(cp, one) for name, one in manifest.inputs.items() if _is_given(one)}
        files = [file for pin in inputs.values() for file in pin["files"]]
        with transaction():
            references.add(cp, references.METHOD, version.id, [file["sha256"] for file in files])
            job = transitions.create_job(
                actor,
                cp,
                project=place,
                method_version=version,
                kind=DRY_RUN,
                name=f"{version.name}-{version.number}"[:64],
                parameters=complete,
                inputs=inputs,
                seed=_SEED,
                memory_bytes=manifest.memory_estimate(sum(file["size"] for file in files)),
                disk_bytes=manifest.resources.disk_bytes,
                only_machine=machine.id,
                time_limit=_LONGEST,
            )
            MethodVersionRecord.update(dry_run_job=job.id).where(MethodVersionRecord.id == version.id).execute()
            facts = {"name": version.name, "number": version.number, "hash": version.hash, "machine": machine.id}
            audit.record(actor, cp, "method.try", f"method:{version.id}", place.id, **facts)
    cp.signals.wake(*transitions.topics(job))
    return job


def job_of(record: MethodVersionRecord) -> JobRecord | None:
    """The newest dry run of a version. The caller has shown that it may see the version."""
    found: JobRecord | None = JobRecord.get_or_none(JobRecord.id == record.dry_run_job) if record.dry_run_job else None
    return found


def jobs_of(records: Iterable[MethodVersionRecord]) -> dict[int, JobRecord]:
    """The newest dry run of each of these versions that has one, by the job's id."""
    numbers = [one.dry_run_job for one in records if one.dry_run_job]
    return {int(job.id): job for job in JobRecord.select().where(JobRecord.id.in_(numbers))}


def _small(manifest: Manifest) -> dict[str, Any]:
    """The parameters of a dry run: small ones as far as the method has them, and within their bounds."""
    known = manifest.parameters.get("properties", {})
    return {name: value for name, value in SMALL.items() if name in known and _fits(known[name], value)}


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    if isinstance(value, list):
        return bool(schema.get("x-checks"))
    is_count = schema.get("type") in ("integer", "number")
    return is_count and schema.get("minimum", value) <= value <= schema.get("maximum", value)


def _is_given(one: Input) -> bool:
    """Whether an input is given; one that is needed and cannot be is refused. Raises MethodUntriable."""
    is_possible = one.kind == "dataset" or any(form in _FORMS for form in one.accepts)
    if one.required and not is_possible:
        raise MethodUntriable(input=one.name)
    return is_possible


def _pin(cp: ControlPlane, one: Input) -> dict[str, Any]:
    """What a job is given as this input: files of ours, under no id."""
    if one.kind == "dataset":
        row_format = one.accepts[0]
        files, shape = _rows(row_format), {"format": row_format}
    else:
        files, shape = _model(), {"form": next(form for form in one.accepts if form in _FORMS)}
    kept = [{"path": path, "sha256": cp.blobs.put_bytes(data), "size": len(data)} for path, data in files.items()]
    digest = hashlib.sha256(json.dumps([(one["path"], one["sha256"]) for one in kept]).encode()).hexdigest()
    return {"kind": one.kind, "id": 0, "hash": digest, "files": kept, **shape}


def _rows(row_format: str) -> dict[str, bytes]:
    cases = [(colour, thing) for colour in _COLOURS for thing in _THINGS]
    return {f"{part}.jsonl": _lines(row_format, some) for part, some in (("train", cases[4:]), ("test", cases[:4]))}


def _lines(row_format: str, cases: list[tuple[str, str]]) -> bytes:
    rows = (_row(row_format, number, *case) for number, case in enumerate(cases))
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _row(row_format: str, number: int, colour: str, thing: str) -> dict[str, Any]:
    prompt, good = f"The {colour} {thing} is open.", json.dumps({"thing": thing, "colour": colour})
    bad, is_good = f"The {thing} is {colour}.", number % 2 == 0
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": good}]
    rows: dict[str, dict[str, Any]] = {
        "prompt_completion": {"prompt": prompt, "completion": good},
        "chat": {"messages": turns},
        "chat_with_tools": {"messages": turns, "tools": []},
        "prompt_schema": {"prompt": prompt, "schema": {"type": "object", "required": ["thing", "colour"]}},
        "text": {"text": f"{prompt} {good}"},
        "preference": {"prompt": prompt, "chosen": good, "rejected": bad},
        "unpaired_preference": {"prompt": prompt, "completion": good if is_good else bad, "label": is_good},
    }
    return rows[row_format]


@cache
def _model() -> dict[str, bytes]:
    """A random Llama of 125,504 weights with a tokenizer: two layers, 64 wide, as methods/kit/tiny_model.py makes."""
    files = {path.name: path.read_bytes() for path in sorted(_MODEL.iterdir()) if path.is_file()}
    return files | {"model.safetensors": _weights(json.loads(files["config.json"]))}


def _weights(config: Mapping[str, Any]) -> bytes:
    """Normal numbers of the configuration's spread, ones for norms, as a safetensors file of 32-bit floats."""
    numbers, spread = random.Random(_SEED), float(config["initializer_range"])
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = bytearray()
    for name, shape in _tensors(config):
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = array("f", [1.0] * count if len(shape) == 1 else [numbers.gauss(0.0, spread) for _ in range(count)])
        data = struct.pack(f"<{count}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + bytes(body)


def _tensors(config: Mapping[str, Any]) -> Iterator[tuple[str, list[int]]]:
    width, inner, words = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    yield "model.embed_tokens.weight", [words, width]
    for number in range(config["num_hidden_layers"]):
        layer = f"model.layers.{number}"
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield f"{layer}.{name}.weight", [width]
        for name in "qkvo":
            yield f"{layer}.self_attn.{name}_proj.weight", [width, width]
        for name, shape in (("gate", [inner, width]), ("up", [inner, width]), ("down", [width, inner])):
            yield f"{layer}.mlp.{name}_proj.weight", shape
    yield "model.norm.weight", [width]
    yield "lm_head.weight", [words, width]
