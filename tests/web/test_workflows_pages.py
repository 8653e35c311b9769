"""Workflows in the browser: writing one, what differs between versions, running one, and taking it away as a file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services.workflows import kept, texts
from control_plane.services.workflows import runs as workflow_runs
from control_plane.store.jobs import JobRecord
from control_plane.store.workflows import WorkflowRunRecord, WorkflowVersionRecord

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


@pytest.fixture
def room(cp: ControlPlane, invite: Invite) -> rooms.Rooms:
    invite("ada", role="Owner")
    invite("vic", role="Viewer")
    return rooms.furnished(cp)


@pytest.fixture
def ada(room: rooms.Rooms, browser: Browser) -> FlaskClient:
    return browser("ada")


def page(room: rooms.Rooms, rest: str = "") -> str:
    return f"/p/lab/workflows/{room.made['workflow']}{rest}"


def test_a_workflow_is_written_from_a_case_and_saved(room: rooms.Rooms, ada: FlaskClient) -> None:
    shown = ada.get("/p/lab/workflows/new?case=machine_faults").text
    assert "name: machine_faults" in shown and "ts-editor" in shown
    got = ada.post("/p/lab/workflows/new", data={"text": rooms.WORKFLOW.replace("name: thread", "name: other")})
    assert got.status_code == 302
    assert "other" in ada.get(got.headers["Location"]).text
    assert [one.workflow.name for one in kept.list_workflows(room.actor, room.cp, "lab")] == ["other", "thread"]


def test_what_is_wrong_is_said_with_its_line_and_nothing_is_lost(room: rooms.Rooms, ada: FlaskClient) -> None:
    text = rooms.WORKFLOW.replace("method: ${way}", "methode: ${way}")
    got = ada.post(page(room, "/edit"), data={"text": text, "base": "1"})
    assert got.status_code == 400
    assert 'data-line="11"' in got.text and "steps.train.methode" in got.text
    assert "methode: ${way}" in got.text
    german = ada.post(page(room, "/edit"), data={"text": text}, headers={"Accept-Language": "de"}).text
    assert "Zeile 11" in german
    checked = ada.post(
        page(room, "/edit"), data={"text": rooms.WORKFLOW.replace("export_gguf", "export"), "what": "check"}
    )
    assert "pack" in checked.text and 'data-line="14"' in checked.text
    fine = ada.post(page(room, "/edit"), data={"text": rooms.WORKFLOW, "what": "check"}).text
    assert "Nothing stands in its way" in fine
    assert WorkflowVersionRecord.select().count() == 1


def test_versions_are_compared_and_somebody_elses_is_not_overwritten(room: rooms.Rooms, ada: FlaskClient) -> None:
    changed = rooms.WORKFLOW.replace("default: 20", "default: 30")
    assert ada.post(page(room, "/edit"), data={"text": changed, "base": "1"}).status_code == 302
    shown = ada.get(page(room, "?old=1")).text
    assert "is-added" in shown and "default: 30" in shown and "is-removed" in shown
    assert "default: 20" in ada.get(page(room, "?version=1")).text
    assert ada.get(page(room, "?version=7")).status_code == 404
    late = ada.post(page(room, "/edit"), data={"text": rooms.WORKFLOW, "base": "1"})
    assert late.status_code == 400 and "version 2 by now" in late.text
    same = ada.post(page(room, "/edit"), data={"text": changed.replace("name: thread", "name:  thread"), "base": "2"})
    assert "says the same" in ada.get(same.headers["Location"]).text


def test_a_run_takes_what_the_form_was_given(room: rooms.Rooms, ada: FlaskClient) -> None:
    shown = ada.get(page(room)).text
    assert re.search(r'<option value="faults" selected', shown) and 'name="given-steps"' in shown
    sent = {"version": "1", "given-data": "faults", "given-steps": "25", "given-way": "sft_demo", "key": "k"}
    for _ in range(2):  # pressed twice
        assert ada.post(page(room, "/run"), data=sent).status_code == 302
    (run,) = WorkflowRunRecord.select()
    assert run.given == {"data": "faults", "steps": 25, "way": "sft_demo", "pack": False}
    assert [step["name"] for step in run.graph] == ["data", "base", "train"]
    listed = ada.get(page(room)).text
    assert f"run-{run.id}" in listed and "under way" in listed
    refused = ada.post(page(room, "/run"), data=sent | {"given-steps": "many", "key": "l"})
    assert refused.status_code == 400 and 'value="many"' in refused.text
    asked = ada.post(page(room, "/run"), data=sent | {"what": "check"}).text
    assert "import_base_model" in asked
    assert WorkflowRunRecord.select().count() == 1


def test_a_run_that_stopped_is_resumed_with_a_button(room: rooms.Rooms, ada: FlaskClient) -> None:
    ada.post(page(room, "/run"), data={"given-data": "faults"})
    (run,) = WorkflowRunRecord.select()
    workflow_runs.cancel(room.actor, room.cp, run.id)
    assert "Resume" in ada.get(page(room)).text
    assert ada.post(f"/p/lab/workflows/runs/{run.id}/resume").status_code == 302
    assert WorkflowRunRecord.get_by_id(run.id).outcome == ""
    again = ada.post(f"/p/lab/workflows/runs/{run.id}/resume")
    assert "The run goes on; only one that has stopped" in ada.get(again.headers["Location"]).text
    assert JobRecord.select().where(JobRecord.workflow_run == run.id).count() == 2


def test_it_leaves_as_a_file(room: rooms.Rooms, ada: FlaskClient) -> None:
    got = ada.get(page(room, "/text"))
    assert got.text == rooms.WORKFLOW and "thread.yaml" in got.headers["Content-Disposition"]
    assert json.loads(ada.get(page(room, "/text?form=json")).text)["name"] == "thread"
    case = ada.get("/p/lab/workflows/case/machine_faults").text
    assert texts.read(case).spec.case == "machine_faults"
    assert ada.get(page(room, "/text?form=xml")).status_code == 400


def test_a_viewer_looks_and_changes_nothing(room: rooms.Rooms, browser: Browser) -> None:
    vic = browser("vic")
    shown = vic.get(page(room)).text
    assert "export_gguf" in shown and "/edit" not in shown and "/run" not in shown
    for address, data in ((page(room, "/edit"), {"text": "x"}), (page(room, "/run"), {}), ("/p/lab/workflows/new", {})):
        assert vic.post(address, data=data).status_code == 403
    assert WorkflowRunRecord.select().count() == 0
