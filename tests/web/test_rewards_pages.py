"""The builder of rewards in a browser without JavaScript: rows, order, JSON, versions, and the dry run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.services.datasets import json_lines
from control_plane.services.rewards import dry_running, kept
from control_plane.store.rewards import RewardDryRunRecord, RewardVersionRecord

HERE = "/p/lab/rewards"
CHECKS = "parameter.checks"
TWO = {
    f"{CHECKS}.count": "2",
    f"{CHECKS}.0.check": "json_valid",
    f"{CHECKS}.0.weight": "1",
    f"{CHECKS}.1.check": "json_fields",
    f"{CHECKS}.1.weight": "3",
}


@pytest.fixture
def client(invite: Callable[..., str], browser: Callable[[str], FlaskClient]) -> FlaskClient:
    return browser(invite("ada", role="Expert"))


@pytest.fixture
def dataset(cp: ControlPlane, client: FlaskClient) -> str:
    """The id of a version of questions with answers."""
    version, _ = json_lines.upload(SYSTEM, cp, "lab", "faults", BytesIO(rooms.rows(20)), None)
    return str(version.id)


def order(page: str) -> list[str]:
    return re.findall(rf'name="{re.escape(CHECKS)}\.\d+\.check" value="(\w+)"', page)


def saved(cp: ControlPlane) -> RewardVersionRecord:
    return kept.get(SYSTEM, cp, "lab", "lab-record").version


def test_a_template_is_saved_in_two_presses_and_one_field(client: FlaskClient, cp: ControlPlane) -> None:
    page = client.get(f"{HERE}/-new?template=record").text
    assert order(page) == ["json_valid", "json_fields"] and "4 of 5 parts" in page and "Together: 5 parts" in page
    answer = client.post(f"{HERE}/-new", data={**TWO, "title": "Lab record"}, follow_redirects=True)
    assert answer.status_code == 200 and "Saved as version 1." in answer.text
    assert [one["weight"] for one in saved(cp).document["checks"]] == [1.0, 3.0]
    assert "Lab record" in client.get(HERE).text


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (f"up {CHECKS} 1", ["json_fields", "json_valid"]),
        (f"down {CHECKS} 0", ["json_fields", "json_valid"]),
        (f"up {CHECKS} 0", ["json_valid", "json_fields"]),
        (f"down {CHECKS} 1", ["json_valid", "json_fields"]),
        (f"down {CHECKS} 99", ["json_valid", "json_fields"]),
        (f"remove {CHECKS} 0", ["json_fields"]),
        (f"add {CHECKS}", ["json_valid", "json_fields", "length"]),
    ],
)
def test_checks_change_places_by_buttons(client: FlaskClient, change: str, wanted: list[str]) -> None:
    sent = {**TWO, "title": "Lab record", "change": change, f"{CHECKS}.add": "length"}
    page = client.post(f"{HERE}/-new", data=sent).text
    assert order(page) == wanted and 'value="Lab record"' in page
    assert not RewardVersionRecord.select().exists()


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(client: FlaskClient) -> None:
    for weight, said in (("0", "a weight is a number above 0"), ("much", "Enter a number")):
        answer = client.post(f"{HERE}/-new", data={**TWO, "title": "Lab record", f"{CHECKS}.1.weight": weight})
        assert answer.status_code == 400 and said in answer.text and f'value="{weight}"' in answer.text
        assert order(answer.text) == ["json_valid", "json_fields"]
    answer = client.post(f"{HERE}/-new", data={"title": "Lab record", f"{CHECKS}.count": "0"})
    assert answer.status_code == 400 and "has no check" in answer.text


def test_json_is_taken_over_into_the_builder_and_exported_again(client: FlaskClient, cp: ControlPlane) -> None:
    client.post(f"{HERE}/-new", data={**TWO, "title": "Lab record"})
    exported = client.get(f"{HERE}/lab-record/document")
    assert "attachment" in exported.headers["Content-Disposition"]
    assert json.loads(exported.text) == saved(cp).document
    other = {"checks": [{"check": "equals", "weight": 2}]}
    typed = client.post(f"{HERE}/-new", data={"what": "document", "document": json.dumps(other), "title": "x"}).text
    assert order(typed) == ["equals"]
    file = (BytesIO(json.dumps(other).encode()), "other.json")
    assert order(client.post(f"{HERE}/-new", data={"what": "document", "file": file, "title": "x"}).text) == ["equals"]
    bad = client.post(f"{HERE}/-new", data={"what": "document", "document": '{"checks": [{"check": "x"}]}'})
    assert bad.status_code == 400 and "there is no check" in bad.text


def test_versions_are_listed_with_what_differs_and_late_ones_refused(client: FlaskClient, cp: ControlPlane) -> None:
    client.post(f"{HERE}/-new", data={**TWO, "title": "Lab record"})
    again = client.post(f"{HERE}/lab-record", data={**TWO, "base": "1"}, follow_redirects=True)
    assert "Nothing has changed" in again.text
    client.post(f"{HERE}/lab-record", data={**TWO, f"{CHECKS}.1.weight": "4", "base": "1"})
    page = client.get(f"{HERE}/lab-record?version=2&old=1").text
    assert "+      &#34;weight&#34;: 4.0" in page
    late = client.post(f"{HERE}/lab-record", data={**TWO, f"{CHECKS}.1.weight": "5", "base": "1"})
    assert late.status_code == 400 and "has version 2 by now" in late.text and 'value="5"' in late.text
    assert client.get(f"{HERE}/lab-record?version=9").status_code == 404


def test_a_dry_run_is_asked_for_watched_and_told(client: FlaskClient, cp: ControlPlane, dataset: str) -> None:
    client.post(f"{HERE}/-new", data={**TWO, "title": "Lab record"})
    page = client.get(f"{HERE}/lab-record").text
    (number,) = set(re.findall(r'<option value="(\d+)"', page))
    assert number == dataset
    client.post(f"{HERE}/lab-record/try", data={"dataset": number, "model": "", "version": "1"})
    run = RewardDryRunRecord.get()
    assert "It is being tried" in client.get(f"{HERE}/lab-record/try/{run.id}").text
    dry_running.advance(cp)
    cp.dry_runs.join()
    part = client.get(f"{HERE}/lab-record/try/{run.id}").text
    assert "Right answers" in part and "Empty answer" in part and "No model was asked" in part
    assert part.strip() in client.get(f"{HERE}/lab-record").text
    over = client.post(f"{HERE}/lab-record/try/{run.id}/cancel", follow_redirects=True)
    assert "The dry run is over already." in over.text
