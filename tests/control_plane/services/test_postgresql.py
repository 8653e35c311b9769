"""A job's whole life on a real PostgreSQL: the same services, the same guarded updates."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Fenced, NotFound
from control_plane.domain.permissions import SYSTEM
from control_plane.services import audit, jobs, models
from control_plane.services.access import people
from control_plane.services.fleet import attempts, scheduling
from fleet_support import Fleet, model_files, report, succeed
from support import FakeClock, close_database, make_control_plane

pytestmark = pytest.mark.postgresql


@pytest.fixture
def cp(tmp_path: Path, clock: FakeClock, postgresql: str) -> Iterator[ControlPlane]:
    """A control plane on a database of its own."""
    connection = psycopg2.connect(postgresql)
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE thread")
    yield make_control_plane(tmp_path / "data", clock, database=postgresql.replace("/postgres?", "/thread?"))
    close_database()
    connection.cursor().execute("DROP DATABASE thread WITH (FORCE)")
    connection.close()


def test_from_the_first_start_to_a_registered_model(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring", idempotency_key="once")
    assert jobs.submit(fleet.user, cp, "default", "bring", idempotency_key="once").id == job.id
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")
    with pytest.raises(Fenced):
        attempts.accept(machine, cp, attempt.id, attempt.fence - 1)
    with pytest.raises(NotFound):
        attempts.accept(fleet.machine(), cp, attempt.id, attempt.fence)
    assert succeed(machine, cp, attempt, {"model": model_files("base")}) == "SUCCEEDED"
    (model,) = models.list_models(fleet.user, cp, "default", form="base")
    assert model.job_id == job.id
    audit.seal(cp)
    assert audit.verify(cp) is None
    assert audit.list_entries(SYSTEM, cp)


def test_the_first_administrator_gets_in(cp: ControlPlane) -> None:
    link = people.first_start(cp)
    assert link is not None
    secret = people.redeem_link(cp, link.rsplit("/", 1)[1], "a long enough sentence", "127.0.0.1")
    assert people.actor_of_session(cp, secret, "127.0.0.1").administrator
