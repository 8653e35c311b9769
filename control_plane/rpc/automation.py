"""The Automation service: authenticate by API token, decode, one service, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import ExitStack
from typing import Any, TypeVar

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import JOB_OVER
from control_plane.rpc import administration, findings, guided_runs, messages, uploads, wire
from control_plane.rpc.calls import Call, Calls, Context
from control_plane.rpc.chats import Chats
from control_plane.services import (
    audit,
    cases,
    datasets,
    deployments,
    evaluation_rows,
    evaluations,
    jobs,
    methods,
    models,
)
from control_plane.services.access import credentials, people, projects
from control_plane.services.fleet import enrollment, machines
from control_plane.store.jobs import EventRecord
from control_plane.store.projects import ProjectRecord
from tunesmith.v1 import automation_pb2 as pb
from tunesmith.v1 import automation_pb2_grpc

_JOBS_LISTED = 200
_LISTED = 100  # models or evaluations, where the caller names no limit
_SAMPLES = 32  # rows of an evaluation, likewise
_LOG_SLICE = 1 << 20  # bytes
_LONGEST_PARAMETERS = 1 << 20  # characters

Q = TypeVar("Q")
R = TypeVar("R")


def _call(service: Callable[[Call, Q], R]) -> Callable[[AutomationServicer, Q, Context], Awaitable[R]]:
    """The servicer's method for what is one service: a function of the call and its request."""

    async def method(self: AutomationServicer, request: Q, context: Context) -> R:
        return await self._serve(context, lambda call: service(call, request))

    return method


class AutomationServicer(automation_pb2_grpc.AutomationServicer):
    """All that a user does in the browser, for scripts."""

    def __init__(self, cp: ControlPlane, pool: Executor) -> None:
        self._cp = cp
        self._calls = Calls(cp, pool)
        self._chats = Chats(cp)
        self._serve = self._calls.serve

    # ---- the installation

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: Context) -> pb.WhoAmIReply:
        def service(call: Call) -> pb.WhoAmIReply:
            me = people.user(call.actor, call.cp)
            web_url = credentials.web_url(call.cp)
            return pb.WhoAmIReply(user_id=me.id, name=me.name, administrator=me.administrator, web_url=web_url)

        return await self._serve(context, service)

    async def ListProjects(self, request: pb.ListProjectsRequest, context: Context) -> pb.ListProjectsReply:
        def service(call: Call) -> pb.ListProjectsReply:
            found = projects.list_projects(call.actor, call.cp)
            return pb.ListProjectsReply(projects=[_project(call, project) for project in found])

        return await self._serve(context, service)

    async def CreateProject(self, request: pb.CreateProjectRequest, context: Context) -> pb.Project:
        def service(call: Call) -> pb.Project:
            return _project(call, projects.create(call.actor, call.cp, request.name, request.title))

        return await self._serve(context, service)

    async def ListMachines(self, request: pb.ListMachinesRequest, context: Context) -> pb.ListMachinesReply:
        def service(call: Call) -> pb.ListMachinesReply:
            found = machines.list_machines(call.actor, call.cp)
            return pb.ListMachinesReply(machines=[messages.machine(machine) for machine in found])

        return await self._serve(context, service)

    async def CreateJoinToken(self, request: pb.CreateJoinTokenRequest, context: Context) -> pb.CreateJoinTokenReply:
        def service(call: Call) -> pb.CreateJoinTokenReply:
            token, record = enrollment.create_join_token(
                call.actor, call.cp, request.machine_class, request.lifetime_seconds
            )
            return pb.CreateJoinTokenReply(token=token, expires_at=record.expires_at)

        return await self._serve(context, service)

    async def ListMethods(self, request: pb.ListMethodsRequest, context: Context) -> pb.ListMethodsReply:
        def service(call: Call) -> pb.ListMethodsReply:
            found = methods.list_methods(call.actor, call.cp)
            return pb.ListMethodsReply(methods=[messages.method(method) for method in found])

        return await self._serve(context, service)

    async def ListCases(self, request: pb.ListCasesRequest, context: Context) -> pb.ListCasesReply:
        def service(call: Call) -> pb.ListCasesReply:
            return pb.ListCasesReply(cases=[messages.case(case) for case in cases.list_cases(call.actor, call.cp)])

        return await self._serve(context, service)

    async def GetCaseFile(self, request: pb.GetCaseFileRequest, context: Context) -> pb.GetCaseFileReply:
        def service(call: Call) -> pb.GetCaseFileReply:
            return pb.GetCaseFileReply(data=cases.read_file(call.actor, call.cp, request.case, request.file))

        return await self._serve(context, service)

    async def CreateApiToken(self, request: pb.CreateApiTokenRequest, context: Context) -> pb.CreateApiTokenReply:
        def service(call: Call) -> pb.CreateApiTokenReply:
            token, record = people.create_token(call.actor, call.cp, request.name, request.lifetime_seconds)
            return pb.CreateApiTokenReply(token=token, expires_at=record.expires_at)

        return await self._serve(context, service)

    async def ListAudit(self, request: pb.ListAuditRequest, context: Context) -> pb.ListAuditReply:
        def service(call: Call) -> pb.ListAuditReply:
            found = audit.list_entries(call.actor, call.cp, request.project or None, request.before)
            return pb.ListAuditReply(entries=[messages.audit_entry(entry) for entry in found])

        return await self._serve(context, service)

    ListUsers = _call(administration.list_users)
    InviteUser = _call(administration.invite_user)
    ListApiTokens = _call(administration.list_tokens)
    RevokeApiToken = _call(administration.revoke_token)
    ListMembers = _call(administration.list_members)
    SetMember = _call(administration.set_member)
    RemoveMember = _call(administration.remove_member)
    GetMachine = _call(administration.get_machine)
    DrainMachine = _call(administration.drain_machine)
    UndrainMachine = _call(administration.undrain_machine)
    RevokeMachine = _call(administration.revoke_machine)

    # ---- data

    ListRows = _call(findings.list_rows)

    async def UploadDataset(
        self, request_iterator: AsyncIterator[pb.UploadDatasetRequest], context: Context
    ) -> pb.DatasetVersion:
        header = (await anext(request_iterator, pb.UploadDatasetRequest())).header
        # who may not upload is told so before the bytes are taken
        await self._serve(context, lambda call: projects.get(call.actor, call.cp, header.project, "dataset.upload"))
        with ExitStack() as files:
            parts = await uploads.take(self._cp, self._calls, request_iterator, files)
            return await self._serve(context, lambda call: _keep(call, header, parts))

    async def ListDatasets(self, request: pb.ListDatasetsRequest, context: Context) -> pb.ListDatasetsReply:
        def service(call: Call) -> pb.ListDatasetsReply:
            reply = pb.ListDatasetsReply()
            for dataset, _, _ in datasets.list_datasets(call.actor, call.cp, request.project):
                _, versions = datasets.get_dataset(call.actor, call.cp, request.project, dataset.name)
                reply.versions.extend(messages.dataset_version(dataset.name, version) for version in versions)
            reply.versions.sort(key=lambda version: version.id, reverse=True)
            return reply

        return await self._serve(context, service)

    # ---- guided runs

    StartGuidedRun = _call(guided_runs.start)
    GetGuidedRun = _call(guided_runs.get)
    ListGuidedRuns = _call(guided_runs.list_runs)

    async def WaitGuidedRun(self, request: pb.WaitGuidedRunRequest, context: Context) -> pb.GuidedRun:
        topic = await self._serve(context, lambda call: guided_runs.topic(call, request))

        def news(found: pb.GuidedRun) -> bool:
            return found.stage != request.stage

        return await self._calls.hang(
            context, topic, request.wait_seconds, lambda call: guided_runs.get(call, request), news
        )

    # ---- jobs

    GetJobConfig = _call(findings.job_config)
    ListFiles = _call(findings.list_files)
    GetFile = _call(findings.get_file)

    async def SubmitJob(self, request: pb.SubmitJobRequest, context: Context) -> pb.Job:
        inputs = {item.name: _reference(item) for item in request.inputs}
        parameters = wire.json_object("parameters", request.parameters, _LONGEST_PARAMETERS)

        def service(call: Call) -> pb.Job:
            record = jobs.submit(
                call.actor,
                call.cp,
                request.project,
                request.method,
                name=request.name,
                parameters=parameters,
                inputs=inputs,
                seed=request.seed,
                idempotency_key=request.idempotency_key,
                policy=wire.policy(request.policy),
            )
            return call.job(record)

        return await self._serve(context, service)

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.Job:
        return await self._serve(context, lambda call: call.job(jobs.get(call.actor, call.cp, request.id)))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsReply:
        def service(call: Call) -> pb.ListJobsReply:
            found, _ = jobs.list_jobs(
                call.actor, call.cp, request.project, state=request.state, method=request.method, limit=_JOBS_LISTED
            )
            return pb.ListJobsReply(jobs=messages.jobs(request.project, found, {}, call.locale))

        return await self._serve(context, service)

    async def WaitJob(self, request: pb.WaitJobRequest, context: Context) -> pb.WaitJobReply:
        def look(call: Call) -> tuple[pb.Job, list[EventRecord]]:
            job = call.job(jobs.get(call.actor, call.cp, request.id))
            return job, jobs.events(call.actor, call.cp, request.id, after=request.after_event)

        def news(found: tuple[pb.Job, list[EventRecord]]) -> bool:
            job, events = found
            return job.version > request.after_version or bool(events) or job.state in JOB_OVER

        job, events = await self._calls.hang(context, f"job:{request.id}", request.wait_seconds, look, news)
        return pb.WaitJobReply(job=job, events=messages.events(events))

    async def CancelJob(self, request: pb.CancelJobRequest, context: Context) -> pb.Job:
        return await self._serve(context, lambda call: call.job(jobs.cancel(call.actor, call.cp, request.id)))

    async def ReadLog(self, request: pb.ReadLogRequest, context: Context) -> pb.ReadLogReply:
        length = request.length or _LOG_SLICE

        def service(call: Call) -> pb.ReadLogReply:
            data, size = jobs.read_log(
                call.actor,
                call.cp,
                request.job_id,
                request.stream or "stdout",
                request.offset,
                length,
                attempt_id=request.attempt_id,
            )
            return pb.ReadLogReply(data=data, size=size)

        return await self._serve(context, service)

    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsReply:
        def service(call: Call) -> pb.ListEventsReply:
            found = jobs.events(call.actor, call.cp, request.job_id, after=request.after, kind=request.kind)
            return pb.ListEventsReply(events=messages.events(found))

        return await self._serve(context, service)

    # ---- models and evaluations

    GetLineage = _call(findings.lineage)

    async def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsReply:
        def service(call: Call) -> pb.ListModelsReply:
            found = models.list_models(
                call.actor, call.cp, request.project, request.form, request.limit or _LISTED, request.offset
            )
            total = models.count(call.actor, call.cp, request.project, request.form)
            return pb.ListModelsReply(models=[messages.model(request.project, model) for model in found], total=total)

        return await self._serve(context, service)

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.Model:
        def service(call: Call) -> pb.Model:
            record = models.get(call.actor, call.cp, request.id)
            return messages.model(call.project_name(record.project_id), record)

        return await self._serve(context, service)

    async def GetEvaluation(self, request: pb.GetEvaluationRequest, context: Context) -> pb.Evaluation:
        def service(call: Call) -> pb.Evaluation:
            record = evaluations.get(call.actor, call.cp, request.id)
            samples = evaluation_rows.read(call.cp, record, "", request.offset, request.limit or _SAMPLES)
            return messages.evaluation(call.project_name(record.project_id), record, samples)

        return await self._serve(context, service)

    async def ListEvaluations(self, request: pb.ListEvaluationsRequest, context: Context) -> pb.ListEvaluationsReply:
        def service(call: Call) -> pb.ListEvaluationsReply:
            found = evaluations.list_evaluations(
                call.actor, call.cp, request.project, request.limit or _LISTED, request.offset
            )
            return pb.ListEvaluationsReply(
                evaluations=[messages.evaluation(request.project, evaluation) for evaluation in found],
                total=evaluations.count(call.actor, call.cp, request.project),
            )

        return await self._serve(context, service)

    # ---- serving

    async def Deploy(self, request: pb.DeployRequest, context: Context) -> pb.Deployment:
        def service(call: Call) -> pb.Deployment:
            record = deployments.deploy(
                call.actor,
                call.cp,
                request.project,
                request.name,
                request.model_id,
                context_length=request.context_length or 2048,
                slots=request.slots or 4,
            )
            return messages.deployment(request.project, record, call.locale)

        return await self._serve(context, service)

    async def GetDeployment(self, request: pb.GetDeploymentRequest, context: Context) -> pb.Deployment:
        return await self._serve(context, lambda call: _deployment(call, request.id))

    async def ListDeployments(self, request: pb.ListDeploymentsRequest, context: Context) -> pb.ListDeploymentsReply:
        def service(call: Call) -> pb.ListDeploymentsReply:
            found = deployments.list_deployments(call.actor, call.cp, request.project)
            return pb.ListDeploymentsReply(
                deployments=[messages.deployment(request.project, record, call.locale) for record in found]
            )

        return await self._serve(context, service)

    async def WaitDeployment(self, request: pb.WaitDeploymentRequest, context: Context) -> pb.Deployment:
        def news(found: pb.Deployment) -> bool:
            return found.version > request.after_version

        topic = f"deployment:{request.id}"
        return await self._calls.hang(
            context, topic, request.wait_seconds, lambda call: _deployment(call, request.id), news
        )

    async def StopDeployment(self, request: pb.StopDeploymentRequest, context: Context) -> pb.Deployment:
        def service(call: Call) -> pb.Deployment:
            deployments.stop(call.actor, call.cp, request.id)
            return _deployment(call, request.id)

        return await self._serve(context, service)

    async def Chat(self, request: pb.ChatRequest, context: Context) -> AsyncIterator[pb.ChatReply]:
        def service(call: Call) -> Any:
            record = deployments.get(call.actor, call.cp, request.deployment_id)
            project = call.project_name(record.project_id)
            return deployments.serving_replica(call.actor, call.cp, project, record.name)

        replica = await self._serve(context, service)
        async for reply in self._chats.answer(replica, request.body.encode()):
            yield reply


def _reference(item: pb.InputRef) -> dict[str, Any]:
    return {"id": item.id} | ({"kind": item.kind} if item.kind else {})


def _project(call: Call, record: ProjectRecord) -> pb.Project:
    role, everywhere = call.actor.roles.get(record.id), "Administrator" if call.actor.administrator else ""
    return pb.Project(id=record.id, name=record.name, title=record.title, role=role.name if role else everywhere)


def _keep(call: Call, header: pb.UploadHeader, parts: dict[str, Any]) -> pb.DatasetVersion:
    version, reused = datasets.upload(
        call.actor,
        call.cp,
        header.project,
        header.name,
        parts["train"],
        parts.get("test"),
        format=header.format,
        test_share=header.test_share,
        split_seed=header.split_seed,
    )
    return messages.dataset_version(header.name, version, reused)


def _deployment(call: Call, deployment_id: int) -> pb.Deployment:
    record = deployments.get(call.actor, call.cp, deployment_id)
    return messages.deployment(call.project_name(record.project_id), record, call.locale)
