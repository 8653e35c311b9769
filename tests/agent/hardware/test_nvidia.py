"""The real NVML binding on a stub library that the test compiles."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.hardware.nvidia import Nvidia

ROOT = Path(__file__).parents[3]
LOOK = """
import json, os, pathlib, sys
from agent.hardware.nvidia import Nvidia
nvidia = Nvidia()
for state in sys.argv[1:]:
    pathlib.Path(os.environ["NVML_STUB"]).write_text(state)
    found = [[d.uuid[:12], d.healthy, d.reason, d.memory_total >> 30, d.memory_free >> 30, d.utilisation,
              d.temperature, d.power_watts, d.name] for d in nvidia.devices()]
    print(json.dumps([found, nvidia.driver()]))
"""
FIRST = ["GPU-00000000", True, "", 80, 60, 0.25, 41.0, 70.5, "NVIDIA Stub 80GB"]
SECOND = ["GPU-00000001", True, "", 80, 60, 0.25, 41.0, 0.0, "NVIDIA Stub 80GB"]  # it does not know its power
DRIVER = "570.86.15, CUDA 12.8"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc to compile the stub library with")
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).with_name("nvml_stub.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", folder / "libnvidia-ml.so.1", source], check=True)
    return folder


def look(library: Path, *states: str) -> list[list[object]]:
    """What is seen in each state of the hardware, one after the other in one process."""
    variables = {
        "LD_LIBRARY_PATH": str(library),
        "NVML_STUB": str(library / "state"),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
    }
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *states], env=os.environ | variables, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_two_gpus(library: Path) -> None:
    assert look(library, "fine") == [[[FIRST, SECOND], DRIVER]]


def test_a_gpu_that_vanishes_is_reported_until_it_is_back(library: Path) -> None:
    seen = look(library, "fine", "vanished", "fine")
    assert seen[1][0] == [FIRST, ["GPU-00000001", False, "gpu_vanished", 80, 0, 0.0, 41.0, 0.0, "NVIDIA Stub 80GB"]]
    assert seen[2] == [[FIRST, SECOND], DRIVER]


def test_a_gpu_that_answers_with_an_error_is_unhealthy(library: Path) -> None:
    second = look(library, "fine", "lost")[1][0][1]  # type: ignore[index]
    assert second[:4] == ["GPU-00000001", False, "gpu_is_lost", 80]


def test_a_driver_reset_makes_all_unhealthy_and_is_survived(library: Path) -> None:
    seen = look(library, "fine", "reset", "reset", "fine")
    for state in (seen[1], seen[2]):
        assert [device[1] for device in state[0]] == [False, False]  # type: ignore[union-attr]
        assert all(device[2] for device in state[0])  # type: ignore[union-attr]
    assert seen[3] == [[FIRST, SECOND], DRIVER]


def test_without_the_library_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("agent.hardware.nvidia.ctypes.CDLL", missing)
    assert Nvidia().devices() == []
    assert Nvidia().driver() == ""
