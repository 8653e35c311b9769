"""The Rail says how things stand: of a model, of a job that went wrong, of a deployment that does not serve yet."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services import deployments, jobs
from control_plane.services.fleet import scheduling

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.with_base(cp)


def rail(page: str) -> dict[str, str]:
    """word → how it looks, in order."""
    part = page[page.index('class="rail"') : page.index("</ol>", page.index('class="rail"'))]
    looks = re.findall(r'rail-stop rail-(\w+)".*?rail-word">(\w+)', part, re.DOTALL)
    return {word: look for look, word in looks}


def adapter(room: rooms.Rooms) -> int:
    return room.finish_model(room.run(room.train("faults-tuned")), "adapter")


def test_one_stop_after_the_other_comes_next(room: rooms.Rooms, browser: Browser) -> None:
    client, made = browser("ada"), room.made
    assert list(rail(client.get(f"/p/lab/models/{made['base']}").text).values()) == ["next", *["later"] * 4]
    tuned = adapter(room)
    address = f"/p/lab/models/{tuned}"
    assert list(rail(client.get(address).text).values()) == ["done", "done", "next", "later", "later"]
    packed = room.submit("export_gguf", "packed", {"model": tuned})
    room.finish_model(room.run(packed, 0), "gguf")  # somebody is in a hurry: the test is still what comes next
    assert list(rail(client.get(address).text).values()) == ["done", "done", "next", "done", "later"]
    pair = {"candidate": tuned, "baseline": made["base"], "dataset": made["version"]}
    room.finish_evaluation(room.run(room.submit("evaluate", "exam", pair), 0), 3, 2)
    assert list(rail(client.get(address).text).values()) == ["done", "done", "done", "done", "next"]


def test_a_deployment_is_done_when_it_serves_and_not_before(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    packed = room.submit("export_gguf", "packed", {"model": adapter(room)})
    gguf = room.finish_model(room.run(packed, 0), "gguf")
    deployment = deployments.deploy(room.actor, room.cp, "lab", "faults", gguf)
    scheduling.run_pass(room.cp)
    assert rail(client.get(f"/p/lab/models/{gguf}").text)["Deploy"] == "current"
    room.serve(deployment)
    assert rail(client.get(f"/p/lab/models/{gguf}").text)["Deploy"] == "done"


def test_a_cancelled_job_has_not_failed(room: rooms.Rooms, browser: Browser) -> None:
    job = room.train("faults-tuned")
    jobs.cancel(room.actor, room.cp, job.id)
    stops = rail(browser("ada").get(f"/p/lab/jobs/{job.id}").text)
    assert list(stops.values()) == ["done", "cancelled", "later", "later", "later"]


def test_after_an_import_that_failed_nothing_comes_next(room: rooms.Rooms, browser: Browser) -> None:
    job = room.submit("import_base_model", "other", {}, reference="other")
    room.fail(room.take_and_start(job), "no such package")
    assert set(rail(browser("ada").get(f"/p/lab/jobs/{job.id}").text).values()) == {"later"}
