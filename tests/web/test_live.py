"""The stream of hints: who may watch what, how many at once, and what goes over it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.services.access import accounts, projects
from web import create_app

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


@pytest.fixture
def app(cp: ControlPlane) -> Flask:
    app = create_app(replace(cp, settings=replace(cp.settings, live_streams=2)))
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def messages(stream: Iterator[bytes]) -> Iterator[dict[str, object]]:
    for part in stream:
        for line in part.splitlines():
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


def test_a_change_is_hinted_with_topic_and_version_alone(cp: ControlPlane, invite: Invite, browser: Browser) -> None:
    client = browser(invite("ada", "Viewer"))
    got = client.get("/events?topics=project:1,fleet", buffered=False)
    assert (got.status_code, got.mimetype) == (200, "text/event-stream")
    assert "Content-Encoding" not in got.headers
    stream = iter(got.response)
    assert next(stream).startswith(b"retry:")
    waker = threading.Thread(target=cp.signals.wake, args=("project:1",))
    waker.start()
    assert next(messages(stream)) == {"topic": "project:1", "version": cp.signals.version("project:1")}
    waker.join()
    got.close()


def test_what_changed_since_the_page_was_begun_is_hinted_at_once(
    cp: ControlPlane, invite: Invite, browser: Browser
) -> None:
    client = browser(invite("ada", "Viewer"))
    page = client.get("/p/lab/jobs").get_data(as_text=True)
    since = page.partition('data-since="')[2].partition('"')[0]
    cp.signals.wake("project:1")
    got = client.get(f"/events?topics=project:1,fleet&since={since}", buffered=False)
    stream = iter(got.response)
    assert next(stream).startswith(b"retry:")
    assert json.loads(next(stream).removeprefix(b"data: ")) == {
        "topic": "project:1", "version": cp.signals.version("project:1")
    }  # fmt: skip
    got.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda cp: accounts.deactivate(SYSTEM, cp, "ada"),
        lambda cp: accounts.sign_out(SYSTEM, cp, "ada"),
        lambda cp: projects.remove_member(SYSTEM, cp, "lab", "ada"),
    ],
)
def test_a_stream_ends_when_what_its_reader_may_do_has_changed(
    cp: ControlPlane, invite: Invite, browser: Browser, change: Callable[[ControlPlane], object]
) -> None:
    client = browser(invite("ada", "Viewer"))
    got = client.get("/events?topics=project:1,fleet", buffered=False)
    stream = iter(got.response)
    assert next(stream).startswith(b"retry:")
    change(cp)
    assert list(stream) == []
    got.close()
    assert client.get("/events?topics=project:1").status_code in (204, 302)


def test_what_one_may_not_see_is_not_watched(cp: ControlPlane, invite: Invite, browser: Browser) -> None:
    client = browser(invite("ada", "Viewer"))
    other = projects.create(SYSTEM, cp, "other", "")
    refused = f"project:{other.id},job:1,deployment:1,schedule,user:1,project:,project:x,project:٣,,job:{'9' * 30}"
    assert client.get(f"/events?topics={refused}").status_code == 204
    stranger = browser(invite("eve"))
    assert stranger.get("/events?topics=fleet,machine:m,project:1").status_code == 204


def test_beyond_the_cap_the_page_is_told_to_poll(invite: Invite, browser: Browser) -> None:
    client = browser(invite("ada", "Viewer"))
    held = [client.get("/events?topics=fleet", buffered=False) for _ in range(2)]
    assert client.get("/events?topics=fleet").status_code == 204
    held[0].close()
    held[0].close()  # closed twice it frees one place, not two
    third = client.get("/events?topics=fleet", buffered=False)
    assert third.status_code == 200
    assert client.get("/events?topics=fleet").status_code == 204
    third.close()
    held[1].close()
