"""Whatever changes something by the browser can be done by the API, by the client, and is on the API's page."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from control_plane.rpc.automation.servicer import AutomationServicer
from tunesmith.client import Client
from tunesmith.v1 import automation_pb2, automation_pb2_grpc
from web import create_app

PAGE = (Path(__file__).parents[2] / "docs/developers/automation.md").read_text(encoding="utf-8")
CALLS = sorted(automation_pb2.DESCRIPTOR.services_by_name["Automation"].methods_by_name)

# what a browser may change, by endpoint: the calls that do the same, or why none has to
ROUTES: dict[str, tuple[str, ...] | str] = {
    "account.change_password": ("ChangePassword",),
    "account.save": ("SetProfile",),
    "account.sign_out_others": ("SignOutUser",),
    "audit.check": ("CheckAudit",),
    "cases.own": ("BeginUpload", "AppendUpload", "BeginDraft"),
    "cases.start": ("StartWorkflowRun",),
    "cases.try_it": ("GetCaseFile", "UploadDataset"),
    "saved_cases.bring": ("ImportCase",),
    "saved_cases.delete": ("DeleteCase",),
    "saved_cases.rate": ("RateCase",),
    "saved_cases.save": ("SaveCase",),
    "saved_cases.share": ("ShareCase",),
    "datasets.upload": ("BeginUpload", "AppendUpload", "BeginDraft"),
    "deployments.carry": ("SetDeploymentPrompt",),
    "deployments.chat": ("Chat",),
    "deployments.deploy": ("Deploy",),
    "deployments.start": ("Deploy",),
    "deployments.stop": ("StopDeployment",),
    "drafts.cancel": ("CancelDraft",),
    "drafts.change": ("ChangeDraft",),
    "drafts.save": ("SaveDraft",),
    "endpoints.remove": ("RemoveEndpoint",),
    "endpoints.save": ("SaveEndpoint", "TestEndpoint"),
    "endpoints.test": ("TestEndpoint",),
    "gateway.chat_completions": ("Chat",),
    "gateway.completions": "the OpenAI-compatible endpoint is an API itself, with the same tokens",
    "gateway.embeddings": "refuses, and changes nothing",
    "jobs.cancel": ("CancelJob",),
    "jobs.plan": ("EstimateJob",),
    "jobs.submit": ("SubmitJob",),
    "sources.refresh": ("RefreshSource",),
    "sources.remove": ("RemoveSource",),
    "sources.schedule": ("ScheduleSource",),
    "sources.begin": ("LookAtSource", "BeginSource"),
    "prompts.create": ("SavePrompt",),
    "prompts.save": ("SavePrompt",),
    "prompts.take": ("SavePrompt",),
    "workflows.create": ("SaveWorkflow", "CheckWorkflow"),
    "workflows.resume": ("ResumeWorkflowRun",),
    "workflows.run": ("StartWorkflowRun", "CheckWorkflow"),
    "workflows.save": ("SaveWorkflow", "CheckWorkflow"),
    "sweeps.cancel": ("CancelSweep",),
    "sweeps.start": ("StartSweep",),
    "labellings.accept": ("AcceptLabelItems",),
    "labellings.take_back": ("TakeBackLabelItems",),
    "labellings.close": ("CloseLabelling",),
    "labellings.judge": ("JudgeLabelItem",),
    "labellings.resume": ("ResumeLabelling",),
    "labellings.save": ("SaveLabelling",),
    "labellings.start": ("StartLabelling",),
    "labellings.stop": ("StopLabelling",),
    "labellings.unskip": ("UnskipLabelItems",),
    "listeners.add": ("AddListener",),
    "listeners.change": ("ChangeListener",),
    "listeners.remove": ("RemoveListener",),
    "listeners.replay": ("ReplayDelivery",),
    "listeners.test": ("TestListener",),
    "machines.describe": ("DescribeMachine",),
    "machines.drain": ("DrainMachine",),
    "machines.join": ("CreateJoinToken",),
    "machines.remove": ("RemoveMachine",),
    "machines.revoke": ("RevokeMachine",),
    "machines.undrain": ("UndrainMachine",),
    "notifications.read": ("MarkNotificationsRead",),
    "own_methods.copy": ("CopyMethod",),
    "own_methods.delete": ("DeleteMethod",),
    "own_methods.publish": ("PublishMethod",),
    "own_methods.restore": ("RestoreMethod",),
    "own_methods.run": ("TryMethod",),
    "own_methods.save": ("UploadMethod",),
    "own_methods.upload": ("UploadMethod",),
    "people.activate": ("ActivateUser",),
    "people.create_link": ("CreateUserLink",),
    "projects.create": ("CreateProject",),
    "people.deactivate": ("DeactivateUser",),
    "people.invite": ("InviteUser", "SetMember"),
    "people.remove_member": ("RemoveMember",),
    "people.set_administrator": ("SetAdministrator",),
    "people.set_member": ("SetMember",),
    "people.sign_out": ("SignOutUser",),
    "projects.delete": ("DeleteThing",),
    "projects.describe": ("DescribeThing",),
    "projects.purge": ("PurgeThing",),
    "projects.restore": ("RestoreThing",),
    "row_edits.save": ("EditRows",),
    "security.csp_reports": "a browser's own report about a page",
    "sign_in.enter": "a session of a browser; scripts have tokens",
    "sign_in.leave": "a session of a browser; scripts have tokens",
    "sign_in.set_password": "a password is typed by its owner alone",
    "rewards.begin": ("DryRunReward",),
    "rewards.cancel": ("CancelRewardDryRun",),
    "rewards.create": ("SaveReward",),
    "rewards.save": ("SaveReward",),
    "things.delete": ("DeleteThing",),
    "things.describe": ("DescribeThing",),
    "things.purge": ("PurgeThing",),
    "things.restore": ("RestoreThing",),
    "tokens.create": ("CreateApiToken",),
    "tokens.revoke": ("RevokeApiToken",),
    "triggers.add": ("AddTrigger",),
    "triggers.remove": ("RemoveTrigger",),
    "hooks.call": "another system’s way in, with a key of its own; scripts have StartWorkflowRun",
    "uploads.append": ("AppendUpload",),
    "uploads.begin": ("BeginUpload",),
    "workflow_runs.approve": ("ApproveWorkflowRun",),
    "workflow_runs.cancel": ("CancelWorkflowRun",),
    "workflow_runs.plan": ("PreviewWorkflowRepeat",),
    "workflow_runs.refuse": ("RefuseWorkflowRun",),
    "workflow_runs.repeat": ("RepeatWorkflowRun",),
}


def test_each_changing_route_has_a_row_and_each_row_a_route(cp: ControlPlane) -> None:
    rules = create_app(cp).url_map.iter_rules()
    changing = {rule.endpoint for rule in rules if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}}
    assert changing - set(ROUTES) == set(), "add the calls that do the same to ROUTES, and to automation.proto"
    assert set(ROUTES) - changing == set(), "these routes are gone"


def test_the_rows_name_calls_that_exist() -> None:
    named = {call for row in ROUTES.values() if not isinstance(row, str) for call in row}
    assert named - set(CALLS) == set()
    assert all(ROUTES.values()), "neither a call nor a reason"


@pytest.mark.parametrize("call", CALLS)
def test_each_call_is_served(call: str) -> None:
    assert getattr(AutomationServicer, call) is not getattr(automation_pb2_grpc.AutomationServicer, call)


@pytest.mark.parametrize("call", CALLS)
def test_the_client_has_each_call(call: str) -> None:
    assert callable(getattr(Client, method_of(call), None)), method_of(call)
    assert any(f"self._stub.{call}" in inspect.getsource(kind) for kind in Client.__mro__[:-1])


@pytest.mark.parametrize("call", CALLS)
def test_the_page_has_each_call(call: str) -> None:
    assert row_of(call) in PAGE, f"docs/developers/automation.md lacks:\n{row_of(call)}"


def test_the_page_has_nothing_that_is_gone() -> None:
    rows = re.findall(r"^\| `[A-Z][a-z]\w+` \|.*$", PAGE, re.MULTILINE)
    assert len(rows) == len(CALLS)
    assert set(rows) == {row_of(call) for call in CALLS}


def test_the_example_calls_what_the_client_has() -> None:
    (example,) = re.findall(r"```python\n(import tunesmith\n.*?)```", PAGE, re.DOTALL)
    compile(example, "automation.md", "exec")
    called = set(re.findall(r"client\.(\w+)\(", example))
    assert len(called) > 5
    assert {name for name in called if not callable(getattr(Client, name, None))} == set()


def method_of(call: str) -> str:
    """WhoAmI → who_am_i"""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", call).lower()


def row_of(call: str) -> str:
    """The page's row: the call, the client's method with its parameters, and the first line of its docstring."""
    method = getattr(Client, method_of(call))
    parameters = [name for name in inspect.signature(method).parameters if name != "self"]
    first = (inspect.getdoc(method) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    return f"| `{call}` | `{method_of(call)}({', '.join(parameters)})` | {first} |"
