"""Each event is told where it happens, once: jobs, verdicts, data, machines that fall silent, disks that run full."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from listener_support import rows
from rooms import rows as lines

from control_plane.context import ControlPlane
from control_plane.domain.listeners.events import CHOICES
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.presence import Hello
from control_plane.services import jobs
from control_plane.services.access import identity, people, projects
from control_plane.services.datasets import json_lines
from control_plane.services.fleet import attempts, machines, scheduling
from control_plane.services.listeners import disks, listening
from control_plane.store.listeners import DeliveryRecord
from control_plane.store.people import UserRecord
from fleet_support import Fleet, inventory_of, model_files, report, succeed
from support import FakeClock


@pytest.fixture(autouse=True)
def owner(cp: ControlPlane, fleet: Fleet) -> Actor:
    """Who has a listener of all events, told in German."""
    people.invite(SYSTEM, cp, "olga", "Olga", False)
    projects.set_member(SYSTEM, cp, "default", "olga", "Owner")
    olga = identity.actor_of(UserRecord.get(UserRecord.name == "olga"), "")
    listening.add(olga, cp, "default", "webhook", "https://hooks.example.org/", CHOICES, "de")
    return olga


def told() -> list[tuple[str, str]]:
    return [(row.event, row.payload["text"]) for row in rows()]


def test_a_job_that_ends(cp: ControlPlane, fleet: Fleet, machine: Actor) -> None:
    for ends in ("SUCCEEDED", "FAILED"):
        job = jobs.submit(fleet.user, cp, "default", "bring", ends.lower())
        scheduling.run_pass(cp)
        attempt = fleet.attempt(job.id)
        if ends == "SUCCEEDED":
            succeed(machine, cp, attempt, {"model": model_files("base")})
            continue
        attempts.accept(machine, cp, attempt.id, attempt.fence)
        report(machine, cp, attempt, "RUNNING")
        report(machine, cp, attempt, "FAILED", reason="trainer_crashed", params={"code": 1, "lines": "boom"})
    (first, done), (second, failed) = told()
    assert (first, done) == ("job.succeeded", "Der Auftrag „succeeded“ ist gelungen.")
    assert second == "job.failed" and failed.startswith("Der Auftrag „failed“ ist gescheitert. ")
    assert "boom" not in str(rows()[1].payload), "what a program wrote is for the job's readers"
    assert rows()[1].payload["data"] == {"kind": "import", "reason": "trainer_crashed"}


def test_a_new_version_and_not_the_same_again(cp: ControlPlane, fleet: Fleet) -> None:
    for word in ("pump", "pump", "valve"):
        json_lines.upload(fleet.user, cp, "default", "notes", BytesIO(lines(20, word)), None)
    assert [(event, row.payload["data"]["number"]) for (event, _), row in zip(told(), rows(), strict=True)] == [
        ("dataset.version_made", 1),
        ("dataset.version_made", 2),
    ]


def test_a_machine_that_falls_silent_is_told_once(
    cp: ControlPlane, fleet: Fleet, machine: Actor, clock: FakeClock
) -> None:
    machines.hello(machine, cp, Hello("0.1.0", "boot", inventory_of(16 << 30), ()))
    clock.advance(cp.settings.disconnected_server_seconds * 10)
    for _ in range(3):
        machines.mark_connectivity(cp)
        clock.advance(60)
    assert [event for event, _ in told()] == ["machine.lost"]
    assert rows()[0].payload["subject"]["id"] == machine.id


def test_disks_that_are_almost_full_are_told_once_a_day(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    fleet.machine(disk_free=5 << 30)
    cp = replace(cp, settings=replace(cp.settings, low_disk_bytes=1 << 60))
    assert disks.watch(cp) == 2, "that of the control plane, and the machine's"
    clock.advance(3_600)
    assert disks.watch(cp) == 0
    clock.advance(86_400)
    assert disks.watch(cp) == 2
    assert "5.0 GiB" in " ".join(text for _, text in told())
    assert disks.watch(replace(cp, settings=replace(cp.settings, low_disk_bytes=0))) == 0


def test_without_a_listener_nothing_is_written(cp: ControlPlane, fleet: Fleet, owner: Actor) -> None:
    for one in listening.listed(owner, cp, "default"):
        listening.remove(owner, cp, one.id)
    json_lines.upload(fleet.user, cp, "default", "notes", BytesIO(lines(20)), None)
    assert disks.watch(replace(cp, settings=replace(cp.settings, low_disk_bytes=1 << 60))) == 0
    assert DeliveryRecord.select().count() == 0
