"""The Automation service's calls about workflows: saving, showing, checking."""

from __future__ import annotations

import json
from collections.abc import Mapping

from control_plane.domain.errors import FieldInvalid
from control_plane.domain.workflows import reading
from control_plane.domain.workflows import spec as specs
from control_plane.rpc import messages, wire
from control_plane.rpc.calls import Call
from control_plane.services import cases, results
from control_plane.services.workflows import checks, kept, sources, texts
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows.sources import Wanted
from control_plane.store.workflows import WorkflowRecord, WorkflowVersionRecord
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb

LONGEST_GIVEN = 64 << 10  # characters of a run's parameters


def save(call: Call, request: pb.SaveWorkflowRequest) -> pb.Workflow:
    found, made = kept.save(call.actor, call.cp, request.project, request.text, request.base_version)
    return _workflow(request.project, found.workflow, found.version, _authors([found.version]), reused=not made)


def list_workflows(call: Call, request: pb.ListWorkflowsRequest) -> pb.ListWorkflowsReply:
    found = kept.list_workflows(call.actor, call.cp, request.project, request.tag)
    authors = _authors([one.version for one in found])
    return pb.ListWorkflowsReply(
        workflows=[_workflow(request.project, one.workflow, one.version, authors) for one in found]
    )


def list_versions(call: Call, request: pb.ListWorkflowVersionsRequest) -> pb.ListWorkflowsReply:
    newest = kept.version(call.actor, call.cp, request.project, request.workflow)
    workflow, found = kept.of_version(newest), kept.versions(call.actor, call.cp, newest.workflow_id)
    authors = _authors(found)
    return pb.ListWorkflowsReply(workflows=[_workflow(request.project, workflow, one, authors) for one in found])


def get(call: Call, request: pb.GetWorkflowRequest) -> pb.Workflow:
    """Of a case or a run there is only what it says, in the canonical form."""
    if request.form and request.form not in texts.FORMS:
        raise FieldInvalid(field="form", problem=" | ".join(texts.FORMS))
    if sum(map(bool, (request.workflow, request.case, request.run_id))) != 1:
        raise FieldInvalid(field="workflow", problem="workflow | case | run_id")
    if request.workflow:
        version = kept.version(call.actor, call.cp, request.project, request.workflow)
        message = _workflow(request.project, kept.of_version(version), version, _authors([version]))
        spec = kept.read(version).spec
        message.text = texts.write(spec, request.form) if request.form else version.text
        return message
    project = request.project
    if request.case:
        spec = sources.of_case(cases.get(call.actor, call.cp, request.case))
    else:
        run = workflow_runs.get(call.actor, call.cp, request.run_id)
        spec, project = reading.parse(run.spec), call.project_name(run.project_id)
    return pb.Workflow(
        project=project,
        name=spec.name,
        title=spec.title,
        hash=specs.digest(spec),
        text=texts.write(spec, request.form or texts.YAML),
        parameters=_json(specs.as_data(spec).get("parameters", {})),
    )


def check(call: Call, request: pb.CheckWorkflowRequest) -> pb.CheckWorkflowReply:
    wanted = Wanted(
        case=request.case,
        workflow=request.workflow,
        text=request.spec,
        given=given(request.parameters),
        dataset_version_id=request.dataset_version_id,
    )
    found = checks.check(call.actor, call.cp, request.project, wanted)
    return pb.CheckWorkflowReply(
        problems=[
            pb.WorkflowProblem(
                step=one.step,
                line=one.line,
                code=one.error.code,
                message=say(one.error.code, one.error.params, call.locale),
            )
            for one in found.problems
        ],
        steps=[
            pb.ForeseenStep(
                name=one.step.name,
                kind=one.step.kind,
                method=one.step.method,
                reused=one.reused,
                seconds=one.seconds,
                machines=one.machines,
            )
            for one in found.steps
        ],
        seconds=found.seconds,
        unknown_steps=found.unknown,
    )


def given(text: str) -> dict[str, object]:
    """The parameters of a run, a JSON object; none for an empty text. Raises FieldInvalid."""
    return dict(wire.json_object("parameters", text, LONGEST_GIVEN)) if text else {}


def _authors(versions: list[WorkflowVersionRecord]) -> Mapping[str, str]:
    return results.owners_of({str(one.created_by) for one in versions})


def _workflow(
    project: str,
    workflow: WorkflowRecord,
    version: WorkflowVersionRecord,
    authors: Mapping[str, str],
    reused: bool = False,
) -> pb.Workflow:
    return pb.Workflow(
        id=workflow.id,
        project=project,
        name=workflow.name,
        title=workflow.title,
        version=version.number,
        hash=version.hash,
        author=authors.get(version.created_by, ""),
        created_at=version.created_at,
        reused=reused,
        thing=messages.thing(workflow),
        parameters=_json(version.spec.get("parameters", {})),
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
