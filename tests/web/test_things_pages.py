"""Renaming, tagging, deleting and restoring on the pages; the trash; projects."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.services import deployments
from control_plane.services.things import trash
from control_plane.services.things.describe import describe
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows.sources import Wanted
from control_plane.store.datasets import DatasetRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.workflows import WorkflowRunRecord

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


@pytest.fixture
def room(cp: ControlPlane, invite: Invite) -> rooms.Rooms:
    invite("ada", role="Owner")
    invite("vic", role="Viewer")
    invite("root", administrator=True)
    return rooms.furnished(cp)


@pytest.fixture
def ada(room: rooms.Rooms, browser: Browser) -> FlaskClient:
    return browser("ada")


def dataset_id() -> int:
    return int(DatasetRecord.get(DatasetRecord.name == "faults").id)


def end_the_open_jobs(room: rooms.Rooms) -> None:
    """They read the dataset, so it could not go."""
    open_ones = [room.made["running"], room.made["waiting"]]
    JobRecord.update(state="CANCELLED").where(JobRecord.id.in_(open_ones)).execute()


def own_pages(room: rooms.Rooms) -> dict[str, tuple[str, int]]:
    made = room.made
    return {
        "dataset": ("/p/lab/data/faults", dataset_id()),
        "model": (f"/p/lab/models/{made['adapter']}", made["adapter"]),
        "job": (f"/p/lab/jobs/{made['train']}", made["train"]),
        "deployment": (f"/p/lab/deployments/{made['deployment']}", made["deployment"]),
        "prompt": (f"/p/lab/prompts/{made['prompt']}", made["prompt"]),
        "workflow": (f"/p/lab/workflows/{made['workflow']}", made["workflow"]),
    }


def test_each_thing_is_renamed_described_and_tagged_on_its_page(room: rooms.Rooms, ada: FlaskClient) -> None:
    lists = {
        "dataset": "/p/lab/data",
        "model": "/p/lab/models",
        "job": "/p/lab/jobs",
        "deployment": "/p/lab/deployments",
        "workflow": "/p/lab/workflows",
        "prompt": "/p/lab/prompts",
    }
    for kind, (page, number) in own_pages(room).items():
        said = {"title": "Störungen 机器", "description": "Of the pumps.", "tags": "Pump, 压力，night"}
        got = ada.post(f"/p/lab/things/{kind}/{number}/describe", data=said)
        assert got.status_code == 302 and got.headers["Location"] == page, kind
        shown = ada.get(page).text
        assert "<h1>Störungen 机器" in shown and "Of the pumps." in shown and '<span class="tag">压力</span>' in shown
        listed = ada.get(lists[kind]).text
        assert "Störungen 机器</a>" in listed and '<div class="faint mono">' in listed and "?tag=pump" in listed
        assert "Störungen 机器</a>" in ada.get(f"{lists[kind]}?tag=pump").text
        assert "Störungen 机器</a>" not in ada.get(f"{lists[kind]}?tag=valve").text, kind
    assert "Störungen 机器" in ada.get("/p/lab/search?q=störungen").text


def test_a_refused_description_keeps_what_was_typed_and_opens_again(room: rooms.Rooms, ada: FlaskClient) -> None:
    for kind, (_, number) in own_pages(room).items():
        said = {"title": "Kept title", "description": "Kept words", "tags": 'bad"tag'}
        got = ada.post(f"/p/lab/things/{kind}/{number}/describe", data=said)
        assert got.status_code == 400, kind
        dialog = re.search(r'<dialog id="describe".*?</dialog>', got.text, re.DOTALL)[0]  # type: ignore[index]
        assert "data-refused" in dialog and 'value="Kept title"' in dialog and ">Kept words</textarea>" in dialog
        assert 'aria-invalid="true"' in dialog and "bad&#34;tag" in dialog


def test_what_is_in_use_says_by_whom_in_its_dialog(room: rooms.Rooms, ada: FlaskClient) -> None:
    describe(room.actor, room.cp, "deployment", room.made["deployment"], title="Störungsdienst")
    got = ada.post(f"/p/lab/things/model/{room.made['gguf']}/delete")
    dialog = re.search(r'<dialog id="delete".*?</dialog>', got.text, re.DOTALL)[0]  # type: ignore[index]
    assert got.status_code == 409 and "data-refused" in dialog and "Störungsdienst" in dialog
    running = ada.post(f"/p/lab/things/job/{room.made['running']}/delete")
    assert running.status_code == 409 and "has not ended" in running.text


def test_deleting_is_undone_where_it_is_told(room: rooms.Rooms, ada: FlaskClient) -> None:
    number = room.made["failed"]
    gone = ada.post(f"/p/lab/things/job/{number}/delete")
    assert gone.headers["Location"] == "/p/lab/jobs"
    page = ada.get("/p/lab/jobs").text
    undo = re.search(r'<div class="toast">.*?action="([^"]+)"', page, re.DOTALL)[1]  # type: ignore[index]
    assert undo == f"/p/lab/things/job/{number}/restore" and f"/p/lab/jobs/{number}" not in page
    assert ada.post(undo).headers["Location"] == f"/p/lab/jobs/{number}"
    assert f'href="/p/lab/jobs/{number}"' in ada.get("/p/lab/jobs").text


def test_the_link_to_something_in_the_trash_says_so_and_offers_the_way_back(
    room: rooms.Rooms, ada: FlaskClient, browser: Browser
) -> None:
    trash.delete(room.actor, room.cp, "job", room.made["failed"])
    deployments.stop(room.actor, room.cp, room.made["deployment"])
    trash.delete(room.actor, room.cp, "deployment", room.made["deployment"])
    for kind, address in (("job", f"/p/lab/jobs/{room.made['failed']}"), ("deployment", "")):
        number = room.made["failed" if kind == "job" else "deployment"]
        got = ada.get(address or f"/p/lab/deployments/{number}")
        assert got.status_code == 404 and "in the trash" in got.text
        assert f'action="/p/lab/things/{kind}/{number}/restore"' in got.text
    vic = browser("vic").get(f"/p/lab/jobs/{room.made['failed']}").text
    assert "in the trash" in vic and "/restore" not in vic
    as_json = ada.get(f"/p/lab/jobs/{room.made['failed']}", headers={"Accept": "application/json"})
    assert as_json.json["code"] == "in_trash"  # type: ignore[index]


def test_the_trash_lists_restores_and_lets_administrators_purge(
    room: rooms.Rooms, ada: FlaskClient, browser: Browser
) -> None:
    assert "The trash is empty" in ada.get("/p/lab/trash").text
    end_the_open_jobs(room)
    trash.delete(room.actor, room.cp, "dataset", dataset_id())
    trash.delete(room.actor, room.cp, "job", room.made["train"])
    page = ada.get("/p/lab/trash").text
    assert "faults" in page and "Delete for good" not in page
    assert ada.post(f"/p/lab/things/dataset/{dataset_id()}/purge").status_code == 403
    root = browser("root")
    assert "Delete for good" in root.get("/p/lab/trash").text
    for kind, number in (("dataset", dataset_id()), ("job", room.made["train"])):
        assert root.post(f"/p/lab/things/{kind}/{number}/purge").headers["Location"] == "/p/lab/trash"
    assert ada.post(f"/p/lab/things/dataset/{dataset_id()}/restore").status_code == 404
    assert ada.post(f"/p/lab/things/model/{room.made['adapter']}/restore").status_code == 409


def test_what_was_made_from_what_is_gone_stays_readable_and_links_nowhere(room: rooms.Rooms, ada: FlaskClient) -> None:
    end_the_open_jobs(room)
    made, root = room.made, room.actor
    pages = [f"/p/lab/models/{made[one]}" for one in ("adapter", "gguf")]
    pages += [f"/p/lab/evaluations/{made['evaluation']}", f"/p/lab/deployments/{made['deployment']}"]
    pages += [f"/p/lab/jobs/{made['evaluate']}"] if "evaluate" in made else []
    for _ in ("trash", "for good"):
        for kind, number in (("dataset", dataset_id()), ("job", made["train"])):
            if not _gone(kind, number):
                trash.delete(root, room.cp, kind, number)
            else:
                trash.purge(SYSTEM, room.cp, kind, number)
        for address in pages:
            assert ada.get(address).status_code == 200, address
        if _gone("job", made["train"]) == 2:
            lineage = ada.get(pages[0]).text
            assert "deleted for good" in lineage and "/p/lab/data/faults" not in lineage
            assert f"/p/lab/jobs/{made['train']}/config" not in lineage
            files = re.findall(r'href="(/p/lab/jobs/\d+/files/[^"]+)"', lineage)
            assert files and all(ada.get(address).status_code == 200 for address in files)
        else:
            assert "in the trash" in ada.get(pages[0]).text


def _gone(kind: str, number: int) -> int:
    record = {"dataset": DatasetRecord, "job": JobRecord}[kind].get_by_id(number)
    return bool(record.deleted_at) + bool(record.purged_at)


def test_the_rail_of_an_ended_run_leads_to_nothing_that_was_purged(room: rooms.Rooms, ada: FlaskClient) -> None:
    case, cp, deployment = rooms.CASE, room.cp, room.made["deployment"]
    run = workflow_runs.start(room.actor, cp, "lab", Wanted(case=case, dataset_version_id=room.made["version"]))
    begun = {step["name"]: {"job": room.made["train"], "reused": True} for step in run.graph if step["kind"] == "train"}
    begun |= {
        step["name"]: {"deployment": deployment, "model": room.made["gguf"], "reused": True}
        for step in run.graph
        if step["kind"] == "deploy"
    }
    WorkflowRunRecord.update(outcome="done", begun=begun).where(WorkflowRunRecord.id == run.id).execute()
    address = f"/p/lab/runs/{run.id}"
    assert f'href="/p/lab/deployments/{deployment}"' in ada.get(address).text
    deployments.stop(room.actor, cp, deployment)
    trash.delete(room.actor, cp, "deployment", deployment)
    trash.delete(room.actor, cp, "job", room.made["train"])
    trash.purge(SYSTEM, cp, "deployment", deployment)
    trash.purge(SYSTEM, cp, "job", room.made["train"])
    page = ada.get(address)
    assert page.status_code == 200
    assert f"/p/lab/deployments/{deployment}" not in page.text
    assert f'href="/p/lab/jobs/{room.made["train"]}"' not in page.text


def test_titles_stand_wherever_things_are_named(room: rooms.Rooms, ada: FlaskClient) -> None:
    made, called = room.made, {"Störungen": ("dataset", dataset_id()), "梯度": ("deployment", room.made["deployment"])}
    called |= {"Grundlage": ("model", made["base"]), "Paket": ("model", made["gguf"])}
    called |= {"Zu groß": ("job", made["failed"]), "Noch einmal": ("job", made["running"])}
    for title, (kind, number) in called.items():
        describe(room.actor, room.cp, kind, number, title=title)
    home = ada.get("/p/lab/").text
    assert all(f"{title}</a>" in home for title in ("Zu groß", "Noch einmal", "梯度"))
    form = ada.get(f"/p/lab/jobs/new?from={made['train']}").text
    assert ">Störungen (faults) v2 ·" in form and ">Grundlage (small-base) ·" in form
    assert ">Paket (faults-packed) ·" in ada.get("/p/lab/deployments/new").text
    both = f"job={made['failed']}&job={made['running']}"
    assert f"#{made['failed']} Zu groß" in ada.get(f"/p/lab/compare?{both}").text
    assert f"#{made['failed']} Zu groß" == ada.get(f"/p/lab/compare/series?{both}").json["series"][0]["name"]  # type: ignore[index]
    assert "Zu groß</a>" in ada.get("/notifications").text
    assert 'data-title="Zu groß"' in ada.get("/notifications/bell").text
    assert 'Zu groß <span class="faint mono">faults-too-large</span>' in ada.get("/p/lab/search?q=groß").text


def test_pickers_leave_out_what_is_in_the_trash(room: rooms.Rooms, ada: FlaskClient) -> None:
    end_the_open_jobs(room)
    assert f'<option value="{room.made["version"]}"' in ada.get(f"/p/lab/jobs/new?from={room.made['train']}").text
    trash.delete(room.actor, room.cp, "dataset", dataset_id())
    page = ada.get(f"/p/lab/jobs/new?from={room.made['train']}").text
    assert f'<option value="{room.made["version"]}"' not in page
    assert ModelRecord.get_by_id(room.made["base"]).deleted_at == 0


def test_projects_are_listed_renamed_deleted_and_restored(
    room: rooms.Rooms, ada: FlaskClient, browser: Browser
) -> None:
    number = ProjectRecord.get(ProjectRecord.name == "lab").id
    assert ada.post(f"/projects/{number}/describe", data={"title": "Labor 实验室", "tags": ""}).status_code == 302
    page = ada.get("/projects").text
    assert "Labor 实验室</a>" in page and '<div class="faint mono">lab</div>' in page and "A new project" not in page
    assert "Labor 实验室" in re.search(r'class="menu switcher".*?</details>', page, re.DOTALL)[0]  # type: ignore[index]
    refused = ada.post(f"/projects/{number}/delete")
    assert refused.status_code == 409 and f'id="delete-{number}"' in refused.text and "data-refused" in refused.text
    assert browser("vic").post(f"/projects/{number}/delete").status_code == 403
    assert "A new project" in browser("root").get("/projects").text


def test_a_deleted_project_says_so_and_comes_back(cp: ControlPlane, invite: Invite, browser: Browser) -> None:
    invite("ada", role="Owner", project="empty")
    invite("eve", role="Owner", project="other")
    ada, number = browser("ada"), ProjectRecord.get(ProjectRecord.name == "empty").id
    assert ada.post(f"/projects/{number}/delete").headers["Location"] == "/projects"
    page = ada.get("/projects").text
    assert f'action="/projects/{number}/restore"' in page and 'href="/p/empty/"' not in page
    gone = ada.get("/p/empty/jobs")
    assert gone.status_code == 404 and f'action="/projects/{number}/restore"' in gone.text
    assert "empty" not in browser("eve").get("/p/empty/jobs").text.replace("/p/empty/jobs", "")
    assert browser("eve").post(f"/projects/{number}/restore").status_code == 404
    assert ada.post(f"/projects/{number}/restore").headers["Location"] == "/p/empty/"
    assert ada.get("/p/empty/").status_code == 200
