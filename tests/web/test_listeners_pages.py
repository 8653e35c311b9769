"""The pages of listeners: added with one field, tried out, replayed, changed, removed; what is secret is shown once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import rooms
from flask import Flask
from flask.testing import FlaskClient
from listener_support import HERE, deliver, receiving

from control_plane.context import ControlPlane
from control_plane.domain.listeners.pages import PAGES, page_of
from control_plane.services import secrets
from control_plane.services.listeners.by_http import ADDRESS, SIGNING
from control_plane.store.listeners import DeliveryRecord, ListenerRecord
from web_forms import plain

SECRET = "https://hooks.example.org/services/a-secret-path"
INDEX = "/p/lab/listeners"


@pytest.fixture
def cp(cp: ControlPlane) -> ControlPlane:
    """One whose administrator opened loopback to listeners, and named a Python listener."""
    return replace(cp, settings=replace(cp.settings, listener_networks=HERE, python_listeners="pager"))


@pytest.fixture
def olga(cp: ControlPlane, invite: Callable[..., str], browser: Callable[[str], FlaskClient]) -> FlaskClient:
    rooms.empty(cp)
    invite("olga", role="Owner")
    return browser("olga")


def added(client: FlaskClient, address: str = SECRET, way: str = "webhook", **form: Any) -> str:
    """The answer to the form, and its listener's page where it leads there."""
    got = client.post(f"{INDEX}/new/{way}", data={"address": address, "event": ["job.failed"], **form})
    return client.get(got.location).text if got.status_code == 302 else got.text


def test_one_field_and_its_key_is_shown_this_once(olga: FlaskClient, cp: ControlPlane) -> None:
    assert "Nobody is told yet" in olga.get(INDEX).text
    form = olga.get(f"{INDEX}/new/webhook").text
    assert len(re.findall(r'type="text"[^>]*required', form)) == 1
    assert 'value="job.failed" checked' in form and 'value="step.started" checked' not in form
    page = added(olga)
    (listener,) = ListenerRecord.select()
    known = secrets.opened(cp, listener.secret_id)
    assert known[ADDRESS] == SECRET
    assert known[SIGNING] in page
    for address in (INDEX, f"{INDEX}/{listener.id}"):
        shown = olga.get(address).text
        assert "hooks.example.org" in shown
        assert known[SIGNING] not in shown and "a-secret-path" not in shown


def test_a_test_is_sent_shown_and_sent_again(olga: FlaskClient, cp: ControlPlane) -> None:
    with receiving([500]) as receiver:
        added(olga, receiver.address)
        page = f"{INDEX}/{ListenerRecord.get().id}"
        assert "Nothing was told yet" in olga.get(page).text
        assert olga.post(f"{page}/test").status_code == 302
        twice = olga.post(f"{page}/test")
        assert twice.status_code == 409 and "A test is on its way already." in plain(twice.text)
        deliver(cp)
        assert "Is tried again" in plain(olga.get(page).text)
        DeliveryRecord.update(outcome="given_up").execute()
        assert "Given up" in plain(olga.get(f"{page}/deliveries").text)
        assert olga.post(f"{page}/deliveries/{DeliveryRecord.get().id}/replay").status_code == 302
        deliver(cp)
    assert "Delivered" in plain(olga.get(page).text)
    assert [told["event"] for told in receiver.told] == ["listener.test"] * 2


@pytest.mark.parametrize(
    ("way", "form", "said"),
    [
        ("webhook", {"address": "ftp://example.org"}, "is not an address that can be told events"),
        ("webhook", {"address": "https://me:hunter2@example.org/"}, "holds no password"),
        ("webhook", {"event": []}, "Choose at least one event."),
        ("webhook", {"event": ["job.won"]}, "There is no event “job.won”."),
        ("slack", {"address": "http://hooks.example.org/"}, "One begins with https://"),
        ("python", {"address": "another"}, "is not one that an administrator named"),
        ("mail", {"address": "team@example.org"}, "has not set up mail yet"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_is_lost(
    olga: FlaskClient, way: str, form: dict[str, Any], said: str
) -> None:
    got = olga.post(f"{INDEX}/new/{way}", data={"address": SECRET, "event": ["disk.low"], **form})
    assert got.status_code in (400, 409)
    assert said in plain(got.text)
    if way != "mail":  # of which there is no form as long as it is not set up
        assert ('value="disk.low" checked' in got.text) == ("event" not in form)
    assert ListenerRecord.select().count() == 0


def test_other_events_are_chosen_and_it_is_removed(olga: FlaskClient) -> None:
    added(olga)
    page = f"{INDEX}/{ListenerRecord.get().id}"
    assert olga.post(f"{page}/events", data={"event": ["machine.lost", "disk.low"]}).status_code == 302
    assert ListenerRecord.get().events == ["machine.lost", "disk.low"]
    refused = olga.post(f"{page}/events")
    assert refused.status_code == 400 and "Choose at least one event." in plain(refused.text)
    assert olga.post(f"{page}/remove").status_code == 302
    assert ListenerRecord.select().count() == 0


def test_each_events_page_exists(app: Flask) -> None:
    adapter = app.url_map.bind("")
    for kind in PAGES:
        endpoint, _ = adapter.match(page_of("lab", {"kind": kind, "name": "faults", "id": 7}))
        assert endpoint.split(".")[0] in (f"{kind}s", "workflows", "datasets", "home"), (kind, endpoint)
