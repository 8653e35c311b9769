"""Every route of the dashboard, as somebody of another project, of none, as a viewer, and as nobody.

The rows are held against Flask's URL map: a new route without a row fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from attacks.town import EVE, NORA, OLGA, OTHER, PROJECT, ROOT, VIC, Town
from flask import Flask
from flask.testing import FlaskClient

from control_plane.store.audit import AuditRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.people import ApiTokenRecord, UserRecord
from control_plane.store.projects import MemberRecord, ProjectRecord
from control_plane.store.workflows import WorkflowRunRecord
from web import create_app

SIGN_IN, GONE, NO, FORGED, NO_TOKEN = 302, 404, 403, 400, 401
# endpoints inside /p/<project>/…, and how each ends for the viewer: outside of the project none of them exists
INSIDE = {
    "audit.export_project": NO, "audit.of_project": NO, "base_models.index": 200,
    "cases.check": NO, "cases.index": 200, "cases.own": NO, "cases.show": 200,
    "workflow_runs.show": 200,
    "workflow_runs.approve": NO, "workflow_runs.cancel": NO, "workflow_runs.refuse": NO,
    "workflow_runs.again": NO, "workflow_runs.compare": 200, "workflow_runs.plan": NO, "workflow_runs.repeat": NO,
    "cases.start": NO, "cases.try_it": NO,
    "saved_cases.bring": NO, "saved_cases.delete": NO, "saved_cases.export": 200, "saved_cases.new": NO,
    "saved_cases.rate": 400, "saved_cases.save": NO, "saved_cases.share": NO,
    "compare.series": 200, "compare.show": 200,
    "search.show": 200,
    "datasets.index": 200, "datasets.left_out": 404,
    "datasets.new": NO, "datasets.show": 200, "datasets.upload": NO, "deployments.chat": 503, "deployments.deploy": NO,
    "deployments.example": 200,
    "deployments.index": 200, "deployments.new": NO, "deployments.show": 200, "deployments.start": NO,
    "deployments.status": 200, "deployments.stop": NO, "evaluations.index": 200, "evaluations.new": NO,
    "drafts.cancel": NO, "drafts.change": NO, "drafts.save": NO, "drafts.seen": NO, "drafts.show": NO,
    "evaluations.show": 200, "home.show": 200,
    "jobs.cancel": NO, "jobs.config": 200, "jobs.download": 200, "jobs.events": 200, "jobs.files": 200,
    "jobs.index": 200, "jobs.log": 200, "jobs.log_page": 200, "jobs.new": NO, "jobs.plan": NO, "jobs.series": 200,
    "jobs.show": 200, "jobs.status": 200, "jobs.submit": NO, "models.index": 200, "models.show": 200,
    "people.members": NO, "people.remove_member": NO, "people.set_member": NO,
    "sweeps.cancel": NO, "sweeps.index": 200, "sweeps.new": NO, "sweeps.show": 200, "sweeps.start": NO,
    "endpoints.index": NO, "endpoints.remove": NO, "endpoints.save": NO, "endpoints.test": NO,
    "labellings.accept": NO, "labellings.agreeing_items": NO, "labellings.take_back": NO,
    "labellings.close": NO, "labellings.index": 200, "labellings.item": NO, "labellings.judge": NO,
    "labellings.new": NO, "labellings.next_item": NO, "labellings.resume": NO, "labellings.save": NO,
    "labellings.show": 200,
    "labellings.start": NO, "labellings.status": 200, "labellings.stop": NO, "labellings.unskip": NO,
    "listeners.add": NO, "listeners.change": NO, "listeners.index": NO, "listeners.new": NO, "listeners.remove": NO,
    "listeners.replay": NO, "listeners.show": NO, "listeners.test": NO, "listeners.told": NO,
    "row_edits.save": NO, "row_edits.show": NO,
    "sources.begin": NO, "sources.new": NO, "sources.refresh": NO, "sources.remove": NO, "sources.schedule": NO,
    "sources.show": 200,
    "triggers.add": NO, "triggers.index": 200, "triggers.remove": NO,
    "uploads.append": NO, "uploads.begin": NO, "uploads.show": NO,
    "versions.difference": 200, "versions.report": 200, "versions.row": 200,
    "versions.lengths": 200, "versions.seen": 200,
    "deployments.carried": 200, "deployments.carry": NO,
    "prompts.create": NO, "prompts.edit": NO, "prompts.export": 200, "prompts.index": 200, "prompts.new": NO,
    "prompts.save": NO, "prompts.show": 200, "prompts.take": NO,
    "workflows.create": NO, "workflows.edit": NO, "workflows.export": 200, "workflows.export_case": 200,
    "workflows.index": 200, "workflows.new": NO, "workflows.resume": NO, "workflows.run": NO, "workflows.save": NO,
    "workflows.show": 200,
    "rewards.begin": NO, "rewards.cancel": NO, "rewards.create": NO, "rewards.export": 200, "rewards.index": 200,
    "rewards.new": NO, "rewards.save": NO, "rewards.show": 200, "rewards.status": 200,
    "things.delete": NO, "things.describe": NO, "things.purge": NO, "things.restore": NO, "things.show": 200,
}  # fmt: skip
# endpoints outside of projects: how each ends for eve, who is in another project, and for nora, who is in none
OUTSIDE = {
    "account.change_password": (400, 400), "account.save": (302, 302), "account.show": (200, 200),
    "account.sign_out_others": (302, 302),
    "audit.check": (NO, NO),
    "audit.export_all": (NO, NO), "audit.of_all": (NO, NO), "help.index": (200, 200), "home.start": (302, 200),
    "live.events": (204, 204), "machines.authority": (200, 200), "machines.describe": (NO, NO),
    "machines.drain": (NO, NO), "machines.index": (200, NO), "machines.join": (NO, NO), "machines.joined": (NO, NO),
    "machines.remove": (NO, NO), "machines.revoke": (NO, NO),
    "machines.show": (200, NO), "machines.undrain": (NO, NO), "methods.index": (200, NO), "methods.show": (200, NO),
    "notifications.bell": (200, 200), "notifications.index": (200, 200), "notifications.read": (302, 302),
    "methods.difference": (200, NO),
    "own_methods.copy": (GONE, NO), "own_methods.delete": (NO, NO), "own_methods.edit": (200, NO),
    "own_methods.new": (200, NO), "own_methods.publish": (NO, NO), "own_methods.restore": (NO, NO),
    "own_methods.run": (GONE, NO), "own_methods.save": (FORGED, NO), "own_methods.upload": (FORGED, NO),
    "people.index": (NO, NO), "people.invite": (NO, NO),
    "people.activate": (NO, NO), "people.create_link": (NO, NO), "people.deactivate": (NO, NO),
    "people.set_administrator": (NO, NO), "people.show": (NO, NO), "people.sign_out": (NO, NO),
    "projects.create": (NO, NO), "projects.delete": (GONE, GONE), "projects.describe": (GONE, GONE),
    "projects.index": (200, 200), "projects.purge": (GONE, GONE), "projects.restore": (GONE, GONE),
    "tokens.create": (200, 200), "tokens.index": (200, 200), "tokens.revoke": (GONE, GONE),
}  # fmt: skip
# by API token, or for everybody; tests/web looks at them one by one, and `test_…_by_token` below
ELSEWHERE = {
    "gateway.chat_completions", "gateway.completions", "gateway.embeddings", "gateway.model", "gateway.models",
    "hooks.call",
    "monitoring.live", "monitoring.metrics", "monitoring.ready", "security.csp_reports", "sign_in.enter",
    "sign_in.form", "sign_in.leave", "sign_in.set_password", "sign_in.welcome", "static",
}  # fmt: skip
NUMBERS = {
    "job_id": "train",
    "model_id": "gguf",
    "deployment_id": "deployment",
    "evaluation_id": "evaluation",
    "sweep_id": "sweep",
    "workflow_id": "workflow",
    "prompt_id": "prompt",
    "draft_id": "draft",
    "endpoint_id": "endpoint",
    "labelling_id": "labelling",
    "item_id": "label_item",
    "upload_id": "upload",
    "listener_id": "listener",
    "trigger_id": "trigger",
    "dry_run_id": "reward_dry_run",
    "delivery_id": "delivery",
}


@pytest.fixture(scope="module")
def app(shared_town: Town) -> Flask:
    return create_app(shared_town.cp)


@pytest.fixture
def open_forms(app: Flask) -> Iterator[None]:
    """Forms are taken without a CSRF token, so that what lies behind it is reached."""
    app.config["WTF_CSRF_ENABLED"] = False
    yield
    app.config["WTF_CSRF_ENABLED"] = True


def _browser(app: Flask, town: Town, name: str) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = town.sessions[name]
    return client


def _address(rule: str, town: Town, project: str = PROJECT) -> str:
    """The rule with what stands in the canary in its places."""
    values = {name: str(town.made[what]) for name, what in NUMBERS.items()}
    values |= {"project": project, "machine_id": town.rooms.machine.id, "attempt_id": "0", "stream": "stdout"}
    values |= {
        "artifact_id": str(town.made["artifact"]),
        "path": "model.json",
        "run_id": str(town.made["run"]),
        "token_id": str(town.made["token"]),
        "secret": "x",
        "kind": "model",
        "number": str(town.made["gguf"]),
        "version": "x",
        "connector": "http",
        "way": "webhook",
    }
    if rule.startswith("/projects/"):
        values["number"] = str(ProjectRecord.get(ProjectRecord.name == PROJECT).id)
    values["name"] = {"data": "faults", "cases": "machine_faults", "methods": "sft_demo", "rewards": "record"}.get(
        rule.split("/")[-2], ""
    )
    values["name"] = values["name"] or (
        "record"
        if "/rewards/" in rule
        else "machine_faults"
        if "/case" in rule
        else "faults"
        if "/data/" in rule
        else "sft_demo"
    )
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], rule)


def _routes(app: Flask, endpoints: object) -> list[tuple[str, str, str]]:
    """(endpoint, method, rule)"""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint in endpoints]  # type: ignore[operator]
    return [
        (one.endpoint, method, one.rule) for one in rules for method in one.methods or () if method in ("GET", "POST")
    ]


def _ask(client: FlaskClient, method: str, address: str) -> tuple[int, str]:
    """The status and everything that was said, headers among it."""
    data = {"messages": [{"role": "user", "content": "Hi"}]} if address.endswith("/chat") else None
    got = client.open(address, method=method, json=data) if data else client.open(address, method=method)
    return got.status_code, f"{got.headers}{got.get_data().decode(errors='replace')}"  # some answers are files


def _trace() -> tuple[int, ...]:
    """What a change would leave."""
    requested = JobRecord.select().where(JobRecord.cancel_requested_at > 0)
    ended = WorkflowRunRecord.select().where(WorkflowRunRecord.outcome != "")
    tables = (AuditRecord, JobRecord, DeploymentRecord, MemberRecord)
    return (*(table.select().count() for table in tables), requested.count(), ended.count())


def test_each_route_has_a_row(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == {*INSIDE, *OUTSIDE, *ELSEWHERE}


def test_another_project_does_not_exist(app: Flask, town: Town, open_forms: None) -> None:
    before = _trace()
    for endpoint, method, rule in _routes(app, INSIDE):
        address = _address(rule, town)
        for name in (EVE, NORA):
            status, said = _ask(_browser(app, town, name), method, address)
            assert status == GONE, (name, endpoint, said[:200])
            # the address itself may come back, as what was looked for
            assert PROJECT not in said.replace(address, ""), (name, endpoint)
    assert _trace() == before


def test_what_is_in_another_project_is_in_no_address_of_ones_own(app: Flask, town: Town, open_forms: None) -> None:
    before, client = _trace(), _browser(app, town, EVE)
    for endpoint, method, rule in _routes(app, INSIDE):
        if "<int:" in rule:
            status, said = _ask(client, method, _address(rule, town, OTHER))
            assert status == GONE, (endpoint, said[:200])
            assert PROJECT not in said, endpoint
    assert _trace() == before


def test_a_form_takes_nothing_of_another_project(app: Flask, town: Town, open_forms: None) -> None:
    before, client, made = _trace(), _browser(app, town, EVE), town.made
    inputs = {"input.base": made["base"], "input.dataset": made["version"], "name": "stolen", "method": "sft_demo"}
    posts = {
        "jobs/new": inputs,
        "jobs/plan": {"method": "sft_demo", "from": made["train"]},
        "deployments/new": {"name": "stolen", "model": made["gguf"], "context_length": 2048, "slots": 1},
        "cases/machine_faults/run": {"dataset": made["version"]},
    }
    gets = (
        f"jobs/new?from={made['train']}", f"jobs/new?kind=train&model={made['adapter']}",
        f"cases/machine_faults/run?dataset={made['version']}",
    )  # fmt: skip
    for address, data in posts.items():
        got = client.post(f"/p/{OTHER}/{address}", data={name: str(value) for name, value in data.items()})
        assert got.status_code == GONE, (address, got.text[:300])
        assert PROJECT not in got.text
    for address in gets:
        got = client.get(f"/p/{OTHER}/{address}")
        assert got.status_code == GONE, (address, got.text[:300])
        assert PROJECT not in got.text
    assert _trace() == before


def test_outside_of_projects_nothing_of_another_one_shows(app: Flask, town: Town, open_forms: None) -> None:
    for endpoint, method, rule in _routes(app, OUTSIDE):
        for name, wanted in zip((EVE, NORA), OUTSIDE[endpoint], strict=True):
            address = _address(rule, town) + (
                f"?topics=job:{town.made['train']},project:1" if "live" in endpoint else ""
            )
            data = {"name": "t", "days": "7"} if endpoint == "tokens.create" else {}
            got = _browser(app, town, name).open(address, method=method, data=data)
            assert got.status_code == wanted, (name, endpoint, got.text[:200])
            assert PROJECT not in got.text, (name, endpoint)


def test_a_viewer_looks_and_changes_nothing(app: Flask, town: Town, open_forms: None) -> None:
    before, client = _trace(), _browser(app, town, VIC)
    for endpoint, method, rule in _routes(app, INSIDE):
        status, said = _ask(client, method, _address(rule, town))
        assert status == INSIDE[endpoint], (endpoint, said[:300])
    assert _trace() == before


def test_nobody_is_asked_to_sign_in(app: Flask, town: Town, open_forms: None) -> None:
    for endpoint, method, rule in _routes(app, {*INSIDE, *OUTSIDE}):
        client = app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = "guessed"
        status, said = _ask(client, method, _address(rule, town))
        assert status in (SIGN_IN, NO_TOKEN), (endpoint, status)
        assert status == NO_TOKEN or "Location: /sign-in" in said


def test_each_change_needs_the_forms_token(app: Flask, town: Town) -> None:
    """As the administrator, who may do all of it."""
    before, client = _trace(), _browser(app, town, ROOT)
    for endpoint, method, rule in _routes(
        app, {*INSIDE, *OUTSIDE, "sign_in.leave", "sign_in.enter", "sign_in.set_password"}
    ):
        if method == "POST":
            status, said = _ask(client, method, _address(rule, town))
            assert status == FORGED, (endpoint, said[:300])
    assert _trace() == before
    assert client.get(f"/p/{PROJECT}/").status_code == 200  # still signed in


def test_the_endpoint_for_scripts_takes_tokens_alone(app: Flask, town: Town) -> None:
    body = {"model": f"{PROJECT}/faults", "messages": [{"role": "user", "content": "Hi"}], "prompt": "Hi"}
    for name, wanted in ((EVE, 404), (NORA, 404), (OLGA, 503), (VIC, 503)):
        headers = {"Authorization": f"Bearer {town.tokens[name]}"}
        for path in ("chat/completions", "completions"):
            got = app.test_client().post(f"/v1/{path}", json=body, headers=headers)
            assert got.status_code == wanted, got.text
        listed = app.test_client().get("/v1/models", headers=headers).text
        assert (PROJECT in listed) == (wanted == 503)
        one = app.test_client().get(f"/v1/models/{PROJECT}/faults", headers=headers)
        assert one.status_code == (200 if wanted == 503 else 404)
        assert app.test_client().post("/v1/embeddings", json=body, headers=headers).status_code == 400
    for client in (app.test_client(), _browser(app, town, ROOT)):
        assert client.post("/v1/chat/completions", json=body).status_code == NO_TOKEN
        assert client.get("/v1/models").status_code == NO_TOKEN
        assert client.get(f"/v1/models/{PROJECT}/faults").status_code == NO_TOKEN
        assert client.post("/v1/embeddings", json=body).status_code == NO_TOKEN


def test_the_metrics_are_for_administrators_tokens_and_name_nobody(app: Flask, town: Town) -> None:
    for name in (EVE, NORA, VIC, OLGA):
        headers = {"Authorization": f"Bearer {town.tokens[name]}"}
        assert app.test_client().get("/metrics", headers=headers).status_code == NO
    for client in (app.test_client(), _browser(app, town, ROOT)):
        assert client.get("/metrics").status_code == NO_TOKEN
    got = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {town.tokens[ROOT]}"})
    assert got.status_code == 200
    assert PROJECT not in got.text


def test_a_token_of_somebody_else_is_not_revoked(app: Flask, town: Town, open_forms: None) -> None:
    eve = UserRecord.get(UserRecord.name == EVE)
    token = ApiTokenRecord.get(ApiTokenRecord.user == eve.id)
    for name in (NORA, VIC, OLGA, ROOT):
        assert _browser(app, town, name).post(f"/account/tokens/{token.id}/revoke").status_code == GONE
    assert ApiTokenRecord.get_by_id(token.id).revoked_at == 0


@pytest.mark.parametrize("value", ["-1", "9" * 30, "9" * 5000, "٣", "nan", "1e999", "\x00", "'\"><script>x</script>"])
def test_no_query_makes_an_error_of_ours(app: Flask, town: Town, value: str) -> None:
    """Every page with every parameter that any page reads, all of them nonsense."""
    client = _browser(app, town, ROOT)
    query, broken = dict.fromkeys(_asked(), value), []
    for endpoint, method, rule in _routes(app, {*INSIDE, *OUTSIDE}):
        if method == "GET" and endpoint != "live.events":
            got = client.get(_address(rule, town), query_string=query)
            if got.status_code >= 500 or b"<script>x" in got.data:
                broken.append(endpoint)
    assert broken == []


@pytest.mark.parametrize("asked", ["kind=train&model=", "kind=evaluate&base=", "kind=train&dataset=", "from="])
def test_no_hint_to_a_form_makes_an_error_of_ours(app: Flask, town: Town, asked: str) -> None:
    client = _browser(app, town, ROOT)
    for number in ("9" * 30, "9" * 5000, "-1", "0"):
        assert client.get(f"/p/{PROJECT}/jobs/new?{asked}{number}").status_code < 500, number


@pytest.mark.parametrize("value", ["", "-1", "9" * 30, "0000" + "9" * 5000, "٣", "1e999", "\x00", '{"a": "\\ud800"}'])
def test_no_form_makes_an_error_of_ours(own_town: Town, value: str) -> None:
    """Every form with every field that any page reads, all of them nonsense."""
    app = create_app(own_town.cp)
    app.config["WTF_CSRF_ENABLED"] = False
    sources = "".join(path.read_text("utf-8") for path in Path("web").rglob("*.py"))
    fields = set(re.findall(r"form(?:\.get\(|\[)[\"'](\w+)[\"']", sources)) - {"method"}
    assert {"name", "seed", "share", "dataset", "days"} <= fields
    fields |= {"model", "context_length", "slots", "from", "parameter.steps", "parameter.learning_rate", "input.base"}
    data, broken = dict.fromkeys(fields, value) | {"method": "sft_demo"}, []
    for endpoint, method, rule in _routes(app, {*INSIDE, *OUTSIDE}):
        if method == "POST":
            files = (
                {"train": (BytesIO(value.encode("utf-8", "replace")), "x.jsonl")}
                if endpoint == "datasets.upload"
                else {}
            )
            got = _browser(app, own_town, ROOT).post(_address(rule, own_town), data=data | files)
            broken += [(endpoint, got.status_code)] if got.status_code >= 500 and endpoint != "deployments.chat" else []
    assert broken == []


def _asked() -> set[str]:
    """The names of all query parameters, read from the pages' source."""
    sources = "".join(path.read_text("utf-8") for path in Path("web").rglob("*.py"))
    found = set(re.findall(r"(?:args|values)(?:\.get\(|\[)[\"'](\w+)[\"']|asked_number\([\"'](\w+)", sources))
    names = {one or other for one, other in found}
    assert {"page", "after", "from", "version"} <= names
    return names | {"model", "dataset", "base"}
