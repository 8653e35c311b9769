"""A real API port on loopback with a fleet behind it, and a client that is the administrator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from client_support import Engine, Installation

import tunesmith
from control_plane.domain.permissions import SYSTEM
from control_plane.rpc.server import Server
from control_plane.rpc.serving import ServingChannels
from control_plane.services.access import people
from control_plane.store.projects import ProjectRecord
from fleet_support import METHODS, Fleet
from support import FakeClock, close_database, make_control_plane


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    for name in ("TUNESMITH_API", "TUNESMITH_TOKEN", "TUNESMITH_AUTHORITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    engine = Engine()
    # TLS looks at the real time
    cp = make_control_plane(tmp_path / "data", FakeClock(time.time()), api_port=0, fleet_port=0)
    cp = replace(cp, inference=engine)
    server = Server(cp, ServingChannels())
    server.start()
    cp = replace(cp, settings=replace(cp.settings, api_port=server.api_port))
    people.first_start(cp)
    fleet = Fleet(cp, ProjectRecord.get(), SYSTEM)
    for source in METHODS:
        fleet.method(source)
    yield Installation(cp, engine, fleet)
    server.stop(grace_seconds=0.2)
    close_database()


@pytest.fixture
def client(installation: Installation) -> Iterator[tunesmith.Client]:
    with installation.connect() as connected:
        yield connected
