"""Ending the agent by a signal, at whatever moment it comes."""

from __future__ import annotations

import plistlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent import main, service
from agent.settings import Settings
from agent.storage.state import Store, Unwritable
from patience import PATIENCE

_CODE = """
import os, signal
from agent.main import stopped_by_signals
stopping = stopped_by_signals()
with stopping._cond:  # as the main thread does for a moment in each wait
    os.kill(os.getpid(), signal.{name})
assert stopping.wait({seconds})
"""
_ELSEWHERE = """
import signal, threading, time
from agent.main import stopped_by_signals
stopping = stopped_by_signals()
def get_it():
    while not stopping._cond._waiters:
        time.sleep(0.01)
    signal.pthread_kill(threading.get_ident(), signal.{name})
threading.Thread(target=get_it).start()
assert stopping.wait({seconds})
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("code", [_CODE, _ELSEWHERE], ids=["in a wait", "the main thread does not notice"])
def test_a_signal_ends_the_agent_whenever_it_comes(code: str, name: str) -> None:
    whole = code.format(name=name, seconds=PATIENCE)
    done = subprocess.run([sys.executable, "-c", whole], timeout=2 * PATIENCE, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_on_a_full_disk_the_agent_waits_for_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [3]

    def full(path: Path) -> Store:
        if left[0]:
            left[0] -= 1
            raise Unwritable(28, "database or disk is full")
        return Store(path)

    monkeypatch.setattr(main, "Store", full)
    settings = Settings(data=tmp_path, fault_first_seconds=0.0)
    assert main._store_in_time(settings, threading.Event()) is not None and not left[0]
    stopping = threading.Event()
    stopping.set()
    left[0] = 1
    assert main._store_in_time(settings, stopping) is None


def test_a_start_on_a_full_disk_makes_the_room_that_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=tmp_path, fault_first_seconds=0.0)
    first = main._store_in_time(settings, threading.Event())
    assert first is not None
    first.close()
    ballast = tmp_path / "ballast"
    assert ballast.stat().st_size > 1 << 20

    def full(path: Path) -> Store:
        if ballast.exists():
            raise Unwritable(28, "database or disk is full")
        return Store(path)

    monkeypatch.setattr(main, "Store", full)
    again = main._store_in_time(settings, threading.Event())
    assert again is not None and ballast.exists()  # kept again for the next time
    again.close()


def test_a_service_leaves_trainings_alone_when_it_ends() -> None:
    """The words that systemd and launchd have for it, around paths that need quoting."""
    executable, data = Path("/opt/tune smith/bin/tunesmith"), Path('/srv/100% "ours"')
    unit = service.systemd(executable, data, "ada")
    assert 'ExecStart="/opt/tune smith/bin/tunesmith" agent run\nKillMode=process\nRestart=always\n' in unit
    assert 'Environment="TUNESMITH_AGENT_DATA=/srv/100%% \\"ours\\""\n' in unit
    assert "User=ada\n" in unit
    told = plistlib.loads(service.launchd(executable, data).encode())
    assert told["ProgramArguments"] == [str(executable), "agent", "run"]
    assert told["EnvironmentVariables"] == {"TUNESMITH_AGENT_DATA": str(data)}
    assert told["AbandonProcessGroup"] and told["KeepAlive"]


def test_the_service_is_printed_for_this_user_and_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_AGENT_DATA", str(tmp_path))
    printed = CliRunner().invoke(main.agent, ["service"])
    assert printed.exit_code == 0
    assert str(Path(sys.executable).with_name("tunesmith")) in printed.output
    assert str(tmp_path) in printed.output
