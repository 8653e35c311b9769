"""Runs methods as the agent does: as a script, with a job file and an output folder."""

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from method_support import METHODS, Outcome, environment, manifest_entry
from patience import PATIENCE

sys.path.insert(0, str(METHODS))  # as PYTHONPATH does for a method


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., tuple[subprocess.Popen[str], Path]]:
    """Start a method's script; gives the process and its output folder."""

    def begin(method: str, job: dict[str, Any] | str, python: str = sys.executable, out: str = "out",
              **extra: str) -> tuple[subprocess.Popen[str], Path]:  # fmt: skip
        job_file = tmp_path / f"{out}-job.json"
        job_file.write_text(job if isinstance(job, str) else json.dumps(job), encoding="utf-8")
        command = [python, str(manifest_entry(method)), "--job", str(job_file), "--out", str(tmp_path / out)]
        process = subprocess.Popen(
            command, env=environment(**extra), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        return process, tmp_path / out

    return begin


@pytest.fixture
def run(start: Callable[..., Any]) -> Callable[..., Outcome]:
    """Run a method's script to its end."""

    runs = count()

    def whole(*arguments: Any, **options: Any) -> Outcome:
        options.setdefault("out", f"out{next(runs)}")
        process, out = start(*arguments, **options)
        _, stderr = process.communicate(timeout=2 * PATIENCE)
        return Outcome(process.returncode, out, stderr)

    return whole
