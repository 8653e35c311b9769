"""A case in the browser: its card, and the door for one's own data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services import methods
from control_plane.services.datasets import json_lines
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.workflows import WorkflowRunRecord

Browser = Callable[[str], FlaskClient]
CASE = "/p/lab/cases/machine_faults"


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    methods.register_shipped(cp)
    return rooms.empty(cp)


@pytest.mark.parametrize(
    ("language", "said"), [("de", "Das Lager an Förderband 39 ist heiß."), ("zh", "39 号输送带的轴承很烫")]
)
def test_sample_rows_are_said_in_the_readers_language(
    room: rooms.Rooms, browser: Browser, language: str, said: str
) -> None:
    client = browser("ada")
    address = client.post(f"{CASE}/try").location
    assert "The bearing of conveyor 39 is hot." in client.get(address).text
    assert said not in client.get(address).text
    page = client.get(f"{address}&lang={language}").text
    assert "The bearing of conveyor 39 is hot." in page  # what the model learns
    assert said in page
    assert said in client.get("/p/lab/data/machine-fault-reports").text


def test_a_file_of_ones_own_becomes_a_draft_that_leads_back(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    assert "Choose a file." in client.post(f"{CASE}/own").text
    sent = client.post(f"{CASE}/own", data={"train": (BytesIO(rooms.rows(20)), "Labor-Notizen März.jsonl")})
    assert sent.location.endswith("?case=machine_faults")
    draft = DatasetDraftRecord.get()
    version, _ = json_lines.upload(room.actor, room.cp, "lab", draft.name, BytesIO(rooms.rows(20)), None)
    DatasetDraftRecord.update(state="saved", dataset_version=version).execute()
    checked = client.get(sent.location).location
    assert checked == f"{CASE}/run?dataset={version.id}"
    page = client.get(checked).text
    assert "labor-notizen-maerz v1" in page
    assert "Looks right" in page
    plan = client.get(f"{checked}&step=plan").text
    assert "served as “labor-notizen-maerz”" in plan
    assert "called after your data" in plan and ">0.001<" in plan.replace("\n", "")
    assert ">0,001<" in client.get(f"{checked}&step=plan&lang=de").text
    client.get(f"{checked}&lang=en")
    started = client.post(f"{CASE}/run", data={"dataset": version.id, "key": "k"})
    assert "labor-notizen-maerz" in client.get(started.location).text
    assert WorkflowRunRecord.get().dataset_version_id == version.id


def test_data_that_is_there_is_offered_if_it_is_of_the_cases_form(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane
) -> None:
    actor = room.actor
    pairs, _ = json_lines.upload(actor, cp, "lab", "notes", BytesIO(rooms.rows(20)), None)
    plain = "\n".join(json.dumps({"text": f"line {number}"}) for number in range(20)).encode()
    json_lines.upload(actor, cp, "lab", "plain", BytesIO(plain), None)
    page = browser("ada").get(CASE).text
    assert f'<option value="{pairs.id}">notes, version 1</option>' in page
    assert "plain, version" not in page


def test_data_without_held_out_rows_is_told_before_the_start(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    version, _ = json_lines.upload(room.actor, room.cp, "lab", "one", BytesIO(rooms.rows(1)), None)
    page = client.get(f"{CASE}/run?dataset={version.id}").text
    assert "This case cannot be run here" in page
    assert "Looks right" not in page


def test_a_case_names_its_method_in_the_readers_language(room: rooms.Rooms, browser: Browser) -> None:
    page = browser("ada").get(CASE, headers={"Accept-Language": "de"}).text
    assert "Lernen aus Ihren Beispielen" in page
    assert "<dd>sft_demo</dd>" not in page


def test_the_library_is_searched_by_field_task_and_time(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    page = client.get("/p/lab/cases").text
    assert f'href="{CASE}"' in page
    assert '<option value="maintenance">Maintenance</option>' in page
    assert "From text to a record" in page
    assert "Content 0% → <strong>81.2%</strong>" in page
    assert f'href="{CASE}"' in client.get("/p/lab/cases?field=maintenance&task=extraction&minutes=10").text
    for query in ("field=nowhere", "task=query&field=maintenance", "minutes=5&field=maintenance"):
        page = client.get(f"/p/lab/cases?{query}").text
        assert f'href="{CASE}"' not in page
        assert "No case is like that" in page
    assert "Show all" in client.get("/p/lab/cases?field=nowhere&minutes=x").text


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "What was measured"), ("de", "Gemessene Werte"), ("zh", "实测结果")],
)
def test_a_case_tells_what_was_measured(room: rooms.Rooms, browser: Browser, language: str, said: str) -> None:
    page = browser("ada").get(f"{CASE}?lang={language}").text
    assert f">{said}</h2>" in page
    assert re.search(r"70\s?%", page)  # the lower end of the interval
    assert "AVX-512" in page
