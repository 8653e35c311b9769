"""Fixtures for every test."""

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from control_plane.context import ControlPlane
from control_plane.services import method_folders
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


@pytest.fixture(scope="session", autouse=True)
def manifests_are_read_once() -> Iterator[None]:
    """A manifest that was complete once is not worked out again from the same text and the same kit.

    Most tests of the control plane register all shipped methods anew, which was most of what they took.
    """
    known: dict[tuple[object, ...], dict[str, Any]] = {}
    complete, of_kit = method_folders._complete, method_folders._of_kit

    def stamp(cp: ControlPlane, *files: str) -> tuple[object, ...]:
        kit = method_folders.root_of(cp) / method_folders.KIT
        found = [(kit / file) for file in files]
        return tuple((str(one), one.stat().st_mtime_ns, one.stat().st_size) for one in found if one.is_file())

    def complete_once(cp: ControlPlane, text: str, source: dict[str, Any]) -> dict[str, Any]:
        key = text, *stamp(cp, "manifest.schema.json", "parameters.toml", "checks.toml")
        if key not in known:
            known[key] = complete(cp, text, source)
        return copy.deepcopy(known[key])

    def of_kit_once(cp: ControlPlane, file: str) -> dict[str, Any]:
        key = stamp(cp, file)
        if key not in known:
            known[key] = of_kit(cp, file)
        return copy.deepcopy(known[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method_folders, "_complete", complete_once)
        patch.setattr(method_folders, "_of_kit", of_kit_once)
        yield


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
