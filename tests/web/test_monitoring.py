"""Health, readiness and metrics of the control plane."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from control_plane.context import ControlPlane
from control_plane.services import jobs
from control_plane.services.access import credentials
from control_plane.store.people import UserRecord
from fleet_support import make_fleet
from postgresql_server import PostgresqlServer
from support import FakeClock, close_database, make_control_plane
from web import create_app, live

Invite = Callable[..., str]


def read(app: Flask, cp: ControlPlane, name: str) -> dict[tuple[str, ...], float]:
    """Each sample as (its name, the values of its labels) → value, read as Prometheus would."""
    token, _ = credentials.new_token(cp, UserRecord.get(UserRecord.name == name), "scraper", 60.0)
    got = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert got.status_code == 200
    families = text_string_to_metric_families(got.text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_the_metrics_say_what_the_installation_holds(
    app: Flask, cp: ControlPlane, clock: FakeClock, invite: Invite
) -> None:
    invite("root", administrator=True)
    fleet = make_fleet(cp)
    fleet.machine()
    jobs.submit(fleet.user, cp, "default", "bring")
    clock.advance(90)
    jobs.cancel(fleet.user, cp, jobs.submit(fleet.user, cp, "default", "bring").id)
    slots: live.Slots = app.extensions["tunesmith_chat_slots"]
    give_back = slots.take()
    assert give_back is not None
    found = read(app, cp, "root")
    assert found["tunesmith_jobs", "QUEUED"] == 1
    assert found["tunesmith_jobs", "CANCELLED"] == 1
    assert found["tunesmith_jobs", "RUNNING"] == 0
    assert found["tunesmith_queue_oldest_seconds",] == 90
    assert found["tunesmith_machines", "ONLINE"] == 1
    assert found["tunesmith_machines", "STALE"] == 0
    assert found["tunesmith_replicas", "SERVING"] == 0
    assert found["tunesmith_streams", "chat"] == 1
    assert found["process_resident_memory_bytes",] > 0
    give_back()
    give_back()  # only the first counts
    assert read(app, cp, "root")["tunesmith_streams", "chat"] == 0


def test_probes_need_nobodys_name(app: Flask) -> None:
    for path in ("/healthz", "/readyz"):
        got = app.test_client().get(path)
        assert (got.status_code, got.text) == (200, "ok")


@pytest.mark.postgresql
def test_without_its_database_it_lives_and_is_not_ready(
    tmp_path: object, clock: FakeClock, postgresql: str, postgresql_server: PostgresqlServer
) -> None:
    client = create_app(make_control_plane(tmp_path / "data", clock, database=postgresql)).test_client()  # type: ignore[operator]
    assert client.get("/readyz").status_code == 200
    postgresql_server.stop()
    try:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        assert client.get("/welcome/anything").status_code == 503
    finally:
        postgresql_server.start()
    assert client.get("/readyz").status_code == 200
    close_database()
