"""What the tests that train share: the tiny model as an input, and a run's curves."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from method_support import Outcome


def base(tiny: Path, architecture: str) -> dict[str, Any]:
    return {"kind": "model", "form": "base", "path": str(tiny / architecture)}


def rows(tiny: Path) -> dict[str, Any]:
    paths = {"train": str(tiny / "train.jsonl"), "test": str(tiny / "test.jsonl")}
    return {"kind": "dataset", "format": "prompt_completion", **paths}


def losses(outcome: Outcome) -> dict[int, float]:
    return curve(outcome, "loss")


def curve(outcome: Outcome, name: str) -> dict[int, float]:
    return {event["step"]: event["values"][name] for event in outcome.of("metric") if name in event["values"]}


def wait_for_step(process: subprocess.Popen[str], out: Path, step: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        path = out / "events.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        if any(event["kind"] == "metric" and event["step"] >= step for event in events):
            return
        time.sleep(0.01)
    pytest.fail(f"step {step} was not reached")
