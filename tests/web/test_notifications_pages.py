"""The bell and the page behind it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import JOB_OVER
from control_plane.services import deployments
from control_plane.services.fleet import machines
from control_plane.services.things import trash
from control_plane.store.jobs import JobRecord
from control_plane.store.projects import ProjectRecord

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Owner")
    return rooms.furnished(cp)


def count(page: str) -> str:
    """What the bell says."""
    return page.partition('id="bell"')[2].partition('aria-label="')[2].partition('"')[0]


def test_the_bell_counts_what_is_new_until_the_page_was_seen(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    assert count(client.get("/p/lab/jobs").get_data(as_text=True)) == "Notifications: 5 are new"
    page = client.get("/notifications").get_data(as_text=True)
    assert page.count(">New<") == 5
    until = page.partition('name="until" value="')[2].partition('"')[0]
    room.fail(room.latest(room.made["running"]), "MemoryError\n")  # meanwhile
    bell = client.post("/notifications/read", data={"until": until}, headers={"HX-Request": "true"})
    assert count(bell.get_data(as_text=True)) == "Notifications: 1 is new"
    assert client.get("/notifications").get_data(as_text=True).count(">New<") == 1
    assert client.post("/notifications/read").status_code == 302  # a press without scripts: all of them
    assert count(client.get("/p/lab/jobs").get_data(as_text=True)) == "Notifications"


def test_what_was_deleted_or_restored_is_counted_at_once(room: rooms.Rooms, browser: Browser, cp: ControlPlane) -> None:
    client = browser("ada")
    assert count(client.get("/p/lab/jobs").get_data(as_text=True)) == "Notifications: 5 are new"
    trash.delete(room.actor, cp, "job", room.made["failed"])
    assert count(client.get("/p/lab/jobs").get_data(as_text=True)) == "Notifications: 4 are new"
    trash.restore(room.actor, cp, "job", room.made["failed"])
    assert count(client.get("/p/lab/jobs").get_data(as_text=True)) == "Notifications: 5 are new"
    deployments.stop(room.actor, cp, room.made["deployment"])
    JobRecord.update(state="CANCELLED").where(JobRecord.state.not_in(JOB_OVER)).execute()
    trash.delete(room.actor, cp, "project", ProjectRecord.get(ProjectRecord.name == "lab").id)
    assert count(client.get("/projects").get_data(as_text=True)) == "Notifications"


def test_each_entry_says_what_happened_and_leads_there(room: rooms.Rooms, browser: Browser, cp: ControlPlane) -> None:
    machines.load_presence(cp)
    room.wait(3600)
    machines.mark_connectivity(cp)
    client = browser("ada")
    page = client.get("/notifications").get_data(as_text=True)
    for address in (f"/p/lab/jobs/{room.made['failed']}", f"/machines/{room.machine.id}"):
        assert f'href="{address}"' in page
        assert client.get(address).status_code == 200
    assert "no room for 12 GiB" not in page  # the lines that the reason quotes are on the job's page
    german = client.get("/notifications?lang=de").get_data(as_text=True)
    assert "Benachrichtigungen" in german


def test_what_waits_for_an_approval_says_so_and_leads_to_its_run(
    room: rooms.Rooms, browser: Browser, invite: Callable[..., str]
) -> None:
    invite("bea", role="Owner")
    run = rooms.with_run(room).made["run"]  # of the first user's, who may not approve it
    page = browser("bea").get("/notifications").get_data(as_text=True)
    entry = next(one for one in page.split("<li>") if f'href="/p/lab/runs/{run}"' in one)
    assert "Your decision</span>" in entry
    assert "waits for your decision" in entry


def test_the_bell_carries_the_newest_for_the_browsers_own_notification(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    got = client.get("/notifications/bell")
    said = got.get_data(as_text=True)
    assert 'data-title="faults-too-large"' in said
    assert f'data-address="/p/lab/jobs/{room.made["failed"]}"' in said
    assert client.get("/notifications/bell", headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
    client.post("/notifications/read")
    assert "data-newest" not in client.get("/notifications/bell").get_data(as_text=True)


def test_only_ones_own_bell_may_be_watched(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    assert client.get("/events?topics=notifications:999").status_code == 204
    got = client.get("/events?topics=notifications:1", buffered=False)
    assert got.status_code == 200
    got.close()
