"""A real control plane as a process of its own, on free ports and a temporary folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from control_plane import single_start
from control_plane.single_start import Running
from patience import wait_until

COMMAND = [sys.executable, "-c", "from control_plane.main import control_plane; control_plane()"]


def free_environment(data: Path, **settings: object) -> dict[str, str]:
    """This process's environment with free ports, the data folder, and settings named in lower case."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(3)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in sockets]
    values = dict(zip(("web_port", "api_port", "fleet_port"), ports, strict=True)) | {"data": data} | settings
    return dict(os.environ) | {f"TUNESMITH_{name.upper()}": str(value) for name, value in values.items()}


@contextmanager
def started(environment: dict[str, str], command: Sequence[str] = COMMAND) -> Iterator[subprocess.Popen[str]]:
    """The process, which is killed at the end if it still runs."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_ready(environment: dict[str, str], process: subprocess.Popen[str]) -> Running:
    """Where it is, once it serves."""
    data = Path(environment["TUNESMITH_DATA"])
    wait_until(lambda: single_start.running(data) or process.poll() is not None)
    found = single_start.running(data)
    assert found is not None, process.communicate()[0]
    return found
