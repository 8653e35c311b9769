"""The town behind its real ports, and the real ports over nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from attacks.town import Town, settle

from control_plane.rpc.server import Server
from control_plane.rpc.serving import ServingChannels
from control_plane.store.database import open_database
from link_support import Link
from support import FakeClock, close_database, make_control_plane


@pytest.fixture
def town(shared_town: Town) -> Iterator[Town]:
    """Shared by a module's tests, none of which may leave a trace."""
    open_database(shared_town.cp.settings.data, "")  # the records may have been bound to another one meanwhile
    yield shared_town
    close_database()


@pytest.fixture(scope="module")
def shared_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    # TLS looks at the real time
    cp = make_control_plane(folder / "data", FakeClock(time.time()), api_port=0, fleet_port=0)
    town = settle(replace(cp, inference=ServingChannels()))
    town.server.start()
    yield town
    town.server.stop(grace_seconds=0.2)
    close_database()


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    """A town to be laid waste, without its ports."""
    cp = make_control_plane(tmp_path / "data", FakeClock(time.time()), api_port=0, fleet_port=0)
    yield settle(replace(cp, inference=ServingChannels()))
    close_database()


@pytest.fixture
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    """The real ports over an empty control plane."""
    channels = ServingChannels()
    folder = tmp_path_factory.mktemp("link")
    cp = replace(
        make_control_plane(folder / "data", FakeClock(time.time()), api_port=0, fleet_port=0), inference=channels
    )
    server = Server(cp, channels)
    server.start()
    yield Link(cp, server)
    server.stop(grace_seconds=0.2)
    close_database()
