"""The pages: each opens, in each language, says what there is, and does what its buttons promise."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from flask import Flask
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import ATTEMPT_OPEN, ATTEMPT_OVER
from control_plane.domain.permissions import SYSTEM
from control_plane.services import audit, audit_chain, methods
from control_plane.services.access import credentials, people
from control_plane.store.audit import AuditRecord, AuditSealRecord
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.people import UserRecord
from control_plane.store.workflows import WorkflowRunRecord
from web.pages.audit import ACTIONS, DETAILS, harmless

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]
CASE = "/p/lab/cases/machine_faults"
INVENTORY = {
    "hostname": "lab-1",
    "system": "linux",
    "release": "Ubuntu 24.04",
    "architecture": "x86_64",
    "cpu_name": "Xeon",
    "cpu_count": 8,
    "memory_total": 16 * 2**30,
    "memory_free": 4 * 2**30,
    "disk_total": 2**40,
    "disk_free": 2**39,
    "cpu_utilisation": 0.25,
    "on_mains": True,
    "battery": -1,
    "platforms": ["cpu", "cuda"],
    "devices": [
        {"uuid": "cpu:0", "kind": "cpu", "name": "Xeon", "memory_total": 2**34, "memory_free": 2**32, "healthy": True},
        {
            "uuid": "GPU-1",
            "kind": "cuda",
            "name": "H100",
            "memory_total": 2**36,
            "memory_free": 2**36,
            "utilisation": 0.5,
            "temperature": 61.0,
            "power_watts": 300.0,
            "healthy": False,
            "reason": "xid",
        },
    ],
}


@pytest.fixture
def machine(cp: ControlPlane) -> MachineRecord:
    return MachineRecord.create(
        id="m-1",
        name="lab-1",
        machine_class="server",
        key_hash="",
        serial="",
        enrolled_at=cp.clock(),
        last_seen=cp.clock(),
        inventory=INVENTORY,
        connectivity="ONLINE",
        agent_version="0.1.0",
    )


@pytest.fixture
def root(invite: Invite, browser: Browser) -> FlaskClient:
    """An administrator's browser, in a project "lab"."""
    return browser(invite("root", "Owner", administrator=True))


@pytest.fixture
def shipped(cp: ControlPlane) -> None:
    methods.register_shipped(cp)


@pytest.mark.parametrize("language", ["en", "de", "zh"])
def test_each_page_opens_in_each_language(
    root: FlaskClient, machine: MachineRecord, shipped: None, language: str
) -> None:
    addresses = [
        "/p/lab/", "/machines", "/machines/m-1", "/people", "/people/root", "/p/lab/members", "/account",
        "/account/tokens",
        "/audit", "/p/lab/audit", "/methods", "/methods/sft_demo", "/p/lab/cases", CASE, "/help",
    ]  # fmt: skip
    for address in addresses:
        got = root.get(f"{address}?lang={language}")
        assert got.status_code == 200, address
        assert f'<html lang="{language}">' in got.text
        assert got.text.count("<h1>") == 1, address
        ids = re.findall(r'\sid="([^"]+)"', got.text)
        assert len(ids) == len(set(ids)), f"{address}: an id is there twice"


def test_the_start_leads_to_the_project_that_was_open_last(root: FlaskClient) -> None:
    root.post("/projects", data={"name": "second", "title": "Second"})
    root.get("/p/lab/")
    assert root.get("/").headers["Location"] == "/p/lab/"
    root.get("/p/second/")
    assert root.get("/").headers["Location"] == "/p/second/"
    assert 'href="/p/second/members"' in root.get("/machines").text


def test_without_a_project_one_is_told_what_to_do(invite: Invite, browser: Browser) -> None:
    got = browser(invite("ada")).get("/")
    assert got.status_code == 200
    assert "“ada”" in got.text
    made = browser(invite("root", administrator=True)).post("/projects", data={"name": "new", "title": ""})
    assert made.headers["Location"] == "/p/new/"


def test_a_machine_shows_its_hardware_as_reported(root: FlaskClient, machine: MachineRecord) -> None:
    page = root.get("/machines/m-1").text
    for words in ("Ubuntu 24.04", "12\xa0GiB of 16\xa0GiB used", "25%", "H100", "61 °C", "300 W", "xid"):
        assert words in page, words
    listed = root.get("/machines").text
    assert "4\xa0GiB" in listed
    assert "Online" in listed


def test_draining_and_its_opposite(root: FlaskClient, machine: MachineRecord) -> None:
    assert root.post("/machines/m-1/drain").headers["Location"] == "/machines/m-1"
    assert MachineRecord.get_by_id("m-1").drained
    assert "Drained" in root.get("/machines/m-1").text
    root.post("/machines/m-1/undrain")
    assert not MachineRecord.get_by_id("m-1").drained
    assert root.get("/machines/nope").status_code == 404


def test_an_invitation_gives_a_link_once_and_a_role(app: Flask, root: FlaskClient) -> None:
    page = root.post("/people", data={"name": "bob", "title": "Bob", "project": "lab", "role": "Viewer"}).text
    link = re.search(r"/welcome/[\w-]+", page)[0]  # type: ignore[index]
    assert link not in root.get("/people").text
    assert "bob" in app.test_client().get(link).text
    assert 'value="bob"' in root.get("/p/lab/members").text
    again = root.post("/people", data={"name": "bob", "title": ""})
    assert again.status_code == 409


def test_a_token_is_shown_once_works_and_can_be_revoked(cp: ControlPlane, root: FlaskClient) -> None:
    page = root.post("/account/tokens", data={"name": "nightly", "days": "30"}).text
    token = re.search(r"tsk_[\w-]+", page)[0]  # type: ignore[index]
    assert token not in root.get("/account/tokens").text
    actor = people.actor_of_token(cp, token, "")
    found = people.list_tokens(actor, cp)[0]
    assert found.expires_at == cp.clock() + 30 * 86_400
    root.post(f"/account/tokens/{found.id}/revoke")
    assert people.list_tokens(actor, cp) == []
    assert root.post("/account/tokens", data={"name": "long", "days": "9999"}).status_code == 400


def test_nobody_revokes_another_ones_token(
    cp: ControlPlane, root: FlaskClient, invite: Invite, browser: Browser
) -> None:
    invite("ada", "Owner")
    record = credentials.new_token(cp, UserRecord.get(UserRecord.name == "ada"), "hers", 1_000.0)[1]
    assert root.post(f"/account/tokens/{record.id}/revoke").status_code == 404


def test_the_audit_speaks_the_readers_language(cp: ControlPlane, root: FlaskClient) -> None:
    audit.record(SYSTEM, cp, "job.submit", "job:77", 1)
    page = root.get("/audit?lang=de").text
    assert "Auftrag erteilt" in page and "job.submit" in page
    audit.record(SYSTEM, cp, "user.invite", "user:78", name="eve", administrator=False)
    assert '<span class="faint">Administratorrechte</span> nein' in root.get("/audit?lang=de").text
    audit.record(SYSTEM, cp, "attempt.running", "job:79", attempt=1, reason="")
    assert '<span class="faint">reason</span>' not in root.get("/audit?lang=en").text  # what is empty says nothing
    root.get("/audit?lang=de")
    assert "job:77" in root.get("/audit?action=auftrag erteilt").text
    assert "job:77" not in root.get("/audit?action=abgemeldet").text


def test_each_action_and_what_is_told_of_it_has_words() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(audit.__file__).parent.rglob("*.py")]
    recorded, told = {f"attempt.{state.lower()}" for state in ATTEMPT_OPEN | ATTEMPT_OVER}, set()
    handing_on = recorders(trees)
    assert {"record", "register", "Rewritten"} <= handing_on
    for tree in trees:
        assigned = {ast.unparse(one.targets[0]): one.value for one in ast.walk(tree) if isinstance(one, ast.Assign)}
        for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call)):
            if name_of(call) not in handing_on:
                continue
            given = [*call.args, *(one.value for one in call.keywords if one.arg == "action")]
            looked_up = [one.value if isinstance(one, ast.Subscript) else one for one in given]
            said = [assigned.get(one.id, one) if isinstance(one, ast.Name) else one for one in looked_up]
            said += [value for one in said if isinstance(one, ast.Dict) for value in one.values]
            texts = [str(one.value) for one in said if isinstance(one, ast.Constant)]
            recorded |= {one for one in texts if re.fullmatch(r"[a-z_]+\.[a-z_]+", one)}
            if ast.unparse(call.func) != "audit.record":
                continue  # what others take besides are no details
            told |= {one.arg for one in call.keywords if one.arg is not None}
            unpacked = [assigned.get(ast.unparse(one.value)) for one in call.keywords if one.arg is None]
            keys = [key for one in unpacked if isinstance(one, ast.Dict) for key in one.keys]
            told |= {ast.literal_eval(key) for key in keys if key is not None}
    assert recorded == set(ACTIONS)
    assert told <= set(DETAILS)


def recorders(trees: list[ast.Module]) -> set[str]:
    """The names of what writes an entry: `audit.record`, and whatever takes an `action` that it hands on to such."""
    found, before = {"record"}, set[str]()
    found |= {
        one.name
        for tree in trees
        for one in ast.walk(tree)
        if isinstance(one, ast.ClassDef)
        and any(isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == "action" for part in one.body)
    }
    while found != before:
        before = set(found)
        for one in (one for tree in trees for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
            takes = [part.arg for part in (*one.args.args, *one.args.kwonlyargs)]
            calls = [call for call in ast.walk(one) if isinstance(call, ast.Call) and name_of(call) in before]
            handed = {ast.unparse(part) for call in calls for part in (*call.args, *(kw.value for kw in call.keywords))}
            if "action" in takes and "action" in handed:
                found.add(one.name)
    return found


def name_of(call: ast.Call) -> str:
    """The last part of what is called."""
    return ast.unparse(call.func).rpartition(".")[2]


def test_the_audit_filters_pages_and_exports(cp: ControlPlane, root: FlaskClient) -> None:
    for number in range(230):
        audit.record(SYSTEM, cp, "thing.do", f"thing:{number}", 1, text="=cmd|'/c calc'!A1")
    page = root.get("/p/lab/audit?action=thing.do").text
    assert page.count("thing.do</span>") == 100
    older = re.search(r'href="(\?[^"]*before=\d+[^"]*)"', page)[1].replace("&amp;", "&")  # type: ignore[index]
    assert "thing:229" in page
    assert "thing:129" in root.get(f"/p/lab/audit{older}").text
    assert root.get("/p/lab/audit?action=thing&subject=thing:7").text.count("thing.do</span>") == 11
    file = root.get("/p/lab/audit.csv?action=thing.do")
    assert "audit-lab.csv" in file.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(file.text.lstrip("\ufeff"))))
    assert len(rows) == 231
    assert rows[-1]["id"] == "head"
    assert rows[0]["action"] == "thing.do"


def test_the_audit_says_when_it_was_checked_and_what_was_found(cp: ControlPlane, root: FlaskClient) -> None:
    assert "was not checked yet" in root.get("/audit").text
    audit_chain.seal(cp)
    sealed = AuditSealRecord.select().count()
    assert root.post("/audit/check").headers["Location"] == "/audit"
    assert f"{sealed} sealed entries, unchanged." in root.get("/audit").text
    assert f"{sealed} sealed entries, unchanged." in root.get("/p/lab/audit").text
    last = list(csv.reader(io.StringIO(root.get("/audit.csv?action=no such thing").text)))[-1]
    assert (last[0], last[-1]) == ("head", audit_chain.head_text(cp))
    AuditRecord.update(subject="forged").where(AuditRecord.id == 2).execute()
    root.post("/audit/check")
    assert "Entry 2 was changed or removed" in root.get("/audit").text


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_no_cell_of_an_export_is_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless(f"x{cell}") == f"x{cell}"


def test_a_method_is_shown_in_plain_words(root: FlaskClient, shipped: None) -> None:
    german = root.get("/methods/sft_demo?lang=de").text
    assert "learning_rate" in german
    assert "Lernrate" in german
    assert root.get("/methods/nope").status_code == 404


def test_a_workflow_run_takes_four_presses_and_no_typing_to_its_training(
    cp: ControlPlane, root: FlaskClient, shipped: None
) -> None:
    card = root.get("/p/lab/cases").text
    assert f'href="{CASE}"' in card  # 1: the card
    assert f'action="{CASE}/try"' in root.get(CASE).text
    data = root.post(f"{CASE}/try")  # 2: try with sample data
    page = root.get(data.headers["Location"]).text
    plan = re.search(rf'href="({CASE}/run\?[^"]*step=plan[^"]*)"', page)[1].replace("&amp;", "&")  # type: ignore[index]
    page = root.get(plan).text  # 3: looks right
    hidden = dict(re.findall(r'<input type="hidden" name="(dataset|key)" value="([^"]+)"', page))
    assert set(hidden) == {"dataset", "key"}
    started = root.post(f"{CASE}/run", data=hidden)  # 4: start training
    again = root.post(f"{CASE}/run", data=hidden)
    assert started.headers["Location"] == again.headers["Location"]
    assert WorkflowRunRecord.select().count() == 1
    page = root.get(started.headers["Location"]).text
    assert "Fetch the base model" in page
    assert f'data-live="project:1 job:{WorkflowRunRecord.get().begun["import"]["job"]}"' in page


@pytest.fixture
def run(root: FlaskClient, shipped: None) -> str:
    """The address of a run of the case on its sample data."""
    number = re.search(r"dataset=(\d+)", root.post(f"{CASE}/try").headers["Location"])[1]  # type: ignore[index]
    return str(root.post(f"{CASE}/run", data={"dataset": number}).headers["Location"])


@pytest.mark.parametrize(
    ("language", "button", "said", "skipped"),
    [
        ("en", "Cancel the run", "The run was cancelled.", "Not reached"),
        ("de", "Den Lauf abbrechen", "Der Lauf wurde abgebrochen.", "Nicht erreicht"),
        ("zh", "取消运行", "运行已被取消。", "未执行到"),
    ],
)
def test_a_run_is_cancelled_on_its_page(
    root: FlaskClient, run: str, language: str, button: str, said: str, skipped: str
) -> None:
    assert button in root.get(f"{run}?lang={language}").text
    assert root.post(f"{run}/cancel").headers["Location"] == run
    page = root.get(run).text
    assert button not in page
    assert said in page
    assert page.count(skipped) == 12  # all but the import, whose job was cancelled: in the graph, the list, the Rail
    assert "rail-next" not in page and page.count("rail-skipped") == 4
    assert 'class="rail-stop rail-done"' in page
    assert JobRecord.get().state == "CANCELLED"


def test_a_case_whose_method_is_gone_says_so(root: FlaskClient, shipped: None) -> None:
    MethodVersionRecord.update(current=False).where(MethodVersionRecord.name == "export_gguf").execute()
    page = root.get(CASE)
    assert page.status_code == 200
    assert "This case cannot be run here." in page.text and "export_gguf" in page.text
    assert "Try with sample data" not in page.text


def test_data_that_a_case_cannot_take_is_said_before_anything_runs(root: FlaskClient, shipped: None) -> None:
    number = re.search(r"dataset=(\d+)", root.post(f"{CASE}/try").headers["Location"])[1]  # type: ignore[index]
    DatasetVersionRecord.update(test_sha256="").execute()
    for step, button in (("", "Looks right"), ("&step=plan", "Start training")):
        page = root.get(f"{CASE}/run?dataset={number}{step}")
        assert page.status_code == 200
        assert "This case cannot be run here." in page.text
        assert button not in page.text and "Every row was read and checked." not in page.text
    assert root.post(f"{CASE}/run", data={"dataset": number}).status_code == 400


def test_a_run_says_why_its_deployment_waits(cp: ControlPlane, root: FlaskClient, run: str) -> None:
    found, room = WorkflowRunRecord.get(), rooms.empty(cp)
    model = room.finish_model(room.run(JobRecord.get(), 0), "base")
    deployment = DeploymentRecord.create(
        project=found.project_id, name="faults", model=model, desired_state="SERVING", context_length=8, slots=1,
        waiting_code="no_machine_online", created_by="1", created_at=0,
    )  # fmt: skip
    begun = found.begun | {"deploy": {"deployment": deployment.id, "model": model, "reused": False}}
    WorkflowRunRecord.update(begun=begun).execute()
    assert "No machine is online" in root.get(run).text


def test_the_plan_says_what_is_there_already(cp: ControlPlane, root: FlaskClient, run: str) -> None:
    data = root.post(f"{CASE}/try").headers["Location"]
    again = "it is used again"
    assert again not in root.get(f"{data}&step=plan").text
    room = rooms.empty(cp)
    room.finish_model(room.run(JobRecord.get(), 0), "base")
    page = root.get(f"{data}&step=plan").text
    assert page.count(again) == 1
    assert "rail-done" in page and "machine-fault-reports" in page
    started = root.post(f"{CASE}/run", data={"dataset": re.search(r"dataset=(\d+)", data)[1]})  # type: ignore[index]
    assert again in root.get(started.headers["Location"]).text


def test_the_same_sample_data_again_is_the_same_version(root: FlaskClient) -> None:
    first, second = (root.post(f"{CASE}/try").headers["Location"] for _ in range(2))
    assert first == second


@pytest.mark.parametrize("dataset", ["", "x", "0", "999"])
def test_a_workflow_run_on_data_that_is_not_there_is_refused(root: FlaskClient, shipped: None, dataset: str) -> None:
    assert root.post(f"{CASE}/run", data={"dataset": dataset}).status_code in (400, 404)
    assert root.get(f"{CASE}/run?dataset={dataset}").status_code == 404


def test_a_run_is_not_shown_under_another_project_or_case(root: FlaskClient, run: str) -> None:
    root.post("/projects", data={"name": "second", "title": ""})
    assert root.get(run).status_code == 200
    elsewhere = run.replace("/p/lab/", "/p/second/")
    assert root.get(elsewhere).status_code == 404
    assert root.post(f"{elsewhere}/cancel").status_code == 404
    assert root.get(f"{elsewhere.rsplit('/run/')[0]}/run?dataset=1").status_code == 404


def test_home_says_why_a_job_failed(
    cp: ControlPlane, invite: Callable[..., str], browser: Callable[[str], FlaskClient]
) -> None:
    invite("ada", role="Expert")
    room = rooms.furnished(cp)
    page = browser("ada").get("/p/lab/").text
    row = page[page.index(f"/p/lab/jobs/{room.made['failed']}") :]
    assert "ended with status 1" in row[: row.index("</tr>")]
    assert "The way to a better model" not in page  # every step is done
