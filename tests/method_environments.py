"""The methods' own environments for tests, built the way the agent builds them and kept between runs."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from agent.build import BuildFailed
from agent.environment import Environments
from agent.settings import Settings
from support import missing

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache"  # building takes minutes


@cache
def method_python(method: str) -> Path:
    """The interpreter of a method's environment; a skip with the reason where it cannot be built (no network)."""
    CACHE.mkdir(exist_ok=True)
    log = CACHE / f"{method}.log"
    log.unlink(missing_ok=True)
    try:
        return _environments().ensure(_requirements(method), "", log, lambda: None).python
    except BuildFailed as problem:
        missing(f"the environment of {method} could not be built ({problem}): {log.read_text()[-500:]}")


def write_tiny_models(folder: Path, method: str = "sft_demo") -> Path:
    """The kit's tiny random models and their rows, made in the environment of a method; the folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "methods")}
    command = [str(method_python(method)), "-m", "kit.tiny_model", str(folder)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return folder


def has_environment(method: str) -> bool:
    """Whether a method's environment was built before."""
    return _environments().has(_requirements(method))


def _environments() -> Environments:
    return Environments(Settings(data=CACHE / "agent", environments=str(CACHE / "environments")))


def _requirements(method: str) -> str:
    return (ROOT / "methods" / method / "requirements.txt").read_text()
