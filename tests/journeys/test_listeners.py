"""A listener of a real installation: what was committed is told after a kill, and once; what hung is told again."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import psutil
import pytest
from data_support import ROWS
from listener_support import HERE

import tunesmith
from patience import PATIENCE, wait_until
from server_process import free_environment, started, wait_ready
from source_support import serving

pytestmark = pytest.mark.journey


def test_an_event_outlives_the_control_plane_before_and_while_it_is_told(tmp_path: Path) -> None:
    data, go_on, bodies = tmp_path / "data", threading.Event(), list[bytes]()

    def answer(connection: socket.socket, head: str) -> None:
        head, _, begun = head.partition("\r\n\r\n")
        length = int(next(line for line in head.split("\r\n") if line.lower().startswith("content-length")).split()[1])
        body = begun.encode("latin-1")
        while len(body) < length:
            body += connection.recv(65_536)
        bodies.append(body)
        go_on.wait(PATIENCE)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    environment = free_environment(data, listener_networks=HERE, delivery_seconds=PATIENCE)
    with serving(answer) as server:
        tells_nobody = environment | {"TUNESMITH_DELIVERIES": "0"}  # so that the kill comes before it is told
        with started(tells_nobody) as process:
            wait_ready(environment, process)
            client = tunesmith.connect(data=data)
            events = ["dataset.version_made", "job.failed"]
            number = client.add_listener("default", "webhook", server.address("/hook"), events).listener.id
            client.upload_dataset("default", "faults", ROWS)
            (waiting,) = client.list_deliveries(number)
            assert (waiting.outcome, waiting.attempts) == ("", 0)
            kill(process.pid)
        with started(environment) as process:
            wait_ready(environment, process)
            wait_until(lambda: len(bodies) == 1)  # it is being told, and hangs
            kill(process.pid)
        go_on.set()
        with started(environment) as process:
            wait_ready(environment, process)
            client = tunesmith.connect(data=data)
            wait_until(lambda: client.list_deliveries(number)[0].outcome == "delivered")
            (told,) = client.list_deliveries(number)
    assert (told.event, told.code) == ("dataset.version_made", 204)
    assert len({json.loads(body)["id"] for body in bodies}) == 1, "the same event, by which the receiver knows it"
    assert len(bodies) == 2


def kill(arbiter: int) -> None:
    """The whole control plane at once, so that nothing of it ends in order."""
    process = psutil.Process(arbiter)
    for one in [process, *process.children(recursive=True)]:
        one.kill()
