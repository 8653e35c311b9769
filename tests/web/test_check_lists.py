"""A list of checks in the form of a new job: put together by buttons alone, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.errors import ParameterInvalid, ParameterNotListed
from control_plane.domain.permissions import SYSTEM
from control_plane.services import methods
from control_plane.store.jobs import JobRecord
from web_forms import filled, plain

REWARD = "parameter.reward"


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.with_base(cp)


@pytest.fixture
def client(room: rooms.Rooms, browser: Callable[[str], FlaskClient]) -> FlaskClient:
    return browser("ada")


def changed(client: FlaskClient, form: dict[str, str], change: str, **typed: str) -> tuple[str, dict[str, str]]:
    """The page after a button of the list, and what it would send."""
    answer = client.post("/p/lab/jobs/new", data=form | typed | {"change": change})
    assert answer.status_code == 200
    return answer.text, filled(answer.text)


def test_a_reward_is_put_together_by_buttons(client: FlaskClient, room: rooms.Rooms) -> None:
    form = filled(client.get(f"/p/lab/jobs/new?method=grpo_demo&dataset={room.made['version']}").text)
    assert form[f"{REWARD}.count"] == "0"
    _, form = changed(client, form, f"add {REWARD}", **{f"{REWARD}.add": "contains", "name": "kind"})
    assert form["name"] == "kind", "what was typed elsewhere stays"
    typed = {f"{REWARD}.0.texts": "red\nblue", f"{REWARD}.0.weight": "2.5", f"{REWARD}.add": "length"}
    page, form = changed(client, form, f"add {REWARD}", **typed)
    assert "red\nblue</textarea>" in page and form[f"{REWARD}.0.weight"] == "2.5"
    _, form = changed(client, form, f"add {REWARD}", **typed | {f"{REWARD}.add": "json_valid"})
    page, form = changed(client, form, f"remove {REWARD} 2", **{f"{REWARD}.0.texts": "red\nblue"})
    assert form[f"{REWARD}.count"] == "2" and f"{REWARD}.2.check" not in form
    answer = client.post("/p/lab/jobs/new", data=form | {f"{REWARD}.0.texts": "red\nblue", f"{REWARD}.1.maximum": "9"})
    assert answer.status_code == 302, plain(answer.text)
    assert JobRecord.select().order_by(JobRecord.id.desc()).get().parameters["reward"] == [
        {"check": "contains", "weight": 2.5, "parameters": {"texts": ["red", "blue"], "ignore_case": True}},
        {"check": "length", "weight": 1.0, "parameters": {"minimum": 0, "maximum": 9, "unit": "words"}},
    ]


def test_what_cannot_be_read_stands_again_beside_what_is_wrong(client: FlaskClient, room: rooms.Rooms) -> None:
    form = filled(client.get(f"/p/lab/jobs/new?method=grpo_demo&dataset={room.made['version']}").text)
    _, form = changed(client, form, f"add {REWARD}", **{f"{REWARD}.add": "json_schema"})
    answer = client.post("/p/lab/jobs/new", data=form | {f"{REWARD}.0.schema": "{not"})
    assert answer.status_code == 400
    assert "{not</textarea>" in answer.text and "This is not valid JSON." in answer.text
    empty = client.post("/p/lab/jobs/new", data=form | {f"{REWARD}.0.schema": ""})
    assert empty.status_code == 400 and "schema" in plain(empty.text)


@pytest.mark.parametrize(
    ("reward", "error"),
    [
        ([{"check": "cake"}], ParameterNotListed),
        ([{"check": "regex", "parameters": {"colour": "red"}}], ParameterInvalid),
        ([{"check": "regex"}], ParameterInvalid),
        ([{"check": "json_valid", "weight": -1}], ParameterInvalid),
        (["json_valid"], ParameterInvalid),
        ([], ParameterInvalid),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(
    cp: ControlPlane, room: rooms.Rooms, reward: list[object], error: type[Exception]
) -> None:
    manifest = methods.manifest(methods.get(SYSTEM, cp, "grpo_demo"))
    with pytest.raises(error):
        methods.check_parameters(manifest, {"reward": reward})
    fine = [{"check": "regex", "parameters": {"pattern": "a"}}]
    assert methods.check_parameters(manifest, {"reward": fine})["reward"] == fine
