"""The chain of a guided run. The fleet is played by the test: it marks jobs as ended and writes what they made."""

from __future__ import annotations

from io import BytesIO

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, NotFound
from control_plane.domain.permissions import SYSTEM, VIEWER, Actor
from control_plane.services import cases, datasets, guided, jobs, methods
from control_plane.services.access import identity, people, projects
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.guided import GuidedRunRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import MemberRecord

CASE = "machine_faults"


@pytest.fixture
def ada(cp: ControlPlane) -> Actor:
    """An expert of the project "lab", on a control plane with the shipped methods."""
    methods.register_shipped(cp)
    people.invite(SYSTEM, cp, "ada", "Ada", False)
    projects.create(SYSTEM, cp, "lab", "Lab")
    projects.set_member(SYSTEM, cp, "lab", "ada", "Expert")
    return identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")


@pytest.fixture
def version(cp: ControlPlane, ada: Actor) -> int:
    plan = guided.plan_of(cases.get(ada, cp, CASE))
    parts = [BytesIO(cases.read_file(ada, cp, CASE, file)) for file in (plan.dataset.train, plan.dataset.test)]
    return int(datasets.upload(ada, cp, "lab", plan.dataset.name, *parts, plan.dataset.format)[0].id)


def succeed(cp: ControlPlane, job_id: int, form: str = "", verdict: str = "") -> None:
    """What the fleet would do: the job has succeeded, with a model of this form or an evaluation of this verdict."""
    job = JobRecord.get_by_id(job_id)
    machine, _ = MachineRecord.get_or_create(
        id="m", defaults={"name": "m", "machine_class": "server", "key_hash": "", "serial": "", "enrolled_at": 0}
    )
    attempt = AttemptRecord.create(
        job=job, number=1, machine=machine, fence=1, state="SUCCEEDED", offered_at=0, offer_expires_at=0
    )
    pins = {name: pin["id"] for name, pin in job.inputs.items()}
    if form:
        artifact = ArtifactRecord.create(attempt=attempt, name="model", files=[], hash=f"h{job_id}", size=1, begun_at=0)
        ModelRecord.create(
            project=job.project_id,
            name=job.name,
            form=form,
            job=job,
            artifact=artifact,
            base=pins.get("base"),
            hash=f"h{job_id}",
            size=1,
            card={},
            created_at=0,
        )
    if verdict:
        EvaluationRecord.create(
            project=job.project_id,
            job=job,
            dataset_version=pins["dataset"],
            candidate=pins["candidate"],
            baseline=pins["baseline"],
            primary_metric="exact_match",
            verdict=verdict,
            scores=[],
            created_at=0,
        )
    JobRecord.update(state="SUCCEEDED").where(JobRecord.id == job_id).execute()


def begin(cp: ControlPlane, ada: Actor, version: int, key: str = "k") -> GuidedRunRecord:
    return guided.start(ada, cp, "lab", CASE, version, key)


def test_each_stage_follows_the_success_of_the_one_before(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    assert (run.stage, list(run.jobs)) == ("import", ["import"])
    for stage, made in (
        ("import", {"form": "base"}),
        ("train", {"form": "adapter"}),
        ("evaluate", {"verdict": "better"}),
        ("export", {"form": "gguf"}),
    ):
        assert guided.advance(cp) == 0  # nothing has ended: nothing moves
        run = guided.get(ada, cp, run.id)
        assert run.stage == stage
        job = jobs.get(ada, cp, run.jobs[stage])
        assert (job.state, job.kind, job.created_by) == ("QUEUED", stage, ada.id)
        succeed(cp, job.id, **made)
        assert guided.advance(cp) == 1
    run = guided.get(ada, cp, run.id)
    assert run.stage == "done"
    assert set(run.made) == {"base", "tuned", "evaluation", "packaged"}
    inputs = {name: pin["id"] for name, pin in jobs.get(ada, cp, run.jobs["evaluate"]).inputs.items()}
    assert inputs == {"dataset": version, "candidate": run.made["tuned"], "baseline": run.made["base"]}
    progress = guided.progress(ada, cp, run.id)
    assert progress.evaluation is not None
    assert progress.packaged is not None
    assert progress.packaged.form == "gguf"


def test_a_base_model_that_is_there_is_not_fetched_again(cp: ControlPlane, ada: Actor, version: int) -> None:
    first = begin(cp, ada, version)
    succeed(cp, first.jobs["import"], form="base")
    second = begin(cp, ada, version, "other")
    assert (second.stage, list(second.jobs)) == ("train", ["train"])


@pytest.mark.parametrize("verdict", ["worse", "unclear"])
def test_what_is_not_better_is_not_packaged(cp: ControlPlane, ada: Actor, version: int, verdict: str) -> None:
    run = begin(cp, ada, version)
    for stage, made in (
        ("import", {"form": "base"}),
        ("train", {"form": "adapter"}),
        ("evaluate", {"verdict": verdict}),
    ):
        succeed(cp, guided.get(ada, cp, run.id).jobs[stage], **made)
        guided.advance(cp)
    run = guided.get(ada, cp, run.id)
    assert (run.stage, "export" in run.jobs) == ("done", False)


def test_a_job_that_fails_stops_the_run_with_its_reason(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    failed = {"state": "FAILED", "reason": "trainer_crashed", "reason_params": {"status": 1, "lines": "boom"}}
    JobRecord.update(failed).where(JobRecord.id == run.jobs["import"]).execute()
    assert guided.advance(cp) == 1
    run = guided.get(ada, cp, run.id)
    assert (run.stage, run.reason, run.reason_params["lines"]) == ("stopped", "trainer_crashed", "boom")
    assert guided.advance(cp) == 0


def test_pressed_twice_it_starts_once(cp: ControlPlane, ada: Actor, version: int) -> None:
    assert begin(cp, ada, version).id == begin(cp, ada, version).id
    assert JobRecord.select().count() == 1


def test_a_crash_between_job_and_note_of_it_makes_no_second_job(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    GuidedRunRecord.update(jobs={}).where(GuidedRunRecord.id == run.id).execute()
    guided.advance(cp)
    assert guided.get(ada, cp, run.id).jobs == run.jobs
    assert JobRecord.select().count() == 1


def test_whoever_left_the_project_starts_nothing_further(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    succeed(cp, run.jobs["import"], form="base")
    MemberRecord.delete().execute()
    guided.advance(cp)
    run = guided.get(SYSTEM, cp, run.id)
    assert (run.stage, run.reason) == ("stopped", "denied")
    assert JobRecord.select().count() == 1


def test_a_stranger_sees_no_run_and_a_viewer_starts_none(cp: ControlPlane, ada: Actor, version: int) -> None:
    run = begin(cp, ada, version)
    with pytest.raises(NotFound):
        guided.progress(Actor("user", "99", "eve"), cp, run.id)
    viewer = Actor("user", ada.id, "ada", roles={next(iter(ada.roles)): VIEWER})
    with pytest.raises(Denied):
        begin(cp, viewer, version, "viewer")
    with pytest.raises(NotFound):
        guided.start(ada, cp, "lab", "no_such_case", version)
