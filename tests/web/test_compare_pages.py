"""Jobs side by side in the browser."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.with_base(cp)


def plain(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def trained(room: rooms.Rooms, name: str, rate: float, loss: Callable[[int], float] | None = None) -> int:
    inputs = {"base": room.made["base"], "dataset": room.made["version"]}
    job = room.submit("sft_demo", name, inputs, steps=rooms.STEPS, learning_rate=rate)
    room.finish_model(room.run(job, loss=loss), "adapter")
    return int(job.id)


def test_only_what_differs_is_listed_with_what_came_of_it(room: rooms.Rooms, browser: Browser) -> None:
    calm, wild = trained(room, "calm", 0.001), trained(room, "wild", 0.1, lambda step: 2.0 + step)
    page = plain(browser("ada").get(f"/p/lab/compare?job={wild}&job={calm}").text)
    differing = page[page.index("What differs", page.index("What came of them")) :]
    assert f"#{wild} wild #{calm} calm" in page  # in the order in which they were asked for
    assert "parameters.learning_rate 0.1 0.001" in differing
    assert "parameters.steps" not in differing
    assert "42" in page  # the loss at last of the wild one: 2.0 + 40, about


def test_the_curves_lie_over_each_other(room: rooms.Rooms, browser: Browser) -> None:
    calm, wild = trained(room, "calm", 0.001), trained(room, "wild", 0.1, lambda step: 2.0 + step)
    got = browser("ada").get(f"/p/lab/compare/series?job={calm}&job={wild}").json
    assert [one["name"] for one in got["series"]] == [f"#{calm} calm", f"#{wild} wild"]
    assert [len(one["points"]) for one in got["series"]] == [rooms.STEPS, rooms.STEPS]
    assert got["series"][1]["points"][0] == [1, 3.0]


def test_what_learns_by_reward_is_compared_by_it(room: rooms.Rooms, browser: Browser) -> None:
    job = room.reward("rewarded")
    room.finish_model(room.run(job, reward=lambda step: step / 80), "adapter")
    calm = trained(room, "calm", 0.001)
    page = plain(browser("ada").get(f"/p/lab/compare?job={job.id}&job={calm}").text)
    assert "Reward by step" in page
    assert "Reward at best 0.4813 – Loss at last – 0." in page
    got = browser("ada").get(f"/p/lab/compare/series?job={job.id}&job={calm}").json
    assert [len(one["points"]) for one in got["series"]] == [rooms.STEPS, 0]


def test_equal_jobs_say_so_and_one_alone_is_not_compared(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    twice = trained(room, "calm", 0.001), trained(room, "calm", 0.001)
    assert "asked to do the very same" in client.get(f"/p/lab/compare?job={twice[0]}&job={twice[1]}").text
    for query in ("", f"?job={twice[0]}", f"?job={twice[0]}&job={twice[0]}", "?job=x"):
        assert "Choose at least two jobs" in client.get(f"/p/lab/compare{query}").text


def test_another_projects_job_is_not_there(room: rooms.Rooms, browser: Browser, invite: Callable[..., str]) -> None:
    mine = trained(room, "calm", 0.001)
    invite("eve", role="Expert", project="other")
    assert browser("eve").get(f"/p/other/compare?job={mine}").status_code == 404
    assert browser("eve").get(f"/p/other/compare/series?job={mine}").status_code == 404
    assert browser("ada").get("/p/lab/compare?job=999").status_code == 404
