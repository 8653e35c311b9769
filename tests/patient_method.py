"""A method that needs no library, makes a model of nothing, and ends when the test lets it."""

from __future__ import annotations

import shutil
from pathlib import Path

from method_environments import ROOT

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


def write_patient_method(folder: Path) -> Path:
    """The folder, with `patient` as its one method; it waits for the file that its parameter `gate` names."""
    (folder / "patient").mkdir(parents=True)
    (folder / "patient" / "method.toml").write_text(MANIFEST, "utf-8")
    (folder / "patient" / "import.py").write_text(ENTRY, "utf-8")
    (folder / "patient" / "requirements.txt").write_text("")
    (folder / "kit").mkdir()
    shutil.copy(ROOT / "methods/kit/manifest.schema.json", folder / "kit")
    return folder
