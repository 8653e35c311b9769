"""What the tests of methods share: where methods are, what environment they get, and how one ended."""

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forks import Run, interpreter
from patience import PATIENCE

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


def start_python(python: str, argv: list[str], **extra: str) -> subprocess.Popen[str] | Run:
    """Run a script (or `-c` and code) by an interpreter: one of a method's environment is started once and forked.

    Not where the script is to find further variables, which libraries read while they are imported, and on Linux alone.
    """
    if python == sys.executable or extra or sys.platform != "linux":
        return subprocess.Popen(
            [python, *argv], env=environment(**extra), cwd=METHODS.parent, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    return interpreter(python).start(argv, environment(), METHODS.parent)


def lines_of(python: Path, code: str, *arguments: str) -> list[str]:
    """What code prints in a method's environment; it has to end well."""
    process = start_python(str(python), ["-c", code, *arguments])
    stdout, stderr = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, stderr
    return stdout.splitlines()
