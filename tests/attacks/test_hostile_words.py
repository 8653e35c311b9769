"""Names, rows, logs and reasons that want to be markup: whatever reached the store, a page shows it as text."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from attacks.test_isolation_web import INSIDE, OUTSIDE, _address, _browser, _routes
from attacks.town import PROJECT, ROOT, Town
from flask import Flask

from control_plane.domain import scores
from control_plane.domain.permissions import SYSTEM
from control_plane.services import evaluation_rows
from control_plane.services.datasets import json_lines
from control_plane.services.fleet import events, logs
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord
from fleet_support import report
from web import create_app

EVIL = "{{7*7}}<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e{0}%s'\"javascript:alert(3)"
RAW = ("<script>alert", "<img src=x")
# pages on which it must be seen, as text: else this test would look at nothing
SEEN = {
    "datasets.show", "evaluations.show", "jobs.events", "jobs.show", "machines.index", "machines.show", "models.index",
    "models.show", "people.index", "people.members", "base_models.index", "home.show", "jobs.config",
}  # fmt: skip


@pytest.fixture
def evil_town(own_town: Town) -> Town:
    town, cp, made = own_town, own_town.cp, own_town.made
    row = json.dumps({"prompt": EVIL, "completion": EVIL}).encode()
    json_lines.upload(SYSTEM, cp, PROJECT, "faults", BytesIO(row), None, test_share=0.0)
    MachineRecord.update(name=EVIL).execute()
    machine = MachineRecord.get()
    device = machine.inventory["devices"][0] | {"name": EVIL, "reason": EVIL, "healthy": False}
    words = {name: EVIL for name in ("hostname", "cpu_name", "driver", "release", "architecture")}
    MachineRecord.update(inventory=machine.inventory | words | {"devices": [device]}).execute()
    UserRecord.update(title=EVIL).execute()
    ProjectRecord.update(title=EVIL).execute()
    for model in ModelRecord.select():
        facts = {name: EVIL for name in ("architecture", "licence", "dtype")} | {"source": {"reference": EVIL}}
        ModelRecord.update(card=model.card | facts).where(ModelRecord.id == model.id).execute()
    JobRecord.update(parameters={"note": EVIL}).where(JobRecord.id == made["running"]).execute()
    evaluation = EvaluationRecord.get()
    written = json.loads(cp.blobs.path(evaluation.rows_sha256).read_bytes())
    for one in written["rows"]:
        one |= {"prompt": EVIL, "expected": {"a": EVIL}, "answers": dict.fromkeys(one["answers"], EVIL)}
    evil = json.dumps(written).encode()
    index = evaluation_rows.store(cp, scores.read([evil]))
    EvaluationRecord.update(rows_sha256=cp.blobs.put_bytes(evil), index_sha256=index).execute()
    attempt = AttemptRecord.get(AttemptRecord.job == made["running"])
    told = [{"kind": "message", "level": EVIL, "code": EVIL, "text": EVIL, "params": {"line": EVIL}}]
    told += [{"kind": "message", "level": 5, "code": {"a": 1}, "text": {"b": [EVIL]}, "params": 7}]
    told += [{"kind": "metric", "step": 13, "values": {EVIL: 1.0}}]
    told += [
        {"kind": "checkpoint", "step": {"x": 1}, "path": [EVIL]},
        {"kind": "progress", "step": 13, "steps": 10**15},
    ]
    numbered = [(attempt.event_sequence + at, json.dumps(one)) for at, one in enumerate(told, 1)]
    events.append(town.rooms.machine, cp, attempt.id, attempt.fence, numbered)
    logs.append(town.rooms.machine, cp, attempt.id, attempt.fence, "stderr", 0, EVIL.encode() + b"\xff\xfe\x00\n")
    report(town.rooms.machine, cp, attempt, "FAILED", reason=EVIL, params={"text": EVIL, "lines": [EVIL, 7]})
    made["train"] = made["running"]
    return town


@pytest.fixture
def app(evil_town: Town) -> Flask:
    return create_app(evil_town.cp)


def test_no_page_takes_it_for_markup(app: Flask, evil_town: Town) -> None:
    client, seen = _browser(app, evil_town, ROOT), set()
    for endpoint, method, rule in _routes(app, {*INSIDE, *OUTSIDE}):
        if method != "GET" or endpoint in ("live.events", "jobs.log", "jobs.download"):
            continue
        got = client.get(_address(rule, evil_town), buffered=True)
        assert got.status_code < 500, (endpoint, got.text[-300:])
        if got.mimetype == "text/html":
            assert not any(mark in got.text for mark in RAW), endpoint
            assert "{{7*7}}" in got.text or "alert(1)" not in got.text, endpoint  # no template of ours either
            seen |= {endpoint} if "&lt;script&gt;alert(1)" in got.text else set()
        assert "script-src 'self'" in got.headers["Content-Security-Policy"], endpoint
        assert got.headers["X-Content-Type-Options"] == "nosniff", endpoint
    assert seen >= SEEN, SEEN - seen


def test_bytes_of_a_log_are_never_a_page(app: Flask, evil_town: Town) -> None:
    client, job = _browser(app, evil_town, ROOT), evil_town.made["running"]
    got = client.get(f"/p/{PROJECT}/jobs/{job}/log/0/stderr")
    assert got.data.startswith(EVIL.encode())
    assert got.mimetype == "application/octet-stream"
    assert got.headers["X-Content-Type-Options"] == "nosniff"


def test_the_curves_are_json_whatever_their_names(app: Flask, evil_town: Town) -> None:
    client, job = _browser(app, evil_town, ROOT), evil_town.made["running"]
    got = client.get(f"/p/{PROJECT}/jobs/{job}/series?other=1")
    assert got.mimetype == "application/json"
    assert EVIL in {one["name"] for one in got.json["series"]}


def test_an_audit_file_holds_no_formula(app: Flask, evil_town: Town) -> None:
    UserRecord.update(name="=cmd|x").where(UserRecord.name == "eve").execute()
    client = _browser(app, evil_town, ROOT)
    text = client.get("/audit.csv").text
    cells = [cell.strip('"') for line in text.splitlines() for cell in line.split(",")]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "@")]
