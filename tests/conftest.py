"""Fixtures for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from support import FakeClock, close_database, make_control_plane


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cp(tmp_path: Path, clock: FakeClock) -> Iterator[ControlPlane]:
    """A control plane on a fresh SQLite file with no users, projects or methods."""
    yield make_control_plane(tmp_path / "data", clock)
    close_database()
