"""Joining and staying joined, over real TLS with the control plane's own authority."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from agent.link import calls as link
from agent.link import identity
from agent.settings import Settings
from agent.storage.state import Store
from patience import PATIENCE, wait_until
from tests.agent.fake_fleet import MACHINE, FakeFleet
from tunesmith.v1 import fleet_pb2 as pb


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "agent", retry_max_seconds=0.2, call_seconds=5)


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.data / "state.db")


def join(settings: Settings, store: Store, fleet: FakeFleet, token: str = "") -> identity.Identity:
    return identity.join(settings, store, f"127.0.0.1:{fleet.api_port}", token or fleet.token)


def test_join_pins_the_authority_and_keeps_the_key_private(settings: Settings, store: Store, fleet: FakeFleet) -> None:
    joined = join(settings, store, fleet)
    assert joined.machine_id == MACHINE
    assert joined.authority.encode() == fleet.authority.pem
    assert identity.load(store) == joined
    assert (settings.data / "machine.key").stat().st_mode & 0o777 == 0o600
    assert (settings.data / "state.db").stat().st_mode & 0o077 == 0


def test_a_server_of_another_fleet_never_sees_the_token(settings: Settings, store: Store, fleet: FakeFleet) -> None:
    with pytest.raises(identity.AuthorityMismatch):
        join(settings, store, fleet, f"tsj_7.secret.{'0' * 64}")
    assert identity.load(store) is None


@pytest.mark.parametrize("token", ["", "tsj_7", "tsj_7.secret", "tsj_7.secret.abc", "a.b.c.d"])
def test_an_incomplete_token_is_not_sent(settings: Settings, store: Store, token: str) -> None:
    with pytest.raises(identity.TokenMalformed):
        identity.join(settings, store, "127.0.0.1:1", token)


def test_a_refused_token(settings: Settings, store: Store, fleet: FakeFleet) -> None:
    with pytest.raises(link.Refused) as refusal:
        join(settings, store, fleet, fleet.token.replace("secret", "guess"))
    assert refusal.value.code == "join_token_refused"


def test_nobody_there(settings: Settings, store: Store) -> None:
    with pytest.raises(link.Unreachable):
        identity.join(settings, store, "127.0.0.1:1", f"tsj_7.secret.{'0' * 64}")


def test_renewal_replaces_certificate_not_key(settings: Settings, store: Store, fleet: FakeFleet) -> None:
    joined = join(settings, store, fleet)
    key = (settings.data / "machine.key").read_bytes()
    connection = link.Link(joined.fleet_address, identity.credentials(settings, joined), settings)
    fresh = identity.renew(settings, store, joined, connection)
    assert (fresh.generation, fresh.machine_id) == (2, joined.machine_id)
    assert fresh.certificate != joined.certificate
    assert (settings.data / "machine.key").read_bytes() == key
    connection.reopen(identity.credentials(settings, fresh))
    assert connection.ask(pb.HelloRequest()).epoch == 1


def test_renewal_falls_around_half_life(settings: Settings, store: Store, fleet: FakeFleet) -> None:
    joined = replace(join(settings, store, fleet), not_before=0.0, not_after=1000.0)
    assert all(450 <= identity.renewal_time(joined) <= 550 for _ in range(50))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (grpc.StatusCode.FAILED_PRECONDITION, "fenced", link.Fenced),
        (grpc.StatusCode.FAILED_PRECONDITION, "superseded", link.Superseded),
        (grpc.StatusCode.NOT_FOUND, "not_found", link.Gone),
        (grpc.StatusCode.UNAUTHENTICATED, "certificate_refused", link.CertificateRefused),
        (grpc.StatusCode.INVALID_ARGUMENT, "path_refused", link.Refused),
    ],
)
def test_refusals_have_types(
    settings: Settings, store: Store, fleet: FakeFleet, status: grpc.StatusCode, code: str, kind: type[link.Refused]
) -> None:
    joined = join(settings, store, fleet)
    connection = link.Link(joined.fleet_address, identity.credentials(settings, joined), settings)
    fleet.refusals["Heartbeat"] = (status, code)
    with pytest.raises(link.Refused) as refusal:
        connection.ask(pb.HeartbeatRequest())
    assert type(refusal.value) is kind
    assert refusal.value.code == code


def test_a_transient_error_is_retried(settings: Settings, store: Store, fleet: FakeFleet) -> None:
    joined = join(settings, store, fleet)
    connection = link.Link(joined.fleet_address, identity.credentials(settings, joined), settings)
    fleet.refusals["Heartbeat"] = (grpc.StatusCode.UNAVAILABLE, "unavailable")
    assert connection.ask(pb.HeartbeatRequest()).heartbeat_seconds == fleet.heartbeat_seconds


@pytest.mark.parametrize("status", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN])
def test_an_error_on_the_other_side_is_retried_and_shows_in_the_log_ever_more_seldom(
    settings: Settings, store: Store, fleet: FakeFleet, status: grpc.StatusCode, caplog: pytest.LogCaptureFixture
) -> None:
    joined = join(settings, store, fleet)
    impatient = replace(settings, retry_first_seconds=0.0, retry_max_seconds=0.0)
    connection = link.Link(joined.fleet_address, identity.credentials(settings, joined), impatient)
    fleet.refusals["Heartbeat"] = (status, "broken")
    fleet.refuse_times = 9
    assert connection.ask(pb.HeartbeatRequest()).heartbeat_seconds == fleet.heartbeat_seconds
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [text.split(" times")[0] for text in warned] == [
        f"HeartbeatRequest failed {tries}" for tries in (1, 2, 4, 8)
    ]


def test_closing_lets_go_of_who_waits(settings: Settings, store: Store, fleet: FakeFleet) -> None:
    joined = join(settings, store, fleet)
    fleet.stop()
    patient = replace(settings, retry_first_seconds=60.0, retry_max_seconds=60.0)
    connection = link.Link(joined.fleet_address, identity.credentials(settings, joined), patient)
    ended: list[type[BaseException]] = []

    def wait() -> None:
        try:
            connection.ask(pb.HeartbeatRequest())
        except link.LinkClosed as closed:
            ended.append(type(closed))

    waiting = threading.Thread(target=wait)
    waiting.start()
    connection.close()
    waiting.join(PATIENCE)
    assert ended == [link.LinkClosed]


def test_a_refused_renewal_is_asked_for_again(
    settings: Settings, store: Store, fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = join(settings, store, fleet)
    connection = link.Link(joined.fleet_address, identity.credentials(settings, joined), settings)
    fleet.refusals["RenewCertificate"] = (grpc.StatusCode.PERMISSION_DENIED, "denied")
    monkeypatch.setattr(identity, "renewal_time", lambda known: 0.0 if known.generation == 1 else time.time() + 3600)
    monkeypatch.setattr(identity, "_REFUSED_SECONDS", 0.0)
    stopping = threading.Event()
    loop = threading.Thread(target=identity.keep_fresh, args=(settings, store, connection, stopping), daemon=True)
    loop.start()
    wait_until(lambda: (kept := identity.load(store)) and kept.generation == 2)
    assert loop.is_alive() and not fleet.refusals
    stopping.set()


def test_who_brings_a_tick_may_give_a_call_up_and_is_told_of_an_error_that_stays(
    settings: Settings, store: Store, fleet: FakeFleet
) -> None:
    class Enough(Exception):
        pass

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 3:
            raise Enough

    ticks: list[int] = []
    joined = join(settings, store, fleet)
    impatient = replace(settings, retry_first_seconds=0.01, retry_max_seconds=0.01, faulty_tries=4)
    connection = link.Link(joined.fleet_address, identity.credentials(settings, joined), impatient)
    fleet.refuse_times = 10
    fleet.refusals["Heartbeat"] = (grpc.StatusCode.UNAVAILABLE, "unavailable")
    with pytest.raises(Enough):
        connection.ask(pb.HeartbeatRequest(), tick=tick)
    fleet.refuse_times = 4
    fleet.refusals["Heartbeat"] = (grpc.StatusCode.INTERNAL, "broken")
    with pytest.raises(link.Faulty):
        connection.ask(pb.HeartbeatRequest(), tick=lambda: None)
    assert not fleet.refusals
