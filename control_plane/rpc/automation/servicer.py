"""The Automation service: authenticate by API token, decode, one service, encode. Each call in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import ExitStack
from typing import TypeVar

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import JOB_OVER
from control_plane.rpc import messages, uploads
from control_plane.rpc.automation import (
    audit,
    cases,
    datasets,
    deployments,
    drafts,
    endpoints,
    evaluations,
    jobs,
    labelling,
    listeners,
    machines,
    methods,
    models,
    notifications,
    people,
    projects,
    prompts,
    rewards,
    sources,
    sweeps,
    things,
    triggers,
    workflow_repeats,
    workflow_runs,
    workflows,
)
from control_plane.rpc.calls import Call, Calls, Context
from control_plane.rpc.chats import Chats
from control_plane.store.jobs import EventRecord
from tunesmith.v1 import automation_pb2 as pb
from tunesmith.v1 import automation_pb2_grpc

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

    WhoAmI = _call(people.who_am_i)
    SetProfile = _call(people.set_profile)
    ChangePassword = _call(people.change_password)
    ListNotifications = _call(notifications.list_notifications)
    MarkNotificationsRead = _call(notifications.mark_read)
    ListUsers = _call(people.list_users)
    InviteUser = _call(people.invite_user)
    DeactivateUser = _call(people.deactivate_user)
    ActivateUser = _call(people.activate_user)
    SetAdministrator = _call(people.set_administrator)
    CreateUserLink = _call(people.create_user_link)
    SignOutUser = _call(people.sign_out_user)
    CreateApiToken = _call(people.create_token)
    ListApiTokens = _call(people.list_tokens)
    RevokeApiToken = _call(people.revoke_token)
    ListProjects = _call(projects.list_projects)
    CreateProject = _call(projects.create_project)
    ListMembers = _call(projects.list_members)
    SetMember = _call(projects.set_member)
    RemoveMember = _call(projects.remove_member)
    ListMachines = _call(machines.list_machines)
    GetMachine = _call(machines.get_machine)
    CreateJoinToken = _call(machines.create_join_token)
    DrainMachine = _call(machines.drain_machine)
    UndrainMachine = _call(machines.undrain_machine)
    RevokeMachine = _call(machines.revoke_machine)
    DescribeMachine = _call(machines.describe_machine)
    RemoveMachine = _call(machines.remove_machine)
    ListMethods = _call(methods.list_methods)
    ListMethodVersions = _call(methods.list_versions)
    GetMethodFile = _call(methods.get_file)
    CompareMethodVersions = _call(methods.compare)
    CopyMethod = _call(methods.copy)
    TryMethod = _call(methods.try_it)
    PublishMethod = _call(methods.publish)
    DeleteMethod = _call(methods.delete)
    RestoreMethod = _call(methods.restore)
    ListCases = _call(cases.list_cases)
    GetCaseFile = _call(cases.get_file)
    SaveCase = _call(cases.save)
    ShareCase = _call(cases.share)
    DeleteCase = _call(cases.delete)
    ExportCase = _call(cases.export)
    ImportCase = _call(cases.bring)
    RateCase = _call(cases.rate)
    ListCaseNotes = _call(cases.list_notes)
    ListAudit = _call(audit.list_entries)
    CheckAudit = _call(audit.check)

    async def UploadMethod(
        self, request_iterator: AsyncIterator[pb.UploadMethodRequest], context: Context
    ) -> pb.MethodVersion:
        header = (await anext(request_iterator, pb.UploadMethodRequest())).header
        await self._serve(context, methods.may_upload)
        with ExitStack() as files:
            archive = await uploads.take_archive(self._cp, self._calls, request_iterator, files)
            return await self._serve(context, lambda call: methods.upload(call, header, archive))

    # ---- things

    DescribeThing = _call(things.describe)
    DeleteThing = _call(things.delete)
    RestoreThing = _call(things.restore)
    PurgeThing = _call(things.purge)
    ListTrash = _call(things.list_trash)

    # ---- data

    BeginUpload = _call(drafts.begin_upload)
    GetUpload = _call(drafts.get_upload)
    ListUploads = _call(drafts.list_uploads)
    CancelUpload = _call(drafts.cancel_upload)
    BeginDraft = _call(drafts.begin)
    GetDraft = _call(drafts.get)
    ListDrafts = _call(drafts.list_drafts)
    ChangeDraft = _call(drafts.change)
    PreviewDraft = _call(drafts.preview)
    SaveDraft = _call(drafts.save)
    CancelDraft = _call(drafts.cancel)
    ListConnectors = _call(sources.list_connectors)
    LookAtSource = _call(sources.look)
    BeginSource = _call(sources.begin)
    ListSources = _call(sources.list_sources)
    GetSource = _call(sources.get)
    RefreshSource = _call(sources.refresh)
    ScheduleSource = _call(sources.schedule)
    RemoveSource = _call(sources.remove)

    async def AppendUpload(
        self, request_iterator: AsyncIterator[pb.AppendUploadRequest], context: Context
    ) -> pb.Upload:
        place = (await anext(request_iterator, pb.AppendUploadRequest())).place
        upload, offset = await self._serve(context, lambda call: drafts.upload_of(call, place.id)), place.offset
        async for piece in uploads.pieces(request_iterator):
            upload = await self._serve(context, drafts.appending(place.id, offset, piece))
            offset += len(piece)
        return upload

    async def WaitDraft(self, request: pb.WaitDraftRequest, context: Context) -> pb.Draft:
        def news(found: pb.Draft) -> bool:
            return found.version > request.after_version

        topic = f"draft:{request.id}"  # whose it is, is asked at each look
        return await self._calls.hang(
            context, topic, request.wait_seconds, lambda call: drafts.get(call, request), news
        )

    ListDatasets = _call(datasets.list_datasets)
    GetDatasetVersion = _call(datasets.get)
    ListRows = _call(datasets.list_rows)
    SearchRows = _call(datasets.search)
    SeeRow = _call(datasets.see)
    MeasureLengths = _call(datasets.measure)
    EditRows = _call(datasets.edit)
    CompareDatasetVersions = _call(datasets.compare)

    async def UploadDataset(
        self, request_iterator: AsyncIterator[pb.UploadDatasetRequest], context: Context
    ) -> pb.DatasetVersion:
        header = (await anext(request_iterator, pb.UploadDatasetRequest())).header
        # who may not upload is told so before the bytes are taken
        await self._serve(context, lambda call: datasets.check(call, header))
        with ExitStack() as files:
            parts = await uploads.take(self._cp, self._calls, request_iterator, files)
            return await self._serve(context, lambda call: datasets.keep(call, header, parts))

    # ---- listeners

    ListListenerWays = _call(listeners.list_ways)
    AddListener = _call(listeners.add)
    ListListeners = _call(listeners.list_listeners)
    ChangeListener = _call(listeners.change)
    TestListener = _call(listeners.test)
    RemoveListener = _call(listeners.remove)
    ListDeliveries = _call(listeners.list_deliveries)
    ReplayDelivery = _call(listeners.replay)

    # ---- labellings

    ListEndpoints = _call(endpoints.list_endpoints)
    SaveEndpoint = _call(endpoints.save)
    TestEndpoint = _call(endpoints.test)
    RemoveEndpoint = _call(endpoints.remove)
    StartLabelling = _call(labelling.start)
    GetLabelling = _call(labelling.get)
    ListLabellings = _call(labelling.list_labellings)
    StopLabelling = _call(labelling.stop)
    ResumeLabelling = _call(labelling.resume)
    CloseLabelling = _call(labelling.close)
    NextLabelItem = _call(labelling.next_item)
    ListLabelItems = _call(labelling.list_items)
    JudgeLabelItem = _call(labelling.judge)
    ListAgreeingItems = _call(labelling.list_agreeing)
    AcceptLabelItems = _call(labelling.accept)
    TakeBackLabelItems = _call(labelling.take_back)
    UnskipLabelItems = _call(labelling.unskip)
    SaveLabelling = _call(labelling.save)

    async def WaitLabelling(self, request: pb.WaitLabellingRequest, context: Context) -> pb.Labelling:
        def news(found: pb.Labelling) -> bool:
            return found.version > request.after_version

        topic = f"labelling:{request.id}"  # whose it is, is asked at each look
        return await self._calls.hang(
            context, topic, request.wait_seconds, lambda call: labelling.get(call, request), news
        )

    # ---- prompts

    SetDeploymentPrompt = _call(deployments.carry)
    SavePrompt = _call(prompts.save)
    ListPrompts = _call(prompts.list_prompts)
    GetPrompt = _call(prompts.get)
    ListPromptVersions = _call(prompts.list_versions)
    # ---- rewards

    SaveReward = _call(rewards.save)
    ListRewards = _call(rewards.list_rewards)
    GetReward = _call(rewards.get)
    ListRewardVersions = _call(rewards.list_versions)
    DryRunReward = _call(rewards.dry_run)
    GetRewardDryRun = _call(rewards.get_dry_run)
    CancelRewardDryRun = _call(rewards.cancel_dry_run)

    async def WaitRewardDryRun(self, request: pb.WaitRewardDryRunRequest, context: Context) -> pb.RewardDryRun:
        def news(found: pb.RewardDryRun) -> bool:
            return found.version > request.after_version

        topic = f"reward_dry_run:{request.id}"  # whose it is, is asked at each look
        return await self._calls.hang(
            context, topic, request.wait_seconds, lambda call: rewards.get_dry_run(call, request), news
        )

    # ---- workflows and their runs

    SaveWorkflow = _call(workflows.save)
    ListWorkflows = _call(workflows.list_workflows)
    GetWorkflow = _call(workflows.get)
    ListWorkflowVersions = _call(workflows.list_versions)
    CheckWorkflow = _call(workflows.check)
    ResumeWorkflowRun = _call(workflow_runs.resume)
    AddTrigger = _call(triggers.add)
    ListTriggers = _call(triggers.list_triggers)
    ListFirings = _call(triggers.list_firings)
    RemoveTrigger = _call(triggers.remove)
    StartWorkflowRun = _call(workflow_runs.start)
    GetWorkflowRun = _call(workflow_runs.get)
    ListWorkflowRuns = _call(workflow_runs.list_runs)
    CancelWorkflowRun = _call(workflow_runs.cancel)
    ApproveWorkflowRun = _call(workflow_runs.approve)
    RefuseWorkflowRun = _call(workflow_runs.refuse)
    PreviewWorkflowRepeat = _call(workflow_repeats.preview)
    RepeatWorkflowRun = _call(workflow_repeats.repeat)
    CompareWorkflowRuns = _call(workflow_repeats.compare)

    async def WaitWorkflowRun(self, request: pb.WaitWorkflowRunRequest, context: Context) -> pb.WorkflowRun:
        topic = await self._serve(context, lambda call: workflow_runs.topic(call, request))

        def news(found: pb.WorkflowRun) -> bool:
            return found.version > request.after_version

        return await self._calls.hang(
            context, topic, request.wait_seconds, lambda call: workflow_runs.get(call, request), news
        )

    # ---- sweeps

    StartSweep = _call(sweeps.start)
    GetSweep = _call(sweeps.get)
    ListSweeps = _call(sweeps.list_sweeps)
    CancelSweep = _call(sweeps.cancel)

    async def WaitSweep(self, request: pb.WaitSweepRequest, context: Context) -> pb.Sweep:
        topic = await self._serve(context, lambda call: sweeps.topic(call, request))

        def news(found: pb.Sweep) -> bool:
            return found.version > request.after_version

        return await self._calls.hang(
            context, topic, request.wait_seconds, lambda call: sweeps.get(call, request), news
        )

    # ---- jobs

    SubmitJob = _call(jobs.submit)
    EstimateJob = _call(jobs.estimate)
    GetJob = _call(jobs.get)
    ListJobs = _call(jobs.list_jobs)
    CancelJob = _call(jobs.cancel)
    ReadLog = _call(jobs.read_log)
    ListEvents = _call(jobs.list_events)
    GetJobConfig = _call(jobs.job_config)
    ListFiles = _call(jobs.list_files)
    GetFile = _call(jobs.get_file)

    async def WaitJob(self, request: pb.WaitJobRequest, context: Context) -> pb.WaitJobReply:
        def news(found: tuple[pb.Job, list[EventRecord]]) -> bool:
            job, events = found
            return job.version > request.after_version or bool(events) or job.state in JOB_OVER

        job, events = await self._calls.hang(
            context, f"job:{request.id}", request.wait_seconds, lambda call: jobs.look(call, request), news
        )
        return pb.WaitJobReply(job=job, events=messages.events(events))

    # ---- models and evaluations

    ListModels = _call(models.list_models)
    GetModel = _call(models.get)
    GetLineage = _call(models.lineage)
    ListEvaluations = _call(evaluations.list_evaluations)
    GetEvaluation = _call(evaluations.get)

    # ---- serving

    Deploy = _call(deployments.deploy)
    GetDeployment = _call(deployments.get)
    ListDeployments = _call(deployments.list_deployments)
    StopDeployment = _call(deployments.stop)

    async def WaitDeployment(self, request: pb.WaitDeploymentRequest, context: Context) -> pb.Deployment:
        def news(found: pb.Deployment) -> bool:
            return found.version > request.after_version

        topic = f"deployment:{request.id}"
        return await self._calls.hang(
            context, topic, request.wait_seconds, lambda call: deployments.get(call, request), news
        )

    async def Chat(self, request: pb.ChatRequest, context: Context) -> AsyncIterator[pb.ChatReply]:
        replica, body = await self._serve(context, lambda call: deployments.replica(call, request))
        async for reply in self._chats.answer(replica, body):
            yield reply
