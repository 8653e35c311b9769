"""Endpoints in the browser: set up and tried at once, chosen for a labelling, and their keys shown to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import rooms
from endpoint_support import HERE, Model, completion, refusal, serving
from flask.testing import FlaskClient
from labelling_support import lines, pairs

from control_plane.context import ControlPlane
from control_plane.services.datasets import json_lines
from control_plane.services.labelling import fetching
from control_plane.settings import Networks
from control_plane.store.endpoints import EndpointRecord
from control_plane.store.labelling import LabelItemRecord, LabellingRecord

Browser = Callable[[str], FlaskClient]
PAGE = "/p/lab/endpoints"


@pytest.fixture
def cp(cp: ControlPlane) -> ControlPlane:
    return replace(cp, settings=replace(cp.settings, endpoint_networks=Networks(HERE)))


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    for name, role in (("dora", "Developer"), ("erin", "Expert"), ("vic", "Viewer")):
        invite(name, role=role)
    return rooms.empty(cp)


@pytest.fixture
def model() -> Iterator[Model]:
    with serving(lambda asked: completion(f"Yes to {asked['messages'][-1]['content'][:5]}")) as model:
        yield model


def form(at: Model, **other: str) -> dict[str, str]:
    whole = {"name": "other", "address": at.address, "model": "large-1", "key": "a secret key", "daily_calls": "50"}
    return whole | other


def test_an_endpoint_is_set_up_and_tried_at_once(room: rooms.Rooms, browser: Browser, model: Model) -> None:
    client = browser("dora")
    assert "https://api.openai.com/v1" in client.get(PAGE).text
    page = client.post(PAGE, data=form(model), follow_redirects=True).text
    assert "“other” answered within" in page and "Yes to Answe" in page
    assert "stored, sealed" in page and "1 of 50" in page and "a secret key" not in page
    assert model.keys == ["Bearer a secret key"]
    number = EndpointRecord.get().id
    changed = client.get(f"{PAGE}?change={number}").text
    assert "Change “other”" in changed and "a secret key" not in changed
    page = client.post(f"{PAGE}?change={number}", data=form(model, key="", model="large-2"), follow_redirects=True).text
    assert "large-2" in page and model.keys[-1] == "Bearer a secret key"
    model.answers = lambda _: refusal(401, "Incorrect API key: a secret key")
    page = client.post(f"{PAGE}/{number}/test", follow_redirects=True).text
    assert "does not take the key" in page and "a secret key" not in page
    assert "are gone" in client.post(f"{PAGE}/{number}/remove", follow_redirects=True).text
    assert not EndpointRecord.select().exists()


def test_a_refused_form_keeps_what_was_typed_but_the_key(room: rooms.Rooms, browser: Browser, model: Model) -> None:
    client = browser("dora")
    answer = client.post(PAGE, data=form(model, address="ftp://there", model="large-9"))
    assert answer.status_code == 400
    assert "is not an address that can be asked" in answer.text and "large-9" in answer.text
    assert "a secret key" not in answer.text
    for wrong in ({"daily_calls": ""}, {"name": "With Spaces"}, {"model": ""}):
        assert client.post(PAGE, data=form(model, **wrong)).status_code == 400
    assert not EndpointRecord.select().exists() and not model.asked


def test_experts_use_them_and_viewers_do_not_see_them(
    cp: ControlPlane, room: rooms.Rooms, browser: Browser, model: Model
) -> None:
    browser("dora").post(PAGE, data=form(model))
    expert = browser("erin")
    page = expert.get(PAGE).text
    assert "other" in page and "Save and try" not in page and "Try it" not in page
    assert expert.post(PAGE, data=form(model)).status_code == 403
    viewer = browser("vic")
    assert viewer.get(PAGE).status_code == 403 and "/p/lab/endpoints" not in viewer.get("/p/lab/deployments").text
    assert "/p/lab/endpoints" in expert.get("/p/lab/deployments").text
    version, _ = json_lines.upload(room.actor, cp, "lab", "faults", lines(pairs(4)), None, test_share=0)
    new = expert.get(f"/p/lab/labelling/new?kind=variations&dataset={version.id}").text
    assert 'value="endpoint:other"' in new and "other · large-1" in new
    expert.post(
        f"/p/lab/labelling/new?dataset={version.id}",
        data={"kind": "answers", "dataset": str(version.id), "deployment": "endpoint:other", "count": "2"},
    )
    labelling = LabellingRecord.get()
    while LabellingRecord.get().state == "asking":
        fetching.advance(cp)
        cp.labellings.join()
    assert {item.answer for item in LabelItemRecord.select()} == {"Yes to quest"}
    assert "Answers of “other”" in expert.get(f"/p/lab/labelling/{labelling.id}").text
