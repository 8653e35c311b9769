"""The fleet's benchmark still runs, and what must hold at any speed holds in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.journey

SCRIPT = Path(__file__).with_name("fleet.py")
SMALL = ("--agents", "5", "--running", "2", "--seconds", "1", "--starts", "3", "--burst", "3", "--processes", "1")


def test_a_small_fleet_survives_a_kill_and_loses_nothing(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = subprocess.run([sys.executable, str(SCRIPT), *SMALL, "--json", str(figures)], capture_output=True, text=True)
    assert figures.exists(), done.stderr  # a missed mark of speed is no failure here
    found = json.loads(figures.read_text())
    assert found["agents"] == found["storm"]["back"] == 5
    assert found["jobs"] == 2 + 3 + 3
    assert found["log_bytes"] > 0
    names = ("not_accepted", "not_succeeded", "lost_attempts", "second_attempts", "attempts_left", "logs_that_differ")
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0)
    assert not [name for name in found["failures"] if "ended by" in name]
