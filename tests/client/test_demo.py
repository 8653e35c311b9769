"""The demo: a workflow run of a case, over the API, with a simulated machine that does the jobs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from client_support import Installation, Said

from control_plane.services import cases, methods
from control_plane.store.deployments import ReplicaRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.workflows import WorkflowRunRecord
from patience import PATIENCE
from simulated import SimulatedMachine
from tunesmith import cli
from tunesmith.connection import CallFailed
from tunesmith.demo import slug, unmet
from tunesmith.openai import complete

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["machine", "priority"],
    "properties": {"machine": {"type": "string"}, "priority": {"enum": ["high", "low"]}},
}
GOOD = '{"machine": "pump 12", "priority": "high"}'


@contextmanager
def endpoint(answer: str, status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An OpenAI-compatible endpoint that always says `answer`, with what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = {"choices": [{"message": {"content": answer}}]} if status == 200 else {"error": {"message": answer}}
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def machine(installation: Installation) -> Iterator[SimulatedMachine]:
    MethodVersionRecord.delete().execute()
    assert methods.register_shipped(installation.cp)
    simulated = SimulatedMachine(installation.cp, installation.fleet.machine(memory=64 << 30))
    simulated.start()
    yield simulated
    simulated.done.set()
    simulated.join(PATIENCE)


RECORD = '{"machine": "pump 12", "part": "seal", "fault": "leak", "priority": "high"}'


def demo(installation: Installation, monkeypatch: pytest.MonkeyPatch, answer: str = RECORD) -> Result:
    monkeypatch.setattr("tunesmith.demo.complete", lambda *_: answer)
    return CliRunner().invoke(cli.main, ["demo", "--data", str(installation.cp.settings.data)])


def test_the_demo_shows_stages_scores_and_the_dashboard(
    installation: Installation, machine: SimulatedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = demo(installation, monkeypatch)
    assert result.exit_code == 0, result.output
    for words in ("used as it is", "6. Deployment", "Verdict: better", "http://127.0.0.1:8420", "100.0%", "pump 12"):
        assert words in result.output
    assert "used again" not in result.output
    again = demo(installation, monkeypatch)
    assert (again.exit_code, again.output.count("Made by an earlier run from the very same inputs")) == (0, 6)
    assert JobRecord.select().count() == 4
    assert [run.outcome for run in installation.connect().list_workflow_runs("default")] == ["done", "done"]


def test_a_run_that_is_under_way_is_watched_and_not_begun_again(
    installation: Installation, machine: SimulatedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = installation.connect()
    folder = cases.SHIPPED / "machine_faults"
    version = client.upload_dataset("default", "faults", *(folder / f"{part}.jsonl" for part in ("train", "test")))
    begun = client.start_workflow_run("default", "machine_faults", version.id)
    monkeypatch.setattr("tunesmith.demo._upload", lambda *_: version.id)
    assert demo(installation, monkeypatch).exit_code == 0
    assert [run.id for run in client.list_workflow_runs("default")] == [begun.id]


def test_a_run_that_is_over_is_watched_to_its_end_though_its_deployment_waits(
    installation: Installation, machine: SimulatedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert demo(installation, monkeypatch).exit_code == 0
    machine.done.set()
    machine.join(PATIENCE)
    run = WorkflowRunRecord.get()
    WorkflowRunRecord.update(outcome="cancelled").execute()
    ReplicaRecord.update(desired_state="STOPPED").execute()  # queued: nobody has the deployment
    result = CliRunner().invoke(
        cli.main, ["--data", str(installation.cp.settings.data), "workflow", "watch", str(run.id)]
    )
    assert result.exit_code == 1
    assert f"Run {run.id} is cancelled" in result.output


def test_an_answer_of_the_wrong_form_fails_the_demo(
    installation: Installation, machine: SimulatedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = demo(installation, monkeypatch, "Sure! Here is your record.")
    assert result.exit_code == 1
    assert "not JSON" in result.output


def test_the_demo_fails_unless_the_tuned_model_is_clearly_better(
    installation: Installation, machine: SimulatedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.tuned = [1] + [0] * 31
    result = demo(installation, monkeypatch)
    assert result.exit_code == 1
    assert "the tuned model is not clearly better" in result.output
    assert "Packaging" not in result.output  # the gate stayed shut
    assert JobRecord.select().where(JobRecord.kind == "export").count() == 0


def test_the_endpoint_is_asked_like_any_openai_server() -> None:
    with endpoint(GOOD) as (url, asked):
        assert complete(url, "tsk_x", "default/faults", "Report") == GOOD
    assert (asked[0]["model"], asked[0]["messages"], asked[0]["temperature"]) == (
        "default/faults",
        [{"role": "user", "content": "Report"}],
        0,
    )
    with endpoint("No machine serves it.", 503) as (url, _), pytest.raises(CallFailed, match="No machine serves it"):
        complete(url, "tsk_x", "default/faults", "Report")
    with pytest.raises(CallFailed) as caught:
        complete(url, "tsk_x", "default/faults", "Report")
    assert caught.value.status == "UNAVAILABLE"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (GOOD, ""),
        ("Sure!", "not JSON"),
        ("[]", "not an object"),
        ('{"machine": "pump 12"}', "“priority” is missing"),
        ('{"machine": "pump 12", "priority": "urgent"}', "“priority” is 'urgent'"),
        ('{"machine": 12, "priority": "low"}', "“machine” is not a string"),
        ('{"machine": "a", "priority": "low", "note": "x"}', "“note” is not asked for"),
    ],
)
def test_answers_are_held_against_the_schema(answer: str, problem: str) -> None:
    found = unmet(answer, SCHEMA)
    assert found.startswith(problem) and bool(found) == bool(problem)


def test_titles_become_names() -> None:
    assert slug("SmolLM2-135M-Instruct") == "smollm2-135m-instruct"
    assert slug("Machine fault reports") == "machine-fault-reports"
    assert slug(" Ärger & Co. ") == "rger-co"


def test_the_example_of_the_apis_page_runs(
    installation: Installation, machine: SimulatedMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs/developers/automation.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(import tunesmith\n.*?)```", page, re.DOTALL)
    installation.connect().target.save()
    whole = json.dumps({"choices": [{"message": {"content": RECORD}}]}).encode()
    installation.engine.answers.append(Said([whole], content_type="application/json"))
    exec(compile(example, "automation.md", "exec"), {})
    said = capsys.readouterr().out.splitlines()
    assert "better" in said and said[-1] == RECORD
