"""Fixtures for every test."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from control_plane.context import ControlPlane
from postgresql_server import PostgresqlServer, lacking
from support import FakeClock, close_database, make_control_plane, missing

# how long an example takes says how busy the machine is, nothing of the code
hypothesis.settings.register_profile("tunesmith", deadline=None)
hypothesis.settings.load_profile("tunesmith")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long files first, so that no processor is left alone with one at the end (`--no-loadscope-reorder`).

    Without a PostgreSQL its tests are left out, and one of them says so; where it is required, each fails.
    """
    items.sort(key=lambda one: not (one.get_closest_marker("torch") or one.get_closest_marker("browser")))
    if not lacking() or os.environ.get("TUNESMITH_TEST_REQUIRE") == "all":
        return
    out = [one for one in items if one.get_closest_marker("postgresql") and one.name != "test_there_is_a_postgresql"]
    config.hook.pytest_deselected(items=out)
    items[:] = [one for one in items if one not in set(out)]


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
