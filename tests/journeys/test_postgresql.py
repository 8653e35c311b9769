"""The whole installation on PostgreSQL: a job through to its model, with the control plane killed in the middle."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from method_environments import ROOT
from place import Place

pytestmark = pytest.mark.postgresql

# no library, so no environment worth the name; it ends when the test lets it
MANIFEST = """
name = "patient"
kind = "import"
type = "Import"
entry = "import.py"
platforms = ["cpu"]
display = { en = "Patient", de = "Geduldig", zh = "耐心" }
description = { en = "Waits", de = "Wartet", zh = "等待" }
[parameters]
type = "object"
additionalProperties = false
required = ["gate"]
[parameters.properties.gate]
type = "string"
title = { en = "Gate", de = "Tor", zh = "门" }
description = { en = "Which file", de = "Welche Datei", zh = "哪个文件" }
x-group = "basics"
x-level = "guided"
[groups.basics]
display = { en = "Basics", de = "Grundlagen", zh = "基础" }
[resources]
memory_bytes = 1000000
memory_per_model_byte = 1.0
disk_bytes = 1000000
[outputs.model]
kind = "model"
form = "base"
path = "model"
display = { en = "Model", de = "Modell", zh = "模型" }
"""
ENTRY = """
import json, pathlib, sys, time
job, out = json.loads(pathlib.Path(sys.argv[2]).read_text()), pathlib.Path(sys.argv[4])
def tell(step):
    with (out / "events.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "metric", "step": step, "values": {"loss": 1.0 / step}}) + "\\n")
tell(1)
while not pathlib.Path(job["parameters"]["gate"]).exists():
    time.sleep(0.05)
tell(2)
(out / "model").mkdir()
(out / "model" / "model.json").write_text(json.dumps({"form": "base", "architecture": "LlamaForCausalLM"}))
(out / "model" / "model.safetensors").write_bytes(b"weights")
"""


@pytest.fixture
def place(tmp_path: Path, postgresql: str) -> Iterator[Place]:
    folder = tmp_path / "methods"
    (folder / "patient").mkdir(parents=True)
    (folder / "patient" / "method.toml").write_text(MANIFEST, "utf-8")
    (folder / "patient" / "import.py").write_text(ENTRY, "utf-8")
    (folder / "patient" / "requirements.txt").write_text("")
    (folder / "kit").mkdir()
    shutil.copy(ROOT / "methods/kit/manifest.schema.json", folder / "kit")
    (tmp_path / "gates").mkdir()  # what a method in its sandbox is to see beside its own
    readable = {"TUNESMITH_AGENT_READABLE_PATHS": str(tmp_path / "gates")}
    place = Place(tmp_path / "place", TUNESMITH_DATABASE=postgresql, TUNESMITH_METHODS=str(folder), **readable)
    place.up()
    yield place
    place.down()


def test_a_job_succeeds_once_though_the_control_plane_is_killed(place: Place, tmp_path: Path) -> None:
    gate, client = tmp_path / "gates" / "open", place.client()
    job = client.submit_job("default", "patient", parameters={"gate": str(gate)})
    for now, events in client.wait_job(job.id):
        assert now.state in ("QUEUED", "RUNNING"), now.message
        if any(event["kind"] == "metric" for event in events):
            break
    (trainer,) = place.trainers()
    place.kill_control_plane()
    assert trainer.is_running()
    gate.touch()  # it ends while nobody listens
    place.up()

    client = place.client()
    *_, (job, _) = client.wait_job(job.id)
    assert job.state == "SUCCEEDED", job.message
    assert [(attempt.number, attempt.state) for attempt in job.attempts] == [(1, "SUCCEEDED")]
    assert [model.job_id for model in client.list_models("default")] == [job.id]
    steps = [event["step"] for _, events in client.wait_job(job.id) for event in events if event["kind"] == "metric"]
    assert steps == [1, 2]
    assert not (place.folder / "control-plane" / "tunesmith.db").exists()
