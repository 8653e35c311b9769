"""Runs methods as the agent does: as a script, with a job file and an output folder."""

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from forks import Run
from method_environments import write_tiny_models
from method_support import METHODS, Outcome, manifest_entry, start_python
from patience import PATIENCE

sys.path.insert(0, str(METHODS))  # as PYTHONPATH does for a method


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny models llama and gpt_neox and their rows. All tests read it, none writes there."""
    return write_tiny_models(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., tuple[subprocess.Popen[str] | Run, Path]]:
    """Start a method's script; gives the process and its output folder."""

    def begin(method: str, job: dict[str, Any] | str, python: str = sys.executable, out: str = "out",
              **extra: str) -> tuple[subprocess.Popen[str] | Run, Path]:  # fmt: skip
        job_file = tmp_path / f"{out}-job.json"
        job_file.write_text(job if isinstance(job, str) else json.dumps(job), encoding="utf-8")
        argv = [str(manifest_entry(method)), "--job", str(job_file), "--out", str(tmp_path / out)]
        return start_python(python, argv, **extra), tmp_path / out

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
