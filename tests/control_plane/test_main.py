"""The control plane as a process: it starts, says so, refuses a second start, and ends in good order."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import urllib.request
from pathlib import Path

import pytest

from control_plane import single_start, up
from control_plane.single_start import AlreadyRunning, Running, SingleStart
from patience import PATIENCE
from server_process import COMMAND, free_environment, started, wait_ready


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return free_environment(tmp_path / "data")


def test_one_control_plane_for_each_data_folder(environment: dict[str, str]) -> None:
    with started(environment) as first:
        found = wait_ready(environment, first)
        assert found.pid == first.pid
        with urllib.request.urlopen(found.web_url, timeout=PATIENCE) as page:
            assert page.status == 200

        second = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert second.returncode == 4
        data = environment["TUNESMITH_DATA"]
        assert second.stderr.strip() == f"Error: A control plane is already running on {data}."

        first.send_signal(signal.SIGTERM)
        output, _ = first.communicate(timeout=PATIENCE)
        assert first.returncode == 0, output
        assert "Set the administrator's password once at http://127.0.0.1:" in output
        assert "Traceback" not in output

    with started(environment) as again:  # what it left behind is no obstacle
        wait_ready(environment, again)


def test_killed_without_warning_it_starts_again(environment: dict[str, str]) -> None:
    with started(environment) as first:
        wait_ready(environment, first)
        first.kill()  # the arbiter alone: its worker notices and ends, and the next start waits for that
        first.wait()
        with started(environment) as second:
            assert wait_ready(environment, second).pid == second.pid


def test_its_data_is_for_its_owner_alone(environment: dict[str, str]) -> None:
    with started(environment) as process:
        wait_ready(environment, process)
        data = Path(environment["TUNESMITH_DATA"])
        modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in (data, *data.rglob("*"))}
    assert data / "tunesmith.db" in modes
    assert modes[data] == 0o700
    assert not {path.relative_to(data): oct(mode) for path, mode in modes.items() if mode & 0o077}


def test_what_lies_in_the_current_folder_is_not_run(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    with started(environment, [*up._COMMAND, "control-plane"]) as process:
        wait_ready(environment, process)


def test_a_port_in_use_is_named(environment: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        taken = environment | {"TUNESMITH_FLEET_PORT": port}
        refused = subprocess.run(COMMAND, env=taken, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert refused.returncode == 4
    assert f"Port {port} is in use" in refused.stderr
    assert "TUNESMITH_FLEET_PORT" in refused.stderr


def test_a_setting_that_does_not_parse_is_named(environment: dict[str, str]) -> None:
    wrong = environment | {"TUNESMITH_THREADS": "many"}
    refused = subprocess.run(COMMAND, env=wrong, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert refused.returncode == 4
    assert "TUNESMITH_THREADS='many'" in refused.stderr


def test_the_lock_and_what_it_tells(tmp_path: Path) -> None:
    lock = SingleStart(tmp_path)
    lock.acquire(0.0)
    assert single_start.running(tmp_path) is None  # starting
    with pytest.raises(AlreadyRunning):
        SingleStart(tmp_path).acquire(0.0)
    here = Running(os.getpid(), "http://x", "x:1")
    lock.announce(here)
    assert single_start.running(tmp_path) == here
    lock.withdraw()
    assert single_start.running(tmp_path) is None  # stopping
    lock.release()
    SingleStart(tmp_path).acquire(0.0)
