"""Labellings in the browser: begun by a form, judged one by one, saved as a version."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import labelling_support
import pytest
import rooms
from flask.testing import FlaskClient
from labelling_support import StubEngine, pairs

from control_plane.context import ControlPlane
from control_plane.services.datasets import json_lines, rows
from control_plane.services.labelling import fetching
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.labelling import LabelItemRecord, LabellingRecord
from served import serve
from web_forms import plain

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def engine() -> StubEngine:
    return StubEngine(labelling_support.upper)


@pytest.fixture
def cp(cp: ControlPlane, engine: StubEngine) -> ControlPlane:
    """With the stub of an engine behind what is served."""
    return replace(cp, inference=engine)


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    for name in ("ada", "ben", "cleo"):
        invite(name, role="Expert")
    room = rooms.empty(cp)
    serve(cp, "lab", "helper")
    return room


def keep(room: rooms.Rooms, train: list[dict[str, Any]], test: list[dict[str, Any]] | None = None) -> int:
    held_out = labelling_support.lines(test) if test else None
    version, _ = json_lines.upload(
        room.actor, room.cp, "lab", "faults", labelling_support.lines(train), held_out, test_share=0.0
    )
    return int(version.id)


def begin(client: FlaskClient, cp: ControlPlane, version: int, **form: object) -> str:
    """Begin a labelling by its form, have its answers asked for, and give its page's address."""
    got = client.post("/p/lab/labelling/new", data={"dataset": version, "count": 0, **form})
    assert got.status_code == 302, plain(got.text)
    while LabellingRecord.select().where(LabellingRecord.state == "asking").exists():
        fetching.advance(cp)
        cp.labellings.join()
    return got.headers["Location"]


def judge(client: FlaskClient, page: str, **form: str) -> Any:
    """Take the next item and say something of it."""
    shown = client.get(f"{page}/next").text
    (action,) = re.findall(r'action="(/p/lab/labelling/items/\d+)"', shown)
    written = {name: html.unescape(text) for name, text in re.findall(r'name="([^"]+)"[^>]*>([^<]*)</textarea>', shown)}
    return client.post(action, data=written | form)


def test_from_the_dataset_to_a_version_without_a_typed_field(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane
) -> None:
    client, version = browser("ada"), keep(room, pairs(3), pairs(1, 10))
    page = client.get("/p/lab/data/faults").text
    (link,) = re.findall(r'href="(/p/lab/labelling/new\?dataset=\d+)"', page)
    form = client.get(link).text
    assert '<option value="helper" selected>' in form and f'<option value="{version}" selected>' in form
    page = begin(client, cp, version, deployment="helper", kind="answers", split="all", overlap="0")
    shown = client.get(f"{page}/next").text
    assert "question 0" in shown and ">QUESTION 0</textarea>" in shown and "answer 0" in shown
    assert "<kbd>a</kbd>" in shown and 'data-shortcut="r"' in shown
    got = judge(client, page, action="accept")
    assert got.headers["Location"].endswith("/next")
    judge(client, page, action="accept", answer="right\r\nanswer")
    judge(client, page, action="reject")
    judge(client, page, action="accept")
    assert "Nothing is left for you to judge" in client.get(f"{page}/next").text
    assert "4 of 4 are judged" in plain(client.get(page).text)
    saved = client.post(f"{page}/save", data={"form": "answers"})
    assert saved.headers["Location"] == "/p/lab/data/faults?version=2"
    made = DatasetVersionRecord.get(DatasetVersionRecord.number == 2)
    assert rows.page(room.actor, cp, made.id) == [
        {"prompt": "question 0", "completion": "QUESTION 0"},
        {"prompt": "question 1", "completion": "right\nanswer"},
    ]
    report = plain(client.get("/p/lab/data/faults/report?version=2").text)
    assert "Labelling faults #1" in report and "Asked helper" in report
    client.post(f"{page}/save", data={"form": "preference"})
    assert "right answer" in plain(client.get("/p/lab/data/faults-pairs").text)


def test_that_the_data_went_on_is_said_before_and_after_it_is_saved(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane
) -> None:
    client, version = browser("ada"), keep(room, pairs(2))
    page = begin(client, cp, version, kind="answers", split="train", overlap="0")
    judge(client, page, action="accept", answer="mended")
    judge(client, page, action="accept")
    told = "version 2 has come. What is saved here is made of version 1"
    assert told not in plain(client.get(page).text) + plain(client.get(f"{page}/next").text)
    keep(room, pairs(3))
    assert told in plain(client.get(page).text) and told in plain(client.get(f"{page}/next").text)
    saved = client.post(f"{page}/save", data={"form": "answers", "others": "true"})
    shown = plain(client.get(saved.headers["Location"]).text)
    assert "Version 3 was saved." in shown and told in shown


def test_variations_are_shown_beside_their_row_and_mended_field_by_field(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane, engine: StubEngine
) -> None:
    engine.answers = lambda asked: json.dumps({"prompt": f"new {asked['seed']}", "completion": "made up"})
    client, version = browser("ada"), keep(room, pairs(3))
    form = client.get(f"/p/lab/labelling/new?dataset={version}&kind=variations&numbers=2").text
    assert "Write one new example of the same kind" in form and 'name="numbers" value="2"' in form
    page = begin(
        client, cp, version, kind="variations", deployment="helper", numbers="2", per_row="2", instruction="Do it."
    )
    shown = plain(client.get(f"{page}/next").text)
    assert "question 1" in shown and "made up" in shown and "variation 1" in shown
    judge(client, page, action="accept", **{"row.1.completion": "mended"})
    judge(client, page, action="accept")
    client.post(f"{page}/save", data={"form": "answers"})
    made = DatasetVersionRecord.get(DatasetVersionRecord.number == 2)
    found = rows.page(room.actor, cp, made.id)
    assert [row["completion"] for row in found] == ["answer 0", "answer 1", "answer 2", "mended", "made up"]
    assert [row["generated"]["row"] for row in found[3:]] == [2, 2]
    page = plain(client.get("/p/lab/data/faults?version=2").text)
    assert page.count("generated by deployment helper from row 2") == 2 and "Generated by a model 2 rows" in page


def test_two_people_disagree_and_a_third_decides(room: rooms.Rooms, browser: Browser, cp: ControlPlane) -> None:
    ada, ben, cleo = (browser(name) for name in ("ada", "ben", "cleo"))
    page = begin(ada, cp, keep(room, pairs(2)), overlap="100")
    for client, said in ((ada, "accept"), (ben, "reject")):
        judge(client, page, action=said)
        judge(client, page, action="accept")
    shown = plain(cleo.get(page).text)
    assert "Two people disagree" in shown and "ada: accepted" in shown and "ben: rejected" in shown
    assert "ada, ben said the same of 50% of the 2 items that both judged." in shown
    assert "too few to tell." in shown
    (item,) = re.findall(r'href="(/p/lab/labelling/items/\d+)"', cleo.get(page).text)
    assert "ben: rejected" in plain(cleo.get(item).text)
    again = ada.post(item, data={"action": "accept", "answer": "answer 0"})
    assert again.status_code == 302  # the same again: it is ada's own
    assert cleo.post(item, data={"action": "reject"}).headers["Location"] == page
    assert "Two people disagree" not in plain(cleo.get(page).text)
    refused = ada.post(item, data={"action": "accept", "answer": "what I wrote"})
    assert refused.status_code == 409 and "Two people disagree here, and you are one of them" in plain(refused.text)


def test_a_judgement_that_cannot_be_taken_comes_back_as_it_was_written(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane
) -> None:
    ada, ben = browser("ada"), browser("ben")
    page = begin(ada, cp, keep(room, pairs(1)))
    (item,) = re.findall(r'action="(/p/lab/labelling/items/\d+)"', ada.get(f"{page}/next").text)
    cp.clock.advance(10_000)  # type: ignore[attr-defined]
    judge(ben, page, action="accept")
    refused = ada.post(item, data={"action": "accept", "answer": "my <long> words"})
    assert refused.status_code == 409
    assert "Others have judged this item meanwhile" in plain(refused.text)
    assert ">my &lt;long&gt; words</textarea>" in refused.text
    empty = ben.post(item, data={"action": "accept", "answer": " "})
    assert empty.status_code == 400


def test_what_was_written_is_never_lost_to_the_wrong_key(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane, engine: StubEngine
) -> None:
    engine.answers = lambda _: "\n one\r\ntwo \n"
    client = browser("ada")
    page = begin(client, cp, keep(room, pairs(2)), deployment="helper")
    judge(client, page, action="accept", answer=" one\r\ntwo \r\n")  # as a browser sends it back, unchanged
    judge(client, page, action="accept", answer="one and two")
    assert [(item.outcome, item.result) for item in LabelItemRecord.select().order_by(LabelItemRecord.place)] == [
        ("accept", ""), ("correct", "one and two"),
    ]  # fmt: skip


def test_what_a_model_says_stays_text(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane, engine: StubEngine
) -> None:
    engine.answers = lambda _: "</textarea><script>alert(1)</script>{{ 7*7 }}"
    client = browser("ada")
    page = begin(client, cp, keep(room, pairs(1)), deployment="helper", overlap="100")
    shown = client.get(f"{page}/next").text
    assert "<script>alert(1)" not in shown and "{{ 7*7 }}" in shown


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"count": "many"}, "Enter a whole number."),
        ({"deployment": "nobody"}, "This does not exist"),
        ({"q": "nowhere"}, "There is no row to judge"),
        ({"numbers": "99"}, "numbers: 1 … 3"),
        ({"kind": "variations", "deployment": "helper", "per_row": "50"}, "per_row: 1 … 10"),
        ({"kind": "variations", "deployment": ""}, "deployment"),
        ({"dataset": "x"}, "This does not exist"),
    ],
)
def test_what_is_wrong_with_the_form_is_said_and_nothing_is_lost(
    room: rooms.Rooms, browser: Browser, form: dict[str, str], words: str
) -> None:
    version, client = keep(room, pairs(3)), browser("ada")
    sent = {"dataset": version, "overlap": "20", "instruction": "Mine alone.", **form}
    kind = form.get("kind", "answers")
    refused = client.post(f"/p/lab/labelling/new?kind={kind}", data=sent)
    assert refused.status_code in (400, 404) and words in plain(refused.text)
    assert '<option value="20" selected>' in refused.text
    assert kind != "variations" or "Mine alone." in refused.text
    assert LabellingRecord.select().count() == 0


def test_it_is_stopped_gone_on_with_and_closed(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane, engine: StubEngine
) -> None:
    client = browser("ada")
    version = keep(room, pairs(3))
    page = client.post("/p/lab/labelling/new", data={"dataset": version, "deployment": "helper", "count": 0}).headers[
        "Location"
    ]
    assert "Stop asking" in client.get(page).text
    client.post(f"{page}/stop")
    shown = plain(client.get(page).text)
    assert "0 of 3 answers are here" in shown and "Ask for what is missing" in shown
    engine.answers = lambda _: labelling_support.whole("on", finish="length")
    client.post(f"{page}/resume")
    while LabellingRecord.get().state == "asking":
        fetching.advance(cp)
        cp.labellings.join()
    assert plain(client.get(page).text).count("its answer was cut after 1024 tokens") == 3
    assert {item.state for item in LabelItemRecord.select()} == {"unusable"}
    client.post(f"{page}/close")
    assert "Closed" in plain(client.get(page).text) and "Stop asking" not in client.get(page).text
    assert client.get(f"{page}/next").status_code == 409
    assert "#1" in client.get("/p/lab/labelling").text


def test_skipped_items_come_again(room: rooms.Rooms, browser: Browser, cp: ControlPlane) -> None:
    client = browser("ada")
    page = begin(client, cp, keep(room, pairs(1)))
    judge(client, page, action="skip")
    assert "Show the one that you skipped" in client.get(f"{page}/next").text
    client.post(f"{page}/unskip")
    assert "question 0" in client.get(f"{page}/next").text


def test_what_waits_to_be_judged_stands_on_home_and_in_the_bell(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane
) -> None:
    ada, ben = browser("ada"), browser("ben")
    page = begin(ada, cp, keep(room, pairs(2)), kind="answers", deployment="")
    for client in (ada, ben):
        shown = client.get("/p/lab/").text
        assert "Waiting to be judged" in shown and "2 items" in shown and f"{page}/next" in shown
    told = ben.get("/notifications").text
    assert "wait for you to judge them" in told and f'href="{page}"' in told and "To be judged" in told
    assert "wait for you to judge them" not in ada.get("/notifications").text
    judge(ben, page, action="accept")
    judge(ben, page, action="reject")
    assert "Waiting to be judged" not in ben.get("/p/lab/").text
    assert "wait for you to judge them" not in ben.get("/notifications").text


def test_answers_that_say_what_the_rows_say_are_accepted_at_one_press(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane
) -> None:
    client = browser("ada")
    rows_ = [{"prompt": f"question {n}", "completion": f"QUESTION {n}"} for n in range(3)]
    page = begin(client, cp, keep(room, [*rows_, {"prompt": "strange", "completion": "answer"}]), deployment="helper")
    assert f"{page}/agreeing" in client.get(page).text
    shown = client.get(f"{page}/agreeing").text
    assert "Accept these 3" in shown and "question 2" in shown and "strange" not in shown
    (items,) = re.findall(r'name="items" value="([0-9,]+)"', shown)
    after = client.post(f"{page}/accept", data={"items": items}, follow_redirects=True).text
    assert "3 answers were accepted." in after and "None left" in after
    (accepted,) = re.findall(r'name="items" value="([0-9,]+)"', after)
    undone = client.post(f"{page}/take-back", data={"items": accepted}, follow_redirects=True).text
    assert "3 items are to be judged again." in undone and "Accept these 3" in undone
    assert client.post(f"{page}/accept", data={"items": "x,,-1"}).status_code == 400
