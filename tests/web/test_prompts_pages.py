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
