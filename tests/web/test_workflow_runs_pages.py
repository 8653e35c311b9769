"""A run's page: its steps drawn and as a table, the decision that it asks for, and the run once more."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import pytest
import rooms
from flask.testing import FlaskClient

import web_forms
from control_plane.context import ControlPlane
from control_plane.services import jobs
from control_plane.services.datasets import json_lines
from control_plane.services.workflows import comparing, runs, steps
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.people import UserRecord
from control_plane.store.workflows import ApprovalRecord, WorkflowRunRecord

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    """A run of ada's, which waits for somebody else to approve."""
    invite("ada", role="Expert")
    room = rooms.with_run(rooms.furnished(cp))
    for name, role in (("grace", "Expert"), ("vic", "Viewer")):
        invite(name, role=role)
    return room


def address(room: rooms.Rooms) -> str:
    return f"/p/lab/runs/{room.made['run']}"


def drawn(page: str) -> str:
    """The drawing alone."""
    (found,) = re.findall(r'<svg class="graph".*?</svg>\s*</div>', page, re.DOTALL)
    return str(found)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Waits for a decision"), ("de", "Entscheidung offen"), ("zh", "等待决定")],
)
def test_each_step_is_a_link_with_its_state_in_words(
    room: rooms.Rooms, browser: Browser, language: str, said: str
) -> None:
    page = browser("grace").get(f"{address(room)}?lang={language}").text
    link = r'<a id="box-(\w+)" class="graph-box graph-(\w+)"\s+href="([^"]+)">(.*?)</a>'
    links = re.findall(link, drawn(page), re.DOTALL)
    assert [(name, look) for name, look, _, _ in links] == [
        ("data", "succeeded"),
        ("import", "succeeded"),
        ("train", "succeeded"),
        ("evaluate", "succeeded"),
        ("package", "succeeded"),
        ("release", "warning"),
        ("deploy", "queued"),
    ]
    assert said in dict((name, words) for name, _, _, words in links)["release"]
    to = {name: url for name, _, url, _ in links}
    assert to["train"] == f"/p/lab/jobs/{room.made['train']}"
    assert (to["release"], to["deploy"]) == ("#decide-release", "#step-deploy")
    for url in to.values():  # what a link leads to on this page is there
        assert not url.startswith("#") or f'id="{url[1:]}"' in page


def test_the_table_says_the_same_and_what_was_made(room: rooms.Rooms, browser: Browser) -> None:
    page = browser("grace").get(address(room)).text
    row = page.split('id="step-import"')[1].split("</tr>")[0]
    assert "used again" in row and f"/p/lab/models/{room.made['base']}" in row
    row = page.split('id="step-evaluate"')[1].split("</tr>")[0]
    assert "The tuned model is better" in row and f"/p/lab/evaluations/{room.made['evaluation']}" in row
    assert f"/p/lab/jobs/{room.made['evaluate']}" in row


def test_who_may_decides_on_the_page(room: rooms.Rooms, browser: Browser) -> None:
    client, before = browser("grace"), DeploymentRecord.select().count()
    page = client.get(address(room)).text
    assert "It is about:" in page and f"/p/lab/models/{room.made['gguf']}" in page
    sent = client.post(f"{address(room)}/approve", data={"step": "release", "note": "Fine by me."})
    assert sent.location == address(room)
    page = client.get(sent.location).text
    assert "Grace" in page.split('id="step-release"')[1].split("</tr>")[0]
    assert "Fine by me." in page and "/approve" not in page
    assert DeploymentRecord.select().count() == before + 1


def test_a_refusal_is_said_with_its_reason(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("grace")
    client.post(f"{address(room)}/refuse", data={"step": "release", "note": "Row 7 names a customer."})
    page = client.get(address(room)).text
    assert "The run ended with a refusal" in page and "Grace has refused “release”." in page
    assert "Row 7 names a customer." in page
    told = browser("ada").get("/notifications").text
    assert "Grace has refused “release”." in told
    again = client.post(f"{address(room)}/approve", data={"step": "release"})
    assert again.status_code == 409 and "ended already" in again.text


def test_who_started_it_is_told_that_somebody_else_decides(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    page = client.get(address(room)).text
    assert "You started this run, so somebody else decides." in page and "/approve" not in page
    assert client.post(f"{address(room)}/approve", data={"step": "release"}).status_code == 403
    assert ApprovalRecord.get().decision == ""
    UserRecord.update(active=False).where(UserRecord.name == "grace").execute()
    assert "Nobody may decide here yet" in client.get(address(room)).text


def test_it_is_on_the_first_page_and_in_the_bell_of_those_who_may(room: rooms.Rooms, browser: Browser) -> None:
    said = f"Run {room.made['run']} goes on once you approve."
    assert said in browser("grace").get("/p/lab/").text
    assert "It goes on once you approve" in browser("grace").get("/notifications").text
    for name in ("ada", "vic"):
        assert said not in browser(name).get("/p/lab/").text
        assert "It goes on once you approve" not in browser(name).get("/notifications").text


def test_a_note_that_is_too_long_is_kept_in_its_field(room: rooms.Rooms, browser: Browser) -> None:
    note = "x" * 2_001
    sent = browser("grace").post(f"{address(room)}/refuse", data={"step": "release", "note": note})
    assert sent.status_code == 400 and note in sent.text
    assert ApprovalRecord.get().decision == ""


def test_words_of_others_stay_words(room: rooms.Rooms, browser: Browser) -> None:
    run = WorkflowRunRecord.get_by_id(room.made["run"])
    graph = [step | {"title": "<b>May it?</b>"} if step["kind"] == "approval" else step for step in run.graph]
    WorkflowRunRecord.update(graph=graph).where(WorkflowRunRecord.id == run.id).execute()
    client = browser("grace")
    assert "<b>May it?" not in client.get(address(room)).text
    client.post(f"{address(room)}/approve", data={"step": "release", "note": "<script>x</script>"})
    assert "<script>x" not in client.get(address(room)).text


def test_a_run_of_a_case_that_is_gone_is_still_seen(room: rooms.Rooms, browser: Browser) -> None:
    WorkflowRunRecord.update(case="gone").where(WorkflowRunRecord.id == room.made["run"]).execute()
    assert browser("ada").get(address(room)).status_code == 200
    runs.cancel(room.actor, room.cp, room.made["run"])
    assert "The run was cancelled." in browser("ada").get(address(room)).text


# ---- again with one change


def alone(room: rooms.Rooms) -> None:
    """Nothing else keeps the one machine busy."""
    jobs.cancel(room.actor, room.cp, room.made["waiting"])
    room.finish_model(room.latest(room.made["running"]), "adapter")


def started(client: FlaskClient, room: rooms.Rooms, **changed: str) -> WorkflowRunRecord:
    """The run once more as the form sends it with these fields changed; its newest row."""
    sent = client.post(f"{address(room)}/again", data=filled(client, room) | changed)
    assert sent.status_code == 302, sent.text
    return WorkflowRunRecord.get_by_id(int(sent.location.rpartition("/")[2]))


def filled(client: FlaskClient, room: rooms.Rooms) -> dict[str, str]:
    """What the form holds when it is opened."""
    return web_forms.filled(client.get(f"{address(room)}/again").text)


def test_the_form_shows_the_run_and_says_what_differs_before_it_starts(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("grace")
    page = client.get(f"{address(room)}/again").text
    assert "parameter.steps" in page and f'hx-post="{address(room)}/plan" hx-trigger="load' in page
    fresh = client.post(f"{address(room)}/plan", data=filled(client, room)).text
    assert "Nothing yet: change something, and it can start." in fresh
    told = client.post(f"{address(room)}/plan", data=filled(client, room) | {"parameter.steps": "60"}).text
    assert "Changed against run" in told
    row = told.split("<tbody>")[1].split("</tr>")[0]
    assert "steps" in row and "40" in row and "60" in row
    assert f"workflow again {room.made['run']} --set train.steps=60" in told
    run = started(client, room, **{"parameter.steps": "60"})
    assert (run.repeats_id, run.created_by_id) == (room.made["run"], UserRecord.get(UserRecord.name == "grace").id)
    shown = client.get(f"/p/lab/runs/{run.id}").text
    assert "once more, with something changed" in shown and f"/p/lab/runs/{run.id}/compare" in shown


def test_what_is_left_as_it_is_starts_nothing(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("grace")
    sent = client.post(f"{address(room)}/again", data=filled(client, room))
    assert sent.status_code == 400 and "Nothing is to be different" in sent.text
    assert WorkflowRunRecord.select().count() == 1


def test_a_wrong_value_stands_at_its_field_again(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("grace")
    sent = client.post(f"{address(room)}/again", data=filled(client, room) | {"parameter.steps": "many"})
    assert sent.status_code == 400 and "Enter a whole number." in sent.text and 'value="many"' in sent.text
    told = client.post(f"{address(room)}/plan", data=filled(client, room) | {"parameter.steps": "-3"})
    assert told.status_code == 200 and "note-failed" in told.text
    assert WorkflowRunRecord.select().count() == 1


def test_a_newer_version_of_the_data_is_chosen_from_the_start(room: rooms.Rooms, browser: Browser) -> None:
    train = BytesIO(rooms.rows(40))
    test = BytesIO(rooms.rows(30, "tap"))
    version, _ = json_lines.upload(room.actor, room.cp, "lab", "faults", train, test)
    client = browser("grace")
    page = client.get(f"{address(room)}/again").text
    assert "There is a newer version" in page and f'value="{version.id}" selected' in page
    told = client.post(f"{address(room)}/plan", data=filled(client, room)).text
    assert f"faults@{version.number}" in told  # the difference is there before anything is pressed
    assert started(client, room).dataset_version_id == version.id


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "cannot be told"), ("de", "lässt sich nicht sagen"), ("zh", "无法判断")],
)
def test_side_by_side_is_said_in_words(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane, language: str, said: str
) -> None:
    alone(room)
    run = started(browser("grace"), room, **{"parameter.steps": "60"})
    for step, form in (("import", "base"), ("train", "adapter"), ("evaluate", "")):
        job = next(one.job for one in runs.progress(room.actor, cp, run.id).steps if one.step.name == step)
        attempt = room.run(job, 0)
        if form:
            room.finish_model(attempt, form)
        else:
            room.finish_evaluation(attempt, rooms.ROWS - 1, 2)
        steps.advance(cp)
    page = browser("vic").get(f"/p/lab/runs/{run.id}/compare?lang={language}").text
    assert said in page
    assert "steps" in page and ">40<" in page and ">60<" in page
    (one,) = [row for row in comparing.compare(room.actor, cp, room.made["run"], run.id).measured if row.decides]
    assert one.paired and one.gain is not None and one.gain.low < 0 < one.gain.high


def test_a_gate_that_stayed_shut_names_the_rows_that_went_wrong(
    room: rooms.Rooms, browser: Browser, cp: ControlPlane
) -> None:
    alone(room)
    run = started(browser("grace"), room, **{"parameter.steps": "60"})
    for step, form in (("import", "base"), ("train", "adapter"), ("evaluate", "")):
        job = next(one.job for one in runs.progress(room.actor, cp, run.id).steps if one.step.name == step)
        attempt = room.run(job, 0)
        if form:
            room.finish_model(attempt, form)
        else:
            room.finish_evaluation(attempt, 2, 2)
        steps.advance(cp)
    assert runs.get(room.actor, cp, run.id).outcome == "done"
    page = browser("grace").get(f"/p/lab/runs/{run.id}").text
    told = page.split('id="improve"')[1].split("</section>")[0]
    assert "held-out rows wrong" in told and "Example 3" in told and "show=wrong" in told
    assert told.count("<li>") == 12 and "/p/lab/data/faults" in told


def test_a_model_and_a_deployment_lead_to_the_run_that_made_them(room: rooms.Rooms, browser: Browser) -> None:
    run = room.made["run"]
    JobRecord.update(workflow_run=run).where(JobRecord.id == room.made["train"]).execute()
    for page in (f"/p/lab/models/{room.made['adapter']}", f"/p/lab/models/{room.made['gguf']}"):
        text = browser("grace").get(page).text
        assert f'href="/p/lab/runs/{run}"' in text and f"/p/lab/runs/{run}/again" in text
        assert f"/p/lab/runs/{run}/again" not in browser("vic").get(page).text
    text = browser("grace").get(f"/p/lab/deployments/{room.made['deployment']}").text
    assert f"/p/lab/runs/{run}/again" in text
