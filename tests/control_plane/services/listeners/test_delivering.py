"""Listeners are told once of what was committed, and of nothing else: retried, given up, replayed, stopped."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from listener_support import HERE, PROJECT, deliver, listens, owner, receiving, rows

from control_plane.context import ControlPlane
from control_plane.domain.errors import DeliveryWaits, ListenerTestWaits
from control_plane.domain.listeners.ways import DELIVERED, GIVEN_UP, RETRY_AFTER
from control_plane.domain.permissions import SYSTEM, VIEWER, Actor
from control_plane.services.access import projects
from control_plane.services.listeners import deliveries, delivering, listening, outbox
from control_plane.services.things import trash
from control_plane.services.things.kinds import PROJECT as KIND
from control_plane.store.audit import AuditRecord
from control_plane.store.database import transaction
from control_plane.store.listeners import DeliveryRecord, ListenerRecord
from control_plane.store.secrets import SecretRecord
from patience import LONG
from source_support import saying, serving
from support import START, FakeClock

SUBJECT = {"kind": "job", "id": 42, "name": "nightly", "title": ""}


@pytest.fixture
def cp(cp: ControlPlane) -> ControlPlane:
    """One whose administrator opened loopback to listeners."""
    return replace(cp, settings=replace(cp.settings, listener_networks=HERE, delivery_seconds=2.0))


@pytest.fixture
def olga(cp: ControlPlane) -> Actor:
    return owner(cp)


def happens(cp: ControlPlane, event: str = "job.failed", project: str = PROJECT) -> int:
    with transaction():
        return outbox.tell(cp, event, projects.get(SYSTEM, cp, project).id, SUBJECT, {"kind": "train"})


def test_a_webhook_is_told_and_can_verify_it(cp: ControlPlane, olga: Actor) -> None:
    with receiving() as receiver:
        _, key = listens(olga, cp, receiver.address, "job.failed")
        assert happens(cp) == 1
        assert happens(cp, "job.succeeded") == 0, "it did not choose that"
        deliver(cp)
    (told,), (head,), (body,) = receiver.told, receiver.heads, receiver.bodies
    assert told == {
        "version": 1,
        "id": told["id"],
        "event": "job.failed",
        "at": "2027-01-15T08:00:00.000Z",
        "project": {"name": PROJECT, "title": "Pumps"},
        "subject": SUBJECT,
        "text": "The job “nightly” has failed.",
        "url": f"http://127.0.0.1:8420/p/{PROJECT}/jobs/42",
        "data": {"kind": "train"},
    }
    assert (head["Tunesmith-Event"], head["Tunesmith-Delivery"]) == ("job.failed", told["id"])
    signed = hmac.new(key.encode(), f"{int(START)}.".encode() + body, hashlib.sha256).hexdigest()
    assert head["Tunesmith-Signature"] == f"t={int(START)},v1={signed}"
    (row,) = rows()
    assert (row.outcome, row.code, row.attempts, row.tried_at) == (DELIVERED, 200, 1, START)


def test_what_was_rolled_back_is_not_told(cp: ControlPlane, olga: Actor) -> None:
    listens(olga, cp, "https://hooks.example.org/x")
    with pytest.raises(ZeroDivisionError), transaction():
        outbox.tell(cp, "job.failed", projects.get(olga, cp, PROJECT).id, SUBJECT)
        raise ZeroDivisionError
    assert rows() == []


def test_another_projects_listener_is_told_nothing_of_it(cp: ControlPlane, olga: Actor) -> None:
    eve = owner(cp, "valves")
    listens(eve, cp, "https://hooks.example.org/x", project="valves")
    assert happens(cp) == 0
    with transaction():
        machine = {"kind": "machine", "id": "7", "name": "lab-7"}
        assert outbox.tell(cp, "machine.lost", None, machine) == 1, "of the fleet each project is told"


def test_it_is_tried_again_later_each_time_and_then_given_up(cp: ControlPlane, olga: Actor, clock: FakeClock) -> None:
    with receiving([500] * (len(RETRY_AFTER) + 1)) as receiver:
        listener, _ = listens(olga, cp, receiver.address, "job.failed")
        happens(cp)
        for number, pause in enumerate(RETRY_AFTER, 1):
            deliver(cp)
            (row,) = rows()
            assert (row.outcome, row.code, row.attempts, row.next_at) == ("", 500, number, clock() + pause)
            clock.advance(pause - 1)
            deliver(cp)
            assert len(receiver.bodies) == number, "before its time"
            clock.advance(1)
        deliver(cp)
        (row,) = rows()
        assert (row.outcome, row.attempts, row.error) == (GIVEN_UP, len(RETRY_AFTER) + 1, "listener_refused")
        assert {told["id"] for told in receiver.told} == {row.payload["id"]}, "the same event each time"
        said = ListenerRecord.get_by_id(listener.id)
        assert (said.error, said.failed_at, said.stopped) == ("listener_refused", clock(), False)
        deliveries.replay(olga, cp, row.id)
        deliver(cp)
    (row,) = rows()
    assert (row.outcome, row.attempts, row.code) == (DELIVERED, 1, 200)
    assert ListenerRecord.get_by_id(listener.id).error == "", "it is well again"


def test_what_waits_is_not_replayed_and_a_test_is_not_sent_twice(cp: ControlPlane, olga: Actor) -> None:
    with receiving(
        [],
    ) as receiver:
        listener, _ = listens(olga, cp, receiver.address, "job.failed")
        waiting = listening.test(olga, cp, listener.id)
        with pytest.raises(DeliveryWaits):
            deliveries.replay(olga, cp, waiting.id)
        with pytest.raises(ListenerTestWaits):
            listening.test(olga, cp, listener.id)
        deliver(cp)
        listening.test(olga, cp, listener.id)
        deliver(cp)
    assert [told["event"] for told in receiver.told] == ["listener.test"] * 2


def test_a_redirect_is_not_followed(cp: ControlPlane, olga: Actor) -> None:
    with receiving() as secret:
        leading = saying(f"HTTP/1.1 307 Elsewhere\nLocation: {secret.address}\nContent-Length: 0")
        with serving(leading) as server:
            listens(olga, cp, server.address(), "job.failed")
            happens(cp)
            deliver(cp)
    assert secret.bodies == []
    assert [(row.error, row.code) for row in rows()] == [("listener_redirects", 307)]


def test_of_an_endless_answer_nothing_is_read(cp: ControlPlane, olga: Actor) -> None:
    sent = []

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        for _number in range(100):
            sent.append(connection.send(b"x" * (1 << 20)))

    with serving(answer) as server:
        listens(olga, cp, server.address(), "job.failed")
        happens(cp)
        deliver(cp)
    assert [row.outcome for row in rows()] == [DELIVERED]
    assert sum(sent) < 100 << 20, "the other side could not get rid of it"


@pytest.mark.parametrize("drips", [False, True])
def test_one_that_hangs_is_left_and_holds_up_no_other(cp: ControlPlane, olga: Actor, drips: bool) -> None:
    over = threading.Event()

    def answer(connection: socket.socket, _: str) -> None:
        while drips and not over.wait(0.1):
            connection.sendall(b"H")  # a byte now and then, so that no single wait is long
        over.wait(LONG)

    with serving(answer) as server, receiving() as receiver:
        for _ in range(3):
            listens(olga, cp, server.address(), "job.failed")
        listens(owner(cp, "valves"), cp, receiver.address, "job.failed", project="valves")
        happens(cp)
        happens(cp, project="valves")
        deliver(cp)
        over.set()
    assert len(receiver.bodies) == 1
    assert sorted(row.error for row in rows()) == ["", *["listener_silent"] * 3]


def test_one_that_cannot_be_reached_is_tried_once_for_all_that_waits(
    cp: ControlPlane, olga: Actor, clock: FakeClock
) -> None:
    well = threading.Event()

    def answer(connection: socket.socket, _: str) -> None:
        if well.is_set():
            connection.sendall(b"HTTP/1.1 204 Told\r\nContent-Length: 0\r\n\r\n")

    with serving(answer) as server:
        listens(olga, cp, server.address(), "job.failed")
        for _ in range(3):
            happens(cp)
        for pause in RETRY_AFTER[:3]:
            deliver(cp)
            assert {row.next_at for row in rows()} == {clock() + pause}
            clock.advance(pause)
        assert [row.attempts for row in rows()] == [3, 0, 0]
        deliver(cp)
        well.set()
        happens(cp)
        deliver(cp)
        assert [row.outcome for row in rows()] == ["", DELIVERED, DELIVERED, DELIVERED], "they waited for it alone"
        clock.advance(RETRY_AFTER[3])
        deliver(cp)
    assert {row.outcome for row in rows()} == {DELIVERED}


def test_what_waits_for_one_that_cannot_be_reached_is_given_up_after_a_day(
    cp: ControlPlane, olga: Actor, clock: FakeClock
) -> None:
    with serving(lambda *_: None) as server:
        listens(olga, cp, server.address(), "job.failed")
        happens(cp)
        happens(cp)
        for pause in RETRY_AFTER:
            deliver(cp)
            clock.advance(pause - 1)
            if pause == RETRY_AFTER[-1]:
                happens(cp)
                deliver(cp)
            clock.advance(1)
        deliver(cp)
    assert [(row.outcome, row.error) for row in rows()] == [
        (GIVEN_UP, "listener_unreachable"),
        (GIVEN_UP, "listener_unreachable"),
        ("", "listener_unreachable"),
    ]
    assert rows()[2].next_at > clock(), "what happened later has a day of its own"


def test_beyond_so_many_that_wait_the_oldest_are_given_up(
    cp: ControlPlane, olga: Actor, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "MOST_WAITING", 2)
    listener, _ = listens(olga, cp, "https://hooks.example.org/x", "job.failed")
    for _ in range(2):
        happens(cp)
    assert delivering.give_up_excess(cp) == 0
    for _ in range(3):
        happens(cp)
    assert delivering.give_up_excess(cp) == 3
    assert [row.outcome for row in rows()] == [GIVEN_UP] * 3 + [""] * 2
    said = ListenerRecord.get_by_id(listener.id)
    assert (said.error, said.error_params, said.failed_at) == ("listener_behind", {"most": 2}, clock())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("SSH-2.0-OpenSSH_9.6", "listener_unreachable"),
        ("HTTP/1.1 200 OK\n" + "X: y\n" * 5_000, "listener_unreachable"),
        ("HTTP/1.1 410 Gone\nContent-Length: 0", "listener_refused"),
    ],
)
def test_rubbish_is_a_failed_attempt(cp: ControlPlane, olga: Actor, answer: str, error: str) -> None:
    with serving(saying(answer)) as server:
        listens(olga, cp, server.address(), "job.failed")
        happens(cp)
        deliver(cp)
    (row,) = rows()
    assert row.error == error
    assert "OpenSSH" not in str(row.error_params), "what stands behind an address is not told to who named it"


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "localhost", "0.0.0.0"])
def test_a_private_address_is_refused_unless_it_is_opened(cp: ControlPlane, olga: Actor, host: str) -> None:
    closed = replace(cp, settings=replace(cp.settings, listener_networks=""))
    with receiving() as receiver:
        listens(olga, closed, f"http://{host}:{receiver.port}/", "job.failed")
        happens(closed)
        deliver(closed)
    assert receiver.bodies == []
    assert [row.error for row in rows()] == ["listener_address_private"]


def test_an_address_without_encryption_is_refused_where_nobody_opened_it(
    cp: ControlPlane, olga: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    listens(olga, cp, "http://hooks.example.org/", "job.failed")
    happens(cp)
    deliver(cp)
    assert [row.error for row in rows()] == ["listener_unencrypted"]


def test_who_may_no_longer_is_told_nothing_more_until_somebody_else_takes_it_on(cp: ControlPlane, olga: Actor) -> None:
    with receiving() as receiver:
        listener, _ = listens(olga, cp, receiver.address, "job.failed")
        happens(cp)
        projects.set_member(SYSTEM, cp, PROJECT, olga.name, VIEWER.name)
        deliver(cp)
        assert receiver.bodies == []
        stopped = ListenerRecord.get_by_id(listener.id)
        assert (stopped.stopped, stopped.error) == (True, "denied")
        assert happens(cp) == 0
        projects.set_member(SYSTEM, cp, PROJECT, olga.name, "Owner")
        listening.change(olga, cp, listener.id, ["job.failed"])
        deliver(cp)
    assert len(receiver.bodies) == 1, "what waited"


def test_a_projects_listeners_wait_while_it_is_in_the_trash(cp: ControlPlane, olga: Actor) -> None:
    number = projects.get(olga, cp, PROJECT).id
    with receiving() as receiver:
        listens(olga, cp, receiver.address, "job.failed")
        happens(cp)
        trash.delete(olga, cp, KIND, number)
        deliver(cp)
        assert receiver.bodies == []
        trash.restore(olga, cp, KIND, number)
        deliver(cp)
        assert len(receiver.bodies) == 1
    trash.delete(olga, cp, KIND, number)
    trash.purge(Actor("user", olga.id, olga.name, administrator=True), cp, KIND, number)
    assert ListenerRecord.select().count() == DeliveryRecord.select().count() == SecretRecord.select().count() == 0


def test_what_is_old_is_forgotten(cp: ControlPlane, olga: Actor, clock: FakeClock) -> None:
    with receiving() as receiver:
        listens(olga, cp, receiver.address, "job.failed")
        happens(cp)
        deliver(cp)
        clock.advance(31 * 86_400.0)
        happens(cp)
        assert deliveries.forget_old(cp) == 1
        assert [row.outcome for row in rows()] == [""]


def test_no_secret_stands_in_a_row_or_an_entry(cp: ControlPlane, olga: Actor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with receiving([500]) as receiver:
        listener, key = listens(olga, cp, receiver.address + "?token=hunter2", "job.failed")
        happens(cp)
        deliver(cp)
        listening.remove(olga, cp, listener.id)
    path = Path(cp.settings.data / "tunesmith.db")
    stored = path.read_bytes() if path.exists() else b""
    said = " ".join(str(entry.details) + entry.subject for entry in AuditRecord.select()) + caplog.text
    for word in (key, "hunter2", "a-secret-path"):
        assert word not in said
        assert word.encode() not in stored
    assert SecretRecord.select().count() == 0
