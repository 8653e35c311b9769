"""The only connection to PostgreSQL goes from hand to hand: nobody keeps it between two calls, requests or ticks."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane import ticks
from control_plane.context import ControlPlane
from control_plane.rpc.hops import Hops
from control_plane.services.access import people
from control_plane.store.database import database, release
from control_plane.store.people import UserRecord
from patience import PATIENCE
from support import FakeClock, close_database, make_control_plane
from web import create_app

pytestmark = pytest.mark.postgresql


@pytest.fixture
def cp(tmp_path: Path, clock: FakeClock, postgresql: str) -> Iterator[ControlPlane]:
    made = make_control_plane(tmp_path / "data", clock, database=postgresql, database_connections=1)
    database.obj._wait_timeout = PATIENCE  # and no more, for whoever finds the connection kept elsewhere
    yield made
    close_database()


def test_a_hop_gives_its_connection_back(cp: ControlPlane) -> None:
    pool = Hops(2)
    assert pool.submit(UserRecord.select().count).result() == 0
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: UserRecord.select().count() / 0).result()
    assert UserRecord.select().count() == 0  # in this thread
    release()
    pool.shutdown()


def test_a_tick_and_a_pass_give_theirs_back(cp: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    ticked, passed = threading.Event(), threading.Event()

    def tick(cp: ControlPlane) -> None:
        UserRecord.select().count()
        ticked.set()

    def run_pass(cp: ControlPlane) -> None:
        UserRecord.select().count()
        passed.set()

    monkeypatch.setattr(ticks, "TICKS", ((0.05, tick),))
    monkeypatch.setattr(ticks.scheduling, "run_pass", run_pass)
    running = ticks.Ticks(cp)
    running.start()
    for happened in (ticked, passed, ticked, passed):
        assert happened.wait(PATIENCE)
        happened.clear()
    running.stop()
    assert UserRecord.select().count() == 0


def test_a_request_gives_its_own_back(cp: ControlPlane) -> None:
    link = people.first_start(cp)
    assert link is not None
    release()
    client = create_app(cp).test_client()
    statuses = []

    def ask() -> None:
        statuses.append(client.get("/welcome/" + link.rsplit("/", 1)[1]).status_code)

    for _ in range(2):
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join()
    assert statuses == [200, 200]
