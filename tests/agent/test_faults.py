"""Every attempt ends, whatever is raised, where: once, and it succeeds; always, and it fails with a reason.

The agent's threads run in this process, against the fake control plane, with a real runner and trainer.
"""

from __future__ import annotations

import errno
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from agent.attempts import artifacts, attempt, trainer, workspace
from agent.attempts.attempts import Attempts
from agent.attempts.outbox import Outbox
from agent.build import BuildFailed, Environment
from agent.context import Agent
from agent.link import heartbeat, identity, poll
from agent.link.calls import Link
from agent.link.session import Session
from agent.serving.replicas import Serving
from agent.settings import Settings
from agent.storage import blobs
from agent.storage.cache import Cache
from agent.storage.state import Store, Unwritable
from control_plane.wording import say
from patience import PATIENCE, wait_until
from tests.agent.fake_fleet import FakeFleet
from tests.agent.trainings import GOOD, make_offer, over
from tunesmith.v1 import fleet_pb2 as pb


class Environments:
    """Where an environment would be built: this one will do."""

    folder = Path(sys.prefix)

    def ensure(self, *_: object) -> Environment:
        return Environment(Path(sys.executable), "")


class InProcess:
    """An agent whose threads are this process's."""

    def __init__(self, folder: Path, fleet: FakeFleet) -> None:
        settings = Settings(
            data=folder, tail_seconds=0.02, retry_max_seconds=0.2, faulty_tries=3, fault_first_seconds=0.02,
            fault_max_seconds=0.1, cancel_grace_seconds=0.5,
        )  # fmt: skip
        store = Store(folder / "state.db")
        mine = identity.join(settings, store, f"127.0.0.1:{fleet.api_port}", fleet.token)
        link = Link(mine.fleet_address, identity.credentials(settings, mine), settings)
        cache, self.stopping = Cache(folder / "cache", 1 << 30, store), threading.Event()
        self.agent = Agent(settings, store, link, cache, Environments(), self.stopping)  # type: ignore[arg-type]
        self.attempts, self.serving = Attempts(self.agent), Serving(self.agent)
        self.session = Session(self.agent, self.attempts)

    def start(self) -> None:
        self.attempts.resume()
        self.serving.resume(self.session)
        parts = (self.agent, self.session, self.attempts, self.serving)
        for loop in (heartbeat.run, poll.run):
            threading.Thread(target=loop, args=parts, daemon=True).start()  # they end with the fleet's server

    def stop(self) -> None:
        self.stopping.set()
        self.agent.link.close()

    def folder(self, attempt_id: int = 12) -> Path:
        return self.agent.settings.data / "attempts" / str(attempt_id)

    def is_done(self, attempt_id: int = 12) -> bool:
        return self.agent.store.attempt(attempt_id) is None and not self.folder(attempt_id).exists()


@pytest.fixture
def house(tmp_path: Path, fleet: FakeFleet) -> Iterator[InProcess]:
    fleet.heartbeat_seconds = 0.1
    (tmp_path / "agent").mkdir()
    made = InProcess(tmp_path / "agent", fleet)
    made.start()
    yield made
    made.stop()


class Fault:
    """Raises `problem` instead of calling, the first `times` times."""

    def __init__(self, times: float, problem: Exception | None = None) -> None:
        self.left = times
        self.problem = problem or OSError(errno.ENOSPC, "No space left on device")

    def put(self, monkeypatch: pytest.MonkeyPatch, place: object, name: str, only: str = "") -> None:
        real = getattr(place, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self.left > 0 and (not only or only in args):
                self.left -= 1
                raise self.problem
            return real(*args, **kwargs)

        monkeypatch.setattr(place, name, call)


SEAMS = {
    "fetch": (blobs, "fetch"),
    "lay_out": (workspace, "lay_out"),
    "environment": (Environments, "ensure"),
    "start": (trainer, "start"),
    "accepted": (Outbox, "report", "PREPARING"),
    "running": (Outbox, "report", "RUNNING"),
    "uploading": (Outbox, "report", "UPLOADING"),
    "succeeded": (Outbox, "report", "SUCCEEDED"),
    "events": (Outbox, "send_events"),
    "logs": (Outbox, "send_logs"),
    "seal": (Outbox, "seal_logs"),
    "upload": (artifacts, "upload"),
    "adopt": (Cache, "adopt"),
    "judge": (attempt, "judge"),
    "boot": (Store, "set_boot"),
    "log offsets": (Store, "set_log"),
    "event offsets": (Store, "set_events"),
    "report written": (Store, "add_report"),
    "report dropped": (Store, "drop_report"),
    "reports read": (Store, "reports"),
}


@pytest.mark.parametrize("seam", SEAMS)
def test_raised_once_it_succeeds_all_the_same(
    seam: str, fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault(1)
    fault.put(monkeypatch, *SEAMS[seam])
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: over(fleet))
    assert fault.left == 0
    last = fleet.states[12][-1]
    assert (last.state, last.reason) == ("SUCCEEDED", "")
    assert [event["step"] for event in fleet.events[12]] == [0, 1, 2]
    wait_until(house.is_done)


# a store that can never be read holds what it has to tell for ever: that attempt waits, and is not lost
@pytest.mark.parametrize("seam", [name for name in SEAMS if name != "reports read"])
def test_raised_always_it_fails_with_a_reason_and_the_next_one_runs(
    seam: str, fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault(float("inf"))
    fault.put(monkeypatch, *SEAMS[seam])
    fleet.offer(make_offer(fleet, "event(kind='x', pid=os.getpid())\n" + GOOD))
    fleet.wait_for(lambda: over(fleet))
    last = fleet.states[12][-1]
    assert (last.state, last.reason) == ("FAILED", "disk_full")
    wait_until(lambda: not house.attempts.held())
    wait_until(lambda: not trainer.is_running(house.folder()))  # one that began late finds nothing to do
    fault.left = 0
    wait_until(house.is_done)
    fleet.offer(make_offer(fleet, GOOD, attempt_id=13))
    fleet.wait_for(lambda: over(fleet, 13))
    assert fleet.last_state(13) == "SUCCEEDED"


def test_an_agent_that_is_started_again_and_again_ends_the_attempt_all_the_same(
    tmp_path: Path, fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each start meets the fault once and is gone before the next try."""
    Fault(float("inf")).put(monkeypatch, workspace, "lay_out")
    monkeypatch.setattr("agent.attempts.faults.Faults.wait", lambda self: 1e9)
    (tmp_path / "agent").mkdir()

    def begin() -> InProcess:
        house = InProcess(tmp_path / "agent", fleet)
        house.start()
        return house

    def meet(tries: int) -> None:
        house = begin()
        wait_until(lambda: (row := house.agent.store.attempt(12)) and row.fault_tries == tries)
        house.stop()

    fleet.offer(make_offer(fleet, GOOD))
    meet(1)
    meet(2)
    house = begin()
    fleet.wait_for(lambda: over(fleet))
    assert (fleet.last_state(12), fleet.states[12][-1].reason) == ("FAILED", "disk_full")
    wait_until(house.is_done)
    house.stop()


def test_a_store_that_cannot_be_read_for_a_while_loses_no_attempt(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even while a fault is being met: the thread stays, and the training goes on."""
    row = Fault(0, Unwritable(errno.EIO, "state.db: disk I/O error"))
    row.put(monkeypatch, Store, "attempt", only=12)  # type: ignore[arg-type]
    logs = Fault(0)
    logs.put(monkeypatch, Outbox, "send_logs")
    fleet.offer(make_offer(fleet, "time.sleep(0.5)\n" + GOOD))
    fleet.wait_for(lambda: fleet.last_state(12) == "RUNNING")
    row.left, logs.left = 2, 1
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED"
    wait_until(house.is_done)


def test_a_machine_that_has_no_thread_to_give_holds_nothing(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refused = threading.Thread.start, threading.Event()

    def start_unless(thread: threading.Thread) -> None:
        if thread.name == "attempt-12" and not refused.is_set():
            refused.set()
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_unless)
    fleet.offer(make_offer(fleet, GOOD))
    wait_until(refused.is_set)
    wait_until(lambda: not house.attempts.held())
    fleet.instruct("cancel:12:3", cancel=pb.Cancel(attempt_id=12, fence=3))  # and it is found all the same
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "CANCELLED"


def test_what_is_no_full_disk_is_an_error_of_the_agent_in_words(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = RuntimeError("first line\nthe token tsk_abcdefghijklmnop")
    Fault(float("inf"), problem).put(monkeypatch, workspace, "lay_out")
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: over(fleet))
    last = fleet.states[12][-1]
    params = json.loads(last.params)
    assert last.reason == "agent_error" and params["problem"].startswith("the token ****")
    said = {locale: say(last.reason, params, locale) for locale in ("en", "de", "zh")}
    assert len(set(said.values())) == 3 and all("the token ****" in words for words in said.values())


@pytest.mark.parametrize("times", [1, float("inf")])
def test_too_little_room_for_the_inputs_may_pass(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch, times: float
) -> None:
    Fault(times, blobs.DiskFull(7, 5)).put(monkeypatch, blobs, "fetch")
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: over(fleet))
    last = fleet.states[12][-1]
    ends = [("SUCCEEDED", "", {}), ("FAILED", "disk_full", {"needed": 7, "free": 5})]
    assert (last.state, last.reason, json.loads(last.params or "{}")) == ends[times > 1]


@pytest.mark.parametrize(
    ("said", "reason", "tries"),
    [
        ("OSError: [Errno 28] No space left on device", "disk_full", 3),
        ("error: No space left on device (os error 28)", "disk_full", 3),
        ("no", "environment_failed", 1),
    ],
)
def test_a_build_is_tried_again_where_the_disk_was_full_and_not_else(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch, said: str, reason: str, tries: int
) -> None:
    calls = []

    def ensure(_: object, requirements: str, lock: str, build_log: Path, tick: object) -> None:
        calls.append(requirements)
        build_log.write_text(said)
        raise BuildFailed("pip")

    monkeypatch.setattr(Environments, "ensure", ensure)
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: over(fleet))
    assert (fleet.states[12][-1].reason, len(calls)) == (reason, tries)


def test_no_trainer_outlives_a_failed_attempt(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault(0)
    fault.put(monkeypatch, Outbox, "send_logs")
    fleet.offer(make_offer(fleet, "event(kind='x', pid=os.getpid())\nwhile True: time.sleep(1)"))
    fleet.wait_for(lambda: fleet.events[12])
    process = psutil.Process(int(str(fleet.events[12][0]["pid"])))
    fault.left = float("inf")
    fleet.wait_for(lambda: over(fleet))
    with suppress(psutil.NoSuchProcess):
        assert process.status() == psutil.STATUS_ZOMBIE
    assert fleet.states[12][-1].reason == "disk_full"


@pytest.mark.parametrize(
    ("body", "reason", "output"),
    [
        ("(out / 'events.jsonl').mkdir(); time.sleep(30)", "output_unreadable", "events.jsonl"),
        ("os.symlink('/etc/passwd', out / 'events.jsonl'); time.sleep(30)", "output_unreadable", "events.jsonl"),
        (
            "(out / 'adapter').mkdir(); open(bytes(out / 'adapter') + b'/w\\xff.bin', 'w').write('x')",
            "output_unreadable",
            "model",
        ),
    ],
)
def test_what_the_method_did_is_the_methods(
    fleet: FakeFleet, house: InProcess, body: str, reason: str, output: str
) -> None:
    fleet.offer(make_offer(fleet, body))
    fleet.wait_for(lambda: over(fleet))
    last = fleet.states[12][-1]
    assert (last.state, last.reason) == ("FAILED", reason)
    assert json.loads(last.params)["output"] == output
    wait_until(house.is_done)


@pytest.mark.parametrize("ending", ["cancel", "stop"])
def test_cancel_and_stop_find_an_attempt_without_a_thread(
    fleet: FakeFleet, house: InProcess, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = make_offer(fleet, GOOD)
    fleet.fences[12] = offer.fence
    house.agent.store.add_attempt(12, offer.fence, offer.SerializeToString())
    assert not house.attempts.held()
    if ending == "cancel":
        fleet.instruct("cancel:12:3", cancel=pb.Cancel(attempt_id=12, fence=3))
        fleet.wait_for(lambda: over(fleet))
        assert fleet.last_state(12) == "CANCELLED"
    else:
        house.attempts.follow(pb.AttemptVerdict(attempt_id=12, fence=3, verdict="stop"))
    wait_until(lambda: house.agent.store.attempt(12) is None)


def test_a_cancel_gets_through_while_a_step_is_tried_again(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    Fault(float("inf")).put(monkeypatch, workspace, "lay_out")
    monkeypatch.setattr("agent.attempts.faults.Faults.wait", lambda self: 1e9)
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: fleet.last_state(12) == "PREPARING")
    fleet.instruct("cancel:12:3", cancel=pb.Cancel(attempt_id=12, fence=3))
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "CANCELLED"


def test_a_report_that_the_control_plane_cannot_take_ends_the_attempt(fleet: FakeFleet, house: InProcess) -> None:
    fleet.refusals["ReportState:SUCCEEDED"] = (grpc.StatusCode.INTERNAL, "")
    fleet.refuse_times = 1_000
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: over(fleet))
    assert (fleet.states[12][-1].state, fleet.states[12][-1].reason) == ("FAILED", "control_plane_error")
    wait_until(house.is_done)


@pytest.mark.parametrize("way", ["cancel", "fence"])
def test_a_cancel_or_a_fence_gets_through_while_a_report_is_tried_again(
    fleet: FakeFleet, house: InProcess, way: str
) -> None:
    fleet.refusals["ReportState:SUCCEEDED"] = (grpc.StatusCode.UNAVAILABLE, "")
    fleet.refuse_times = 1_000_000
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: fleet.refuse_times < 1_000_000)
    if way == "fence":
        house.attempts.follow(pb.AttemptVerdict(attempt_id=12, fence=3, verdict="stop"))
        wait_until(lambda: house.agent.store.attempt(12) is None)
        return
    fleet.instruct("cancel:12:3", cancel=pb.Cancel(attempt_id=12, fence=3))
    wait_until(lambda: (row := house.agent.store.attempt(12)) and row.state == "CANCELLED")
    del fleet.refusals["ReportState:SUCCEEDED"]
    fleet.wait_for(lambda: over(fleet))
    wait_until(house.is_done)


def test_a_cancel_between_the_runners_start_and_its_lock_leaves_no_trainer(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []
    real = trainer.subprocess.Popen

    def late(argv: list[str], **options: Any) -> Any:
        """The runner takes its time, and the cancel arrives meanwhile."""
        if trainer.runner.__file__ not in argv:
            return real(argv, **options)
        house.attempts.cancel(12, 3)
        script = "import os, sys, time; time.sleep(1); os.execv(sys.argv[1], sys.argv[1:])"
        begun.append(real([sys.executable, "-I", "-S", "-c", script, *argv], **options))
        return begun[-1]

    monkeypatch.setattr(trainer.subprocess, "Popen", late)
    fleet.offer(make_offer(fleet, f"pathlib.Path({str(house.agent.settings.data)!r}, 'ran').touch()"))
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "CANCELLED"
    begun[0].wait(PATIENCE)
    assert not (house.agent.settings.data / "ran").exists()


def test_an_offer_that_cannot_be_written_down_is_declined(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    Fault(1, Unwritable(errno.ENOSPC, "full")).put(monkeypatch, Store, "add_attempt")
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: fleet.states[12])
    assert (fleet.states[12][0].state, fleet.states[12][0].reason) == ("DECLINED", "disk_full")


@pytest.mark.parametrize("damage", [b"\xff\xff\xff", b"", "text"])
def test_an_offer_that_cannot_be_read_again_fails_its_attempt_alone(
    damage: bytes | str, tmp_path: Path, fleet: FakeFleet
) -> None:
    (tmp_path / "agent").mkdir()
    agent = InProcess(tmp_path / "agent", fleet)
    for number in (11, 12):
        offer = make_offer(fleet, GOOD, number)
        fleet.fences[number] = offer.fence
        agent.agent.store.add_attempt(number, offer.fence, offer.SerializeToString())
    agent.agent.store._database.execute("UPDATE attempts SET offer = ? WHERE attempt_id = 11", (damage,))
    agent.agent.store.keep_replica(5, b"\xff\xff\xff")
    agent.start()
    fleet.wait_for(lambda: over(fleet, 11) and over(fleet, 12))
    assert fleet.last_state(12) == "SUCCEEDED"
    assert (fleet.last_state(11), fleet.states[11][-1].reason) == ("FAILED", "agent_error")
    wait_until(lambda: agent.is_done(11))
    agent.stop()


def test_one_instruction_that_cannot_be_obeyed_is_obeyed_later_and_the_others_now(
    fleet: FakeFleet, house: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    Fault(2).put(monkeypatch, Serving, "stop")
    fleet.instruct("stop:5:1", stop_serving=pb.StopServing(replica_id=5, generation=1))
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: fleet.replicas[5] and over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED"


def test_a_failed_commit_leaves_no_transaction_open(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")
    database = store._database

    class Full:
        """A connection whose first COMMIT finds the disk full."""

        failed = False

        def execute(self, statement: str, *values: Any) -> Any:
            if statement == "COMMIT" and not self.failed:
                self.failed = True
                problem = sqlite3.OperationalError("database or disk is full")
                problem.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise problem
            return database.execute(statement, *values)

        def __getattr__(self, name: str) -> Any:
            return getattr(database, name)

    store._database = Full()  # type: ignore[assignment]
    with pytest.raises(Unwritable) as raised:
        store.keep("name", 1)
    assert raised.value.errno == errno.ENOSPC and store.fact("name") is None
    store.keep("name", 2)
    assert store.fact("name") == 2
