"""`tunesmith up` and `down` with their real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from control_plane import single_start
from patience import PATIENCE

pytestmark = pytest.mark.journey

COMMAND = [sys.executable, "-m", "tunesmith.cli"]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    run("down", tmp_path / "home")


@pytest.fixture
def ports() -> list[str]:
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(3)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        numbers = [str(probe.getsockname()[1]) for probe in sockets]
    options = ("--web-port", "--api-port", "--fleet-port")
    return [part for pair in zip(options, numbers, strict=True) for part in pair]


def run(verb: str, data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, verb, "--data", str(data), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def processes(data: Path) -> dict[str, int]:
    known = json.loads((data / "up.json").read_text())
    return {name: known[name]["pid"] for name in ("control plane", "agent")}


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_up_down_and_up_again(data: Path, ports: list[str]) -> None:
    first = run("up", data, "--detach", *ports)
    assert first.returncode == 0, first.stderr
    found = single_start.running(data / "control-plane")
    assert found is not None
    assert f"Tunesmith is running at {found.web_url}" in first.stdout
    assert f"once at {found.web_url}/" in first.stdout
    before = processes(data)
    assert found.pid == before["control plane"]

    second = run("up", data, "--detach")
    assert second.returncode == 0, second.stderr
    assert processes(data) == before  # what runs is reused

    refused = run("up", data)
    assert refused.returncode == 4
    assert f"already running on {data}" in refused.stderr

    os.kill(before["agent"], signal.SIGKILL)
    psutil.Process(before["agent"]).wait(PATIENCE)
    assert run("up", data, "--detach").returncode == 0  # what is missing is started, with the identity it has
    repaired = processes(data)
    assert repaired["agent"] != before["agent"]
    assert repaired["control plane"] == before["control plane"]

    stopped = run("down", data)
    assert stopped.returncode == 0, stopped.stderr
    assert not any(alive(pid) for pid in repaired.values())
    assert run("down", data).stdout == "Nothing is running.\n"

    again = run("up", data, "--detach")  # on the ports that the agent remembers
    assert again.returncode == 0, again.stderr
    assert found.web_url in again.stdout


@pytest.mark.parametrize("ended", ["both", "the control plane alone"])
def test_the_agent_follows_to_other_ports(data: Path, ports: list[str], ended: str) -> None:
    """What it remembers from joining is taken by something else at the second start."""
    first = run("up", data, "--detach", *ports)
    assert first.returncode == 0, first.stderr
    if ended == "both":
        assert run("down", data).returncode == 0
    else:
        arbiter = psutil.Process(processes(data)["control plane"])
        arbiter.terminate()
        arbiter.wait(PATIENCE)
    with ExitStack() as strangers:
        for port in ports[3::2]:  # of the API and of the fleet link
            strangers.enter_context(socket.create_server(("127.0.0.1", int(port))))
        again = run("up", data, "--detach", "--ports", "auto")
        assert again.returncode == 0, again.stderr
        before = processes(data)
        assert run("up", data, "--detach", "--ports", "auto").returncode == 0
        assert processes(data) == before  # it has followed already
        assert run("down", data).returncode == 0
    at_rest = run("up", data, "--detach")  # it stays where it went
    assert at_rest.returncode == 0, at_rest.stderr


def test_two_that_begin_at_once_do_not_take_the_same_ports(tmp_path: Path, ports: list[str]) -> None:
    """Each finds the ports free; one of them is faster."""
    folders = [tmp_path / name for name in ("one", "other")]
    command = [*COMMAND, "up", "--detach", "--ports", "auto", *ports, "--data"]
    begun = [
        subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for folder in folders
    ]
    try:
        for up in begun:
            said, _ = up.communicate(timeout=PATIENCE)
            assert up.returncode == 0, said
        found = [single_start.running(folder / "control-plane") for folder in folders]
        assert len({place.web_url for place in found if place}) == 2
    finally:
        for folder in folders:
            run("down", folder)


def test_in_the_foreground_one_signal_ends_both_in_order(data: Path, ports: list[str]) -> None:
    with subprocess.Popen([*COMMAND, "up", "--data", str(data), *ports], stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        while "Ctrl-C" not in (line := up.stdout.readline()):
            assert line, "it ended before it was ready"
        children = processes(data)
        up.send_signal(signal.SIGINT)
        assert up.wait(PATIENCE) == 0
    assert not any(alive(pid) for pid in children.values())


def test_a_child_that_dies_ends_the_whole_with_a_failure(data: Path, ports: list[str]) -> None:
    command = [*COMMAND, "up", "--data", str(data), *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        while "Ctrl-C" not in (line := up.stdout.readline()):
            assert line, "it ended before it was ready"
        children = processes(data)
        os.kill(children["control plane"], signal.SIGKILL)
        _, said = up.communicate(timeout=PATIENCE)
    assert up.returncode == 1
    assert "The control plane ended with status -9." in said
    assert not any(alive(pid) for pid in children.values())
