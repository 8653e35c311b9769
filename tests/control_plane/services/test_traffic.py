"""How busy deployments are, from a request to a curve."""

from __future__ import annotations

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.requests import PERIOD
from control_plane.services import traffic
from control_plane.services.access import projects
from control_plane.store.deployments import DeploymentRecord, TrafficRecord
from served import serve
from support import FakeClock


def test_requests_stand_in_the_half_hour_that_they_came_in(cp: ControlPlane, clock: FakeClock) -> None:
    projects.create(SYSTEM, cp, "lab", "")
    busy, idle = (serve(cp, "lab", name).deployment_id for name in ("busy", "idle"))
    clock.advance(PERIOD - clock() % PERIOD)
    for count in (2, 3):
        for _ in range(count):
            cp.requests.count(busy, clock())
        traffic.write(cp)
    clock.advance(PERIOD)
    cp.requests.count(busy, clock())
    assert traffic.last_day(cp, [busy, idle]) == {busy: [0] * 46 + [5, 0], idle: [0] * 48}, "not written yet"
    traffic.write(cp)
    assert traffic.last_day(cp, [busy, idle]) == {busy: [0] * 46 + [5, 1], idle: [0] * 48}
    clock.advance(47 * PERIOD)
    assert traffic.last_day(cp, [busy]) == {busy: [1] + [0] * 47}


def test_what_cannot_be_written_counts_the_next_time(cp: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    projects.create(SYSTEM, cp, "lab", "")
    served = serve(cp, "lab", "faults").deployment_id
    cp.requests.count(served, cp.clock())
    with monkeypatch.context() as broken:
        broken.setattr(TrafficRecord, "insert_many", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            traffic.write(cp)
    cp.requests.count(served, cp.clock())
    traffic.write(cp)
    assert traffic.last_day(cp, [served])[served][-1] == 2


def test_a_deployment_that_is_gone_does_not_keep_others_from_being_written(cp: ControlPlane) -> None:
    projects.create(SYSTEM, cp, "lab", "")
    gone, kept = (serve(cp, "lab", name).deployment_id for name in ("gone", "kept"))
    for one in (gone, kept):
        cp.requests.count(one, cp.clock())
    DeploymentRecord.delete_by_id(gone)
    traffic.write(cp)
    assert traffic.last_day(cp, [kept])[kept][-1] == 1


def test_what_is_older_than_a_month_goes(cp: ControlPlane, clock: FakeClock) -> None:
    projects.create(SYSTEM, cp, "lab", "")
    served = serve(cp, "lab", "faults").deployment_id
    cp.requests.count(served, clock())
    traffic.write(cp)
    clock.advance(30 * 86_400)
    assert traffic.forget_old(cp) == 0
    clock.advance(PERIOD)
    assert traffic.forget_old(cp) == 1
