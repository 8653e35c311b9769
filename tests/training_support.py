"""What the tests that train share: the tiny model as an input, and a run's curves."""

import json
import subprocess
from pathlib import Path
from typing import Any

from method_support import Outcome
from patience import wait_until


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
    def reached() -> bool:
        path = out / "events.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return any(event["kind"] == "metric" and event["step"] >= step for event in events)

    wait_until(lambda: reached() or process.poll() is not None)
    assert reached(), f"it ended before step {step}"
