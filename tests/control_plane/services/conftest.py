"""Fixtures for the services: every test runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services import jobs
from control_plane.services.fleet import attempts, scheduling
from control_plane.store.jobs import AttemptRecord
from fleet_support import Fleet, make_fleet, report
from support import FakeClock, close_database, make_control_plane


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_address(request: pytest.FixtureRequest) -> str:
    """The setting `database`: empty for SQLite, or a fresh PostgreSQL database's address."""
    return request.getfixturevalue("postgresql") if request.param == "postgresql" else ""


@pytest.fixture
def cp(tmp_path: Path, clock: FakeClock, database_address: str) -> Iterator[ControlPlane]:
    """A control plane on a fresh database with no users, projects or methods."""
    yield make_control_plane(tmp_path / "data", clock, database=database_address)
    close_database()


@pytest.fixture
def fleet(cp: ControlPlane) -> Fleet:
    """A project with an owner, four methods and no machines."""
    return make_fleet(cp)


@pytest.fixture
def machine(fleet: Fleet) -> Actor:
    return fleet.machine()


@pytest.fixture
def attempt(cp: ControlPlane, fleet: Fleet, machine: Actor) -> AttemptRecord:
    """An import that runs on `machine`."""
    job = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")
    return attempt
