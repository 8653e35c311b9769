"""Fixtures for the services."""

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services import jobs
from control_plane.services.fleet import attempts, scheduling
from control_plane.store.jobs import AttemptRecord
from fleet_support import Fleet, make_fleet, report


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
