"""What the tests of methods share: where methods are, what environment they get, and how one ended."""

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METHODS = Path(__file__).parents[1] / "methods"


@dataclass
class Outcome:
    """How a method ended: exit status, the folder it wrote, its events and its stderr."""

    status: int
    out: Path
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = (self.out / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]

    @property
    def refusal(self) -> dict[str, Any]:
        """The error message of a run that was refused."""
        assert self.status == 2, self.stderr
        (message,) = [event for event in self.of("message") if event["level"] == "error"]
        assert message["text"]
        return message


def environment(**extra: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(METHODS), "PYTHONDONTWRITEBYTECODE": "1", **extra}


def manifest_entry(method: str) -> Path:
    return METHODS / method / tomllib.loads((METHODS / method / "method.toml").read_text(encoding="utf-8"))["entry"]
