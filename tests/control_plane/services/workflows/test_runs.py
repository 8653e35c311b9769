"""The graph of a workflow run. The fleet is played by the test: it marks jobs as ended and writes what they made."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain.errors import (
    Denied,
    EdgeUnknown,
    HeldOutMissing,
    InputUnfit,
    NameInvalid,
    NotFound,
    ParameterOutOfRange,
    WorkflowKeyMissing,
    WorkflowRunOver,
)
from control_plane.domain.listeners.events import CHOICES
from control_plane.domain.permissions import EXPERT, SYSTEM, VIEWER, Actor, Role
from control_plane.services import cases, deployments, jobs, methods
from control_plane.services.access import identity, projects
from control_plane.services.datasets import json_lines
from control_plane.services.listeners import listening
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows import steps as workflow_steps
from control_plane.services.workflows.sources import Wanted
from control_plane.store.audit import AuditRecord
from control_plane.store.database import database, release
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.listeners import DeliveryRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import MemberRecord
from control_plane.store.workflows import WorkflowRunRecord
from fleet_support import Fleet
from workflow_support import CASE, begin, job_of, play, serve, stands, succeed


def test_each_step_follows_the_success_of_those_before(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    made: dict[str, dict[str, int]] = {}
    for step, kind, result in (
        ("import", "import", {"form": "base"}),
        ("train", "train", {"form": "adapter"}),
        ("evaluate", "evaluate", {"verdict": "better"}),
        ("package", "export", {"form": "gguf"}),
    ):
        assert workflow_steps.advance(cp) == 0  # nothing has ended: nothing moves
        assert stands(cp, run)[step] == "open"
        job = job_of(cp, run, step)
        assert (job.state, job.kind, job.created_by) == ("QUEUED", kind, ada.id)
        succeed(cp, job.id, **result)
        assert workflow_steps.advance(cp) == 1
        made = {seen.step.name: seen.made for seen in workflow_runs.progress(ada, cp, run.id).steps}
    inputs = {name: pin["id"] for name, pin in job_of(cp, run, "evaluate").inputs.items()}
    assert inputs == {"dataset": version, "candidate": made["train"]["model"], "baseline": made["import"]["model"]}
    deployment = DeploymentRecord.get()
    assert (deployment.model_id, deployment.created_by) == (made["package"]["model"], ada.id)
    assert (stands(cp, run)["deploy"], workflow_runs.get(ada, cp, run.id).outcome) == ("open", "")
    serve(cp)
    assert workflow_steps.advance(cp) == 1
    assert workflow_runs.get(ada, cp, run.id).outcome == "done"
    deployments.stop(ada, cp, deployment.id)  # what is done with it later is no part of the run
    assert set(stands(cp, run).values()) == {"done"}


def test_a_run_on_other_data_is_called_after_it_and_asks_for_its_structure(cp: ControlPlane, ada: Actor) -> None:
    rows = [{"prompt": f"Note {number}", "completion": {"sample": f"S{number}", "ph": 7.5}} for number in range(20)]
    file = BytesIO("\n".join(map(json.dumps, rows)).encode())
    version, _ = json_lines.upload(ada, cp, "lab", "labor-notizen", file, None)
    run = begin(cp, ada, int(version.id))
    play(cp, run)
    titles = {seen.step.kind: seen.step.title for seen in workflow_runs.progress(ada, cp, run.id).steps}
    assert titles["import"] == "smollm2-135m-instruct"
    assert (titles["train"], titles["evaluate"]) == ("labor-notizen", "labor-notizen-evaluation")
    assert (titles["export"], titles["deploy"]) == ("labor-notizen-gguf", "labor-notizen")
    asked = job_of(cp, run, "evaluate").parameters
    assert asked["schema"]["required"] == ["sample", "ph"]
    default = methods.manifest(methods.get(ada, cp, "evaluate")).parameters["properties"]["max_new_tokens"]["default"]
    assert asked["max_new_tokens"] == default
    assert DeploymentRecord.get().name == "labor-notizen"


def test_listeners_are_told_once_of_the_run_and_of_each_step(cp: ControlPlane, ada: Actor, version: int) -> None:
    projects.set_member(SYSTEM, cp, "lab", "ada", "Owner")
    owner = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    events = [event for event in CHOICES if event.startswith(("workflow_run", "step"))]
    listening.add(owner, cp, "lab", "webhook", "https://hooks.example.org/x", events, "en")
    run = begin(cp, ada, version)
    play(cp, run)
    serve(cp)
    for _ in range(3):
        workflow_steps.advance(cp)
    told = [one.payload for one in DeliveryRecord.select().order_by(DeliveryRecord.id)]
    steps = [(one["event"], one["data"]["step"], one["data"].get("state")) for one in told[1:-1]]
    assert [told[0]["event"], told[-1]["event"]] == ["workflow_run.started", "workflow_run.ended"]
    assert told[-1]["text"] == f"The workflow run {run.id} of “{run.label}” has ended: done."
    names = [seen.step.name for seen in workflow_runs.progress(ada, cp, run.id).steps if seen.step.kind != "data"]
    assert sorted(steps, key=str) == sorted(
        [("step.started", name, None) for name in names] + [("step.ended", name, "done") for name in names], key=str
    )
    for name in names:
        assert steps.index(("step.started", name, None)) < steps.index(("step.ended", name, "done"))


def test_what_was_made_from_the_very_same_pins_is_used_again(cp: ControlPlane, ada: Actor, version: int) -> None:
    first = begin(cp, ada, version)
    play(cp, first)
    serve(cp)
    workflow_steps.advance(cp)
    graph = graphs.of_data(first.graph)
    assert workflow_runs.foreseen(ada, cp, "lab", graph) == {"import", "train", "evaluate", "package"}
    second = begin(cp, ada, version)
    assert second.outcome == "done"  # at once
    assert all(seen.reused for seen in workflow_runs.progress(ada, cp, second.id).steps if seen.step.kind != "data")
    assert JobRecord.select().count() == 4
    JobRecord.update(seed=43).where(JobRecord.kind == "train").execute()
    assert workflow_runs.foreseen(ada, cp, "lab", graph) == {"import"}
    third = begin(cp, ada, version)
    assert (stands(cp, third)["import"], stands(cp, third)["train"]) == ("done", "open")


def test_what_has_not_succeeded_is_not_used_again(cp: ControlPlane, ada: Actor, version: int) -> None:
    first, second = begin(cp, ada, version), begin(cp, ada, version)
    assert job_of(cp, first, "import").id != job_of(cp, second, "import").id
    JobRecord.update(state="FAILED").execute()
    assert stands(cp, begin(cp, ada, version))["import"] == "open"


@pytest.mark.parametrize("verdict", ["worse", "unclear"])
def test_what_is_not_better_is_neither_packaged_nor_deployed(
    cp: ControlPlane, ada: Actor, version: int, verdict: str
) -> None:
    run = begin(cp, ada, version)
    play(cp, run, verdict, until="evaluate")
    assert workflow_runs.get(ada, cp, run.id).outcome == "done"
    assert (stands(cp, run)["package"], stands(cp, run)["deploy"]) == ("skipped", "skipped")
    assert JobRecord.select().where(JobRecord.kind == "export").count() == DeploymentRecord.select().count() == 0


def test_a_job_that_fails_stops_the_run_with_its_reason(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    failed = {"state": "FAILED", "reason": "trainer_crashed", "reason_params": {"status": 1, "lines": "boom"}}
    JobRecord.update(failed).where(JobRecord.id == job_of(cp, run, "import").id).execute()
    assert workflow_steps.advance(cp) == 1
    run = workflow_runs.get(ada, cp, run.id)
    assert (run.outcome, run.reason, run.reason_params["lines"]) == ("stopped", "trainer_crashed", "boom")
    assert workflow_steps.advance(cp) == 0


def test_a_deployment_that_fails_or_is_taken_away_stops_the_run(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    play(cp, run)
    serve(cp, "FAILED")
    workflow_steps.advance(cp)
    assert stands(cp, run)["deploy"] == "open"  # another machine may serve it: the pass has not looked yet
    deployments.place(cp)
    workflow_steps.advance(cp)
    run = workflow_runs.get(ada, cp, run.id)
    assert (run.outcome, run.reason) == ("stopped", "engine_failed")
    generation = DeploymentRecord.get().generation
    run = begin(cp, ada, version)  # what has failed is tried anew
    assert not workflow_runs.progress(ada, cp, run.id).steps[-1].reused
    assert DeploymentRecord.get().generation == generation + 1
    assert stands(cp, run)["deploy"] == "open"
    deployments.stop(ada, cp, DeploymentRecord.get().id)
    workflow_steps.advance(cp)
    run = workflow_runs.get(ada, cp, run.id)
    assert (run.outcome, run.reason) == ("stopped", "deployment_changed")


def test_another_machine_may_serve_what_one_could_not(cp: ControlPlane, ada: Actor, version: int, fleet: Fleet) -> None:
    run = begin(cp, ada, version)
    play(cp, run)
    serve(cp, "FAILED")
    fleet.machine()
    workflow_steps.advance(cp)
    assert deployments.place(cp) == 1
    workflow_steps.advance(cp)
    assert (workflow_runs.get(ada, cp, run.id).outcome, stands(cp, run)["deploy"]) == ("", "open")


def test_the_deployments_own_settings_are_kept_and_its_machine_is_woken_after(
    cp: ControlPlane, ada: Actor, version: int
) -> None:
    run = begin(cp, ada, version)
    play(cp, run, until="evaluate")
    other = ModelRecord.get(ModelRecord.form == "adapter")
    served = DeploymentRecord.create(
        project=run.project_id,
        name="machine-fault-reports",
        model=other,
        desired_state="SERVING",
        context_length=512,
        slots=8,
        created_by=ada.id,
        created_at=0,
    )
    serve(cp)
    seen = list[bool]()
    unsubscribe = cp.signals.subscribe(["machine:m"], lambda _: seen.append(database.in_transaction()))
    succeed(cp, job_of(cp, run, "package").id, form="gguf")
    workflow_steps.advance(cp)
    unsubscribe()
    served = DeploymentRecord.get_by_id(served.id)
    assert (served.context_length, served.slots, served.model_id) == (512, 8, job_of_model(cp, run))
    assert seen[-1] is False  # only then can the machine read what it is woken for


def job_of_model(cp: ControlPlane, run: WorkflowRunRecord) -> int:
    """The model that the run packaged."""
    return next(
        seen.made["model"] for seen in workflow_runs.progress(SYSTEM, cp, run.id).steps if seen.step.name == "package"
    )


def test_a_run_that_is_over_has_nothing_still_to_come(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    succeed(cp, job_of(cp, run, "import").id, form="base")
    workflow_runs.cancel(ada, cp, run.id)
    assert set(stands(cp, run).values()) == {"done", "skipped"}


def test_a_job_cancelled_by_hand_stops_the_run_in_words(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    job = job_of(cp, run, "import")
    jobs.cancel(ada, cp, job.id)
    workflow_steps.advance(cp)
    run = workflow_runs.get(ada, cp, run.id)
    assert (run.outcome, run.reason, run.reason_params) == ("stopped", "step_cancelled", {"job": job.id})


def test_a_commit_between_two_runs_holds_up_neither(
    cp: ControlPlane, ada: Actor, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [begin(cp, ada, version) for _ in range(3)]
    for run in runs:
        succeed(cp, job_of(cp, run, "import").id, form="base")
    carry_on = workflow_steps.carry_on

    def somebody_writes_first(cp: ControlPlane, run: WorkflowRunRecord) -> bool:
        thread = threading.Thread(target=written_by_another_thread)
        thread.start()
        thread.join()
        return carry_on(cp, run)

    monkeypatch.setattr(workflow_steps, "carry_on", somebody_writes_first)
    assert workflow_steps.advance(cp) == 3


def written_by_another_thread() -> None:
    UserRecord.update(title="Ada L.").execute()
    release()


def test_runs_on_which_nothing_has_come_cost_nothing_each(
    cp: ControlPlane, ada: Actor, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, statements = database.obj.execute_sql, list[str]()
    monkeypatch.setattr(database.obj, "execute_sql", lambda sql, *given: statements.append(sql) or execute(sql, *given))
    asked = list[int]()
    for _ in range(2):
        begin(cp, ada, version)
        statements.clear()
        assert workflow_steps.advance(cp) == 0
        asked.append(len(statements))
    assert asked[0] == asked[1]


def test_data_that_a_later_step_cannot_take_starts_nothing(cp: ControlPlane, ada: Actor) -> None:
    rows = BytesIO(b"".join(b'{"prompt": "p%d", "completion": "c"}\n' % number for number in range(30)))
    whole = json_lines.upload(ada, cp, "lab", "whole", rows, None)[0]
    DatasetVersionRecord.update(test_sha256="").where(DatasetVersionRecord.id == whole.id).execute()
    with pytest.raises(HeldOutMissing):  # the evaluation would find it after hours of training
        begin(cp, ada, whole.id)
    pairs = BytesIO(b"".join(b'{"prompt": "p%d", "chosen": "c", "rejected": "r"}\n' % number for number in range(30)))
    with pytest.raises(InputUnfit):
        begin(cp, ada, json_lines.upload(ada, cp, "lab", "pairs", pairs, None)[0].id)
    assert WorkflowRunRecord.select().count() == 0


def test_a_cancelled_run_ends_its_open_jobs_and_starts_nothing_more(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    play(cp, run, until="import")
    job = job_of(cp, run, "train")
    stale = workflow_runs.get(ada, cp, run.id)
    assert workflow_runs.cancel(ada, cp, run.id).outcome == "cancelled"
    assert jobs.get(ada, cp, job.id).state == "CANCELLED"
    assert stands(cp, run)["train"] == "cancelled"
    assert workflow_runs.cancel(ada, cp, run.id).version == stale.version + 1  # asked twice is asked once
    JobRecord.update(state="SUCCEEDED").where(JobRecord.id == job.id).execute()  # it ended before it heard of it
    assert workflow_steps.advance(cp) == 0
    assert not workflow_steps.carry_on(cp, stale)  # a thread that had read the run before
    assert JobRecord.select().count() == 2
    entries = [entry.action for entry in AuditRecord.select().where(AuditRecord.subject == f"workflow_run:{run.id}")]
    assert entries == ["workflow_run.start", "workflow_run.cancel"]


def test_cancelling_leaves_alone_what_another_run_made(cp: ControlPlane, ada: Actor, version: int) -> None:
    play(cp, begin(cp, ada, version), until="import")
    second = begin(cp, ada, version)
    workflow_runs.cancel(ada, cp, second.id)
    assert job_of(cp, second, "import").state == "SUCCEEDED"
    assert job_of(cp, second, "train").state == "CANCELLED"


def test_a_run_that_is_over_cannot_be_cancelled(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    play(cp, run, "worse", until="evaluate")
    with pytest.raises(WorkflowRunOver):
        workflow_runs.cancel(ada, cp, run.id)


def test_pressed_twice_it_starts_once(cp: ControlPlane, ada: Actor, version: int) -> None:
    assert begin(cp, ada, version, "k").id == begin(cp, ada, version, "k").id
    assert JobRecord.select().count() == 1
    MethodVersionRecord.update(current=False).execute()  # an upgrade between the two, say
    assert begin(cp, ada, version, "k").id == WorkflowRunRecord.get().id


def test_no_users_key_puts_a_job_into_a_run(cp: ControlPlane, ada: Actor, version: int) -> None:
    foreign = [
        jobs.submit(ada, cp, "lab", "import_base_model", "mine", {"reference": "mine"}, idempotency_key=key)
        for key in ("workflow_run:1:import", "1:import", "import")
    ]
    run = begin(cp, ada, version)
    assert job_of(cp, run, "import").id not in {job.id for job in foreign}


def test_a_job_and_the_note_of_it_are_one(
    cp: ControlPlane, ada: Actor, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(cp, ada, version)
    succeed(cp, job_of(cp, run, "import").id, form="base")

    def crash(*_: object, **__: object) -> bool:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as broken:
        broken.setattr(workflow_steps, "move", crash)
        assert workflow_steps.advance(cp) == 0
    assert JobRecord.select().count() == 1
    assert workflow_steps.advance(cp) == 1
    assert JobRecord.select().count() == 2


def test_two_threads_that_saw_the_same_begin_one_job(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    succeed(cp, job_of(cp, run, "import").id, form="base")
    stale = workflow_runs.get(ada, cp, run.id)
    assert workflow_steps.advance(cp) == 1
    assert not workflow_steps.carry_on(cp, stale)
    assert JobRecord.select().count() == 2


def test_whoever_left_the_project_starts_nothing_further(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    succeed(cp, job_of(cp, run, "import").id, form="base")
    MemberRecord.delete().execute()
    workflow_steps.advance(cp)
    run = workflow_runs.get(SYSTEM, cp, run.id)
    assert (run.outcome, run.reason) == ("stopped", "denied")
    assert JobRecord.select().count() == 1


def test_a_stranger_sees_no_run_and_a_viewer_starts_and_cancels_none(
    cp: ControlPlane, ada: Actor, version: int
) -> None:
    run = begin(cp, ada, version)
    with pytest.raises(NotFound):
        workflow_runs.progress(Actor("user", "99", "eve"), cp, run.id)
    project = next(iter(ada.roles))
    viewer = Actor("user", ada.id, "ada", roles={project: VIEWER})
    for refused in (lambda: begin(cp, viewer, version), lambda: workflow_runs.cancel(viewer, cp, run.id)):
        with pytest.raises(Denied):
            refused()
    trainer = Role("Trainer", EXPERT.permissions - {"deployment.change"})
    with pytest.raises(Denied):  # before anything has begun, and not after hours of training
        begin(cp, Actor("user", ada.id, "ada", roles={project: trainer}), version)
    with pytest.raises(NotFound):
        workflow_runs.start(ada, cp, "lab", Wanted(case="no_such_case", dataset_version_id=version))
    assert WorkflowRunRecord.select().count() == 1


def test_a_plan_that_does_not_fit_its_methods_starts_nothing(
    cp: ControlPlane, ada: Actor, version: int, tmp_path: Path
) -> None:
    shutil.copytree(cases.SHIPPED / CASE, tmp_path / CASE)
    plan = tmp_path / CASE / cases.PLAN
    cp = replace(cp, settings=replace(cp.settings, cases=str(tmp_path)))
    for right, wrong, error in (
        ('base = "import.model"', 'base = "import.weights"', EdgeUnknown),
        ("learning_rate = 0.001", "learning_rate = -1", ParameterOutOfRange),
        ('title = "machine-faults"', 'title = "Machine Faults!"', NameInvalid),
        ("steps", "stages", WorkflowKeyMissing),  # the form of plans that had none
    ):
        whole = (cases.SHIPPED / CASE / cases.PLAN).read_text("utf-8")
        assert right in whole
        plan.write_text(whole.replace(right, wrong), "utf-8")
        with pytest.raises(error):
            begin(cp, ada, version)
    assert WorkflowRunRecord.select().count() == 0
