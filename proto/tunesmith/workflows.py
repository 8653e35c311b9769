"""The client's calls about workflows and their runs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.calls import HANG, Calls, followed
from tunesmith.v1 import automation_pb2 as pb


class Workflows(Calls):
    """What a client can do with workflows."""

    def save_workflow(self, project: str, text: str, base_version: int = 0) -> pb.Workflow:
        """Keep a text, YAML or JSON, as the newest version of the workflow that it names, unless that says the same.

        With `base_version`, refuse where there is a newer one by now.
        """
        request = pb.SaveWorkflowRequest(project=project, text=text, base_version=base_version)
        return self._ask(pb.Workflow, self._stub.SaveWorkflow, request)

    def list_workflows(self, project: str, tag: str = "") -> list[pb.Workflow]:
        """The workflows of a project, each as its newest version, by name."""
        request = pb.ListWorkflowsRequest(project=project, tag=tag)
        return list(self._ask(pb.ListWorkflowsReply, self._stub.ListWorkflows, request).workflows)

    def get_workflow(
        self, project: str, workflow: str = "", case: str = "", run_id: int = 0, form: str = ""
    ) -> pb.Workflow:
        """A workflow with its text: a saved one by `name` or `name@3`, a case, or what a run carries out.

        `form` is `yaml` or `json` for the canonical form; without it, a saved one is as its author wrote it.
        """
        request = pb.GetWorkflowRequest(project=project, workflow=workflow, case=case, run_id=run_id, form=form)
        return self._ask(pb.Workflow, self._stub.GetWorkflow, request)

    def list_workflow_versions(self, project: str, workflow: str) -> list[pb.Workflow]:
        """The versions of a workflow, the newest first."""
        request = pb.ListWorkflowVersionsRequest(project=project, workflow=workflow)
        return list(self._ask(pb.ListWorkflowsReply, self._stub.ListWorkflowVersions, request).workflows)

    def check_workflow(
        self,
        project: str,
        case: str = "",
        dataset_version_id: int = 0,
        workflow: str = "",
        spec: str = "",
        parameters: Mapping[str, Any] | None = None,
    ) -> pb.CheckWorkflowReply:
        """What stands in the way of such a run, where its steps could run, and how long they would take."""
        request = pb.CheckWorkflowRequest(
            project=project,
            case=case,
            workflow=workflow,
            spec=spec,
            dataset_version_id=dataset_version_id,
            parameters=json.dumps(dict(parameters or {})),
        )
        return self._ask(pb.CheckWorkflowReply, self._stub.CheckWorkflow, request)

    # ---- runs

    def start_workflow_run(
        self,
        project: str,
        case: str = "",
        dataset_version_id: int = 0,
        idempotency_key: str = "",
        workflow: str = "",
        spec: str = "",
        parameters: Mapping[str, Any] | None = None,
        fresh: bool = False,
    ) -> pb.WorkflowRun:
        """Carry out a case, a saved workflow (`name` or `name@3`) or a text: what it says, step by step.

        `dataset_version_id` is for its first data step, whatever that says; `parameters` are the run's.
        What was made from the very same pins before is used again, unless it is to be `fresh`.
        Two calls with the same `idempotency_key` make one run; without one, each call makes its own.
        """
        request = pb.StartWorkflowRunRequest(
            project=project,
            case=case,
            workflow=workflow,
            spec=spec,
            dataset_version_id=dataset_version_id,
            parameters=json.dumps(dict(parameters or {})),
            fresh=fresh,
            idempotency_key=idempotency_key or uuid.uuid4().hex,
        )
        return self._ask(pb.WorkflowRun, self._stub.StartWorkflowRun, request)

    def get_workflow_run(self, run_id: int) -> pb.WorkflowRun:
        """A run: each step, how it stands, its job and what it made; and what it has cost."""
        return self._ask(pb.WorkflowRun, self._stub.GetWorkflowRun, pb.GetWorkflowRunRequest(id=run_id))

    def list_workflow_runs(self, project: str) -> list[pb.WorkflowRun]:
        """The newest runs of a project."""
        request = pb.ListWorkflowRunsRequest(project=project)
        return list(self._ask(pb.ListWorkflowRunsReply, self._stub.ListWorkflowRuns, request).runs)

    def wait_workflow_run(self, run_id: int) -> Iterator[pb.WorkflowRun]:
        """Follow a run until it is over: at each step that begins, and at its end."""
        return followed(
            lambda seen: self._ask(
                pb.WorkflowRun,
                self._stub.WaitWorkflowRun,
                pb.WaitWorkflowRunRequest(id=run_id, after_version=seen, wait_seconds=HANG),
            )
        )

    def cancel_workflow_run(self, run_id: int) -> pb.WorkflowRun:
        """Have a run start nothing more, and its open jobs end; what is deployed stays so."""
        return self._ask(pb.WorkflowRun, self._stub.CancelWorkflowRun, pb.CancelWorkflowRunRequest(id=run_id))

    def approve_workflow_run(self, run_id: int, step: str = "", note: str = "") -> pb.WorkflowRun:
        """Let go on what a step asks you to decide; without `step`, the only one that waits. Never your own run's."""
        request = pb.ApproveWorkflowRunRequest(id=run_id, step=step, note=note)
        return self._ask(pb.WorkflowRun, self._stub.ApproveWorkflowRun, request)

    def refuse_workflow_run(self, run_id: int, step: str = "", note: str = "") -> pb.WorkflowRun:
        """Have nothing come of what a step asks you to decide: the steps behind it are skipped."""
        request = pb.RefuseWorkflowRunRequest(id=run_id, step=step, note=note)
        return self._ask(pb.WorkflowRun, self._stub.RefuseWorkflowRun, request)

    def resume_workflow_run(self, run_id: int) -> pb.WorkflowRun:
        """Have a run go on that stopped or was cancelled: what succeeded stays, what did not is asked for again."""
        return self._ask_once(pb.WorkflowRun, self._stub.ResumeWorkflowRun, pb.ResumeWorkflowRunRequest(id=run_id))
