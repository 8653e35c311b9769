"""The serving engines' own environments for tests, and a model small enough to try them on."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

from agent.build import BuildFailed
from agent.environment import Environments
from agent.serving import engines
from agent.serving.engines import Kind
from agent.settings import Settings
from method_environments import CACHE, method_python
from method_support import environment, manifest_entry
from support import missing


@cache
def engine_python(kind: Kind) -> Path:
    """The interpreter of an engine's environment; a skip with the reason where it cannot be built.

    The one that is compiled, which takes ten minutes, is built only where TUNESMITH_TEST_COMPILE=1.
    """
    CACHE.mkdir(exist_ok=True)
    settings = Settings(data=CACHE / "agent", environments=str(CACHE / "environments"))
    environments, needs = Environments(settings), kind.needs(settings)
    compiled = kind.name == engines.LLAMA_CPP.name
    if compiled and not environments.has(needs) and os.environ.get("TUNESMITH_TEST_COMPILE") != "1":
        pytest.skip("this engine is compiled, which takes ten minutes: TUNESMITH_TEST_COMPILE=1 does it, once")
    log = CACHE / f"{kind.name}.log"
    log.unlink(missing_ok=True)
    try:
        return environments.ensure(needs, "", log, lambda: None).python
    except BuildFailed as problem:
        missing(f"the environment of {kind.name} could not be built ({problem}): {log.read_text()[-500:]}")


def write_tiny_gguf(folder: Path) -> Path:
    """A random model of two layers as a GGUF file, made as a job of `export_gguf` makes one."""
    python = str(method_python("export_gguf"))
    job = folder / "job.json"
    base = {"kind": "model", "form": "base", "path": str(folder / "llama")}
    job.write_text(json.dumps({"method": "export_gguf", "parameters": {"precision": "f16"}, "inputs": {"model": base}}))
    export = [str(manifest_entry("export_gguf")), "--job", str(job), "--out", str(folder / "out")]
    for command in (["-m", "kit.tiny_model", str(folder)], export):
        subprocess.run([python, *command], env=environment(), check=True, capture_output=True)
    return folder / "out" / "gguf" / "model.gguf"
