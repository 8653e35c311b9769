"""Saving a run as a case, and what is done with it then: shared, exported, imported elsewhere, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from peewee import IntegrityError

from control_plane.context import ControlPlane
from control_plane.domain import names
from control_plane.domain.cases import archive, written
from control_plane.domain.cases.archive import LARGEST_DATA, TEST, TRAIN
from control_plane.domain.errors import CaseDataUnnamed, CaseNameTaken, CaseRunUnfinished, CaseShipped, CaseTooLarge
from control_plane.domain.graph import DONE
from control_plane.domain.permissions import Actor, require
from control_plane.domain.rows import FORMATS
from control_plane.services import audit, cases, evaluations, references
from control_plane.services.access import projects
from control_plane.services.cases import Case
from control_plane.services.datasets import versions
from control_plane.services.workflows import planning, runs, sources
from control_plane.services.workflows.sources import Source
from control_plane.store.cases import CaseNoteRecord, CaseRecord
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.projects import ProjectRecord

_LONGEST = 56  # characters of a name, before a number


@dataclass(frozen=True)
class Story:
    """What a person says of the case, in one language."""

    language: str
    title: str
    field: str  # biotechnology, maintenance …
    task: str  # domain/plans.py::TASKS
    problem: str
    need: str = ""
    result: str = ""


def save(actor: Actor, cp: ControlPlane, run_id: int, story: Story, with_data: bool, shared: bool) -> CaseRecord:
    """A run that ended well, as a case: its steps, what it measured, and its data or only their shape.

    Raises NotFound, Denied, CaseRunUnfinished, CasePlanFaulty, CaseTooLarge, CaseNameTaken; WorkflowInvalid for a run
    whose steps need parameters or a matrix, which a case has not.
    """
    run = runs.get(actor, cp, run_id, "case.change")
    if run.outcome != DONE or run.dataset_version_id is None:
        raise CaseRunUnfinished
    progress = runs.progress(actor, cp, run_id)
    dataset, version = versions.of_version(actor, cp, run.dataset_version_id)
    plan = written.checked(
        {
            "domain": names.of_title(story.field),
            "domain_display": {story.language: story.field} if story.field else {},
            "task": story.task,
            "minutes": round((run.ended_at - run.created_at) / 60, 1),
            "display": {story.language: story.title},
            "story": {
                key: {story.language: text}
                for key in ("problem", "need", "result")
                if (text := str(getattr(story, key)).strip())
            },
            "measured": _measured(actor, cp, progress.first("evaluation")),
            "dataset": _shape(dataset.name, version, with_data),
            "steps": [_as_written(step) for step in run.spec.get("steps", [])],
        }
    )
    planning.build(actor, cp, Source(sources.of_case(Case("saved", plan))), {})
    files = _data(cp, version) if with_data else {}
    archive.packed(plan, files)  # what cannot be exported is not saved
    project: ProjectRecord = ProjectRecord.get_by_id(run.project_id)
    return _keep(actor, cp, project, plan, files, shared, "case.save")


def share(actor: Actor, cp: ControlPlane, name: str, shared: bool) -> CaseRecord:
    """Show a saved case in every project, or in its own alone. Raises NotFound, Denied, CaseShipped."""
    case = _own(actor, cp, name)
    with transaction():
        changed = CaseRecord.update(shared=shared).where(CaseRecord.id == case.id, CaseRecord.shared != shared)
        if changed.execute():
            audit.record(actor, cp, "case.share", f"case:{name}", case.project_id, shared=shared)
    return CaseRecord.get_by_id(case.id)


def delete(actor: Actor, cp: ControlPlane, name: str) -> None:
    """Delete a saved case, its data and what was said of it; its runs stay. Raises NotFound, Denied, CaseShipped."""
    case = _own(actor, cp, name)
    with transaction():
        references.drop(references.CASE, [case.id])
        CaseNoteRecord.delete().where(CaseNoteRecord.case == name).execute()
        CaseRecord.delete().where(CaseRecord.id == case.id).execute()
        audit.record(actor, cp, "case.delete", f"case:{name}", case.project_id)


def export(actor: Actor, cp: ControlPlane, name: str) -> bytes:
    """A case, a shipped one too, as one archive. Raises NotFound, Denied, CaseTooLarge."""
    case = cases.get(actor, cp, name)
    dataset = case.plan["dataset"]
    files = {
        kept: cases.read_file(actor, cp, name, dataset[part])
        for part, kept in (("train", TRAIN), ("test", TEST))
        if dataset.get(part)
    }
    plan = {key: value for key, value in case.plan.items() if key not in ("name", "playground")}
    plan["dataset"] = dict(dataset) | {part: kept for part, kept in (("train", TRAIN), ("test", TEST)) if kept in files}
    return archive.packed(plan, files)


def bring(actor: Actor, cp: ControlPlane, project: str, data: bytes, shared: bool = False) -> CaseRecord:
    """A case from an archive, into a project. Nothing of it is kept before all of it is checked.

    Raises NotFound, Denied, CaseArchiveUnreadable, CaseFileRefused, CaseTooLarge, CasePlanFaulty, CaseDataUnnamed,
    CaseNameTaken, and what building its graph raises: MethodUnknown, WorkflowInvalid, GraphInvalid …
    """
    place = projects.get(actor, cp, project, "case.change")
    source, files = archive.unpacked(data)
    plan = written.checked(source)
    named = {kept for part, kept in (("train", TRAIN), ("test", TEST)) if plan["dataset"][part]}
    if named != set(files):
        raise CaseDataUnnamed
    planning.build(actor, cp, Source(sources.of_case(Case("imported", plan))), {})
    return _keep(actor, cp, place, plan, files, shared, "case.import")


def _keep(
    actor: Actor,
    cp: ControlPlane,
    place: ProjectRecord,
    plan: Mapping[str, Any],
    files: Mapping[str, bytes],
    shared: bool,
    action: str,
) -> CaseRecord:
    name = _free_name(actor, cp, next(iter(plan["display"].values())))
    with cp.blobs.holding():
        kept = {part: cp.blobs.put_bytes(content) for part, content in files.items()}
        try:
            with transaction():
                case = CaseRecord.create(
                    project=place,
                    name=name,
                    plan=dict(plan),
                    train_sha256=kept.get(TRAIN, ""),
                    test_sha256=kept.get(TEST, ""),
                    shared=shared,
                    created_by=actor.name,
                    created_at=cp.clock(),
                )
                references.add(cp, references.CASE, case.id, kept.values())
                audit.record(actor, cp, action, f"case:{name}", place.id, shared=shared, data=bool(files))
        except IntegrityError as problem:
            raise CaseNameTaken(name=name) from problem
    return case


def _free_name(actor: Actor, cp: ControlPlane, title: str) -> str:
    """The name that a title gives; with a number where somebody has it whose case the actor cannot see.

    Raises CaseNameTaken where the actor can see the case that has it.
    """
    name = names.of_title(title)[:_LONGEST].rstrip("-._") or f"case-{int(cp.clock())}"  # a title without a Latin letter
    if name in {case.name for case in cases.list_cases(actor, cp)}:
        raise CaseNameTaken(name=name)
    taken = {str(one.name) for one in CaseRecord.select(CaseRecord.name).where(CaseRecord.name.startswith(name))}
    return next(one for one in (name, *(f"{name}-{number}" for number in range(2, 10**6))) if one not in taken)


def _own(actor: Actor, cp: ControlPlane, name: str) -> CaseRecord:
    """A saved case that the actor may change."""
    case = cases.get(actor, cp, name)
    if case.record is None:
        raise CaseShipped(name=name)
    require(actor, "case.change", case.record.project_id)
    return case.record


def _as_written(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of a run's spec as a case has it: its data is what the case is run on."""
    return {key: value for key, value in step.items() if key != "dataset"}


def _shape(name: str, version: DatasetVersionRecord, with_data: bool) -> dict[str, Any]:
    files = {"train": TRAIN, "test": TEST if version.test_sha256 else ""} if with_data else {}
    return {
        "name": name,
        "format": version.format,
        "columns": list(FORMATS[version.format]),
        "rows": version.train_rows,
        "test_rows": version.test_rows,
        **files,
    }


def _data(cp: ControlPlane, version: DatasetVersionRecord) -> dict[str, bytes]:
    parts = {TRAIN: version.train_sha256, TEST: version.test_sha256}
    if sum(cp.blobs.size(sha256) for sha256 in parts.values() if sha256) > LARGEST_DATA:
        raise CaseTooLarge(limit=LARGEST_DATA)
    return {name: cp.blobs.path(sha256).read_bytes() for name, sha256 in parts.items() if sha256}


def _measured(actor: Actor, cp: ControlPlane, evaluation_id: int) -> dict[str, Any]:
    """What the run's evaluation found before and after; nothing where there was nothing to compare with."""
    if not evaluation_id:
        return {}
    evaluation: EvaluationRecord = evaluations.get(actor, cp, evaluation_id)
    tables: dict[str, dict[str, list[float]]] = {"baseline": {}, "candidate": {}}
    for score in evaluation.scores:
        values = [score["value"], score["low"], score["high"]]
        if score["candidate"] in tables and all(0 <= value <= 1 for value in values):
            tables[score["candidate"]][score["metric"]] = values
    both = sorted(set(tables["baseline"]) & set(tables["candidate"]))
    if not both:
        return {}
    return {
        "date": datetime.fromtimestamp(evaluation.created_at, UTC).date().isoformat(),
        "machine": "",
        "minutes": 0,
        "rows": evaluation.row_count,
        "base": {metric: tables["baseline"][metric] for metric in both},
        "tuned": {metric: tables["candidate"][metric] for metric in both},
    }
