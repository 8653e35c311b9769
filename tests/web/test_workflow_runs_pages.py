"""A run's page: its steps drawn and as a table, and the decision that it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services.workflows import runs
from control_plane.store.deployments import DeploymentRecord
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
    [("en", "Waits for a decision"), ("de", "Wartet auf eine Entscheidung"), ("zh", "等待决定")],
)
def test_each_step_is_a_link_with_its_state_in_words(
    room: rooms.Rooms, browser: Browser, language: str, said: str
) -> None:
    page = browser("grace").get(f"{address(room)}?lang={language}").text
    links = re.findall(
        r'<a id="box-(\w+)" class="graph-box graph-(\w+)"\s+href="([^"]+)" aria-label="([^"]+)"', drawn(page)
    )
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
