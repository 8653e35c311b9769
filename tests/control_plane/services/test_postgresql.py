"""What a real PostgreSQL adds: writers that would run side by side, connections that are few and may break.

The other tests of this folder run on it too; this one also says, once, where there is no server.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Fenced, NameTaken
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services import deployments, jobs, models, transitions
from control_plane.services.access import people, projects
from control_plane.services.datasets import json_lines, versions
from control_plane.services.fleet import attempts, scheduling
from control_plane.store.database import release
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.models import ModelRecord
from fleet_support import Fleet, model_files, report, succeed, upload
from patience import PATIENCE, wait_until
from postgresql_server import PostgresqlServer
from support import FakeClock, close_database, make_control_plane

pytestmark = pytest.mark.postgresql


@pytest.fixture
def cp(tmp_path: Path, clock: FakeClock, postgresql: str) -> Iterator[ControlPlane]:
    yield make_control_plane(tmp_path / "data", clock, database=postgresql)
    close_database()


class Race:
    """Two callers at once. The first stops inside its transaction until the second has ended or waits for it."""

    def __init__(self, server: PostgresqlServer, patch: pytest.MonkeyPatch) -> None:
        self._server, self._patch = server, patch
        self._inside, self._go = threading.Event(), threading.Event()
        self.ends: dict[str, Any] = {}  # what each returned or raised

    def run(self, module: object, stop_at: str, first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
        """Call both; the first stops at its first call of `module.stop_at`. What each returned or raised."""
        self._patch.setattr(module, stop_at, self._stopping(getattr(module, stop_at)))
        threads = [threading.Thread(target=self._call, args=pair) for pair in (("first", first), ("second", second))]
        threads[0].start()
        assert self._inside.wait(PATIENCE)
        threads[1].start()
        wait_until(lambda: "second" in self.ends or self._somebody_waits())
        self._go.set()
        for thread in threads:
            thread.join(PATIENCE)
        return [self.ends["first"], self.ends["second"]]

    def _stopping(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stopping(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread().name == "first" and not self._inside.is_set():
                self._inside.set()
                assert self._go.wait(PATIENCE)
            return function(*args, **kwargs)

        return stopping

    def _call(self, name: str, function: Callable[[], Any]) -> None:
        threading.current_thread().name = name
        try:
            self.ends[name] = function()
        except Exception as problem:  # noqa: BLE001 — a test's thread: whatever ends it is looked at
            self.ends[name] = problem
        finally:
            release()

    def _somebody_waits(self) -> bool:
        return bool(self._server.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


@pytest.fixture
def race(postgresql_server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch) -> Race:
    return Race(postgresql_server, monkeypatch)


def test_there_is_a_postgresql(postgresql_server: PostgresqlServer) -> None:
    """The one that is left where there is none, and says why."""
    assert postgresql_server.execute("SELECT 1") == [(1,)]


def test_success_reported_twice_at_once_makes_one_model(
    cp: ControlPlane, race: Race, machine: Actor, attempt: AttemptRecord
) -> None:
    report(machine, cp, attempt, "UPLOADING")
    upload(machine, cp, attempt, "model", model_files("base"))
    sequence = AttemptRecord.get_by_id(attempt.id).sequence + 1

    def succeeded() -> str:
        return attempts.report(machine, cp, attempt.id, attempt.fence, sequence, "SUCCEEDED")

    assert race.run(models, "register", succeeded, succeeded) == ["SUCCEEDED", "SUCCEEDED"]
    assert ModelRecord.select().where(ModelRecord.job == attempt.job_id).count() == 1


def test_a_cancel_and_an_acceptance_at_once_do_not_lock_each_other_out(
    cp: ControlPlane, race: Race, fleet: Fleet, machine: Actor
) -> None:
    job = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    offered = fleet.attempt(job.id)
    cancelled, accepted = race.run(
        transitions.audit,
        "record",
        lambda: jobs.cancel(fleet.user, cp, job.id).state,
        lambda: attempts.accept(machine, cp, offered.id, offered.fence),
    )
    assert cancelled == "CANCELLED"
    assert isinstance(accepted, Fenced)
    assert fleet.attempt(job.id).state == "CANCELLED"


def test_a_cancel_while_a_job_goes_back_to_the_queue_ends_it(
    cp: ControlPlane, race: Race, fleet: Fleet, machine: Actor, attempt: AttemptRecord
) -> None:
    race.run(
        transitions,
        "_move_job",
        lambda: report(machine, cp, attempt, "FAILED", reason="agent_restarted"),
        lambda: jobs.cancel(fleet.user, cp, attempt.job_id),
    )
    assert JobRecord.get_by_id(attempt.job_id).state == "CANCELLED"


def test_the_same_idempotency_key_at_once_makes_one_job(cp: ControlPlane, race: Race, fleet: Fleet) -> None:
    def submit() -> int:
        return jobs.submit(fleet.user, cp, "default", "bring", idempotency_key="once").id

    first, second = race.run(transitions.audit, "record", submit, submit)
    assert first == second
    assert JobRecord.select().count() == 1


def test_a_dataset_uploaded_twice_at_once_is_one_version(cp: ControlPlane, race: Race, fleet: Fleet) -> None:
    def send() -> tuple[int, bool]:
        rows = io.BytesIO(b'{"prompt": "a", "completion": "b"}\n')
        version, reused = json_lines.upload(fleet.user, cp, "default", "pumps", rows, None)
        return version.id, reused

    first, second = race.run(versions.audit, "record", send, send)
    assert (first[0], second) == (second[0], (first[0], True))


def test_a_deployment_made_twice_at_once_is_one(cp: ControlPlane, race: Race, fleet: Fleet, machine: Actor) -> None:
    source = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    succeed(machine, cp, fleet.attempt(source.id), {"model": model_files("base")})
    (model,) = models.list_models(fleet.user, cp, "default", form="base")
    ModelRecord.update(form="gguf").where(ModelRecord.id == model.id).execute()

    def deploy() -> int:
        return deployments.deploy(fleet.user, cp, "default", "assistant", model.id).id

    first, second = race.run(deployments.audit, "record", deploy, deploy)
    assert first == second


@pytest.mark.parametrize("noun", ["user", "project"])
def test_a_name_given_twice_at_once_is_refused_in_words(cp: ControlPlane, race: Race, noun: str) -> None:
    def make() -> object:
        if noun == "user":
            return people.invite(SYSTEM, cp, "ada", "Ada", administrator=False)
        return projects.create(SYSTEM, cp, "pumps", "Pumps")

    first, second = race.run(people.audit, "record", make, make)
    assert not isinstance(first, Exception)
    assert isinstance(second, NameTaken)


def test_who_only_reads_waits_for_nobody(cp: ControlPlane, race: Race, fleet: Fleet) -> None:
    submitted, listed = race.run(
        transitions.audit,
        "record",
        lambda: jobs.submit(fleet.user, cp, "default", "bring").state,
        lambda: jobs.list_jobs(fleet.user, cp, "default")[1],
    )
    assert (submitted, listed) == ("QUEUED", 0)
