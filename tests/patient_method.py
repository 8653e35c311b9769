"""A method that needs no library, makes a model of nothing, and ends when the test lets it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from method_environments import ROOT
from place import Place

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
    for stream in (sys.stdout, sys.stderr):
        print("step", step, file=stream, flush=True)
step = 1
tell(step)
while not pathlib.Path(job["parameters"]["gate"]).exists():
    time.sleep(0.05)
    step += 1
    tell(step)
(out / "model").mkdir()
(out / "model" / "model.json").write_text(json.dumps({"form": "base", "architecture": "LlamaForCausalLM"}))
(out / "model" / "model.safetensors").write_bytes(b"weights")
"""


def write_patient_method(folder: Path) -> Path:
    """The folder, with `patient` as its one method: it takes steps until there is the file that its `gate` names."""
    (folder / "patient").mkdir(parents=True)
    (folder / "patient" / "method.toml").write_text(MANIFEST, "utf-8")
    (folder / "patient" / "import.py").write_text(ENTRY, "utf-8")
    (folder / "patient" / "requirements.txt").write_text("")
    (folder / "kit").mkdir()
    shutil.copy(ROOT / "methods/kit/manifest.schema.json", folder / "kit")
    return folder


@contextmanager
def patient_place(folder: Path, **variables: str) -> Iterator[Place]:
    """A running installation whose one method is `patient`. The gates are files in `folder / "gates"`."""
    methods = write_patient_method(folder / "methods")
    (folder / "gates").mkdir()  # what a method in its sandbox is to see beside its own
    readable = {"TUNESMITH_AGENT_READABLE_PATHS": str(folder / "gates")}
    place = Place(folder / "place", TUNESMITH_METHODS=str(methods), **readable, **variables)
    place.up()
    yield place
    place.down()
