"""A source in a real installation: killed in the middle of a fetch, begun again, and fetched by itself at its time."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import threading
from pathlib import Path

import pytest
from data_support import ROWS

import tunesmith
from patience import PATIENCE, wait_until
from server_process import free_environment, started, wait_ready
from source_support import HERE, serving

pytestmark = pytest.mark.journey
PASSWORD = "hunter2-canary"


def test_a_fetch_outlives_the_control_plane_and_a_refresh_comes_by_itself(tmp_path: Path) -> None:
    data, go_on, content = tmp_path / "data", threading.Event(), [ROWS]

    def answer(connection: socket.socket, head: str) -> None:
        whole = content[0]
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(whole)}\r\n\r\n".encode() + whole[:100])
        go_on.wait(PATIENCE)
        connection.sendall(whole[100:])

    environment = free_environment(data, source_networks=HERE)
    with serving(answer) as server:
        with started(environment) as process:
            running = wait_ready(environment, process)
            client = tunesmith.connect(data=data)
            address = {"address": server.address("/faults.jsonl")}
            draft = client.begin_source("default", "http", address, {"password": PASSWORD})
            wait_until(lambda: len(server.asked) == 1)
            assert client.get_draft(draft.id).state == "fetching"
            os.kill(running.pid, signal.SIGKILL)
            process.kill()
        go_on.set()
        with started(environment) as process:
            wait_ready(environment, process)
            client = tunesmith.connect(data=data)
            *_, draft = client.wait_draft(draft.id)
            assert (draft.state, draft.message) == ("ready", "")
            client.save_draft(draft.id, "faults")
            *_, draft = client.wait_draft(draft.id)
            assert draft.state == "saved"
            (source,) = client.list_sources("default")
            client.schedule_source(source.id, every=300)
            content[0] = ROWS.replace(b"p1", b"q1")
            process.kill()
        make_due(data)
        with started(environment) as process:
            wait_ready(environment, process)
            client = tunesmith.connect(data=data)
            wait_until(lambda: len(client.list_datasets("default")) == 2)
            (source,) = client.list_sources("default")
            assert (source.message, source.draft_id) == ("", 0) and source.next_at > source.looked_at
    assert all(f"Authorization: Bearer {PASSWORD}" in head for head in server.asked)
    held = [path for path in data.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert held == []


def make_due(data: Path) -> None:
    """Set the time of each source back, as if the installation had been off for long."""
    with sqlite3.connect(data / "tunesmith.db") as connection:
        assert connection.execute("UPDATE sources SET next_at = 1.0 WHERE next_at > 0").rowcount == 1
    connection.close()
