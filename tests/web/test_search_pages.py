"""Search over a project, as a page and as the palette asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services.datasets import json_lines

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.furnished(cp)


def links(client: FlaskClient, text: str, project: str = "lab") -> list[str]:
    page = client.get(f"/p/{project}/search", query_string={"q": text}, headers={"HX-Request": "true"}).text
    assert "<html" not in page
    return re.findall(r'<a href="([^"]+)"', page)


def test_everything_with_the_text_in_its_name_is_found(room: rooms.Rooms, browser: Browser) -> None:
    found, made = links(browser("ada"), "FAULTS"), room.made
    assert "/p/lab/data/faults" in found
    assert f"/p/lab/models/{made['adapter']}" in found
    assert f"/p/lab/evaluations/{made['evaluation']}" in found
    assert f"/p/lab/deployments/{made['deployment']}" in found
    assert f"/machines/{room.machine.id}" in links(browser("ada"), "machine")
    assert "/p/lab/jobs" in links(browser("ada"), "jobs")  # a page


def test_a_job_is_found_by_its_number(room: rooms.Rooms, browser: Browser) -> None:
    number = room.made["train"]
    assert links(browser("ada"), f"#{number}")[0] == f"/p/lab/jobs/{number}"
    assert links(browser("ada"), str(number))[0] == f"/p/lab/jobs/{number}"
    assert links(browser("ada"), "9" * 60) == []


def test_wildcards_stand_for_themselves_and_nothing_is_said_so(room: rooms.Rooms, browser: Browser) -> None:
    json_lines.upload(room.actor, room.cp, "lab", "a_b", BytesIO(rooms.rows(5)), None)
    json_lines.upload(room.actor, room.cp, "lab", "axb", BytesIO(rooms.rows(6)), None)
    assert links(browser("ada"), "a_b") == ["/p/lab/data/a_b"]
    assert links(browser("ada"), "%") == []
    assert "Nothing has “&lt;b&gt;” in its name." in browser("ada").get("/p/lab/search?q=<b>").text
    assert links(browser("ada"), "  ") == []


def test_another_project_is_not_searched(room: rooms.Rooms, browser: Browser, invite: Callable[..., str]) -> None:
    invite("eve", role="Expert", project="other")
    assert [one for one in links(browser("eve"), "faults", "other") if "/lab/" in one] == []
    assert browser("eve").get("/p/lab/search?q=faults").status_code == 404


def test_the_list_of_jobs_is_filtered_by_name_and_says_whose_and_how_long(room: rooms.Rooms, browser: Browser) -> None:
    page = browser("ada").get("/p/lab/jobs?q=TUNED").text
    assert "faults-tuned" in page
    assert "faults-test" not in page
    row = page[page.index("faults-tuned") :]
    assert "<td>ada</td>" in row
    assert re.search(r"[0-9] min", row[: row.index("</tr>")])
