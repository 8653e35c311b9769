"""The result of an evaluation: the verdict in words, and what it offers to do about it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.store.evaluations import EvaluationRecord

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    room = rooms.with_base(cp)
    room.made["adapter"] = room.finish_model(room.run(room.train("tuned")), "adapter")
    return room


@pytest.fixture
def client(room: rooms.Rooms, browser: Browser) -> FlaskClient:
    return browser("ada")


def evaluate(room: rooms.Rooms, tuned_right: int, base_right: int, base_cut: int = 0) -> int:
    given = {"candidate": room.made["adapter"], "baseline": room.made["base"], "dataset": room.made["version"]}
    attempt = room.run(room.submit("evaluate", "test", given), 0)
    return room.finish_evaluation(attempt, tuned_right, base_right, base_cut)


def plain(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_a_better_model_is_offered_for_packaging_then_for_serving(client: FlaskClient, room: rooms.Rooms) -> None:
    address = f"/p/lab/evaluations/{evaluate(room, 32, 2)}"
    page = client.get(address).text
    assert "The tuned model is better" in page
    assert "On 32 examples that it had not seen, tuned reaches 100% and small-base reaches 6.2%." in plain(page)
    assert f'href="/p/lab/jobs/new?kind=export&amp;model={room.made["adapter"]}"' in page
    export = room.submit("export_gguf", "packed", {"model": room.made["adapter"]})
    assert "It is being packaged" in client.get(address).text
    gguf = room.finish_model(room.run(export, 0), "gguf")
    assert f'href="/p/lab/deployments/new?model={gguf}"' in client.get(address).text


@pytest.mark.parametrize(
    ("tuned", "base", "verdict"), [(4, 30, "The tuned model is worse"), (20, 19, "No clear difference")]
)
def test_a_model_that_is_not_better_is_never_offered_for_serving(
    client: FlaskClient, room: rooms.Rooms, tuned: int, base: int, verdict: str
) -> None:
    page = client.get(f"/p/lab/evaluations/{evaluate(room, tuned, base)}").text
    assert verdict in page
    assert "Improve the data" in page
    shown = page[page.index('id="verdict"') : page.index("</section>", page.index('id="verdict"'))]
    assert "kind=export" not in shown
    assert "/deployments/new" not in shown


def test_each_number_has_its_basis(client: FlaskClient, room: rooms.Rooms) -> None:
    page = plain(client.get(f"/p/lab/evaluations/{evaluate(room, 32, 2)}").text)
    # Wilson's interval of 32 of 32 and of 2 of 32; domain/verdict/ has the formula and its tests
    assert "100% 95 % interval 89.3% to 100%, n = 32" in page
    assert "6.2% 95 % interval 1.7% to 20.1%, n = 32" in page
    assert "+93.8 percentage points" in page


def test_too_few_rows_are_said_to_be_too_few(client: FlaskClient, room: rooms.Rooms) -> None:
    few = plain(client.get(f"/p/lab/evaluations/{evaluate(room, 20, 18)}").text)
    # two of 32 rows, both for the tuned model: p = 0.5
    needed = EvaluationRecord.get().differences["schema_valid"]["needed"]
    assert f"Too few examples to tell: for a difference of this size you need about {needed}." in few
    assert "cannot be told p = 0.5" in few
    clear = plain(client.get(f"/p/lab/evaluations/{evaluate(room, 32, 2)}").text)
    assert "Too few" not in clear and "better p < 0.001" in clear


def test_only_differences_and_only_wrong_ones(client: FlaskClient, room: rooms.Rooms) -> None:
    address = f"/p/lab/evaluations/{evaluate(room, 30, 28)}"

    def shown(show: str) -> int:
        found = re.search(r"(\d+) entr", client.get(f"{address}?show={show}").text)
        return int(found[1]) if found else 0

    # form differs in rows 28 and 29, content in 24 and 25; the tuned model is wrong in form or content from row 26 on
    assert (shown(""), shown("differences"), shown("wrong")) == (32, 4, 6)


def test_answers_that_were_cut_are_counted_and_marked(client: FlaskClient, room: rooms.Rooms) -> None:
    address = f"/p/lab/evaluations/{evaluate(room, 32, 2, base_cut=30)}"
    page = client.get(address).text
    assert "30 of the 32 answers of small-base were cut at 64 tokens." in plain(page)
    assert 'data-cut="candidate"' not in page
    marked = client.get(f"{address}?show=cut").text
    assert "30 entries" in marked
    assert plain(marked).count("cut at 64 tokens") == 1 + 10  # the sentence, and one of the two answers of each row
    whole = plain(client.get(f"/p/lab/evaluations/{evaluate(room, 32, 2)}").text)
    assert "64 tokens, for each model" in whole
    assert "cut" not in whole[whole.index("The tuned model is better") :].lower().replace("shortcut", "")


def test_an_evaluation_of_one_model_has_no_verdict(client: FlaskClient, room: rooms.Rooms) -> None:
    given = {"candidate": room.made["adapter"], "dataset": room.made["version"]}
    attempt = room.run(room.submit("evaluate", "alone", given), 0)
    page = plain(client.get(f"/p/lab/evaluations/{room.finish_evaluation_alone(attempt, 30)}").text)
    assert "Nothing was compared with it, so there is no verdict." in page
    assert "Only differences" not in page


def test_another_projects_evaluation_is_not_found(
    room: rooms.Rooms, browser: Browser, invite: Callable[..., str]
) -> None:
    number = evaluate(room, 32, 2)
    stranger = browser(invite("eve", role="Owner", project="elsewhere"))
    assert stranger.get(f"/p/elsewhere/evaluations/{number}").status_code == 404
