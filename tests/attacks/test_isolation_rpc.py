"""Every call of the Automation service, as somebody of another project, of none, as a viewer, and as nobody.

The rows are held against the service's descriptor: a new call without a row fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import data_support
import grpc
import pytest
import rooms
from attacks.town import EVE, NORA, OLGA, OTHER, PROJECT, ROOT, VIC, Town
from google.protobuf.message import Message

from control_plane.authority import open_authority
from control_plane.store.audit import AuditRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.jobs import JobRecord
from link_support import code_of
from patience import PATIENCE
from tunesmith.v1 import automation_pb2 as pb
from tunesmith.v1 import automation_pb2_grpc

QUESTION = '{"messages": [{"role": "user", "content": "Hi"}]}'
OK, GONE, NO, BAD = "OK", "NOT_FOUND", "PERMISSION_DENIED", "INVALID_ARGUMENT"
REFUSED = "FAILED_PRECONDITION"
METHODS = pb.DESCRIPTOR.services_by_name["Automation"].methods_by_name


@dataclass(frozen=True)
class Row:
    """A request about the canary, and how it ends for eve (of another project), nora (of none), vic (viewer), olga."""

    request: Callable[[dict[str, int]], Any]
    eve: str
    nora: str
    vic: str
    olga: str = OK


def _inside(request: Callable[[dict[str, int]], Any], vic: str = OK, olga: str = OK) -> Row:
    """Of what belongs to the canary: outside of it, it does not exist."""
    return Row(request, GONE, GONE, vic, olga)


SHIPPED = "FAILED_PRECONDITION"  # such a case can be neither changed nor deleted

ROWS = {
    "WhoAmI": Row(lambda _: pb.WhoAmIRequest(), OK, OK, OK),
    "SetProfile": Row(lambda _: pb.SetProfileRequest(title="Me"), OK, OK, OK),
    "ChangePassword": Row(lambda _: pb.ChangePasswordRequest(old="a guess"), BAD, BAD, BAD, BAD),
    "ListNotifications": Row(lambda _: pb.ListNotificationsRequest(), OK, OK, OK),
    "MarkNotificationsRead": Row(lambda _: pb.MarkNotificationsReadRequest(), OK, OK, OK),
    "ListProjects": Row(lambda _: pb.ListProjectsRequest(), OK, OK, OK),
    "CreateProject": Row(lambda _: pb.CreateProjectRequest(name="mine"), NO, NO, NO, NO),
    "ListMachines": Row(lambda _: pb.ListMachinesRequest(), OK, NO, OK),
    "CreateJoinToken": Row(lambda _: pb.CreateJoinTokenRequest(machine_class="server"), NO, NO, NO, NO),
    "ListMethods": Row(lambda _: pb.ListMethodsRequest(), OK, NO, OK),
    "ListMethodVersions": Row(lambda _: pb.ListMethodVersionsRequest(name="sft_demo"), OK, NO, OK),
    "GetMethodFile": Row(lambda made: pb.GetMethodFileRequest(version_id=made["method"], path="train.py"), OK, NO, OK),
    "CompareMethodVersions": Row(
        lambda made: pb.CompareMethodVersionsRequest(old_id=made["method"], new_id=made["method"]), OK, NO, OK
    ),
    "UploadMethod": Row(lambda _: [pb.UploadMethodRequest(), pb.UploadMethodRequest(archive=b"x")], BAD, NO, NO, BAD),
    "CopyMethod": Row(
        lambda made: pb.CopyMethodRequest(source_id=made["method"], name="sft_demo"),
        "FAILED_PRECONDITION",
        NO,
        NO,
        "FAILED_PRECONDITION",
    ),
    "TryMethod": Row(lambda made: _dry_run(PROJECT, made), GONE, NO, NO, GONE),
    "PublishMethod": Row(lambda made: pb.PublishMethodRequest(version_id=made["method"]), NO, NO, NO, NO),
    "DeleteMethod": Row(lambda made: pb.DeleteMethodRequest(version_id=made["method"]), NO, NO, NO, NO),
    "RestoreMethod": Row(lambda made: pb.RestoreMethodRequest(version_id=made["method"]), NO, NO, NO, NO),
    "ListCases": Row(lambda _: pb.ListCasesRequest(), OK, NO, OK),
    "GetCaseFile": Row(lambda _: pb.GetCaseFileRequest(case="machine_faults", file="case.toml"), OK, NO, OK),
    "SaveCase": _inside(lambda made: pb.SaveCaseRequest(run_id=made["run"]), vic=NO, olga=BAD),
    "ShareCase": Row(lambda _: pb.ShareCaseRequest(case="machine_faults"), SHIPPED, NO, SHIPPED, SHIPPED),
    "DeleteCase": Row(lambda _: pb.DeleteCaseRequest(case="machine_faults"), SHIPPED, NO, SHIPPED, SHIPPED),
    "ExportCase": Row(lambda _: pb.ExportCaseRequest(case="machine_faults"), OK, NO, OK),
    "ImportCase": _inside(lambda _: pb.ImportCaseRequest(project=PROJECT, archive=b"x"), vic=NO, olga=BAD),
    "RateCase": Row(lambda _: pb.RateCaseRequest(case="machine_faults", rating=6), BAD, NO, BAD, BAD),
    "ListCaseNotes": Row(lambda _: pb.ListCaseNotesRequest(case="machine_faults"), OK, NO, OK),
    "GetMachine": Row(lambda made: pb.GetMachineRequest(id=str(made["machine"])), OK, NO, OK),
    "DrainMachine": Row(lambda made: pb.DrainMachineRequest(id=str(made["machine"])), NO, NO, NO, NO),
    "UndrainMachine": Row(lambda made: pb.UndrainMachineRequest(id=str(made["machine"])), NO, NO, NO, NO),
    "DescribeMachine": Row(lambda made: pb.DescribeMachineRequest(id=str(made["machine"]), name="x"), NO, NO, NO, NO),
    "RemoveMachine": Row(lambda made: pb.RemoveMachineRequest(id=str(made["machine"])), NO, NO, NO, NO),
    "RevokeMachine": Row(lambda made: pb.RevokeMachineRequest(id=str(made["machine"])), NO, NO, NO, NO),
    "ListUsers": Row(lambda _: pb.ListUsersRequest(), NO, NO, NO, NO),
    "InviteUser": Row(lambda _: pb.InviteUserRequest(name="friend", administrator=True), NO, NO, NO, NO),
    "DeactivateUser": Row(lambda _: pb.DeactivateUserRequest(name=ROOT), NO, NO, NO, NO),
    "ActivateUser": Row(lambda _: pb.ActivateUserRequest(name=ROOT), NO, NO, NO, NO),
    "SetAdministrator": Row(lambda _: pb.SetAdministratorRequest(name=VIC, administrator=True), NO, NO, NO, NO),
    "CreateUserLink": Row(lambda _: pb.CreateUserLinkRequest(name=ROOT), NO, NO, NO, NO),
    "SignOutUser": Row(lambda _: pb.SignOutUserRequest(name=ROOT), NO, NO, NO, NO),
    "ListMembers": _inside(lambda _: pb.ListMembersRequest(project=PROJECT), vic=NO),
    "SetMember": _inside(lambda _: pb.SetMemberRequest(project=PROJECT, user=VIC, role="Viewer"), vic=NO),
    "RemoveMember": _inside(lambda _: pb.RemoveMemberRequest(project=PROJECT, user=VIC), vic=NO),
    "ListApiTokens": Row(lambda _: pb.ListApiTokensRequest(), OK, OK, OK),
    "RevokeApiToken": Row(lambda made: pb.RevokeApiTokenRequest(id=made["token"]), GONE, GONE, GONE, GONE),
    "GetDatasetVersion": _inside(lambda made: pb.GetDatasetVersionRequest(id=made["version"])),
    "SearchRows": _inside(lambda made: pb.SearchRowsRequest(dataset_version_id=made["version"], text="a")),
    "SeeRow": _inside(lambda made: pb.SeeRowRequest(dataset_version_id=made["version"])),
    "MeasureLengths": _inside(lambda made: pb.MeasureLengthsRequest(dataset_version_id=made["version"])),
    "EditRows": _inside(lambda made: _edits(made["version"]), vic=NO),
    "CompareDatasetVersions": _inside(
        lambda made: pb.CompareDatasetVersionsRequest(old_id=made["version"], new_id=made["version"])
    ),
    "ListEndpoints": _inside(lambda _: pb.ListEndpointsRequest(project=PROJECT), vic=NO),
    "SaveEndpoint": _inside(lambda _: _endpoint(PROJECT, "endpoint"), vic=NO),
    # the place is inside, and nobody has opened it
    "TestEndpoint": _inside(lambda made: pb.TestEndpointRequest(id=made["endpoint"]), vic=NO, olga=BAD),
    "RemoveEndpoint": _inside(lambda made: pb.RemoveEndpointRequest(id=made["endpoint_unwanted"]), vic=NO),
    "StartLabelling": _inside(lambda made: _labelling(PROJECT, made), vic=NO),
    "GetLabelling": _inside(lambda made: pb.GetLabellingRequest(id=made["labelling"])),
    "ListLabellings": _inside(lambda _: pb.ListLabellingsRequest(project=PROJECT)),
    "WaitLabelling": _inside(lambda made: pb.WaitLabellingRequest(id=made["labelling"])),
    "StopLabelling": _inside(lambda made: pb.StopLabellingRequest(id=made["labelling"]), vic=NO),
    "ResumeLabelling": _inside(lambda made: pb.ResumeLabellingRequest(id=made["labelling"]), vic=NO),
    "CloseLabelling": _inside(lambda made: pb.CloseLabellingRequest(id=made["labelling_unwanted"]), vic=NO),
    "NextLabelItem": _inside(lambda made: pb.NextLabelItemRequest(labelling_id=made["labelling"]), vic=NO),
    "ListLabelItems": _inside(lambda made: pb.ListLabelItemsRequest(labelling_id=made["labelling"])),
    "JudgeLabelItem": _inside(lambda made: pb.JudgeLabelItemRequest(id=made["label_item"], action="accept"), vic=NO),
    "ListAgreeingItems": _inside(lambda made: pb.ListAgreeingItemsRequest(labelling_id=made["labelling"]), vic=NO),
    "AcceptLabelItems": _inside(
        lambda made: pb.AcceptLabelItemsRequest(labelling_id=made["labelling"], item_ids=[made["label_item"]]), vic=NO
    ),
    "TakeBackLabelItems": _inside(
        lambda made: pb.TakeBackLabelItemsRequest(labelling_id=made["labelling"], item_ids=[made["label_item"]]), vic=NO
    ),
    "UnskipLabelItems": _inside(lambda made: pb.UnskipLabelItemsRequest(labelling_id=made["labelling"]), vic=NO),
    "SaveLabelling": _inside(lambda made: pb.SaveLabellingRequest(id=made["labelling"]), vic=NO),
    "AddTrigger": _inside(lambda made: pb.AddTriggerRequest(workflow_id=made["workflow"], kind="webhook"), vic=NO),
    "ListTriggers": _inside(lambda made: pb.ListTriggersRequest(workflow_id=made["workflow"])),
    "ListFirings": _inside(lambda made: pb.ListFiringsRequest(trigger_id=made["trigger"])),
    "RemoveTrigger": _inside(lambda made: pb.RemoveTriggerRequest(id=made["trigger_unwanted"]), vic=NO),
    "ListListenerWays": _inside(lambda _: pb.ListListenerWaysRequest(project=PROJECT), vic=NO),
    "AddListener": _inside(lambda _: _listener(PROJECT), vic=NO),
    "ListListeners": _inside(lambda _: pb.ListListenersRequest(project=PROJECT), vic=NO),
    "ChangeListener": _inside(
        lambda made: pb.ChangeListenerRequest(id=made["listener"], events=["job.failed"]), vic=NO
    ),
    "TestListener": _inside(lambda made: pb.TestListenerRequest(id=made["listener_tested"]), vic=NO),
    "RemoveListener": _inside(lambda made: pb.RemoveListenerRequest(id=made["listener_unwanted"]), vic=NO),
    "ListDeliveries": _inside(lambda made: pb.ListDeliveriesRequest(listener_id=made["listener"]), vic=NO),
    "ReplayDelivery": _inside(lambda made: pb.ReplayDeliveryRequest(id=made["delivery"]), vic=NO, olga=REFUSED),
    "ListRows": _inside(lambda made: pb.ListRowsRequest(dataset_version_id=made["version"])),
    "StartWorkflowRun": _inside(lambda made: _guided(PROJECT, made), vic=NO),
    "ResumeWorkflowRun": _inside(
        lambda made: pb.ResumeWorkflowRunRequest(id=made["run"]), vic=NO, olga="FAILED_PRECONDITION"
    ),
    "SaveReward": _inside(
        lambda _: pb.SaveRewardRequest(project=PROJECT, name="record", document='[{"check": "json_valid"}]'), vic=NO
    ),
    "DryRunReward": _inside(
        lambda made: pb.DryRunRewardRequest(project=PROJECT, reward="record", dataset_version_id=made["version"]),
        vic=NO,
    ),
    "GetRewardDryRun": _inside(lambda made: pb.GetRewardDryRunRequest(id=made["reward_dry_run"])),
    "WaitRewardDryRun": _inside(lambda made: pb.WaitRewardDryRunRequest(id=made["reward_dry_run"])),
    "CancelRewardDryRun": _inside(
        lambda made: pb.CancelRewardDryRunRequest(id=made["reward_dry_run"]), vic=NO, olga="FAILED_PRECONDITION"
    ),
    "ListRewards": _inside(lambda _: pb.ListRewardsRequest(project=PROJECT)),
    "GetReward": _inside(lambda _: pb.GetRewardRequest(project=PROJECT, reward="record")),
    "ListRewardVersions": _inside(lambda _: pb.ListRewardVersionsRequest(project=PROJECT, reward="record")),
    "SaveWorkflow": _inside(lambda _: pb.SaveWorkflowRequest(project=PROJECT, text=rooms.WORKFLOW), vic=NO),
    "SetDeploymentPrompt": _inside(
        lambda made: pb.SetDeploymentPromptRequest(id=made["deployment"], prompt="short"), vic=NO
    ),
    "SavePrompt": _inside(lambda _: pb.SavePromptRequest(project=PROJECT, name="short", content=rooms.PROMPT), vic=NO),
    "ListPrompts": _inside(lambda _: pb.ListPromptsRequest(project=PROJECT)),
    "GetPrompt": _inside(lambda _: pb.GetPromptRequest(project=PROJECT, prompt="short")),
    "ListPromptVersions": _inside(lambda _: pb.ListPromptVersionsRequest(project=PROJECT, prompt="short")),
    "ListWorkflows": _inside(lambda _: pb.ListWorkflowsRequest(project=PROJECT)),
    "GetWorkflow": _inside(lambda _: pb.GetWorkflowRequest(project=PROJECT, workflow="thread")),
    "ListWorkflowVersions": _inside(lambda _: pb.ListWorkflowVersionsRequest(project=PROJECT, workflow="thread")),
    "CheckWorkflow": _inside(lambda _: pb.CheckWorkflowRequest(project=PROJECT, workflow="thread")),
    "GetWorkflowRun": _inside(lambda made: pb.GetWorkflowRunRequest(id=made["run"])),
    "ListWorkflowRuns": _inside(lambda _: pb.ListWorkflowRunsRequest(project=PROJECT)),
    "WaitWorkflowRun": _inside(lambda made: pb.WaitWorkflowRunRequest(id=made["run"])),
    "CancelWorkflowRun": _inside(
        lambda made: pb.CancelWorkflowRunRequest(id=made["run"]), vic=NO, olga="FAILED_PRECONDITION"
    ),
    "ApproveWorkflowRun": _inside(
        lambda made: pb.ApproveWorkflowRunRequest(id=made["run"]), vic=NO, olga="FAILED_PRECONDITION"
    ),
    "RefuseWorkflowRun": _inside(
        lambda made: pb.RefuseWorkflowRunRequest(id=made["run"]), vic=NO, olga="FAILED_PRECONDITION"
    ),
    "PreviewWorkflowRepeat": _inside(
        lambda made: pb.PreviewWorkflowRepeatRequest(id=made["run"]), vic=NO, olga="INVALID_ARGUMENT"
    ),
    "RepeatWorkflowRun": _inside(
        lambda made: pb.RepeatWorkflowRunRequest(id=made["run"]), vic=NO, olga="INVALID_ARGUMENT"
    ),
    "CompareWorkflowRuns": _inside(
        lambda made: pb.CompareWorkflowRunsRequest(before_id=made["run"], after_id=made["run"])
    ),
    "StartSweep": _inside(lambda made: _sweep(PROJECT, made), vic=NO),
    "GetSweep": _inside(lambda made: pb.GetSweepRequest(id=made["sweep"])),
    "ListSweeps": _inside(lambda _: pb.ListSweepsRequest(project=PROJECT)),
    "WaitSweep": _inside(lambda made: pb.WaitSweepRequest(id=made["sweep"])),
    "CancelSweep": _inside(lambda made: pb.CancelSweepRequest(id=made["sweep"]), vic=NO, olga="FAILED_PRECONDITION"),
    "GetJobConfig": _inside(lambda made: pb.GetJobConfigRequest(job_id=made["train"])),
    "ListFiles": _inside(lambda made: pb.ListFilesRequest(job_id=made["train"])),
    "GetFile": _inside(lambda made: _file(made["train"], made)),
    "GetLineage": _inside(lambda made: pb.GetLineageRequest(model_id=made["gguf"])),
    "CreateApiToken": Row(lambda _: pb.CreateApiTokenRequest(name="t"), OK, OK, OK),
    "ListAudit": _inside(lambda _: pb.ListAuditRequest(project=PROJECT), vic=NO),
    "CheckAudit": Row(lambda _: pb.CheckAuditRequest(), NO, NO, NO, NO),
    "UploadDataset": _inside(lambda _: _upload(PROJECT), vic=NO, olga="INVALID_ARGUMENT"),
    "BeginUpload": _inside(lambda _: pb.BeginUploadRequest(project=PROJECT, file_name="f.csv", size=1), vic=NO),
    "AppendUpload": _inside(lambda made: _bytes(made["upload"]), vic=GONE),
    "GetUpload": _inside(lambda made: pb.GetUploadRequest(id=made["upload"]), vic=GONE),
    "ListUploads": _inside(lambda _: pb.ListUploadsRequest(project=PROJECT), vic=NO),
    "CancelUpload": _inside(lambda made: pb.CancelUploadRequest(id=made["upload_unwanted"]), vic=GONE),
    "BeginDraft": _inside(lambda made: _draft(PROJECT, made), vic=NO),
    "GetDraft": _inside(lambda made: pb.GetDraftRequest(id=made["draft"]), vic=GONE),
    "WaitDraft": _inside(lambda made: pb.WaitDraftRequest(id=made["draft"]), vic=GONE),
    "ListDrafts": _inside(lambda _: pb.ListDraftsRequest(project=PROJECT), vic=NO),
    "ChangeDraft": _inside(lambda made: pb.ChangeDraftRequest(id=made["draft"]), vic=GONE),
    "PreviewDraft": _inside(lambda made: _preview(made["draft"]), vic=GONE),
    "SaveDraft": _inside(lambda made: pb.SaveDraftRequest(id=made["draft"]), vic=GONE, olga=REFUSED),
    "CancelDraft": _inside(lambda made: pb.CancelDraftRequest(id=made["draft_unwanted"]), vic=GONE),
    "ListConnectors": _inside(lambda _: pb.ListConnectorsRequest(project=PROJECT), vic=NO),
    # the place that is asked about is inside, and nobody has opened it
    "LookAtSource": _inside(lambda _: _look(PROJECT), vic=NO, olga=BAD),
    "BeginSource": _inside(lambda _: _source(PROJECT), vic=NO),
    "ListSources": _inside(lambda _: pb.ListSourcesRequest(project=PROJECT)),
    "GetSource": _inside(lambda made: pb.GetSourceRequest(id=made["source"])),
    "RefreshSource": _inside(lambda made: pb.RefreshSourceRequest(id=made["source"]), vic=NO),
    "ScheduleSource": _inside(lambda made: pb.ScheduleSourceRequest(id=made["source"]), vic=NO),
    "RemoveSource": _inside(lambda made: pb.RemoveSourceRequest(id=made["source_unwanted"]), vic=NO),
    "ListDatasets": _inside(lambda _: pb.ListDatasetsRequest(project=PROJECT)),
    "SubmitJob": _inside(lambda made: _training(PROJECT, made), vic=NO),
    "EstimateJob": _inside(lambda made: _estimate(PROJECT, made), vic=NO),
    "GetJob": _inside(lambda made: pb.GetJobRequest(id=made["train"])),
    "ListJobs": _inside(lambda _: pb.ListJobsRequest(project=PROJECT)),
    "WaitJob": _inside(lambda made: pb.WaitJobRequest(id=made["train"])),
    "CancelJob": _inside(lambda made: pb.CancelJobRequest(id=made["failed"]), vic=NO, olga="FAILED_PRECONDITION"),
    "ReadLog": _inside(lambda made: pb.ReadLogRequest(job_id=made["train"])),
    "ListEvents": _inside(lambda made: pb.ListEventsRequest(job_id=made["train"])),
    "ListModels": _inside(lambda _: pb.ListModelsRequest(project=PROJECT)),
    "GetModel": _inside(lambda made: pb.GetModelRequest(id=made["gguf"])),
    "GetEvaluation": _inside(lambda made: pb.GetEvaluationRequest(id=made["evaluation"])),
    "ListEvaluations": _inside(lambda _: pb.ListEvaluationsRequest(project=PROJECT)),
    "Deploy": _inside(lambda made: _deploy(PROJECT, made["gguf"]), vic=NO),
    "GetDeployment": _inside(lambda made: pb.GetDeploymentRequest(id=made["deployment"])),
    "ListDeployments": _inside(lambda _: pb.ListDeploymentsRequest(project=PROJECT)),
    "WaitDeployment": _inside(lambda made: pb.WaitDeploymentRequest(id=made["deployment"])),
    "StopDeployment": _inside(lambda made: pb.StopDeploymentRequest(id=made["deployment"]), vic=NO),
    "DescribeThing": _inside(lambda made: pb.DescribeThingRequest(kind="model", id=made["gguf"]), vic=NO),
    "DeleteThing": _inside(lambda made: pb.DeleteThingRequest(kind="model", id=made["gguf"]), vic=NO, olga=REFUSED),
    "RestoreThing": _inside(lambda made: pb.RestoreThingRequest(kind="job", id=made["train"]), vic=NO, olga=REFUSED),
    "PurgeThing": _inside(lambda made: pb.PurgeThingRequest(kind="job", id=made["train"]), vic=NO, olga=NO),
    "ListTrash": _inside(lambda _: pb.ListTrashRequest(project=PROJECT)),
    # a viewer may use what is served; here the machine has no channel
    "Chat": _inside(
        lambda made: pb.ChatRequest(deployment_id=made["deployment"], body=QUESTION), "UNAVAILABLE", "UNAVAILABLE"
    ),
}
# these change what the other tests look at
ONCE = {"SubmitJob", "Deploy", "StopDeployment", "RemoveMember", "StartWorkflowRun", "StartSweep"}
CHANGING = (
    "CreateProject", "CreateJoinToken", "UploadDataset", "SubmitJob", "CancelJob", "CancelWorkflowRun", "CancelSweep",
    "Deploy", "StopDeployment", "DescribeThing", "DeleteThing", "RestoreThing", "PurgeThing",
)  # fmt: skip
# what eve may ask in her own project with the canary's ids in it
BORROWED: dict[str, tuple[str, Callable[[dict[str, int]], Any]]] = {
    "the dataset and the base": ("SubmitJob", lambda made: _training(OTHER, made)),
    "the dataset alone": ("SubmitJob", lambda made: _training(OTHER, made | {"base": 0})),
    "the dataset in a workflow run": ("StartWorkflowRun", lambda made: _guided(OTHER, made)),
    "what a workflow run carries out": (
        "GetWorkflow",
        lambda made: pb.GetWorkflowRequest(project=OTHER, run_id=made["run"]),
    ),
    "the dataset in a workflow’s text": (
        "StartWorkflowRun",
        lambda made: pb.StartWorkflowRunRequest(project=OTHER, spec=rooms.WORKFLOW, dataset_version_id=made["version"]),
    ),
    "the dataset in an estimate": ("EstimateJob", lambda made: _estimate(OTHER, made)),
    "the dataset in a sweep": ("StartSweep", lambda made: _sweep(OTHER, made)),
    "the source’s secrets": ("BeginSource", lambda made: _source(OTHER, made["source"])),
    "the source’s secrets in a look": ("LookAtSource", lambda made: _look(OTHER, made["source"])),
    "the dataset in a labelling": ("StartLabelling", lambda made: _labelling(OTHER, made)),
    "the endpoint in a labelling": (
        "StartLabelling",
        lambda made: pb.StartLabellingRequest(project=OTHER, dataset_version_id=made["version"], endpoint="endpoint"),
    ),
    "the upload in a draft": ("BeginDraft", lambda made: _draft(OTHER, made)),
    "the model": ("Deploy", lambda made: _deploy(OTHER, made["gguf"])),
}


def _dry_run(project: str, made: dict[str, int]) -> pb.TryMethodRequest:
    return pb.TryMethodRequest(project=project, version_id=made["method"], machine_id="no machine")


def _upload(project: str) -> list[pb.UploadDatasetRequest]:
    header = pb.UploadHeader(project=project, name="d", split_seed=1)
    return [pb.UploadDatasetRequest(header=header), pb.UploadDatasetRequest(train=b"no row\n")]


def _bytes(upload_id: int) -> list[pb.AppendUploadRequest]:
    place = pb.UploadPlace(id=upload_id, offset=len(data_support.ROWS))
    return [pb.AppendUploadRequest(place=place), pb.AppendUploadRequest(data=b"")]


def _edits(version_id: int) -> pb.EditRowsRequest:
    return pb.EditRowsRequest(dataset_version_id=version_id, removed=[1])


def _listener(project: str) -> pb.AddListenerRequest:
    return pb.AddListenerRequest(project=project, way="webhook", address="https://a.example/", events=["job.failed"])


def _endpoint(project: str, name: str) -> pb.SaveEndpointRequest:
    return pb.SaveEndpointRequest(project=project, name=name, address="http://127.0.0.1:9/v1", model="m")


def _labelling(project: str, made: dict[str, int]) -> pb.StartLabellingRequest:
    return pb.StartLabellingRequest(project=project, dataset_version_id=made["version"], count=3)


def _draft(project: str, made: dict[str, int]) -> pb.BeginDraftRequest:
    return pb.BeginDraftRequest(project=project, train_upload_id=made["upload"])


def _look(project: str, like: int = 0) -> pb.LookAtSourceRequest:
    given = '{"address": "http://127.0.0.1/"}'
    return pb.LookAtSourceRequest(project=project, connector="http", parameters=given, like_id=like)


def _source(project: str, like: int = 0) -> pb.BeginSourceRequest:
    given = '{"address": "http://127.0.0.1/"}'
    return pb.BeginSourceRequest(project=project, connector="http", parameters=given, like_id=like)


def _preview(draft_id: int) -> pb.PreviewDraftRequest:
    return pb.PreviewDraftRequest(id=draft_id, mapping='{"format": "text", "parts": {"text": ["prompt"]}}')


def _training(project: str, made: dict[str, int]) -> pb.SubmitJobRequest:
    inputs = [
        pb.InputRef(name="base", kind="model", id=made["base"]),
        pb.InputRef(name="dataset", kind="dataset", id=made["version"]),
    ]
    return pb.SubmitJobRequest(project=project, method="sft_demo", name="stolen", inputs=inputs, seed=1)


def _estimate(project: str, made: dict[str, int]) -> pb.EstimateJobRequest:
    return pb.EstimateJobRequest(project=project, method="sft_demo", inputs=_training(project, made).inputs)


def _sweep(project: str, made: dict[str, int]) -> pb.StartSweepRequest:
    return pb.StartSweepRequest(job=_training(project, made), varied='{"steps": [10, 20]}', trials=2)


def _guided(project: str, made: dict[str, int]) -> pb.StartWorkflowRunRequest:
    return pb.StartWorkflowRunRequest(project=project, case="machine_faults", dataset_version_id=made["version"])


def _file(job_id: int, made: dict[str, int]) -> pb.GetFileRequest:
    return pb.GetFileRequest(job_id=job_id, artifact_id=made["artifact"], path="model.json")


def _deploy(project: str, model_id: int) -> pb.DeployRequest:
    return pb.DeployRequest(project=project, name="stolen", model_id=model_id)


@contextmanager
def _stub(town: Town) -> Iterator[automation_pb2_grpc.AutomationStub]:
    credentials = grpc.ssl_channel_credentials(open_authority(town.cp.settings.data).pem)
    with grpc.secure_channel(f"127.0.0.1:{town.server.api_port}", credentials) as channel:
        yield automation_pb2_grpc.AutomationStub(channel)


def _call(stub: automation_pb2_grpc.AutomationStub, name: str, request: Any, token: str) -> tuple[str, bytes]:
    """The status's name, and every byte that came back: messages, details and trailing metadata."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    sent = iter(request) if METHODS[name].client_streaming else request
    try:
        reply = getattr(stub, name)(sent, metadata=metadata, timeout=PATIENCE)
        replies = [reply] if isinstance(reply, Message) else list(reply)
        return OK, b"".join(one.SerializeToString() for one in replies)
    except grpc.RpcError as error:
        said = f"{error.details()} {error.trailing_metadata()}"  # type: ignore[attr-defined]
        assert code_of(error) or error.code().name == "UNIMPLEMENTED", said  # type: ignore[attr-defined]
        return error.code().name, said.encode()  # type: ignore[attr-defined]


def _rows_now() -> tuple[int, ...]:
    stopped = DeploymentRecord.select().where(DeploymentRecord.desired_state == "STOPPED").count()
    requested = JobRecord.select().where(JobRecord.cancel_requested_at > 0).count()
    return JobRecord.select().count(), DeploymentRecord.select().count(), stopped, requested


def test_each_call_has_a_row() -> None:
    assert set(ROWS) == set(METHODS)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_nobody_gets_beyond_what_is_theirs(town: Town, name: str) -> None:
    row, before = ROWS[name], _rows_now()
    with _stub(town) as stub:
        for user, wanted in ((EVE, row.eve), (NORA, row.nora), (VIC, row.vic)):
            status, said = _call(stub, name, row.request(town.made), town.tokens[user])
            assert status == wanted, (user, said[:300])
            assert user == VIC or PROJECT.encode() not in said, (user, said[:300])
        for token in ("", "tsk_guessed", town.tokens[EVE] + "x"):
            status, said = _call(stub, name, row.request(town.made), token)
            assert status == "UNAUTHENTICATED", said[:300]
            assert PROJECT.encode() not in said
    assert _rows_now() == before


@pytest.mark.parametrize("case", sorted(BORROWED))
def test_ids_of_another_project_do_not_exist_in_ones_own(town: Town, case: str) -> None:
    name, request = BORROWED[case]
    before = _rows_now()
    with _stub(town) as stub:
        status, said = _call(stub, name, request(town.made), town.tokens[EVE])
    assert status == GONE, said
    assert _rows_now() == before


@pytest.mark.parametrize("name", sorted(set(METHODS) - ONCE))
def test_the_same_requests_work_for_the_owner(town: Town, name: str) -> None:
    """Otherwise the refusals above would prove nothing."""
    with _stub(town) as stub:
        status, said = _call(stub, name, ROWS[name].request(town.made), town.tokens[OLGA])
    assert status == ROWS[name].olga, said[:300]


@pytest.mark.parametrize("path", ["", "..", "../model.json", "/etc/passwd", "\x00", "x" * 100_000])
def test_of_a_jobs_files_only_those_are_read(town: Town, path: str) -> None:
    own = _file(town.made["train"], town.made)
    requests = [pb.GetFileRequest(job_id=own.job_id, artifact_id=own.artifact_id, path=path)]
    requests.append(_file(town.made["export"], town.made))  # of another job
    with _stub(town) as stub:
        for request in requests:
            assert _call(stub, "GetFile", request, town.tokens[OLGA])[0] == GONE


def test_a_refusal_writes_no_audit_entry_of_a_change(town: Town) -> None:
    before = AuditRecord.select().count()
    with _stub(town) as stub:
        for name in CHANGING:
            assert _call(stub, name, ROWS[name].request(town.made), town.tokens[NORA])[0] in (GONE, NO)
    assert AuditRecord.select().count() == before


@pytest.mark.parametrize("number", [0, -1, 2**53, 2**63 - 1, -(2**63)])
def test_an_id_that_nothing_has_is_not_found(town: Town, number: int) -> None:
    with _stub(town) as stub:
        for name in METHODS:
            made = dict.fromkeys(town.made, number)
            request = ROWS[name].request(made)
            if name == "StartWorkflowRun" and not number:
                continue  # then it takes the data that its workflow says
            if isinstance(request, Message) and request != ROWS[name].request(town.made):
                status, said = _call(stub, name, request, town.tokens[ROOT])
                assert status == GONE, (name, said[:300])
