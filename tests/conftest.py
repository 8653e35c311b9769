"""Fixtures for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from postgresql_server import PostgresqlServer, lacking
from support import FakeClock, close_database, make_control_plane, missing


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cp(tmp_path: Path, clock: FakeClock) -> Iterator[ControlPlane]:
    """A control plane on a fresh SQLite file with no users, projects or methods."""
    yield make_control_plane(tmp_path / "data", clock)
    close_database()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A server that lives as long as the test session."""
    if reason := lacking():
        missing(reason)
    server = PostgresqlServer()
    yield server
    server.remove()


@pytest.fixture
def postgresql(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """Address of a fresh database that has the newest schema."""
    with postgresql_server.database() as address:
        yield address
