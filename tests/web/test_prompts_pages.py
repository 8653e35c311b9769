"""The pages of prompts: writing one by its fields or as JSON, what differs between versions, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services.prompts import kept

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


@pytest.fixture
def room(cp: ControlPlane, invite: Invite) -> rooms.Rooms:
    invite("ada", role="Owner")
    return rooms.empty(cp)


@pytest.fixture
def ada(room: rooms.Rooms, browser: Browser) -> FlaskClient:
    return browser("ada")


def newest(room: rooms.Rooms, name: str) -> dict[str, object]:
    return dict(kept.version(room.actor, room.cp, "lab", name).version.content)


def test_a_prompt_is_written_by_its_fields(room: rooms.Rooms, ada: FlaskClient) -> None:
    typed = {
        "name": "mails", "system": "Be short.\r\nAlways.", "prompt.1": "", "completion.1": "", "prompt.2": "Hot?",
        "completion.2": "yes", "temperature": "0,5", "max_tokens": "20",
    }  # fmt: skip
    got = ada.post("/p/lab/prompts/new", data=typed)
    assert got.status_code == 302
    assert newest(room, "mails") == {
        "system": "Be short.\nAlways.",
        "examples": [{"prompt": "Hot?", "completion": "yes"}],
        "decoding": {"temperature": 0.5, "max_tokens": 20},
    }
    page = got.headers["Location"]
    form = ada.get(f"{page}/edit").text
    assert 'name="completion.3"' in form and 'name="completion.4"' not in form  # two more than there are
    said = json.loads(ada.get(f"{page}/json").text)
    said["system"] = "Be very short."
    assert ada.post(f"{page}/edit", data={"json": json.dumps(said), "base": "1"}).status_code == 302
    shown = ada.get(f"{page}?version=2&old=1").text
    assert "<ins>" in shown and "<del>" in shown
    assert ada.post(f"{page}/edit", data={"json": json.dumps(said), "base": "1"}).status_code == 409


def test_what_is_refused_is_kept_and_named(room: rooms.Rooms, ada: FlaskClient) -> None:
    typed = {"name": "mails", "system": "Be short.", "prompt.1": "Hot?", "completion.1": "", "temperature": "warm"}
    got = ada.post("/p/lab/prompts/new", data=typed)
    assert got.status_code == 400
    assert (
        "examples[1].completion" in got.text and "Be short." in got.text and "warm" in got.text and "Hot?" in got.text
    )
    got = ada.post("/p/lab/prompts/new", data={"name": "mails", "json": '{"sytem": "typo"}'})
    assert got.status_code == 400 and "sytem" in got.text and "typo" in got.text
    assert ada.post("/p/lab/prompts/new", data={"name": "No Name", "system": "a"}).status_code == 400
    assert kept.list_prompts(room.actor, room.cp, "lab") == []


# ---- what a search found


DECODING = {"temperature": 0.0, "max_tokens": 8}
BEST = {"system": "Be <b>short</b>.", "examples": [{"prompt": "Hot?", "completion": "yes"}], "decoding": DECODING}
TRIED = [
    {"number": 0, "origin": "base", "prompt": {"decoding": DECODING}, "scores": [0, 0, 1, 0]},
    {"number": 1, "origin": "examples", "prompt": BEST, "scores": [1, 1, 1, 1]},
    {"number": 2, "origin": "own way", "prompt": {"system": "Be long.", "decoding": DECODING}, "scores": [0, 0]},
]  # fmt: skip


def searched(room: rooms.Rooms, winner: int = 1) -> int:
    """A search that has ended; its id."""
    inputs = {"model": room.made["base"], "dataset": room.made["version"]}
    reward = [{"check": "length", "weight": 1.0, "parameters": {"maximum": 20}}]
    job = room.submit("prompt_search", "short-answers", inputs, reward=reward)
    attempt = room.run(job, 1)
    confirmed = {"base": [0] * 20} | ({"winner": [1] * 15 + [0] * 5} if winner else {})
    found = {"winner": winner, "candidates": TRIED, "confirmed": confirmed, "ended": "minutes", "seconds": 60}
    room.finish(attempt, "prompt", {"prompt.json": json.dumps(found).encode()})
    return int(job.id)


def test_a_search_shows_what_was_tried_and_any_of_it_can_be_used(
    cp: ControlPlane, invite: Invite, browser: Browser
) -> None:
    invite("ada", role="Owner")
    room, ada = rooms.with_base(cp), browser("ada")
    job = searched(room)
    page = ada.get(f"/p/lab/jobs/{job}").text
    assert "better than none, also on rows that did not choose it" in page
    assert "The time was up" in page and "n = 20" in page and "n = 2" in page
    assert "Be &lt;b&gt;short&lt;/b&gt;." in page and "own way" in page
    assert f"/prompts/{kept.version(room.actor, room.cp, 'lab', 'short-answers').prompt.id}?version=1" in page
    got = ada.post(f"/p/lab/prompts/from/{job}/2")
    assert got.status_code == 302
    assert newest(room, "short-answers")["system"] == "Be long."
    assert ada.post(f"/p/lab/prompts/from/{job}/9").status_code == 404


def test_a_search_that_found_nothing_says_so(cp: ControlPlane, invite: Invite, browser: Browser) -> None:
    invite("ada", role="Owner")
    room, ada = rooms.with_base(cp), browser("ada")
    page = ada.get(f"/p/lab/jobs/{searched(room, 0)}?lang=de").text
    assert "war besser als gar kein Prompt" in page
    assert kept.list_prompts(room.actor, room.cp, "lab") == []


# ---- what a deployment carries


def test_a_deployment_carries_a_prompt_and_a_form(cp: ControlPlane, invite: Invite, browser: Browser) -> None:
    invite("ada", role="Owner")
    room, ada = rooms.furnished(cp), browser("ada")
    page = f"/p/lab/deployments/{room.made['deployment']}"
    assert "short@1" in ada.get(f"{page}/carried").text and 'name="with-prompt"' not in ada.get(page).text
    form = '{"type": "object", "properties": {"part": {"type": "string"}}}'
    assert ada.post(f"{page}/carried", data={"prompt": "short@1", "schema": form}).status_code == 302
    shown, carried = ada.get(page).text, ada.get(f"{page}/carried").text
    assert 'name="with-prompt"' in shown and 'name="with-schema"' in shown
    assert "lab/faults+prompt+schema" in carried and "It does not guarantee the content" in carried
    wrong = ada.post(f"{page}/carried", data={"prompt": "short@1", "schema": '{"not": {"type": "null"}}'})
    assert wrong.status_code == 400 and "#/not" in wrong.text and "&#34;null&#34;" in wrong.text
    assert ada.post(f"{page}/carried", data={"prompt": "long", "schema": ""}).status_code == 404
    assert 'name="with-schema"' in ada.get(page).text  # what was refused changed nothing
    assert ada.post(f"{page}/carried", data={"prompt": "", "schema": ""}).status_code == 302
    assert 'name="with-prompt"' not in ada.get(page).text
