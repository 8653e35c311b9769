"""Each call that changes something writes its audit entry in the same transaction, or changes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client_support import Installation, made

import tunesmith
from control_plane.services import method_folders, methods
from control_plane.services.access import identity, people
from control_plane.store.audit import AuditRecord
from control_plane.store.database import database
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.labelling import LabelItemRecord
from control_plane.store.listeners import DeliveryRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.people import UserRecord
from control_plane.store.sources import SourceRecord
from control_plane.store.workflows import ApprovalRecord, WorkflowRunRecord
from served import serve
from tunesmith.v1 import automation_pb2 as pb

READING = (
    "Get",
    "List",
    "LookAt",
    "Compare",
    "Read",
    "Wait",
    "WhoAmI",
    "Preview",
    "Search",
    "See",
    "Measure",
    "AppendUpload",  # the bytes of what BeginUpload has announced
    "Chat",
    "CheckWorkflow",
    "CheckAudit",  # writes its own entry alone
    "EstimateJob",
    "ExportCase",
    "NextLabelItem",  # keeps an item for somebody for a while, which says nothing of it
    "MarkNotificationsRead",  # how far somebody has read is no act on the installation
)
CALLS = [method.name for method in pb.DESCRIPTOR.services_by_name["Automation"].methods]
ROWS = b"".join(json.dumps({"prompt": f"p{n}", "completion": f"c{n}"}).encode() + b"\n" for n in range(20))

WORKFLOW = "{name: notes, steps: [{name: bring, method: bring}]}"

Act = Callable[[], Any]


def member(client: tunesmith.Client, _: Installation) -> Act:
    client.invite_user("ada")
    client.set_member("default", "ada", "Viewer")
    return lambda: client.remove_member("default", "ada")


def role(client: tunesmith.Client, _: Installation) -> Act:
    client.invite_user("ada")
    return lambda: client.set_member("default", "ada", "Expert")


def account(
    act: Callable[[tunesmith.Client], Any], *prepared: Callable[[tunesmith.Client], Any]
) -> Callable[[tunesmith.Client, Installation], Act]:
    """A change of the account "ada", whose open session ends with it."""

    def prepare(client: tunesmith.Client, installation: Installation) -> Act:
        link = client.invite_user("ada")
        people.redeem_link(installation.cp, link.rsplit("/", 1)[1], "a long enough sentence", "")
        for one in prepared:
            one(client)
        return lambda: act(client)

    return prepare


def own_password(client: tunesmith.Client, installation: Installation) -> Act:
    account(lambda _: None)(client, installation)
    actor = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    ada = installation.connect(people.create_token(actor, installation.cp, "script")[0])
    ada.who_am_i()
    return lambda: ada.change_password("a long enough sentence", "another long sentence")


def token(client: tunesmith.Client, _: Installation) -> Act:
    client.create_api_token("nightly")
    number = client.list_api_tokens()[0].id
    return lambda: client.revoke_api_token(number)


def working(client: tunesmith.Client, installation: Installation) -> Act:
    machine = installation.fleet.machine().id
    return lambda: client.drain_machine(machine)


def trusted(client: tunesmith.Client, installation: Installation) -> Act:
    machine = installation.fleet.machine().id
    return lambda: client.revoke_machine(machine)


def named(client: tunesmith.Client, installation: Installation) -> Act:
    machine = installation.fleet.machine().id
    return lambda: client.describe_machine(machine, "lab-7", ["gpu"])


def unwanted(client: tunesmith.Client, installation: Installation) -> Act:
    machine = installation.fleet.machine().id
    return lambda: client.remove_machine(machine)


def drained(client: tunesmith.Client, installation: Installation) -> Act:
    machine = installation.fleet.machine().id
    client.drain_machine(machine)
    return lambda: client.undrain_machine(machine)


def workflow_run(client: tunesmith.Client, installation: Installation) -> Act:
    MethodVersionRecord.delete().execute()
    methods.register_shipped(installation.cp)
    version = client.upload_dataset("default", "faults", ROWS).id
    return lambda: client.start_workflow_run("default", "machine_faults", version)


def running(client: tunesmith.Client, installation: Installation) -> Act:
    run = workflow_run(client, installation)().id
    return lambda: client.cancel_workflow_run(run)


def cancelled_run(client: tunesmith.Client, installation: Installation) -> Act:
    run = workflow_run(client, installation)().id
    client.cancel_workflow_run(run)
    return lambda: client.resume_workflow_run(run)


def ended(client: tunesmith.Client, installation: Installation) -> Act:
    """A run as one that went well is, without the work."""
    run = workflow_run(client, installation)().id
    over = {"outcome": "done", "ended_at": installation.cp.clock()}
    WorkflowRunRecord.update(**over).where(WorkflowRunRecord.id == run).execute()
    return lambda: client.save_case(run, "Pumps", "Too many reports.")


def with_case(act: Callable[[tunesmith.Client, str], Any]) -> Callable[[tunesmith.Client, Installation], Act]:
    """Something that is done to a case which was imported."""

    def prepare(client: tunesmith.Client, installation: Installation) -> Act:
        name = importing(client, installation)().name
        return lambda: act(client, name)

    return prepare


def decided(verb: str) -> Callable[[tunesmith.Client, Installation], Act]:
    """A run of somebody else's, which asks for a decision."""

    def prepare(client: tunesmith.Client, installation: Installation) -> Act:
        client.invite_user("ada")
        run = workflow_run(client, installation)().id
        ada = UserRecord.get(UserRecord.name == "ada")
        asked = ApprovalRecord.create(
            run=run, project=WorkflowRunRecord.get_by_id(run).project_id, step="release", given={}, asked_at=1
        )
        inputs = {"model": "import.model"}
        step = {"name": "release", "kind": "approval", "inputs": inputs, "outputs": {"model": "model"}}
        graph = [*WorkflowRunRecord.get_by_id(run).graph, step]
        begun = WorkflowRunRecord.get_by_id(run).begun | {"release": {"approval": asked.id}}
        WorkflowRunRecord.update(created_by=ada, graph=graph, begun=begun).execute()
        return lambda: getattr(client, verb)(run)

    return prepare


def importing(client: tunesmith.Client, installation: Installation) -> Act:
    MethodVersionRecord.delete().execute()
    methods.register_shipped(installation.cp)
    archive = client.export_case("assay_notes")
    return lambda: client.import_case("default", archive)


def repeated(client: tunesmith.Client, installation: Installation) -> Act:
    run = workflow_run(client, installation)().id
    return lambda: client.repeat_workflow_run(run, parameters={"train": {"steps": 60}})


def sweeping(client: tunesmith.Client, installation: Installation) -> Act:
    inputs = {"base": made(client, installation, "base"), "dataset": client.upload_dataset("default", "f", ROWS).id}
    varied = {"steps": [10, 20]}
    return lambda: client.start_sweep("default", "tune", varied, trials=2, objective="reward", inputs=inputs)


def swept(client: tunesmith.Client, installation: Installation) -> Act:
    sweep = sweeping(client, installation)().id
    return lambda: client.cancel_sweep(sweep)


def queued(client: tunesmith.Client, _: Installation) -> Act:
    job = client.submit_job("default", "bring").id
    return lambda: client.cancel_job(job)


def packaged(client: tunesmith.Client, installation: Installation) -> Act:
    model = made(client, installation, "gguf")
    return lambda: client.deploy("default", "faults", model)


def carrying(client: tunesmith.Client, installation: Installation) -> Act:
    client.save_prompt("default", "short", {"system": "Answer in one word."})
    number = packaged(client, installation)().id
    return lambda: client.set_deployment_prompt(number, "short", {"type": "object"})


def served(client: tunesmith.Client, installation: Installation) -> Act:
    number = packaged(client, installation)().id
    return lambda: client.stop_deployment(number)


def _folder(tmp: Path, words: str = "Mine") -> Path:
    """The folder of a method that can be handed in."""
    folder = tmp / f"mine-{words}"
    shutil.copytree(method_folders.SHIPPED[0] / "sft_demo", folder)
    text = (folder / "method.toml").read_text("utf-8").replace('name = "sft_demo"', 'name = "mine"')
    (folder / "method.toml").write_text(text, "utf-8")
    (folder / "README.md").write_text(words)
    return folder


def handed_in(act: Callable[[tunesmith.Client, int], Any]) -> Callable[[tunesmith.Client, Installation], Act]:
    """A change of a draft that came through its dry run."""

    def prepare(client: tunesmith.Client, installation: Installation) -> Act:
        draft = client.upload_method(_folder(installation.cp.settings.data.parent)).id
        job = client.try_method("default", draft, installation.fleet.machine().id)
        JobRecord.update(**{"state": "SUCCEEDED"}).where(JobRecord.id == job.id).execute()
        return lambda: act(client, draft)

    return prepare


def thrown_away(client: tunesmith.Client, installation: Installation) -> Act:
    draft = client.upload_method(_folder(installation.cp.settings.data.parent)).id
    client.delete_method(draft)
    return lambda: client.restore_method(draft)


def tried(client: tunesmith.Client, installation: Installation) -> Act:
    draft, machine = (
        client.upload_method(_folder(installation.cp.settings.data.parent)).id,
        installation.fleet.machine(),
    )
    return lambda: client.try_method("default", draft, machine.id)


def folder_of(client: tunesmith.Client, installation: Installation) -> Act:
    folder = _folder(installation.cp.settings.data.parent)
    return lambda: client.upload_method(folder)


def uploaded(
    act: Callable[[tunesmith.Client, int], Any], *prepared: Callable[[tunesmith.Client, int], Any]
) -> Callable[[tunesmith.Client, Installation], Act]:
    """A change of a dataset, as one of the things that can be described and deleted."""

    def prepare(client: tunesmith.Client, _: Installation) -> Act:
        client.upload_dataset("default", "faults", ROWS)
        number = client.list_datasets("default")[0].thing.id
        for one in prepared:
            one(client, number)
        return lambda: act(client, number)

    return prepare


def fetching(client: tunesmith.Client, _: Installation) -> Act:
    given = {"address": "https://example.org/faults.jsonl"}
    return lambda: client.begin_source("default", "http", given, {"password": "a secret"})


def of_source(
    act: Callable[[tunesmith.Client, int], Any],
) -> Callable[[tunesmith.Client, Installation], Act]:
    """A change of a dataset's source."""

    def prepare(client: tunesmith.Client, installation: Installation) -> Act:
        number = fetching(client, installation)().source_id
        dataset = client.upload_dataset("default", "faults", ROWS).thing.id
        SourceRecord.update(dataset=dataset).where(SourceRecord.id == number).execute()
        return lambda: act(client, number)

    return prepare


def reward_trying(client: tunesmith.Client, _: Installation) -> Act:
    version = client.upload_dataset("default", "faults", ROWS).id
    client.save_reward("default", "record", [{"check": "json_valid"}])
    return lambda: client.dry_run_reward("default", "record", version)


def reward_tried(client: tunesmith.Client, installation: Installation) -> Act:
    number = reward_trying(client, installation)().id
    return lambda: client.cancel_reward_dry_run(number)


def started_by_itself(client: tunesmith.Client, _: Installation) -> Act:
    number = client.save_workflow("default", WORKFLOW).id
    return lambda: client.add_trigger(number, "schedule", cron="0 6 * * *")


def triggered(client: tunesmith.Client, installation: Installation) -> Act:
    number = started_by_itself(client, installation)().trigger.id
    return lambda: client.remove_trigger(number)


def listening(act: Callable[[tunesmith.Client, int], Any]) -> Callable[[tunesmith.Client, Installation], Act]:
    """A change of a listener."""

    def prepare(client: tunesmith.Client, _: Installation) -> Act:
        number = client.add_listener("default", "webhook", "https://hooks.example.org/x", ["job.failed"]).listener.id
        return lambda: act(client, number)

    return prepare


def told(client: tunesmith.Client, installation: Installation) -> Act:
    number = listening(lambda client, number: client.test_listener(number))(client, installation)().id
    DeliveryRecord.update(outcome="delivered").execute()
    return lambda: client.replay_delivery(number)


def described(client: tunesmith.Client, number: int) -> Any:
    return client.describe_thing("dataset", number, "Störungen")


def deleted(client: tunesmith.Client, number: int) -> Any:
    return client.delete_thing("dataset", number)


def restored(client: tunesmith.Client, number: int) -> Any:
    return client.restore_thing("dataset", number)


def purged(client: tunesmith.Client, number: int) -> Any:
    return client.purge_thing("dataset", number)


def brought(client: tunesmith.Client) -> int:
    """A file that has arrived; its upload's id."""
    upload = client.begin_upload("default", "faults.jsonl", len(ROWS))
    return client.append_upload(upload.id, 0, [ROWS]).id


def draft(
    act: Callable[[tunesmith.Client, int], Any], state: str = ""
) -> Callable[[tunesmith.Client, Installation], Act]:
    """A change of a draft that is in some state."""

    def prepare(client: tunesmith.Client, _: Installation) -> Act:
        number = client.begin_draft("default", brought(client)).id
        if state:
            DatasetDraftRecord.update(**{"state": state}).where(DatasetDraftRecord.id == number).execute()
        return lambda: act(client, number)

    return prepare


def beginning(client: tunesmith.Client, _: Installation) -> Act:
    upload = brought(client)
    return lambda: client.begin_draft("default", upload)


def edited(client: tunesmith.Client, _: Installation) -> Act:
    version = client.upload_dataset("default", "faults", ROWS).id
    return lambda: client.edit_rows(version, removed=[1])


def endpoint(client: tunesmith.Client) -> int:
    return client.save_endpoint("default", "other", "http://127.0.0.1:9/v1", "large-1", "a key").id


def asked_there(client: tunesmith.Client, _: Installation) -> Act:
    """A question to an endpoint that is refused only after it was written down, as its address is not opened."""
    number = endpoint(client)

    def act() -> None:
        try:
            client.test_endpoint(number)
        except tunesmith.CallFailed as problem:
            if "TUNESMITH_ENDPOINT_NETWORKS" not in str(problem):
                raise

    return act


def endpoint_gone(client: tunesmith.Client, _: Installation) -> Act:
    number = endpoint(client)
    return lambda: client.remove_endpoint(number)


def labelling(
    act: Callable[[tunesmith.Client, int], Any], *prepared: Callable[[tunesmith.Client, int], Any], asks: str = ""
) -> Callable[[tunesmith.Client, Installation], Act]:
    """A change of a labelling of rows' own answers, or of one that asks a deployment."""

    def prepare(client: tunesmith.Client, installation: Installation) -> Act:
        if asks:
            serve(installation.cp, "default", asks)
        version = client.upload_dataset("default", "faults", ROWS).id
        number = client.start_labelling("default", version, asks).id
        for one in prepared:
            one(client, number)
        return lambda: act(client, number)

    return prepare


def agreed(
    act: Callable[[tunesmith.Client, int, int], Any], *prepared: Callable[[tunesmith.Client, int, int], Any]
) -> Callable[[tunesmith.Client, Installation], Act]:
    """A change of an item whose answer, as if it had come from a model, is the row's own."""

    def prepare(client: tunesmith.Client, installation: Installation) -> Act:
        serve(installation.cp, "default", "helper")
        version = client.upload_dataset("default", "faults", ROWS).id
        number = client.start_labelling("default", version, "helper").id
        item = LabelItemRecord.get(LabelItemRecord.labelling == number)
        (row,) = client.list_rows(version, item.split, item.row - 1, 1)
        told = {"state": "ready", "answer": row["completion"]}
        LabelItemRecord.update(**told).where(LabelItemRecord.id == item.id).execute()
        for one in prepared:
            one(client, number, item.id)
        return lambda: act(client, number, item.id)

    return prepare


def judged(action: str) -> Callable[[tunesmith.Client, int], Any]:
    return lambda client, number: client.judge_label_item(client.next_label_item(number).id, action)


def taken(client: tunesmith.Client, number: int) -> Any:
    """An item that is kept for the caller."""
    return client.next_label_item(number)


def labelled(client: tunesmith.Client, _: Installation) -> Act:
    version = client.upload_dataset("default", "faults", ROWS).id
    return lambda: client.start_labelling("default", version)


def unwanted_file(client: tunesmith.Client, _: Installation) -> Act:
    upload = brought(client)
    return lambda: client.cancel_upload(upload)


# call → the action of its entry, and what has to be there before; what is made then is the call itself
CHANGES: dict[str, tuple[str, Callable[[tunesmith.Client, Installation], Act]]] = {
    "CreateProject": ("project.create", lambda client, _: lambda: client.create_project("pumps")),
    "SetMember": ("member.set", role),
    "RemoveMember": ("member.remove", member),
    "InviteUser": ("user.invite", lambda client, _: lambda: client.invite_user("ada", "Ada", True)),
    "SetProfile": ("user.profile", lambda client, _: lambda: client.set_profile("Root", "de")),
    "ChangePassword": ("user.password_change", own_password),
    "DeactivateUser": ("user.deactivate", account(lambda client: client.deactivate_user("ada"))),
    "ActivateUser": (
        "user.activate",
        account(lambda client: client.activate_user("ada"), lambda client: client.deactivate_user("ada")),
    ),
    "SetAdministrator": ("user.administrator", account(lambda client: client.set_administrator("ada", True))),
    "CreateUserLink": ("user.link", account(lambda client: client.create_user_link("ada"))),
    "SignOutUser": ("session.close_all", account(lambda client: client.sign_out_user("ada"))),
    "DrainMachine": ("machine.drain", working),
    "UndrainMachine": ("machine.undrain", drained),
    "RevokeMachine": ("machine.lock", trusted),
    "DescribeMachine": ("machine.describe", named),
    "RemoveMachine": ("machine.remove", unwanted),
    "CreateJoinToken": ("join_token.create", lambda client, _: lambda: client.create_join_token("laptop")),
    "UploadMethod": ("method.draft", folder_of),
    "CopyMethod": ("method.draft", handed_in(lambda client, draft: client.copy_method(draft, "another"))),
    "TryMethod": ("method.try", tried),
    "PublishMethod": ("method.publish", handed_in(lambda client, draft: client.publish_method(draft))),
    "DeleteMethod": ("method.delete", handed_in(lambda client, draft: client.delete_method(draft))),
    "RestoreMethod": ("method.restore", thrown_away),
    "UploadDataset": ("dataset.upload", lambda client, _: lambda: client.upload_dataset("default", "faults", ROWS)),
    "BeginUpload": ("upload.begin", lambda client, _: lambda: client.begin_upload("default", "faults.csv", 9)),
    "CancelUpload": ("upload.cancel", unwanted_file),
    "BeginDraft": ("draft.begin", beginning),
    "ChangeDraft": ("draft.change", draft(lambda client, number: client.change_draft(number, split={"share": 0.1}))),
    "SaveDraft": ("draft.save", draft(lambda client, number: client.save_draft(number), "ready")),
    "CancelDraft": ("draft.cancel", draft(lambda client, number: client.cancel_draft(number))),
    "EditRows": ("dataset.edit", edited),
    "BeginSource": ("source.begin", fetching),
    "RefreshSource": ("source.refresh", of_source(lambda client, number: client.refresh_source(number))),
    "ScheduleSource": (
        "source.schedule",
        of_source(lambda client, number: client.schedule_source(number, cron="0 6 * * *")),
    ),
    "RemoveSource": ("source.remove", of_source(lambda client, number: client.remove_source(number))),
    "AddTrigger": ("trigger.add", started_by_itself),
    "RemoveTrigger": ("trigger.remove", triggered),
    "AddListener": (
        "listener.add",
        lambda client, _: lambda: client.add_listener("default", "slack", "https://hooks.example.org/", ["job.failed"]),
    ),
    "ChangeListener": ("listener.change", listening(lambda client, one: client.change_listener(one, ["machine.lost"]))),
    "TestListener": ("listener.test", listening(lambda client, one: client.test_listener(one))),
    "RemoveListener": ("listener.remove", listening(lambda client, one: client.remove_listener(one))),
    "ReplayDelivery": ("listener.replay", told),
    "SaveEndpoint": ("endpoint.save", lambda client, _: lambda: endpoint(client)),
    "TestEndpoint": ("endpoint.test", asked_there),
    "RemoveEndpoint": ("endpoint.remove", endpoint_gone),
    "StartLabelling": ("labelling.start", labelled),
    "StopLabelling": ("labelling.stop", labelling(lambda client, number: client.stop_labelling(number), asks="helper")),
    "ResumeLabelling": (
        "labelling.resume",
        labelling(
            lambda client, number: client.resume_labelling(number),
            lambda client, number: client.stop_labelling(number),
            asks="helper",
        ),
    ),
    "CloseLabelling": ("labelling.close", labelling(lambda client, number: client.close_labelling(number))),
    "JudgeLabelItem": ("labelling.judge", labelling(judged("accept"), taken)),
    "AcceptLabelItems": ("labelling.accept", agreed(lambda client, of, item: client.accept_label_items(of, [item]))),
    "TakeBackLabelItems": (
        "labelling.take_back",
        agreed(
            lambda client, of, item: client.take_back_label_items(of, [item]),
            lambda client, of, item: client.accept_label_items(of, [item]),
        ),
    ),
    "UnskipLabelItems": (
        "labelling.unskip",
        labelling(lambda client, number: client.unskip_label_items(number), judged("skip")),
    ),
    "SaveLabelling": (
        "dataset.label",
        labelling(lambda client, number: client.save_labelling(number, drop_others=True), judged("accept")),
    ),
    "DescribeThing": ("thing.describe", uploaded(described)),
    "DeleteThing": ("thing.delete", uploaded(deleted)),
    "RestoreThing": ("thing.restore", uploaded(restored, deleted)),
    "PurgeThing": ("thing.purge", uploaded(purged, deleted)),
    "StartWorkflowRun": ("workflow_run.start", workflow_run),
    "SetDeploymentPrompt": ("deployment.carry", carrying),
    "SavePrompt": (
        "prompt.save",
        lambda client, _: lambda: client.save_prompt("default", "short", {"system": "Answer in one word."}),
    ),
    "DryRunReward": ("reward.try", reward_trying),
    "CancelRewardDryRun": ("reward.cancel_try", reward_tried),
    "SaveReward": (
        "reward.save",
        lambda client, _: lambda: client.save_reward("default", "record", [{"check": "json_valid"}]),
    ),
    "SaveWorkflow": ("workflow.save", lambda client, _: lambda: client.save_workflow("default", WORKFLOW)),
    "ResumeWorkflowRun": ("workflow_run.resume", cancelled_run),
    "CancelWorkflowRun": ("workflow_run.cancel", running),
    "SaveCase": ("case.save", ended),
    "ShareCase": ("case.share", with_case(lambda client, name: client.share_case(name))),
    "DeleteCase": ("case.delete", with_case(lambda client, name: client.delete_case(name))),
    "ImportCase": ("case.import", importing),
    "RateCase": ("case.rate", with_case(lambda client, name: client.rate_case(name, 4))),
    "ApproveWorkflowRun": ("workflow_run.approve", decided("approve_workflow_run")),
    "RefuseWorkflowRun": ("workflow_run.refuse", decided("refuse_workflow_run")),
    "RepeatWorkflowRun": ("workflow_run.start", repeated),
    "StartSweep": ("sweep.start", sweeping),
    "CancelSweep": ("sweep.cancel", swept),
    "SubmitJob": ("job.submit", lambda client, _: lambda: client.submit_job("default", "bring")),
    "CancelJob": ("job.cancel", queued),
    "Deploy": ("deployment.deploy", packaged),
    "StopDeployment": ("deployment.stop", served),
    "CreateApiToken": ("token.create", lambda client, _: lambda: client.create_api_token("nightly")),
    "RevokeApiToken": ("token.revoke", token),
}


def test_each_call_reads_or_has_a_row() -> None:
    assert {call for call in CALLS if not call.startswith(READING)} == set(CHANGES)


@pytest.mark.parametrize("call", sorted(CHANGES))
def test_the_change_and_its_entry_stand_or_fall_together(
    call: str, client: tunesmith.Client, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    action, prepare = CHANGES[call]
    act = prepare(client, installation)
    client.who_am_i()  # a token's first use is written down
    before = contents()
    with monkeypatch.context() as broken:
        broken.setattr(AuditRecord, "create", refused)
        with pytest.raises(tunesmith.CallFailed):
            act()
    assert contents() == before
    act()
    fresh = list(AuditRecord.select().where(AuditRecord.id > len(before["audit"])))
    assert action in {entry.action for entry in fresh}
    assert {entry.actor_name for entry in fresh} == {"ada" if call == "ChangePassword" else "local"}
    changed = {table for table, rows in contents().items() if rows != before[table]}
    assert changed - {"audit"}, "nothing was changed: this row proves nothing"


def refused(**_: object) -> None:
    raise RuntimeError("the audit entry cannot be written")


def contents() -> dict[str, list[tuple]]:
    """Every row of every table; the audit's under `audit`."""
    named = {AuditRecord._meta.table_name: "audit"}
    return {
        named.get(table, table): database.execute_sql(f'SELECT * FROM "{table}"').fetchall()
        for table in database.get_tables()
    }
