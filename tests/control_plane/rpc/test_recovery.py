"""A laptop that comes back after its certificate expired: the agent's own steps against the real services."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from agent.link import calls as agent
from agent.link import identity
from agent.main import connect
from agent.settings import Settings
from agent.storage.state import Store
from control_plane.domain.permissions import SYSTEM
from control_plane.services.fleet.enrollment import create_join_token
from control_plane.store.audit import AuditRecord
from control_plane.store.machines import MachineRecord
from link_support import Link
from patience import PATIENCE
from support import FakeClock
from tunesmith.v1 import fleet_pb2 as pb

DAY = 86_400.0


class Laptop:
    """The agent's data folder of a laptop that joined `days` ago and was shut since."""

    def __init__(self, folder: Path, link: Link, clock: FakeClock, days: float) -> None:
        self.settings = Settings(data=folder, call_seconds=PATIENCE, retry_max_seconds=0.2)
        self.store = Store(folder / "state.db")
        clock.advance(-days * DAY)
        token = create_join_token(SYSTEM, link.cp, "laptop")[0]
        identity.join(self.settings, self.store, f"127.0.0.1:{link.server.api_port}", token)
        clock.advance(days * DAY)
        # the test's server chose its port when it started, after its settings were written
        reachable = replace(self.identity(), fleet_address=f"127.0.0.1:{link.server.fleet_port}")
        self.store.keep("identity", asdict(reachable))

    def identity(self) -> identity.Identity:
        found = identity.load(self.store)
        assert found is not None
        return found

    def recover(self) -> identity.Identity:
        return identity.recover(self.settings, self.store, self.identity())

    def connect(self, stopping: bool = False) -> agent.Link | None:
        """As the agent does when it starts; one that is to stop does not try again."""
        event = threading.Event()
        if stopping:
            event.set()
        return connect(self.settings, self.store, event)

    def copy(self, folder: Path) -> Laptop:
        """The same disk once more."""
        shutil.copytree(self.settings.data, folder)
        clone = object.__new__(Laptop)
        clone.settings, clone.store = replace(self.settings, data=folder), Store(folder / "state.db")
        return clone


def hello(connection: agent.Link | None) -> int:
    assert connection is not None
    request = pb.HelloRequest(agent_version="0.1.0", boot_id="b", inventory=pb.Inventory(hostname="laptop"))
    return int(connection.ask_once(request, PATIENCE).epoch)


def test_a_laptop_comes_back_from_a_long_holiday(link: Link, clock: FakeClock, tmp_path: Path) -> None:
    laptop = Laptop(tmp_path / "laptop", link, clock, days=60)
    before = laptop.identity()
    assert before.not_after < time.time()
    with pytest.raises(agent.Unreachable):  # the handshake fails
        expired = identity.credentials(laptop.settings, before)
        hello(agent.Link(before.fleet_address, expired, laptop.settings))
    key = (laptop.settings.data / "machine.key").read_bytes()
    assert hello(laptop.connect()) == 1
    after = laptop.identity()
    assert (after.machine_id, after.generation) == (before.machine_id, before.generation + 1)
    assert after.not_after > time.time() + 6 * DAY
    assert (laptop.settings.data / "machine.key").read_bytes() == key
    assert [row.action for row in AuditRecord.select().order_by(AuditRecord.id)][-1] == "machine.recover"


def test_a_laptop_that_was_shut_for_six_days_needs_nothing(link: Link, clock: FakeClock, tmp_path: Path) -> None:
    laptop = Laptop(tmp_path / "laptop", link, clock, days=6)
    before = laptop.identity()
    assert hello(laptop.connect()) == 1
    assert laptop.identity() == before


def test_one_that_was_away_for_longer_than_the_policy_allows_is_refused(
    link: Link, clock: FakeClock, tmp_path: Path
) -> None:
    settings = link.cp.settings
    most = (settings.certificate_laptop_seconds + settings.recover_seconds) / DAY
    late = Laptop(tmp_path / "late", link, clock, days=most + 1)
    with pytest.raises(agent.CertificateRefused):
        late.recover()
    assert late.connect(stopping=True) is None
    assert MachineRecord.get().locked_reason == ""
    in_time = Laptop(tmp_path / "in-time", link, clock, days=most - 1)
    assert hello(in_time.connect()) == 1


def test_a_lost_answer_is_asked_for_again(link: Link, clock: FakeClock, tmp_path: Path) -> None:
    laptop = Laptop(tmp_path / "laptop", link, clock, days=8)
    before = laptop.identity()
    lost = laptop.recover()
    laptop.store.keep("identity", asdict(before))
    assert laptop.recover().generation == lost.generation
    assert hello(laptop.connect()) == 1


def test_a_cloned_disk_locks_the_machine_and_is_alarmed(link: Link, clock: FakeClock, tmp_path: Path) -> None:
    laptop = Laptop(tmp_path / "laptop", link, clock, days=8)
    clone = laptop.copy(tmp_path / "clone")
    used = clone.connect()
    assert hello(used) == 1
    with pytest.raises(agent.CertificateRefused):
        laptop.recover()
    machine = MachineRecord.get()
    assert machine.locked_reason == "cloned"
    alarm = AuditRecord.get(AuditRecord.action == "machine.lock")
    assert (alarm.subject, alarm.details) == (f"machine:{machine.id}", {"reason": "cloned"})
    with pytest.raises(agent.CertificateRefused):
        hello(used)
    for either in (laptop, clone):
        with pytest.raises(agent.CertificateRefused):
            either.recover()
