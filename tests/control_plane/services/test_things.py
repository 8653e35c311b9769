"""Titles, descriptions and tags; the trash: what goes there, what does not, what comes back and what is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    Denied,
    DeploymentWanted,
    FieldInvalid,
    InTrash,
    JobUnderWay,
    MethodUnknown,
    NameTaken,
    NeedsPurged,
    NeedsTrashed,
    NotFound,
    NotInTrash,
    ReadByJobs,
    RestedOn,
    RunUnderWay,
    ServedBy,
    SweepUnderWay,
)
from control_plane.domain.graph import DEPLOY, Step, as_data
from control_plane.domain.permissions import OWNER, SYSTEM, VIEWER, Actor
from control_plane.domain.prompts.prompt import Prompt
from control_plane.services import (
    asking,
    authoring,
    deployments,
    evaluations,
    garbage,
    jobs,
    methods,
    models,
    overview,
    references,
    results,
    search,
)
from control_plane.services.access import projects
from control_plane.services.datasets import rows, versions
from control_plane.services.fleet import logs, scheduling
from control_plane.services.prompts import kept as prompts
from control_plane.services.rewards import kept as rewards
from control_plane.services.sweeps import runs
from control_plane.services.things import kinds, purging, trash
from control_plane.services.things.describe import describe
from control_plane.services.workflows import kept
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows import steps as workflow_steps
from control_plane.store.audit import AuditRecord
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import EventRecord, JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import MemberRecord, ProjectRecord
from control_plane.store.prompts import PromptRecord, PromptVersionRecord
from control_plane.store.references import BlobReferenceRecord
from control_plane.store.rewards import RewardRecord
from control_plane.store.sweeps import SweepRecord
from control_plane.store.workflows import WorkflowRecord, WorkflowRunRecord, WorkflowVersionRecord
from fleet_support import Fleet, model_files, succeed

DAY = 86_400.0
THINGS: tuple[Any, ...] = (
    DatasetRecord,
    ModelRecord,
    JobRecord,
    DeploymentRecord,
    WorkflowRecord,
    PromptRecord,
    RewardRecord,
)
WORKFLOW = "{name: faults, steps: [{name: bring, method: bring}]}"
STRANGER = Actor(kind="user", id="2", name="bob", roles={999: OWNER})
ROOT = Actor(kind="user", id="3", name="root", administrator=True)
SCORES = {
    "rows": [{"row": 0, "prompt": "c", "answers": {"candidate": "d", "baseline": "x"}}],
    "candidates": ["candidate", "baseline"],
    "metrics": {"m": {"candidate": [1], "baseline": [0]}},
    "primary_metric": "m",
}


def run(fleet: Fleet, machine: Actor, method: str, files: dict[str, Any], name: str = "", **inputs: int) -> JobRecord:
    job = jobs.submit(fleet.user, fleet.cp, "default", method, name=name, inputs=inputs)
    assert scheduling.run_pass(fleet.cp) == 1
    succeed(machine, fleet.cp, fleet.attempt(job.id), files)
    return JobRecord.get_by_id(job.id)


class House:
    """A dataset, a base model, what was trained from the two, its package, and a deployment that does not serve."""

    def __init__(self, fleet: Fleet, machine: Actor) -> None:
        self.fleet, self.machine, self.cp, self.ada = fleet, machine, fleet.cp, fleet.user
        self.version = fleet.dataset()
        self.base = self.made("bring", "base")
        self.adapter = self.made("tune", "adapter", base=self.base.id, dataset=self.version.id)
        self.gguf = self.made("pack", "gguf", model=self.adapter.id)
        deployment = deployments.deploy(self.ada, self.cp, "default", "faults", self.gguf.id)
        self.deployment = deployments.stop(self.ada, self.cp, deployment.id)
        self.workflow = kept.save(self.ada, self.cp, "default", WORKFLOW)[0].workflow
        self.prompt = prompts.save(self.ada, self.cp, "default", "short", Prompt("Be short."))[0].prompt
        self.reward = rewards.save(self.ada, self.cp, "default", "record", [{"check": "json_valid"}])

    def made(self, method: str, form: str, **inputs: int) -> ModelRecord:
        job = run(self.fleet, self.machine, method, {"model": model_files(form)}, **inputs)
        return ModelRecord.get(ModelRecord.job == job.id)

    def number(self, kind: str) -> int:
        return {
            "dataset": self.version.dataset_id,
            "model": self.gguf.id,
            "job": self.adapter.job_id,
            "deployment": self.deployment.id,
            "workflow": self.workflow.id,
            "prompt": self.prompt.id,
            "reward": self.reward.reward_id,
            "project": self.fleet.project.id,
        }[kind]

    def delete(self, kind: str, number: int = 0) -> Any:
        return trash.delete(self.ada, self.cp, kind, number or self.number(kind))

    def restore(self, kind: str, number: int = 0) -> Any:
        return trash.restore(self.ada, self.cp, kind, number or self.number(kind))

    def purge(self, kind: str, number: int = 0) -> None:
        trash.purge(ROOT, self.cp, kind, number or self.number(kind))

    def undeploy(self) -> None:
        self.delete("deployment")

    def user(self) -> UserRecord:
        known = UserRecord.get_or_none(UserRecord.name == "ada")
        return known or UserRecord.create(name="ada", created_at=self.cp.clock())

    def sweep(self, **columns: Any) -> SweepRecord:
        job = JobRecord.get_by_id(self.adapter.job_id)
        return SweepRecord.create(
            project=self.fleet.project,
            name="widths",
            method_version=job.method_version_id,
            parameters={},
            space={},
            inputs=job.inputs,
            seed=1,
            objective="loss",
            trials=3,
            at_once=1,
            created_by=self.user(),
            created_at=self.cp.clock(),
            **columns,
        )

    def workflow_run(self, **columns: Any) -> WorkflowRunRecord:
        return WorkflowRunRecord.create(
            project=self.fleet.project,
            case="machine_faults",
            dataset_version=self.version,
            graph=[],
            created_by=self.user(),
            created_at=self.cp.clock(),
            **columns,
        )


@pytest.fixture
def house(fleet: Fleet, machine: Actor) -> House:
    return House(fleet, machine)


def entries(action: str) -> list[AuditRecord]:
    return list(AuditRecord.select().where(AuditRecord.action == action))


# ---- words beside the name


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_thing_gets_a_title_a_description_and_tags(house: House, kind: str) -> None:
    number, said = house.number(kind), {"title": " Störungen 机器 ", "description": "Two\r\nlines. "}
    thing = describe(house.ada, house.cp, kind, number, tags=["Pump", "pump", "压力"], **said)
    assert (thing.title, thing.description, thing.tags) == ("Störungen 机器", "Two\nlines.", ["pump", "压力"])
    assert thing.label == "Störungen 机器" and thing.name
    (entry,) = entries("thing.describe")
    assert entry.details["changed"] == ["description", "tags", "title"] and entry.project_id == house.fleet.project.id
    kept = describe(house.ada, house.cp, kind, number, title="")
    assert (kept.label, kept.description, kept.tags) == (kept.name, "Two\nlines.", ["pump", "压力"])


def test_describing_anew_what_is_so_already_leaves_no_trace(house: House) -> None:
    describe(house.ada, house.cp, "dataset", house.version.dataset_id, title="", tags=[])
    assert entries("thing.describe") == []


@pytest.mark.parametrize(
    "said",
    [
        {"title": "x" * 201},
        {"title": "two\nlines"},
        {"description": "x" * 4_001},
        {"description": "\x00"},
        {"tags": ["two words"]},
        {"tags": ['"']},
        {"tags": ["\\"]},
        {"tags": ["a,b"]},
        {"tags": ["x" * 41]},
        {"tags": [str(number) for number in range(21)]},
    ],
)
def test_what_is_no_title_description_or_tag_is_refused_by_its_field(house: House, said: dict[str, Any]) -> None:
    with pytest.raises(FieldInvalid) as caught:
        describe(house.ada, house.cp, "job", house.number("job"), **said)
    assert caught.value.params["field"] in said


def test_a_job_that_is_described_has_a_new_version(house: House) -> None:
    before = JobRecord.get_by_id(house.number("job")).version
    assert describe(house.ada, house.cp, "job", house.number("job"), title="A").version == before + 1


def test_lists_are_narrowed_by_a_whole_tag(house: House) -> None:
    for kind in ("dataset", "job", "model", "deployment"):
        describe(house.ada, house.cp, kind, house.number(kind), tags=["a_b", "long"])
        assert kinds.tags_of(kind, house.fleet.project.id) == ["a_b", "long"]
    of: dict[str, Callable[[str], int]] = {
        "dataset": lambda tag: len(versions.list_datasets(house.ada, house.cp, "default", tag)),
        "job": lambda tag: jobs.list_jobs(house.ada, house.cp, "default", jobs.Wanted(tag=tag))[1],
        "model": lambda tag: models.count(house.ada, house.cp, "default", tag=tag),
        "deployment": lambda tag: len(deployments.list_deployments(house.ada, house.cp, "default", tag)),
    }
    for kind, count in of.items():
        assert [count(tag) for tag in ("long", "A_B", "lon", "axb", "%", '"')] == [1, 1, 0, 0, 0, 0], kind
    assert len(models.list_models(house.ada, house.cp, "default", tag="long")) == 1


def test_search_finds_titles(house: House) -> None:
    describe(house.ada, house.cp, "dataset", house.version.dataset_id, title="Störungen")
    (found,) = search.find(house.ada, house.cp, "default", "störung")
    assert (found.kind, found.name, found.title) == ("dataset", "faults", "Störungen")
    describe(house.ada, house.cp, "job", house.number("job"), title="Nachtlauf")
    assert jobs.list_jobs(house.ada, house.cp, "default", jobs.Wanted(text="nacht"))[1] == 1


# ---- into the trash and out of it


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_what_is_deleted_comes_back_as_it_was(house: House, kind: str) -> None:
    if kind == "model":
        house.undeploy()
    describe(house.ada, house.cp, kind, house.number(kind), title="T", tags=["t"])
    deleted = house.delete(kind)
    assert (deleted.deleted_at, deleted.deleted_by) == (house.cp.clock(), "1")
    with pytest.raises(InTrash) as caught:
        house.delete(kind)
    assert (caught.value.params["kind"], caught.value.params["id"]) == (kind, house.number(kind))
    with pytest.raises(InTrash):
        describe(house.ada, house.cp, kind, house.number(kind), title="U")
    back = house.restore(kind)
    assert (back.deleted_at, back.deleted_by, back.title, back.tags) == (0.0, "", "T", ["t"])
    with pytest.raises(NotInTrash):
        house.restore(kind)
    with pytest.raises(NotInTrash):
        house.purge(kind)
    assert [[one.subject for one in entries(f"thing.{verb}")][-1] for verb in ("delete", "restore")] == [
        f"{kind}:{house.number(kind)}"
    ] * 2


def test_what_is_in_the_trash_is_in_no_list_and_no_count(house: House) -> None:
    cp, ada = house.cp, house.ada
    house.undeploy()
    for kind in ("model", "job", "dataset"):
        house.delete(kind)
    assert [one.name for one in deployments.list_deployments(ada, cp, "default")] == []
    assert versions.list_datasets(ada, cp, "default") == versions.list_versions(ada, cp, "default") == []
    assert {one.form for one in models.list_models(ada, cp, "default")} == {"base", "adapter"}
    assert models.count(ada, cp, "default", "gguf") == models.choices(ada, cp, "default", ["gguf"])[1] == 0
    assert house.number("job") not in [job.id for job in jobs.list_jobs(ada, cp, "default")[0]]
    assert results.models_of([house.gguf.job_id]) == {}
    assert {one.kind for one in search.find(ada, cp, "default", "a")} <= {"job", "model", "machine"}
    assert search.find(ada, cp, "default", f"#{house.number('job')}") == []
    steps = overview.of_project(ada, cp, "default").steps
    assert not any(steps[one] for one in ("dataset", "training", "deployment")) and steps["base"]


def test_what_is_in_the_trash_says_so_and_is_not_used(house: House) -> None:
    cp, ada = house.cp, house.ada
    house.undeploy()
    for kind in ("model", "job", "dataset"):
        house.delete(kind)
    uses: list[Callable[[], Any]] = [
        lambda: versions.get_dataset(ada, cp, "default", "faults"),
        lambda: rows.page(ada, cp, house.version.id),
        lambda: models.get(ada, cp, house.gguf.id),
        lambda: models.lineage(ada, cp, house.gguf.id),
        lambda: jobs.get(ada, cp, house.number("job")),
        lambda: deployments.get(ada, cp, house.deployment.id),
        lambda: deployments.deploy(ada, cp, "default", "new", house.gguf.id),
        lambda: jobs.submit(ada, cp, "default", "tune", inputs={"base": house.base.id, "dataset": house.version.id}),
    ]
    for number, use in enumerate(uses):
        with pytest.raises(InTrash):
            use()
            pytest.fail(str(number))


def test_a_name_is_free_while_its_thing_is_in_the_trash(house: House) -> None:
    first = house.version.dataset_id
    house.delete("dataset")
    second = house.fleet.dataset()
    assert second.dataset_id != first and versions.get_dataset(house.ada, house.cp, "default", "faults")[0].id != first
    with pytest.raises(NameTaken):
        house.restore("dataset", first)
    house.delete("dataset", second.dataset_id)
    assert house.restore("dataset", first).deleted_at == 0.0


def test_a_deployment_of_a_trashed_name_is_a_new_one(house: House) -> None:
    house.undeploy()
    new = deployments.deploy(house.ada, house.cp, "default", "faults", house.gguf.id)
    assert new.id != house.deployment.id
    with pytest.raises(NameTaken):
        house.restore("deployment")


def test_a_run_does_not_take_what_is_in_the_trash_for_its_result(house: House) -> None:
    inputs = {"base": house.base.id, "dataset": house.version.id}
    asked = asking.check(house.ada, house.cp, "default", "tune", inputs=inputs)
    assert asking.earlier(asked) is not None
    house.delete("job")
    assert asking.earlier(asked) is None
    house.restore("job")
    house.undeploy()
    house.delete("model", house.adapter.id)
    assert asking.earlier(asked) is None


# ---- who still needs it


def test_a_model_that_a_deployment_has_stays_and_says_of_which(house: House) -> None:
    describe(house.ada, house.cp, "deployment", house.deployment.id, title="Störungsdienst")
    with pytest.raises(ServedBy) as caught:
        house.delete("model")
    assert caught.value.params == {"name": house.gguf.name, "users": ["Störungsdienst"]}
    assert ModelRecord.get_by_id(house.gguf.id).deleted_at == 0.0 and entries("thing.delete") == []


@pytest.mark.parametrize("form", ["adapter", "reward"])
def test_what_an_addition_rests_on_stays_and_comes_back_first(house: House, form: str) -> None:
    ModelRecord.update(form=form).where(ModelRecord.id == house.adapter.id).execute()
    with pytest.raises(RestedOn) as caught:
        house.delete("model", house.base.id)
    assert caught.value.params["users"] == [house.adapter.name]
    house.delete("model", house.adapter.id)
    house.delete("model", house.base.id)
    with pytest.raises(NeedsTrashed):
        house.restore("model", house.adapter.id)


def test_what_an_open_job_reads_stays(house: House) -> None:
    job = jobs.submit(
        house.ada, house.cp, "default", "tune", inputs={"base": house.base.id, "dataset": house.version.id}
    )
    with pytest.raises(ReadByJobs) as caught:
        house.delete("dataset")
    assert caught.value.params["users"] == [f"#{job.id} {job.name}"]
    house.delete("model", house.adapter.id)
    with pytest.raises(ReadByJobs):
        house.delete("model", house.base.id)
    with pytest.raises(JobUnderWay):
        house.delete("job", job.id)
    with pytest.raises(ReadByJobs):
        house.delete("project")
    jobs.cancel(house.ada, house.cp, job.id)
    assert house.delete("dataset").deleted_at and house.delete("job", job.id).deleted_at


def test_of_many_users_five_are_named(house: House) -> None:
    for _ in range(7):
        jobs.submit(house.ada, house.cp, "default", "pack", inputs={"model": house.adapter.id})
    with pytest.raises(ReadByJobs) as caught:
        house.delete("model", house.adapter.id)
    users = caught.value.params["users"]
    assert isinstance(users, list) and len(users) == 6 and users[-1] == "+ 2"


def test_what_is_served_is_stopped_first(house: House) -> None:
    deployments.deploy(house.ada, house.cp, "default", "faults", house.gguf.id)
    for kind, problem in (("deployment", DeploymentWanted), ("project", ServedBy)):
        with pytest.raises(problem):
            house.delete(kind)


def test_what_an_open_run_is_made_of_stays(house: House) -> None:
    begun = {"train": {"job": house.adapter.job_id}, "deploy": {"deployment": house.deployment.id, "model": 1}}
    opened = house.workflow_run(begun=begun)
    for kind in ("dataset", "job", "deployment", "project"):
        with pytest.raises(RunUnderWay) as caught:
            house.delete(kind)
        assert caught.value.params["users"] == [f"#{opened.id} machine_faults"]
    WorkflowRunRecord.update(outcome="done").execute()
    with pytest.raises(ServedBy):
        house.delete("model")
    for kind in ("deployment", "model", "job", "dataset", "project"):
        house.delete(kind)


def test_what_an_open_sweep_tries_stays(house: House) -> None:
    sweep = house.sweep()
    JobRecord.update(sweep=sweep).where(JobRecord.id == house.adapter.job_id).execute()
    for kind in ("dataset", "job", "project"):
        with pytest.raises(SweepUnderWay) as caught:
            house.delete(kind)
        assert caught.value.params["users"] == [f"#{sweep.id} widths"]
    SweepRecord.update(outcome="done").execute()
    for kind in ("dataset", "job", "project"):
        house.delete(kind)


def test_a_deployment_comes_back_after_its_model(house: House) -> None:
    house.undeploy()
    house.delete("model")
    with pytest.raises(NeedsTrashed) as caught:
        house.restore("deployment")
    assert caught.value.params["other"] == house.gguf.name
    house.restore("model")
    assert house.restore("deployment").desired_state == "STOPPED"
    house.undeploy()
    house.delete("model")
    house.purge("model")
    with pytest.raises(NeedsPurged):
        house.restore("deployment")


def test_an_adapter_comes_back_after_its_base_and_a_package_needs_neither(house: House) -> None:
    house.delete("model", house.adapter.id)
    house.delete("model", house.base.id)
    with pytest.raises(NeedsTrashed):
        house.restore("model", house.adapter.id)
    assert deployments.deploy(house.ada, house.cp, "default", "faults", house.gguf.id).desired_state == "SERVING"


# ---- for good


def sweep(cp: ControlPlane) -> None:
    cp.clock.advance(2 * DAY)  # type: ignore[attr-defined]
    for _ in range(256):
        cp.clock.advance(garbage.PERIOD)  # type: ignore[attr-defined]
        garbage.collect(cp)


def test_a_purged_dataset_loses_its_rows_and_is_still_named(house: House) -> None:
    house.delete("dataset")
    describe(house.ada, house.cp, "model", house.adapter.id, title="Kept")
    DatasetVersionRecord.update(mapping={"parts": {}}, source={"name": "faults.xlsx"}).execute()
    house.purge("dataset")
    version = DatasetVersionRecord.get_by_id(house.version.id)
    assert not references.is_named(version.train_sha256)
    assert (version.facts, version.mapping, version.source) == ({}, {}, {})
    sweep(house.cp)
    assert not house.cp.blobs.has(version.train_sha256)
    lineage = models.lineage(house.ada, house.cp, house.adapter.id)
    assert lineage.dataset is not None and lineage.dataset.name == "faults" and lineage.dataset.purged_at
    with pytest.raises(NotFound):
        rows.page(house.ada, house.cp, house.version.id)
    for undo in (house.restore, house.purge):
        with pytest.raises(NotFound):
            undo("dataset")
    assert jobs.get(house.ada, house.cp, house.adapter.job_id).inputs["dataset"]["id"] == house.version.id


def test_a_purged_dataset_gives_its_words_back(house: House) -> None:
    describe(house.ada, house.cp, "dataset", house.number("dataset"), title="T", description="D", tags=["t"])
    house.delete("dataset")
    house.purge("dataset")
    gone = DatasetRecord.get_by_id(house.number("dataset"))
    assert (gone.title, gone.description, gone.tags, gone.label) == ("", "", [], "faults")


def test_a_purged_model_loses_its_files_alone(house: House) -> None:
    house.undeploy()
    mine = BlobReferenceRecord.owner_id == house.gguf.artifact_id, BlobReferenceRecord.owner_kind == "artifact"
    assert BlobReferenceRecord.select().where(*mine).count() == 2
    house.delete("model")
    house.purge("model")
    assert BlobReferenceRecord.select().where(*mine).count() == 0
    assert house.gguf.artifact_id not in [one.id for one in jobs.files(house.ada, house.cp, house.gguf.job_id)]
    kept = jobs.files(house.ada, house.cp, house.adapter.job_id)
    assert [references.is_named(file["sha256"]) for one in kept for file in one.files] == [True, True]
    assert models.lineage(house.ada, house.cp, house.adapter.id).packaged == []


def test_a_purged_job_loses_its_logs_and_leaves_its_model_whole(house: House, attempt: Any) -> None:
    done = house.adapter.job_id
    assert EventRecord.select().count() == 0
    number = house.fleet.attempt(done).id
    EventRecord.create(attempt=number, sequence=1, kind="message", time=1.0, body={})
    folder = house.cp.settings.data / "logs" / str(number)
    folder.mkdir(parents=True)
    (folder / "stdout.log").write_text("half a log")
    house.delete("job", done)
    assert [one.id for one in jobs.files(house.ada, house.cp, done)] == [house.adapter.artifact_id]
    house.purge("job", done)
    assert EventRecord.select().count() == 0 and not folder.exists()
    artifact = models.artifact_of(house.ada, house.cp, house.adapter)
    assert all(references.is_named(file["sha256"]) for file in artifact.files)
    data, size = jobs.read_file(house.ada, house.cp, done, artifact.id, "model.json", 0, 1 << 20)
    assert len(data) == size > 0
    assert models.lineage(house.ada, house.cp, house.adapter.id).job.id == done


def test_an_evaluation_hangs_together_with_its_job(house: House) -> None:
    inputs = {"candidate": house.adapter.id, "baseline": house.base.id, "dataset": house.version.id}
    job = run(
        house.fleet, house.machine, "score", {"evaluation": {"evaluation.json": json.dumps(SCORES).encode()}}, **inputs
    )
    number = results.evaluations_of([job.id])[job.id]
    rows = evaluations.get(house.ada, house.cp, number).rows_sha256
    assert len(models.lineage(house.ada, house.cp, house.adapter.id).evaluations) == 1
    house.delete("job", job.id)
    assert evaluations.count(house.ada, house.cp, "default") == 0
    assert evaluations.list_evaluations(house.ada, house.cp, "default") == []
    assert models.lineage(house.ada, house.cp, house.adapter.id).evaluations == []
    with pytest.raises(InTrash) as caught:
        evaluations.get(house.ada, house.cp, number)
    assert caught.value.params["kind"] == "job"
    house.restore("job", job.id)
    assert evaluations.get(house.ada, house.cp, number).row_count == 1
    house.delete("job", job.id)
    house.purge("job", job.id)
    assert not references.is_named(rows)
    with pytest.raises(NotFound):
        evaluations.get(house.ada, house.cp, number)


def test_an_ended_run_names_no_results_that_are_gone(house: House) -> None:
    step = Step(name="deploy", kind=DEPLOY, title="faults", outputs={"deployment": "deployment"})
    begun = {"deploy": {"deployment": house.deployment.id, "model": house.gguf.id}}
    ended = house.workflow_run(begun=begun, outcome="done")
    WorkflowRunRecord.update(graph=as_data((step,))).execute()
    ended = WorkflowRunRecord.get_by_id(ended.id)
    assert workflow_steps.facts_of([ended])[ended.id]["deploy"].made == {"deployment": house.deployment.id}
    house.delete("deployment")
    assert workflow_steps.facts_of([ended])[ended.id]["deploy"].made == {}


def test_a_purged_project_takes_all_that_is_in_it(house: House) -> None:
    user = UserRecord.create(name="ada", created_at=house.cp.clock())
    MemberRecord.create(project=house.fleet.project, user=user, role=OWNER.name)
    house.delete("project")
    with pytest.raises(InTrash):
        projects.get(house.ada, house.cp, "default")
    assert projects.list_projects(house.ada, house.cp) == []
    with pytest.raises(InTrash):
        house.delete("dataset")
    assert [one.thing.name for one in trash.list_trash(house.ada, house.cp)] == ["default"]
    house.purge("project")
    with pytest.raises(NotFound):
        projects.get(house.ada, house.cp, "default")
    for record in (DatasetRecord, ModelRecord, JobRecord, DeploymentRecord, RewardRecord, ProjectRecord):
        assert all(one.purged_at and one.deleted_at for one in record.select()), record
    assert MemberRecord.select().count() == 0
    assert not references.is_named(house.version.train_sha256)
    assert projects.create(SYSTEM, house.cp, "default", "").id != house.fleet.project.id
    assert {entry.details.get("count") for entry in entries("thing.purge")} == {12}


def test_a_project_is_purged_in_steps_and_one_that_broke_off_is_ended(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash, "_AT_ONCE", 2)
    steps, content_of = [], purging.content_of

    def take(cp: ControlPlane, thing: Any) -> Any:
        if len(steps) == 3:
            raise OSError("the power fails")
        steps.append(thing)
        return content_of(cp, thing)

    house.delete("project")
    monkeypatch.setattr(purging, "content_of", take)
    with pytest.raises(OSError, match="power"):
        house.purge("project")
    purged = [one for record in THINGS for one in record.select().where(record.purged_at > 0)]
    assert len(purged) == 2  # the third was of a step that was not ended
    (entry,) = entries("thing.purge")
    assert entry.details["count"] == 12
    with pytest.raises(NotFound):  # it is gone for everybody at once
        house.restore("project")
    with pytest.raises(NotFound):
        jobs.get(ROOT, house.cp, house.number("job"))
    monkeypatch.setattr(purging, "content_of", content_of)
    cp = replace(house.cp, settings=replace(house.cp.settings, trash_days=0))
    trash.purge_old(cp)
    assert not any(record.select().where(record.purged_at == 0).exists() for record in THINGS)
    assert not references.is_named(house.version.train_sha256)


def test_what_is_old_goes_by_itself_and_what_is_not_stays(house: House) -> None:
    cp = house.cp
    house.undeploy()
    cp.clock.advance(DAY)  # type: ignore[attr-defined]
    house.delete("model")
    assert trash.purge_old(cp) == 0
    cp.clock.advance(29 * DAY - 1)  # type: ignore[attr-defined]
    assert trash.purge_old(cp) == 0
    cp.clock.advance(1)  # type: ignore[attr-defined]
    assert trash.purge_old(cp) == 1 and trash.purge_old(cp) == 0
    assert DeploymentRecord.get().purged_at and not ModelRecord.get_by_id(house.gguf.id).purged_at
    (entry,) = entries("thing.purge")
    assert (entry.actor_kind, entry.details) == ("system", {"name": "faults", "count": 1})
    cp.clock.advance(DAY)  # type: ignore[attr-defined]
    assert trash.purge_old(cp) == 1 and ModelRecord.get_by_id(house.gguf.id).purged_at


def test_what_is_in_a_trashed_project_goes_with_it(house: House) -> None:
    house.undeploy()
    house.cp.clock.advance(20 * DAY)  # type: ignore[attr-defined]
    house.delete("project")
    house.cp.clock.advance(20 * DAY)  # type: ignore[attr-defined]
    assert trash.purge_old(house.cp) == 0 and not DeploymentRecord.get().purged_at
    house.cp.clock.advance(10 * DAY)  # type: ignore[attr-defined]
    assert trash.purge_old(house.cp) == 1 and DeploymentRecord.get().purged_at


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have something done right after a function has looked, before its caller's transaction begins."""

    def do(module: Any, name: str, act: Callable[[], object]) -> None:
        looked = getattr(module, name)

        def look(*given: Any) -> Any:
            found = looked(*given)
            act()
            return found

        monkeypatch.setattr(module, name, look)

    return do


@pytest.mark.parametrize("kind", ["dataset", "model", "project"])
def test_a_job_does_not_begin_with_what_was_deleted_meanwhile(
    house: House, meanwhile: Callable[..., None], kind: str
) -> None:
    other = house.made("bring", "base")
    before = JobRecord.select().count()
    number = other.id if kind == "model" else house.number(kind)
    meanwhile(asking, "check", lambda: house.delete(kind, number))
    with pytest.raises(InTrash) as refused:
        given = {"base": other.id, "dataset": house.version.id}
        jobs.submit(house.ada, house.cp, "default", "tune", inputs=given)
    assert refused.value.params["kind"] == kind
    assert JobRecord.select().count() == before


def test_a_job_does_not_begin_with_a_method_that_was_deleted_meanwhile(
    house: House, meanwhile: Callable[..., None]
) -> None:
    method = methods.get(house.ada, house.cp, "bring")
    before = JobRecord.select().count()
    meanwhile(asking, "check", lambda: authoring.delete(ROOT, house.cp, method.id))
    with pytest.raises(MethodUnknown):
        jobs.submit(house.ada, house.cp, "default", "bring")
    assert JobRecord.select().count() == before
    asked_for = jobs.submit(house.ada, house.cp, "default", methods.pinned(methods.of_version(method.id)))
    assert asked_for.method_version_id == method.id  # whoever names the very version gets it still


def test_nothing_is_deployed_that_was_deleted_meanwhile(house: House, meanwhile: Callable[..., None]) -> None:
    house.undeploy()
    meanwhile(models, "get", lambda: house.delete("model"))
    with pytest.raises(InTrash):
        deployments.deploy(house.ada, house.cp, "default", "faults", house.gguf.id)
    assert not DeploymentRecord.select().where(kinds.is_kept(DeploymentRecord)).exists()


def test_nothing_of_a_trashed_project_is_there_by_its_number(house: House) -> None:
    evaluation = EvaluationRecord.create(
        project=house.fleet.project, job=house.adapter.job_id, dataset_version=house.version, candidate=house.adapter,
        primary_metric="m", verdict="unpaired", scores=[], created_at=0,
    )  # fmt: skip
    sweep = house.sweep(outcome="done")
    ended = house.workflow_run(outcome="done")
    reads: dict[str, Callable[[Actor], object]] = {
        "job": lambda actor: jobs.get(actor, house.cp, house.number("job")),
        "job that a model names": lambda actor: jobs.named(actor, house.cp, house.number("job")),
        "model": lambda actor: models.get(actor, house.cp, house.gguf.id),
        "files": lambda actor: jobs.files(actor, house.cp, house.number("job")),
        "deployment": lambda actor: deployments.get(actor, house.cp, house.deployment.id),
        "evaluation": lambda actor: evaluations.get(actor, house.cp, evaluation.id),
        "dataset": lambda actor: versions.get_version(actor, house.cp, house.version.id),
        "sweep": lambda actor: runs.get(actor, house.cp, sweep.id),
        "workflow run": lambda actor: workflow_runs.get(actor, house.cp, ended.id),
    }
    for read in reads.values():
        read(house.ada)
    house.delete("project")
    for name, read in reads.items():
        with pytest.raises(InTrash) as refused:
            read(house.ada)
        assert (refused.value.params["kind"], refused.value.params["name"]) == ("project", "Default"), name
        with pytest.raises(NotFound):
            read(STRANGER)


def test_a_workflow_deleted_for_good_says_nothing_any_more(house: House) -> None:
    house.delete("workflow")
    with pytest.raises(InTrash):
        kept.get(house.ada, house.cp, house.workflow.id)
    assert kept.list_workflows(house.ada, house.cp, "default") == []
    other = kept.save(house.ada, house.cp, "default", WORKFLOW)[0].workflow  # its name is free
    with pytest.raises(NameTaken):
        house.restore("workflow")
    house.purge("workflow")
    said = {one.workflow_id: one.text for one in WorkflowVersionRecord.select()}
    assert said == {house.workflow.id: "", other.id: WORKFLOW}


# ---- who may


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_only_who_may_change_a_thing_deletes_it_and_only_administrators_for_good(house: House, kind: str) -> None:
    number, cp = house.number(kind), house.cp
    viewer = Actor(kind="user", id="4", name="vic", roles={house.fleet.project.id: VIEWER})
    if kind == "model":
        house.undeploy()
    for actor, problem in ((viewer, Denied), (STRANGER, NotFound)):
        for act in (describe, trash.delete):
            with pytest.raises(problem):
                act(actor, cp, kind, number)
    house.delete(kind)
    for actor, problem in ((viewer, Denied), (STRANGER, NotFound)):
        with pytest.raises(problem):
            trash.restore(actor, cp, kind, number)
    for actor, problem in ((house.ada, Denied), (viewer, Denied), (STRANGER, NotFound)):
        with pytest.raises(problem):
            trash.purge(actor, cp, kind, number)
    assert not entries("thing.purge")


def test_the_trash_shows_what_its_reader_may_see(house: House) -> None:
    UserRecord.create(name="ada", created_at=house.cp.clock())
    house.delete("deployment")
    house.cp.clock.advance(1)  # type: ignore[attr-defined]
    house.delete("dataset")
    listed = trash.list_trash(house.ada, house.cp, "default")
    assert [(one.kind, one.thing.name, one.deleted_by) for one in listed] == [
        ("dataset", "faults", "ada"),
        ("deployment", "faults", "ada"),
    ]
    assert listed[0].until == house.cp.clock() + 30 * DAY
    with pytest.raises(NotFound):
        trash.list_trash(STRANGER, house.cp, "default")
    assert trash.list_trash(house.ada, house.cp) == []
    house.delete("project")
    assert trash.list_trash(STRANGER, house.cp) == []


@pytest.mark.parametrize("number", [0, -1, 2**63, -(2**64)])
def test_what_does_not_exist_is_not_found(house: House, number: int) -> None:
    for kind in kinds.KINDS:
        with pytest.raises(NotFound):
            trash.delete(ROOT, house.cp, kind, number)
    with pytest.raises(FieldInvalid):
        trash.delete(ROOT, house.cp, "machine", number)


def test_logs_of_a_trashed_job_are_not_read(house: House) -> None:
    house.delete("job")
    with pytest.raises(InTrash):
        jobs.read_log(house.ada, house.cp, house.number("job"), "stdout", 0, 10)
    assert logs.read(house.cp, house.fleet.attempt(house.number("job")).id, "stdout", 0, 1) == (b"", 0)


def test_a_prompt_deleted_for_good_says_nothing_any_more(house: House) -> None:
    house.delete("prompt")
    with pytest.raises(InTrash):
        prompts.get(house.ada, house.cp, house.prompt.id)
    assert prompts.list_prompts(house.ada, house.cp, "default") == []
    other = prompts.save(house.ada, house.cp, "default", "short", Prompt("Be very short."))[0].prompt
    house.purge("prompt")
    said = {one.prompt_id: one.content for one in PromptVersionRecord.select()}
    assert said == {house.prompt.id: {}, other.id: {"system": "Be very short."}}
