"""Trainings for tests: an offer whose method is a few lines of Python, with one dataset and one promised model."""

from __future__ import annotations

import json

from tests.agent.fake_fleet import FakeFleet
from tunesmith.v1 import fleet_pb2 as pb

ENTRY = """
import json, os, pathlib, sys, time
job = json.loads(pathlib.Path(sys.argv[2]).read_text())
out = pathlib.Path(sys.argv[4])
from kit.words import GREETING
print(GREETING, flush=True)
def event(**fields):
    with (out / "events.jsonl").open("a") as file:
        file.write(json.dumps(fields) + "\\n")
"""
GOOD = """
for step in range(job["parameters"].get("steps", 3)):
    event(kind="metric", step=step, values={"loss": 1.0 / (step + 1)})
    print("step", step, "tsk_abcdefghijklmnop", flush=True)
    time.sleep(job["parameters"].get("pause", 0))
train = pathlib.Path(job["inputs"]["dataset"]["train"]).read_bytes()
(out / "adapter" / "sub").mkdir(parents=True)
(out / "adapter" / "adapter.safetensors").write_bytes(b"w" * (9 << 20))
(out / "adapter" / "sub" / "model.json").write_text(json.dumps({"train": len(train), "env": dict(os.environ)}))
"""


def make_offer(fleet: FakeFleet, body: str, attempt_id: int = 12, fence: int = 3, **parameters: object) -> pb.Offer:
    return pb.Offer(
        attempt_id=attempt_id, fence=fence, job_id=5, method="sft_demo", entry="train.py",
        code=[
            fleet.blob("sft_demo/train.py", (ENTRY + body).encode()),
            fleet.blob("kit/words.py", b"GREETING = 'hello'"),
        ],
        parameters=json.dumps(parameters),
        inputs=[
            pb.Input(name="dataset", kind="dataset", format="chat", files=[fleet.blob("train.jsonl", b"{}\n" * 4)])
        ],
        outputs=[pb.Output(name="model", kind="model", form="adapter", path="adapter")],
        devices=["cpu:0"], seed=42, threads=2,
    )  # fmt: skip


def over(fleet: FakeFleet, attempt_id: int = 12) -> bool:
    return fleet.last_state(attempt_id) in {"SUCCEEDED", "FAILED", "CANCELLED"}
