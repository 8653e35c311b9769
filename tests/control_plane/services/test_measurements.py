"""Figures of the whole installation."""

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied
from control_plane.domain.permissions import SYSTEM
from control_plane.services import jobs, measurements
from control_plane.services.fleet import machines
from fleet_support import Fleet
from support import FakeClock


def test_what_there_is_is_counted_by_state(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    empty = measurements.of_installation(SYSTEM, cp)
    assert (set(empty.jobs.values()), set(empty.machines.values()), set(empty.replicas.values())) == ({0}, {0}, {0})
    assert empty.oldest_queued_seconds == 0
    machines.goodbye(fleet.machine(), cp, 1, "shutdown")
    fleet.machine()
    jobs.submit(fleet.user, cp, "default", "bring")
    clock.advance(60)
    jobs.submit(fleet.user, cp, "default", "bring")
    found = measurements.of_installation(SYSTEM, cp)
    assert found.jobs == {"QUEUED": 2, "RUNNING": 0, "SUCCEEDED": 0, "FAILED": 0, "CANCELLED": 0}
    assert found.machines == {"ONLINE": 1, "STALE": 0, "DISCONNECTED": 1, "ASLEEP": 0}
    assert found.oldest_queued_seconds == 60


def test_they_are_not_for_everybody(cp: ControlPlane, fleet: Fleet) -> None:
    with pytest.raises(Denied):
        measurements.of_installation(fleet.user, cp)
