"""A run becomes a case that others find, run, export, import, rate and lose; who may, and what is refused."""

from __future__ import annotations

import io
import json
from typing import Any
from zipfile import ZipFile

import case_support
import pytest
import rooms

from control_plane.context import ControlPlane
from control_plane.domain import errors
from control_plane.domain.cases import archive
from control_plane.domain.permissions import EXPERT, SYSTEM, VIEWER, Actor
from control_plane.services import cases, garbage, methods, references
from control_plane.services.access import people, projects
from control_plane.services.case_library import notes, saving
from control_plane.services.case_library.saving import Story
from control_plane.services.datasets import json_lines
from control_plane.services.things import purging
from control_plane.services.workflows import planning, runs, sources
from control_plane.services.workflows.sources import Source, Wanted
from control_plane.store.audit import AuditRecord
from control_plane.store.cases import CaseNoteRecord, CaseRecord
from control_plane.store.database import transaction
from control_plane.store.jobs import JobRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord

STORY = Story("de", "Störungen an Pumpen", "Wasserwerk", "extraction", "Zu viele Meldungen.", result="Einträge.")
NAME = "stoerungen-an-pumpen"


@pytest.fixture
def room(cp: ControlPlane) -> rooms.Rooms:
    people.invite(SYSTEM, cp, "ada", "Ada", administrator=True)  # in whose name a run goes on
    methods.register_shipped(cp)
    return rooms.empty(cp)


def person(cp: ControlPlane, name: str, project: str, role: Any = EXPERT) -> Actor:
    """Somebody with a role in a project, which is made if there is none."""
    place = ProjectRecord.get_or_none(ProjectRecord.name == project) or projects.create(SYSTEM, cp, project, "")
    people.invite(SYSTEM, cp, name, name.title(), administrator=False)
    return Actor("user", str(UserRecord.get(UserRecord.name == name).id), name, roles={int(place.id): role})


def graph(room: rooms.Rooms, name: str) -> object:
    """The steps of a case as they would be carried out."""
    spec = sources.of_case(cases.get(room.actor, room.cp, name))
    return planning.build(room.actor, room.cp, Source(spec), {}).graph


def changed(packed: bytes, **more: object) -> bytes:
    """An exported case with something else in its plan."""
    plan, files = archive.unpacked(packed)
    return archive.packed(plan | more, files)


@pytest.mark.parametrize("with_data", [True, False])
def test_a_run_becomes_a_case_that_runs_again(room: rooms.Rooms, cp: ControlPlane, with_data: bool) -> None:
    run = case_support.finished_run(room)
    saving.save(room.actor, cp, run.id, STORY, with_data, shared=False)
    case = cases.get(room.actor, cp, NAME)
    plan = sources.plan_of(case, "en")
    assert (plan.title, plan.field, plan.story["result"]) == (STORY.title, STORY.field, STORY.result)
    assert plan.measured is not None and plan.measured.scores
    assert (plan.dataset.rows, plan.dataset.test_rows) == (300, 64)
    assert plan.dataset.columns == ["prompt", "completion"]
    assert graph(room, NAME) == graph(room, rooms.CASE)
    if with_data:
        kept = [cases.read_file(room.actor, cp, NAME, part) for part in ("train.jsonl", "test.jsonl")]
        assert [len(one.splitlines()) for one in kept] == [300, 64]
    else:
        assert plan.dataset.train == ""
        with pytest.raises(errors.NotFound):
            cases.read_file(room.actor, cp, NAME, "train.jsonl")
    own, _ = json_lines.upload(room.actor, cp, "lab", "mine", io.BytesIO(rooms.rows(20)), None)
    before = JobRecord.select().count()
    again = runs.start(room.actor, cp, "lab", Wanted(case=NAME, dataset_version_id=own.id))
    assert again.case == NAME and JobRecord.select().count() == before + 1  # the base is there: it begins with training


def test_a_run_that_goes_on_is_no_case(room: rooms.Rooms, cp: ControlPlane) -> None:
    run = case_support.begun_run(room)
    with pytest.raises(errors.CaseRunUnfinished):
        saving.save(room.actor, cp, run.id, STORY, with_data=True, shared=True)
    assert not CaseRecord.select().exists()


@pytest.mark.parametrize(
    ("story", "error"),
    [
        (Story("de", "", "f", "other", "p"), errors.CasePlanFaulty),
        (Story("fr", "t", "f", "other", "p"), errors.CasePlanFaulty),
        (Story("en", "x" * 161, "f", "other", "p"), errors.CasePlanFaulty),
        (Story("en", "machine_faults", "f", "other", "p"), errors.CaseNameTaken),
    ],
)
def test_a_story_that_does_not_fit_keeps_nothing(
    room: rooms.Rooms, cp: ControlPlane, story: Story, error: type[Exception]
) -> None:
    run = case_support.finished_run(room)
    with pytest.raises(error):
        saving.save(room.actor, cp, run.id, story, with_data=True, shared=False)
    assert not CaseRecord.select().exists()
    assert not AuditRecord.select().where(AuditRecord.action == "case.save").exists()


def test_who_sees_and_changes_a_case(room: rooms.Rooms, cp: ControlPlane) -> None:
    run = case_support.finished_run(room)
    vic, eve = person(cp, "vic", "lab", VIEWER), person(cp, "eve", "other")
    with pytest.raises(errors.Denied):
        saving.save(vic, cp, run.id, STORY, with_data=False, shared=False)
    with pytest.raises(errors.NotFound):
        saving.save(eve, cp, run.id, STORY, with_data=False, shared=False)
    saving.save(room.actor, cp, run.id, STORY, with_data=True, shared=False)
    assert NAME in {case.name for case in cases.list_cases(vic, cp)}
    assert NAME not in {case.name for case in cases.list_cases(eve, cp)}
    for call in (saving.export, saving.delete, notes.of_case):
        with pytest.raises(errors.NotFound):
            call(eve, cp, NAME)
    with pytest.raises(errors.Denied):
        saving.share(vic, cp, NAME, shared=True)
    saving.share(room.actor, cp, NAME, shared=True)
    assert NAME in {case.name for case in cases.list_cases(eve, cp)}
    assert cases.projects_of(eve, cases.list_cases(eve, cp)) == {}  # where it was saved is not hers to know
    for change in (lambda: saving.share(eve, cp, NAME, shared=False), lambda: saving.delete(eve, cp, NAME)):
        with pytest.raises((errors.Denied, errors.NotFound)):
            change()
    assert CaseRecord.get().shared


def test_a_shipped_case_stays_as_it_came(room: rooms.Rooms, cp: ControlPlane) -> None:
    with pytest.raises(errors.CaseShipped):
        saving.delete(room.actor, cp, rooms.CASE)
    with pytest.raises(errors.CaseShipped):
        saving.share(room.actor, cp, rooms.CASE, shared=True)


def test_a_case_goes_out_and_comes_in_elsewhere(room: rooms.Rooms, cp: ControlPlane) -> None:
    run = case_support.finished_run(room)
    saving.save(room.actor, cp, run.id, STORY, with_data=True, shared=True)
    packed = saving.export(room.actor, cp, NAME)
    assert set(ZipFile(io.BytesIO(packed)).namelist()) == {"case.json", "train.jsonl", "test.jsonl"}
    with pytest.raises(errors.CaseNameTaken):
        saving.bring(room.actor, cp, "lab", packed)
    eve = person(cp, "eve", "other")
    with pytest.raises(errors.NotFound):
        saving.bring(eve, cp, "lab", packed)
    made = saving.bring(eve, cp, "other", changed(packed, display={"en": "Pumps"}))
    assert (made.name, made.shared) == ("pumps", False)
    assert cases.read_file(eve, cp, "pumps", "train.jsonl") == cases.read_file(eve, cp, NAME, "train.jsonl")
    assert saving.export(eve, cp, "pumps") == changed(packed, display={"en": "Pumps"})


def test_a_shipped_case_goes_out_too(room: rooms.Rooms, cp: ControlPlane) -> None:
    packed = saving.export(room.actor, cp, rooms.CASE)
    made = saving.bring(room.actor, cp, "lab", changed(packed, display={"zh": "机器故障"}))
    assert made.name.startswith("case-")  # no Latin letter in its title
    assert set(made.plan["display"]) == {"zh"}
    assert graph(room, made.name) == graph(room, rooms.CASE)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"steps": [{"name": "x", "method": "no_such_method"}]}, errors.MethodUnknown),
        ({"steps": [{"name": "data", "kind": "data"}]}, errors.Invalid),
        ({"steps": [{"name": "x", "method": "sft_demo", "parameters": {"nope": 1}}]}, errors.Invalid),
        ({"steps": [{"name": "x", "method": "sft_demo", "gates": "?"}]}, errors.Invalid),
        ({"dataset": {"name": "a", "format": "text", "train": ""}}, errors.CaseDataUnnamed),
    ],
)
def test_what_cannot_run_here_is_said_and_not_kept(
    room: rooms.Rooms, cp: ControlPlane, more: dict[str, Any], error: type[Exception]
) -> None:
    packed = saving.export(room.actor, cp, rooms.CASE)
    with pytest.raises(error):
        saving.bring(room.actor, cp, "lab", changed(packed, display={"en": "Mine"}, **more))
    assert not CaseRecord.select().exists()
    assert not AuditRecord.select().where(AuditRecord.action == "case.import").exists()


def test_colleagues_rate_a_case_once_each(room: rooms.Rooms, cp: ControlPlane) -> None:
    eve = person(cp, "eve", "other")
    notes.write(room.actor, cp, rooms.CASE, 5, "Good <b>start</b>")
    notes.write(eve, cp, rooms.CASE, 1)
    notes.write(eve, cp, rooms.CASE, 2, " better now ")
    assert notes.ratings([rooms.CASE, "assay_notes"]) == {rooms.CASE: notes.Rating(3.5, 2)}
    assert {(one.user, one.rating, one.text) for one in notes.of_case(eve, cp, rooms.CASE)} == {
        (room.actor.name, 5, "Good <b>start</b>"), ("eve", 2, "better now"),
    }  # fmt: skip
    for rating, text in ((0, ""), (6, ""), (3, "x" * 4001), (3, "a\x00b")):
        with pytest.raises(errors.FieldInvalid):
            notes.write(eve, cp, rooms.CASE, rating, text)
    with pytest.raises(errors.NotFound):
        notes.write(eve, cp, "nowhere", 3)
    with pytest.raises(errors.Denied):
        notes.write(SYSTEM, cp, rooms.CASE, 3)


def test_a_deleted_case_leaves_nothing_but_its_runs(room: rooms.Rooms, cp: ControlPlane) -> None:
    run = case_support.finished_run(room)
    saving.save(room.actor, cp, run.id, STORY, with_data=True, shared=True)
    own = saving.bring(room.actor, cp, "lab", _with_own_rows(saving.export(room.actor, cp, NAME)))
    notes.write(room.actor, cp, own.name, 4, "mine")
    sha256 = own.train_sha256
    assert references.unnamed([sha256]) == []
    saving.delete(room.actor, cp, own.name)
    assert references.unnamed([sha256]) == [sha256]
    assert not CaseNoteRecord.select().exists()
    with pytest.raises(errors.NotFound):
        cases.get(room.actor, cp, own.name)
    assert references.unnamed([CaseRecord.get().train_sha256]) == []  # the other case's, and the dataset's
    told = [str(one.action) for one in AuditRecord.select().where(AuditRecord.action.startswith("case."))]
    assert sorted(told) == ["case.delete", "case.import", "case.rate", "case.save"]
    assert garbage.collect(cp) >= 0


def _with_own_rows(packed: bytes) -> bytes:
    plan, files = archive.unpacked(packed)
    files["train.jsonl"] = json.dumps({"prompt": "only here", "completion": "x"}).encode() + b"\n"
    return archive.packed(plan | {"display": {"en": "Own rows"}}, files)


def test_a_name_tells_nothing_of_a_case_that_one_cannot_see(room: rooms.Rooms, cp: ControlPlane) -> None:
    run = case_support.finished_run(room)
    saving.save(room.actor, cp, run.id, STORY, with_data=False, shared=False)
    made = saving.bring(person(cp, "eve", "other"), cp, "other", saving.export(room.actor, cp, NAME))
    assert made.name == f"{NAME}-2"


def test_what_was_saved_goes_with_its_project(room: rooms.Rooms, cp: ControlPlane) -> None:
    made = saving.bring(room.actor, cp, "lab", _with_own_rows(saving.export(room.actor, cp, rooms.CASE)), shared=True)
    eve = person(cp, "eve", "other")
    notes.write(eve, cp, made.name, 4, "useful")
    project = ProjectRecord.get(ProjectRecord.name == "lab")
    ProjectRecord.update(deleted_at=1.0).where(ProjectRecord.id == project.id).execute()
    assert made.name not in {case.name for case in cases.list_cases(eve, cp)}  # it lies in the trash
    with transaction():
        purging.project_itself(cp, ProjectRecord.get_by_id(project.id))
    assert not CaseRecord.select().exists() and not CaseNoteRecord.select().exists()
    assert references.unnamed([made.train_sha256]) == [made.train_sha256]
