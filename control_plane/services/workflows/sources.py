"""What a run can be begun from: a case, a version of a workflow that was kept, or the text of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import CaseWithoutData, FieldInvalid, NotFound
from control_plane.domain.permissions import Actor
from control_plane.domain.plans import Plan, parse
from control_plane.domain.workflows import reading
from control_plane.domain.workflows.spec import Lines, Spec
from control_plane.services import cases
from control_plane.services.cases import Case
from control_plane.services.datasets import json_lines, versions
from control_plane.services.workflows import kept, texts
from control_plane.store.workflows import WorkflowVersionRecord

CASE_DATA = "data"  # the parameter of a case's workflow that chooses its dataset


@dataclass(frozen=True)
class Wanted:
    """What is to be run, of which one is named: a case, a kept workflow (`name` or `name@3`) or a text."""

    case: str = ""
    workflow: str = ""
    text: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)  # parameters of the run
    dataset_version_id: int = 0  # for the first data step, whatever it says; 0: what it says
    fresh: bool = False  # use nothing again that was made before
    idempotency_key: str = ""


@dataclass(frozen=True)
class Source:
    """A spec, and where it comes from."""

    spec: Spec
    version: WorkflowVersionRecord | None = None
    case: str = ""  # one that is installed here
    line: Lines = lambda path: 0  # where in its text something stands


def find(actor: Actor, cp: ControlPlane, project: str, wanted: Wanted) -> Source:
    """Raises FieldInvalid, WorkflowInvalid, NotFound, Denied."""
    if sum(map(bool, (wanted.case, wanted.workflow, wanted.text))) != 1:
        raise FieldInvalid(field="workflow", problem="case | workflow | spec")
    if wanted.case:
        case = cases.get(actor, cp, wanted.case)
        return Source(of_case(case), case=case.name)
    if wanted.text:
        read = texts.read(wanted.text)
        return Source(read.spec, None, _installed(actor, cp, read.spec.case), read.line)
    version = kept.version(actor, cp, project, wanted.workflow)
    read = kept.read(version)
    return Source(read.spec, version, _installed(actor, cp, read.spec.case), read.line)


def plan_of(case: Case, locale: str = "en") -> Plan:
    """What a case says, in a language."""
    return parse(case.name, case.plan, locale)


def of_case(case: Case) -> Spec:
    """A case as a workflow: its steps, on its own data unless a run is given other data. Raises WorkflowInvalid."""
    plan = plan_of(case)
    steps = case.plan.get("steps", [])
    if isinstance(steps, list):
        steps = [_on_data(step) if isinstance(step, Mapping) else step for step in steps]
    return reading.parse(
        {
            "name": case.name,
            "title": plan.title,
            "case": case.name,
            "parameters": {CASE_DATA: {"type": "dataset", "default": plan.dataset.name}},
            "steps": steps,
        }
    )


def lacks_sample(actor: Actor, cp: ControlPlane, project: str, source: Source, wanted: Wanted) -> bool:
    """Whether a run is to take a case's own data, and the project does not have it yet. Raises NotFound, Denied."""
    if not source.case or wanted.dataset_version_id:
        return False
    own = plan_of(cases.get(actor, cp, source.case)).dataset.name
    default = source.spec.parameters.get(CASE_DATA)
    given = wanted.given.get(CASE_DATA, default.default if default else "")
    return bool(given == own) and all(
        dataset.name != own for dataset, _, _ in versions.list_datasets(actor, cp, project)
    )


def bring_sample(actor: Actor, cp: ControlPlane, project: str, source: Source) -> None:
    """Put a case's data into the project, as its page does. Raises CaseWithoutData, and what an upload raises."""
    data = plan_of(cases.get(actor, cp, source.case)).dataset
    if not data.train:
        raise CaseWithoutData
    train = BytesIO(cases.read_file(actor, cp, source.case, data.train))
    test = BytesIO(cases.read_file(actor, cp, source.case, data.test)) if data.test else None
    json_lines.upload(actor, cp, project, data.name, train, test, data.format)


def _on_data(step: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"dataset": f"${{{CASE_DATA}}}"} | dict(step) if step.get("kind") == "data" else step


def _installed(actor: Actor, cp: ControlPlane, case: str) -> str:
    """The case that a spec says it is of, if there is one here: a file may come from another installation."""
    try:
        return cases.get(actor, cp, case).name if case else ""
    except NotFound:
        return ""
