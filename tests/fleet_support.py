"""A small fleet for tests: project, methods, machines straight in the store, and a machine's usual steps."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass

from control_plane.context import ControlPlane
from control_plane.domain.files import CHUNK, File
from control_plane.domain.permissions import OWNER, Actor
from control_plane.services import references
from control_plane.services.fleet import artifacts, attempts
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.jobs import AttemptRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.projects import ProjectRecord

GIB = 1 << 30


def text(word: str) -> dict[str, str]:
    return {"en": word, "de": word, "zh": word}


def manifest(name: str, kind: str, outputs: dict, inputs: dict | None = None, **changes: object) -> dict:
    """A manifest that asks for 1 GiB of memory and one integer parameter."""
    schema = {"type": "integer", "default": 40, "minimum": 1, "maximum": 1000, "title": text("Steps")}
    return {
        "name": name,
        "kind": kind,
        "type": "SFT",
        "entry": "main.py",
        "platforms": ["cpu"],
        "display": text(name),
        "description": text(name),
        "inputs": inputs or {},
        "parameters": {"type": "object", "additionalProperties": False, "properties": {"steps": schema}},
        "resources": {"memory_bytes": GIB, "memory_per_model_byte": 2.0, "disk_bytes": 1000},
        "outputs": {one: {"display": text(one)} | values for one, values in outputs.items()},
    } | changes


def model_input(*forms: str, required: bool = True) -> dict:
    return {"kind": "model", "forms": list(forms), "required": required, "display": text("Model")}


DATASET = {"kind": "dataset", "formats": ["prompt_completion", "chat"], "display": text("Dataset")}
COMPARED = {"candidate": "candidate", "baseline": "baseline", "dataset": "dataset"}  # the edges of an evaluation
METHODS = (
    manifest("bring", "import", {"model": {"kind": "model", "form": "base", "path": "base"}}),
    manifest(
        "tune",
        "train",
        {"model": {"kind": "model", "form": "adapter", "path": "adapter", "from": "base", "dataset": "dataset"}},
        {"base": model_input("base"), "dataset": DATASET},
    ),
    manifest(
        "score",
        "evaluate",
        {"evaluation": {"kind": "evaluation", "path": "evaluation.json"} | COMPARED},
        {
            "baseline": model_input("base", required=False),
            "candidate": model_input("base", "adapter"),
            "dataset": DATASET | {"held_out": True},
        },
    ),
    manifest(
        "pack",
        "export",
        {"model": {"kind": "model", "form": "gguf", "path": "gguf", "from": "model"}},
        {"model": model_input("adapter")},
    ),
)


@dataclass
class Fleet:
    """One project with an owner, four methods, and as many machines as the test asks for."""

    cp: ControlPlane
    project: ProjectRecord
    user: Actor

    def method(self, source: dict) -> MethodVersionRecord:
        code = b"print('hello')\n"
        files = [{"path": f"{source['name']}/main.py", "sha256": self.cp.blobs.put_bytes(code), "size": len(code)}]
        version = MethodVersionRecord.create(
            name=source["name"],
            hash=hashlib.sha256(json.dumps(source).encode()).hexdigest(),
            kind=source["kind"],
            manifest=source,
            requirements="torch\n",
            files=files,
            created_at=self.cp.clock(),
        )
        references.add(self.cp, references.METHOD, version.id, [file["sha256"] for file in files])
        return version

    def machine(self, memory: int = 16 * GIB, machine_class: str = "server", **inventory: object) -> Actor:
        """A machine that is online, with one processor device."""
        record = MachineRecord.create(
            id=str(uuid.uuid4()),
            name="machine",
            machine_class=machine_class,
            key_hash="0" * 64,
            serial="1",
            epoch=1,
            inventory=inventory_of(memory) | inventory,
            connectivity="ONLINE",
            last_seen=self.cp.clock(),
            enrolled_at=self.cp.clock(),
        )
        return Actor(kind="machine", id=record.id, name=record.name)

    def dataset(
        self, test: bool = True, format: str = "prompt_completion", name: str = "faults"
    ) -> DatasetVersionRecord:
        dataset = DatasetRecord.create(project=self.project, name=name, created_at=self.cp.clock())
        train, held_out = b'{"prompt": "a", "completion": "b"}\n', b'{"prompt": "c", "completion": "d"}\n'
        version = DatasetVersionRecord.create(
            dataset=dataset,
            number=1,
            hash=hashlib.sha256(name.encode()).hexdigest(),
            format=format,
            train_sha256=self.cp.blobs.put_bytes(train),
            test_sha256=self.cp.blobs.put_bytes(held_out) if test else "",
            train_rows=1,
            test_rows=1 if test else 0,
            size=len(train),
            created_by="1",
            created_at=self.cp.clock(),
        )
        references.add(self.cp, references.DATASET, version.id, [version.train_sha256, version.test_sha256])
        return version

    def attempt(self, job_id: int) -> AttemptRecord:
        """The newest attempt of a job."""
        return AttemptRecord.select().where(AttemptRecord.job == job_id).order_by(AttemptRecord.number.desc()).get()


def inventory_of(memory: int) -> dict:
    device = {
        "uuid": "cpu:0",
        "kind": "cpu",
        "name": "CPU",
        "memory_total": memory,
        "memory_free": memory,
        "healthy": True,
    }
    return {
        "hostname": "machine",
        "system": "linux",
        "architecture": "x86_64",
        "cpu_count": 2,
        "memory_total": memory,
        "disk_free": 100 * GIB,
        "on_mains": True,
        "platforms": ["cpu"],
        "devices": [device],
    }


def make_fleet(cp: ControlPlane) -> Fleet:
    project = ProjectRecord.create(name="default", title="Default", created_at=cp.clock())
    fleet = Fleet(cp, project, Actor(kind="user", id="1", name="ada", roles={project.id: OWNER}))
    for source in METHODS:
        fleet.method(source)
    return fleet


def announced(path: str, data: bytes) -> File:
    chunks = [hashlib.sha256(data[at : at + CHUNK]).hexdigest() for at in range(0, len(data), CHUNK)]
    return File(path, len(data), hashlib.sha256(data).hexdigest(), tuple(chunks))


def upload(machine: Actor, cp: ControlPlane, attempt: AttemptRecord, name: str, files: dict[str, bytes]) -> int:
    """Send an artifact whole, as an agent does; its id."""
    wanted = [announced(path, data) for path, data in files.items()]
    artifact_id = artifacts.begin(machine, cp, attempt.id, attempt.fence, name, wanted)
    missing = set(artifacts.missing(machine, cp, artifact_id, attempt.fence))
    for data in files.values():
        for at in range(0, len(data), CHUNK):
            chunk = data[at : at + CHUNK]
            sha256 = hashlib.sha256(chunk).hexdigest()
            if sha256 in missing:
                artifacts.put_chunk(machine, cp, artifact_id, attempt.fence, sha256, chunk)
    artifacts.commit(machine, cp, artifact_id, attempt.fence)
    return artifact_id


def model_files(form: str) -> dict[str, bytes]:
    weights = "model.gguf" if form == "gguf" else "model.safetensors"
    return {
        "model.json": json.dumps({"form": form, "architecture": "LlamaForCausalLM"}).encode(),
        weights: b"weights" * 9,
    }


def report(machine: Actor, cp: ControlPlane, attempt: AttemptRecord, state: str, **more: object) -> str:
    """Send the next report of an attempt; what it tells beside the state is named as in `attempts.Told`."""
    sequence = AttemptRecord.get_by_id(attempt.id).sequence + 1
    told = {name: more.pop(name) for name in ("environment_lock", "stage", "peak_bytes") if name in more}
    if told:
        more["told"] = attempts.Told(**told)
    return attempts.report(machine, cp, attempt.id, attempt.fence, sequence, state, **more)


def succeed(machine: Actor, cp: ControlPlane, attempt: AttemptRecord, files: dict[str, dict[str, bytes]]) -> str:
    """Take an offered attempt through to its end, with these outputs."""
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING", environment_lock="torch==2.13.0\n")
    report(machine, cp, attempt, "UPLOADING")
    for name, content in files.items():
        upload(machine, cp, attempt, name, content)
    return report(machine, cp, attempt, "SUCCEEDED")
