"""The Python client of the public API: each method is one call, or waits by repeating one.

Answers are the messages of automation.proto (`tunesmith.v1.automation_pb2`), whose fields are plain Python values.
A call that gets no answer is repeated for `patience` seconds; a refusal raises CallFailed with a sentence and a code.
"""

from __future__ import annotations

import json
import locale
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message

from tunesmith.connection import CallFailed, Target, find, open_channel, retried, streamed
from tunesmith.download import fetch
from tunesmith.packing import packed
from tunesmith.sending import sent
from tunesmith.v1 import automation_pb2 as pb
from tunesmith.v1 import automation_pb2_grpc

OVER = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
DRAFT_RESTS = frozenset({"ready", "saved", "failed", "cancelled"})

_CHUNK = 512 << 10  # bytes of an uploaded file in one message; the server takes messages of 1 MiB
_HANG = 30.0  # seconds that one waiting call hangs
_MARGIN = 30.0  # seconds beyond that, before a call counts as lost

R = TypeVar("R", bound=Message)


def connect(
    address: str | None = None,
    token: str | None = None,
    authority: str | None = None,
    data: str | Path | None = None,
    language: str = "",
) -> Client:
    """A client of the control plane at `address` (host:port), or of the one that is configured.

    What is left out is looked for in the environment (TUNESMITH_API, TUNESMITH_TOKEN, TUNESMITH_AUTHORITY) and in the
    files that `tunesmith login` and `tunesmith up` write. `authority` is PEM text, `data` a folder of `tunesmith up`,
    `language` that of the error messages (en, de, zh). Raises NotConfigured.
    """
    return Client(find(address, token, authority, Path(data) if data else None), language)


class Client:
    """A connection to a control plane. Usable by several threads, and as a context manager."""

    def __init__(self, target: Target, language: str = "", patience: float = 60.0) -> None:
        self.target = target
        self.patience = patience
        self._channel = open_channel(target)
        self._stub = automation_pb2_grpc.AutomationStub(self._channel)  # type: ignore[no-untyped-call]
        spoken = language or (locale.getlocale()[0] or "en")
        self._metadata = (("authorization", f"Bearer {target.token}"), ("accept-language", spoken.replace("_", "-")))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    # ---- the installation

    def who_am_i(self) -> pb.WhoAmIReply:
        """The token's owner, and the dashboard's address."""
        return self._ask(pb.WhoAmIReply, self._stub.WhoAmI, pb.WhoAmIRequest())

    def set_profile(self, title: str, language: str) -> pb.WhoAmIReply:
        """Set the caller's own full name and the language of their pages (en, de, zh; empty: the browser's)."""
        request = pb.SetProfileRequest(title=title, language=language)
        return self._ask(pb.WhoAmIReply, self._stub.SetProfile, request)

    def change_password(self, old: str, new: str) -> None:
        """Change the caller's own password; their browsers are signed out, API tokens stay."""
        request = pb.ChangePasswordRequest(old=old, new=new)
        self._ask_once(pb.ChangePasswordReply, self._stub.ChangePassword, request)

    def list_notifications(self) -> pb.ListNotificationsReply:
        """What became of the caller's jobs and runs, what waits for their decision, silent machines."""
        return self._ask(pb.ListNotificationsReply, self._stub.ListNotifications, pb.ListNotificationsRequest())

    def mark_notifications_read(self, until: float = 0.0) -> None:
        """Mark as read what happened up to `until` (epoch seconds; 0: now)."""
        request = pb.MarkNotificationsReadRequest(until=until)
        self._ask(pb.MarkNotificationsReadReply, self._stub.MarkNotificationsRead, request)

    def list_projects(self) -> list[pb.Project]:
        """The projects that the caller is in, with the caller's role."""
        return list(self._ask(pb.ListProjectsReply, self._stub.ListProjects, pb.ListProjectsRequest()).projects)

    def create_project(self, name: str, title: str = "") -> pb.Project:
        """Make a project; administrators only. `name` is used in addresses."""
        return self._ask_once(pb.Project, self._stub.CreateProject, pb.CreateProjectRequest(name=name, title=title))

    def list_members(self, project: str) -> list[pb.Member]:
        """The users in a project with their roles; its owners only."""
        request = pb.ListMembersRequest(project=project)
        return list(self._ask(pb.ListMembersReply, self._stub.ListMembers, request).members)

    def set_member(self, project: str, user: str, role: str) -> pb.Member:
        """Add a user to a project, or change the role: Owner, Developer, Expert or Viewer."""
        return self._ask(pb.Member, self._stub.SetMember, pb.SetMemberRequest(project=project, user=user, role=role))

    def remove_member(self, project: str, user: str) -> None:
        """Take a user out of a project."""
        request = pb.RemoveMemberRequest(project=project, user=user)
        self._ask_once(pb.RemoveMemberReply, self._stub.RemoveMember, request)

    def list_users(self) -> list[pb.User]:
        """Everybody who can sign in; administrators only."""
        return list(self._ask(pb.ListUsersReply, self._stub.ListUsers, pb.ListUsersRequest()).users)

    def invite_user(
        self, name: str, title: str = "", administrator: bool = False, project: str = "", role: str = ""
    ) -> str:
        """Add a user; the link at which they set their password, shown this once. Administrators only.

        With `project`, they get `role` in it at once.
        """
        request = pb.InviteUserRequest(name=name, title=title, administrator=administrator, project=project, role=role)
        return self._ask_once(pb.InviteUserReply, self._stub.InviteUser, request).link

    def deactivate_user(self, name: str) -> pb.User:
        """Let a user in no longer: sessions end, API tokens are void. Administrators only."""
        return self._ask(pb.User, self._stub.DeactivateUser, pb.DeactivateUserRequest(name=name))

    def activate_user(self, name: str) -> pb.User:
        """Let a user in again, with the password they had. Administrators only."""
        return self._ask(pb.User, self._stub.ActivateUser, pb.ActivateUserRequest(name=name))

    def set_administrator(self, name: str, administrator: bool) -> pb.User:
        """Make a user an administrator, or one no longer. Administrators only."""
        request = pb.SetAdministratorRequest(name=name, administrator=administrator)
        return self._ask(pb.User, self._stub.SetAdministrator, request)

    def create_user_link(self, name: str) -> str:
        """A new link at which a user sets a password, shown this once; earlier ones are void. Administrators only."""
        request = pb.CreateUserLinkRequest(name=name)
        return self._ask_once(pb.CreateUserLinkReply, self._stub.CreateUserLink, request).link

    def sign_out_user(self, name: str) -> pb.User:
        """End each browser session of a user, one's own or, for administrators, anybody's; API tokens stay."""
        return self._ask(pb.User, self._stub.SignOutUser, pb.SignOutUserRequest(name=name))

    def list_machines(self) -> list[pb.Machine]:
        """The fleet; `inventory` is JSON."""
        return list(self._ask(pb.ListMachinesReply, self._stub.ListMachines, pb.ListMachinesRequest()).machines)

    def get_machine(self, machine_id: str) -> pb.Machine:
        """One machine; `inventory` is JSON."""
        return self._ask(pb.Machine, self._stub.GetMachine, pb.GetMachineRequest(id=machine_id))

    def drain_machine(self, machine_id: str) -> pb.Machine:
        """Give a machine nothing new; it finishes what it holds."""
        return self._ask(pb.Machine, self._stub.DrainMachine, pb.DrainMachineRequest(id=machine_id))

    def undrain_machine(self, machine_id: str) -> pb.Machine:
        """Give a machine jobs again."""
        return self._ask(pb.Machine, self._stub.UndrainMachine, pb.UndrainMachineRequest(id=machine_id))

    def revoke_machine(self, machine_id: str) -> pb.Machine:
        """Refuse every further call of a machine."""
        return self._ask(pb.Machine, self._stub.RevokeMachine, pb.RevokeMachineRequest(id=machine_id))

    def describe_machine(
        self, machine_id: str, name: str | None = None, labels: Iterable[str] | None = None
    ) -> pb.Machine:
        """Give a machine another name, or these labels alone; what is None stays."""
        known = self.get_machine(machine_id)
        request = pb.DescribeMachineRequest(
            id=machine_id,
            name=known.name if name is None else name,
            labels=known.labels if labels is None else labels,
        )
        return self._ask(pb.Machine, self._stub.DescribeMachine, request)

    def remove_machine(self, machine_id: str) -> pb.Machine:
        """Revoke a machine and list it no more; what it did keeps its name."""
        return self._ask(pb.Machine, self._stub.RemoveMachine, pb.RemoveMachineRequest(id=machine_id))

    def create_join_token(
        self, machine_class: str = "server", lifetime_seconds: float = 0.0
    ) -> pb.CreateJoinTokenReply:
        """A secret with which one machine (`server` or `laptop`) may join; 0 seconds mean the longest life allowed."""
        request = pb.CreateJoinTokenRequest(machine_class=machine_class, lifetime_seconds=lifetime_seconds)
        return self._ask_once(pb.CreateJoinTokenReply, self._stub.CreateJoinToken, request)

    def list_methods(self) -> list[pb.Method]:
        """What can be run; `manifest` is JSON."""
        return list(self._ask(pb.ListMethodsReply, self._stub.ListMethods, pb.ListMethodsRequest()).methods)

    def list_method_versions(self, name: str) -> list[pb.MethodVersion]:
        """All versions of a method, the newest first; drafts for those alone who may write methods."""
        request = pb.ListMethodVersionsRequest(name=name)
        return list(self._ask(pb.ListMethodVersionsReply, self._stub.ListMethodVersions, request).versions)

    def get_method_file(self, version_id: int, path: str) -> bytes:
        """A file of a version by its path below the method's folder."""
        data = b""
        while True:
            request = pb.GetMethodFileRequest(version_id=version_id, path=path, offset=len(data))
            reply = self._ask(pb.GetMethodFileReply, self._stub.GetMethodFile, request)
            data += reply.data
            if not reply.data or len(data) >= reply.size:
                return data

    def compare_method_versions(self, old_id: int, new_id: int) -> pb.CompareMethodVersionsReply:
        """What differs between two versions of a method, file by file, as `diff -u` writes it."""
        request = pb.CompareMethodVersionsRequest(old_id=old_id, new_id=new_id)
        return self._ask(pb.CompareMethodVersionsReply, self._stub.CompareMethodVersions, request)

    def upload_method(self, folder: str | Path, check_only: bool = False, only_new: bool = False) -> pb.MethodVersion:
        """Hand in a method's folder, or a ZIP archive of it, as a draft; the version of this content if there is one.

        With `check_only` nothing is kept, with `only_new` a method of its name must not be there. A fault raises
        CallFailed naming the line and the field of method.toml, or the file.
        """
        archive = packed(Path(folder))
        header = pb.UploadMethodHeader(check_only=check_only, only_new=only_new)

        def messages() -> Iterator[pb.UploadMethodRequest]:
            yield pb.UploadMethodRequest(header=header)
            yield from (pb.UploadMethodRequest(archive=chunk) for chunk in _chunks(archive))

        return self._repeated(pb.MethodVersion, lambda: self._stub.UploadMethod(messages(), metadata=self._metadata))

    def copy_method(
        self,
        source_id: int,
        name: str,
        type: str = "",
        display: Mapping[str, str] | None = None,
        description: Mapping[str, str] | None = None,
    ) -> pb.MethodVersion:
        """The draft of a new method that begins as a version of another one; texts are by language: en, de, zh."""
        texts = {
            key: json.dumps(dict(value)) if value else ""
            for key, value in (("display", display), ("description", description))
        }
        request = pb.CopyMethodRequest(source_id=source_id, name=name, type=type, **texts)
        return self._ask_once(pb.MethodVersion, self._stub.CopyMethod, request)

    def try_method(
        self, project: str, version_id: int, machine_id: str, parameters: Mapping[str, Any] | None = None
    ) -> pb.Job:
        """Run a version on a tiny model and a few rows on one machine; a job, to be waited for like any other."""
        request = pb.TryMethodRequest(
            project=project,
            version_id=version_id,
            machine_id=machine_id,
            parameters=json.dumps(dict(parameters)) if parameters else "",
        )
        return self._ask_once(pb.Job, self._stub.TryMethod, request)

    def publish_method(self, version_id: int) -> pb.MethodVersion:
        """Have new jobs take this version; a draft has to have come through a dry run. Administrators only."""
        return self._ask(pb.MethodVersion, self._stub.PublishMethod, pb.PublishMethodRequest(version_id=version_id))

    def delete_method(self, version_id: int) -> pb.MethodVersion:
        """Take a method (its current version's id) out of what is offered, or throw a draft away; its jobs stay."""
        return self._ask(pb.MethodVersion, self._stub.DeleteMethod, pb.DeleteMethodRequest(version_id=version_id))

    def restore_method(self, version_id: int) -> pb.MethodVersion:
        """Undo `delete_method`."""
        return self._ask(pb.MethodVersion, self._stub.RestoreMethod, pb.RestoreMethodRequest(version_id=version_id))

    def list_cases(self) -> list[pb.Case]:
        """The worked examples; `plan` is JSON."""
        return list(self._ask(pb.ListCasesReply, self._stub.ListCases, pb.ListCasesRequest()).cases)

    def get_case_file(self, case: str, file: str) -> bytes:
        """A file of a case by its path inside the case."""
        request = pb.GetCaseFileRequest(case=case, file=file)
        return bytes(self._ask(pb.GetCaseFileReply, self._stub.GetCaseFile, request).data)

    def create_api_token(self, name: str, lifetime_seconds: float = 0.0) -> pb.CreateApiTokenReply:
        """A new token of the caller's own, shown this once; 0 seconds mean 90 days."""
        request = pb.CreateApiTokenRequest(name=name, lifetime_seconds=lifetime_seconds)
        return self._ask_once(pb.CreateApiTokenReply, self._stub.CreateApiToken, request)

    def list_api_tokens(self) -> list[pb.ApiToken]:
        """The caller's own tokens that are not revoked, newest first."""
        return list(self._ask(pb.ListApiTokensReply, self._stub.ListApiTokens, pb.ListApiTokensRequest()).tokens)

    def revoke_api_token(self, token_id: int) -> None:
        """Refuse one of the caller's own tokens from now on."""
        self._ask_once(pb.RevokeApiTokenReply, self._stub.RevokeApiToken, pb.RevokeApiTokenRequest(id=token_id))

    def list_audit(self, project: str = "", before: int = 0) -> list[pb.AuditEntry]:
        """The newest audit entries (of a project, or of everything for administrators) with ids below `before`."""
        request = pb.ListAuditRequest(project=project, before=before)
        return list(self._ask(pb.ListAuditReply, self._stub.ListAudit, request).entries)

    def check_audit(self, head: str = "") -> pb.AuditCheck:
        """Check the whole audit record, and against the head of an earlier export; administrators only."""
        return self._ask(pb.AuditCheck, self._stub.CheckAudit, pb.CheckAuditRequest(head=head))

    # ---- data

    def upload_dataset(
        self,
        project: str,
        name: str,
        train: str | Path | bytes,
        test: str | Path | bytes | None = None,
        format: str = "",
        test_share: float = 0.2,
        split_seed: int = 42,
        leave_out_faulty: bool = False,
    ) -> pb.DatasetVersion:
        """Upload JSON Lines, as paths or as bytes; the new version, or the one that has this content already.

        Without `test`, `test_share` (0..0.5) of the rows are held out, chosen by `split_seed`. An empty `format` is
        recognised from the first row. A fault in a row raises CallFailed naming the file and the line; with
        `leave_out_faulty` such rows are kept aside instead: `list_rows(version, "left_out")`.
        """
        header = pb.UploadHeader(
            project=project,
            name=name,
            format=format,
            test_share=test_share,
            split_seed=split_seed,
            leave_out_faulty=leave_out_faulty,
        )

        def messages() -> Iterator[pb.UploadDatasetRequest]:
            yield pb.UploadDatasetRequest(header=header)
            yield from (pb.UploadDatasetRequest(train=chunk) for chunk in _chunks(train))
            if test is not None:
                yield pb.UploadDatasetRequest(test=b"")  # an empty file is a file too
                yield from (pb.UploadDatasetRequest(test=chunk) for chunk in _chunks(test))

        return self._repeated(pb.DatasetVersion, lambda: self._stub.UploadDataset(messages(), metadata=self._metadata))

    def begin_upload(self, project: str, file_name: str, size: int, fingerprint: str = "") -> pb.Upload:
        """Announce a file of so many bytes, with a mark by which to know it again; `upload_file` does it all."""
        request = pb.BeginUploadRequest(project=project, file_name=file_name, size=size, fingerprint=fingerprint)
        return self._ask_once(pb.Upload, self._stub.BeginUpload, request)

    def append_upload(self, upload_id: int, offset: int, pieces: Iterable[bytes]) -> pb.Upload:
        """Send the bytes from `offset` on, each piece less than 1 MiB; what came before a break stays."""

        def messages() -> Iterator[pb.AppendUploadRequest]:
            yield pb.AppendUploadRequest(place=pb.UploadPlace(id=upload_id, offset=offset))
            yield from (pb.AppendUploadRequest(data=piece) for piece in pieces)

        return retried(pb.Upload, lambda: self._stub.AppendUpload(messages(), metadata=self._metadata), 0.0)

    def get_upload(self, upload_id: int) -> pb.Upload:
        """A file on its way, with how many bytes have arrived."""
        return self._ask(pb.Upload, self._stub.GetUpload, pb.GetUploadRequest(id=upload_id))

    def list_uploads(self, project: str) -> list[pb.Upload]:
        """The caller's files that are on their way or here, newest first."""
        request = pb.ListUploadsRequest(project=project)
        return list(self._ask(pb.ListUploadsReply, self._stub.ListUploads, request).uploads)

    def cancel_upload(self, upload_id: int) -> pb.Upload:
        """Remove a file that is on its way or here."""
        return self._ask(pb.Upload, self._stub.CancelUpload, pb.CancelUploadRequest(id=upload_id))

    def upload_file(
        self, project: str, path: str | Path, progress: Callable[[int, int], None] = lambda done, of: None
    ) -> pb.Upload:
        """Send a file of any kind, going on where an earlier attempt of the same file broke off.

        `progress` is called with the bytes that were sent, of how many. Raises CallFailed.
        """
        return sent(self, project, Path(path), progress)

    def begin_draft(self, project: str, train_upload_id: int, test_upload_id: int = 0, name: str = "") -> pb.Draft:
        """Have an uploaded file read and checked; `wait_draft` follows. A second file's rows are held out."""
        request = pb.BeginDraftRequest(
            project=project, train_upload_id=train_upload_id, test_upload_id=test_upload_id, name=name
        )
        return self._ask_once(pb.Draft, self._stub.BeginDraft, request)

    def get_draft(self, draft_id: int) -> pb.Draft:
        """A draft with what was found: `look` and `report` are JSON."""
        return self._ask(pb.Draft, self._stub.GetDraft, pb.GetDraftRequest(id=draft_id))

    def wait_draft(self, draft_id: int) -> Iterator[pb.Draft]:
        """Follow a draft, at each change, until it is ready, saved, failed or cancelled."""
        version = 0
        while True:
            request = pb.WaitDraftRequest(id=draft_id, after_version=version, wait_seconds=_HANG)
            draft = self._ask(pb.Draft, self._stub.WaitDraft, request)
            if draft.version > version:
                yield draft
            version = draft.version
            if draft.state in DRAFT_RESTS:
                return

    def list_drafts(self, project: str) -> list[pb.Draft]:
        """The caller's drafts that are not over, newest first, without `look` and `report`."""
        request = pb.ListDraftsRequest(project=project)
        return list(self._ask(pb.ListDraftsReply, self._stub.ListDrafts, request).drafts)

    def change_draft(
        self,
        draft_id: int,
        mapping: Mapping[str, Any] | None = None,
        choices: Mapping[str, str] | None = None,
        split: Mapping[str, Any] | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> pb.Draft:
        """Change what is given and have the rows checked again; each is as `get_draft` has it, as a dict."""
        request = pb.ChangeDraftRequest(
            id=draft_id,
            mapping="" if mapping is None else json.dumps(mapping),
            choices="" if choices is None else json.dumps(choices),
            split="" if split is None else json.dumps(split),
            source="" if source is None else json.dumps(source),
        )
        return self._ask(pb.Draft, self._stub.ChangeDraft, request)

    def preview_draft(self, draft_id: int, mapping: Mapping[str, Any]) -> list[pb.PreviewedRecord]:
        """What a mapping would make of the first records; nothing is changed."""
        request = pb.PreviewDraftRequest(id=draft_id, mapping=json.dumps(mapping))
        return list(self._ask(pb.PreviewDraftReply, self._stub.PreviewDraft, request).records)

    def save_draft(self, draft_id: int, name: str = "") -> pb.Draft:
        """Have a draft that is ready made a version of the dataset `name`; `wait_draft` follows."""
        return self._ask_once(pb.Draft, self._stub.SaveDraft, pb.SaveDraftRequest(id=draft_id, name=name))

    def cancel_draft(self, draft_id: int) -> pb.Draft:
        """End a draft and remove its files."""
        return self._ask(pb.Draft, self._stub.CancelDraft, pb.CancelDraftRequest(id=draft_id))

    def list_datasets(self, project: str, tag: str = "") -> list[pb.DatasetVersion]:
        """All versions of all datasets of a project, newest first; with a tag, of those that bear it."""
        request = pb.ListDatasetsRequest(project=project, tag=tag)
        return list(self._ask(pb.ListDatasetsReply, self._stub.ListDatasets, request).versions)

    def get_dataset_version(self, dataset_version_id: int) -> pb.DatasetVersionDetails:
        """A version with its mapping, source, facts and report (JSON), and the jobs and models that used it."""
        request = pb.GetDatasetVersionRequest(id=dataset_version_id)
        return self._ask(pb.DatasetVersionDetails, self._stub.GetDatasetVersion, request)

    def search_rows(
        self,
        dataset_version_id: int,
        text: str = "",
        check: str = "",
        split: str = "train",
        offset: int = 0,
        limit: int = 20,
    ) -> tuple[list[tuple[int, dict[str, Any]]], int]:
        """At most 200 rows with a text that a check has found, each with its number, and how many there are."""
        request = pb.SearchRowsRequest(
            dataset_version_id=dataset_version_id, split=split, text=text, check=check, offset=offset, limit=limit
        )
        reply = self._ask(pb.SearchRowsReply, self._stub.SearchRows, request)
        return [(one.number, json.loads(one.row)) for one in reply.rows], reply.total

    def edit_rows(
        self,
        dataset_version_id: int,
        split: str = "train",
        changed: Mapping[int, Mapping[str, Any]] | None = None,
        removed: Iterable[int] = (),
        added: Iterable[Mapping[str, Any]] = (),
    ) -> pb.DatasetVersion:
        """Another version in which rows of a part, by their numbers from 1, are others, gone, or new at its end.

        At most 1000 at once, all or none.
        """
        request = pb.EditRowsRequest(
            dataset_version_id=dataset_version_id,
            split=split,
            changed=[pb.NumberedRow(number=number, row=json.dumps(row)) for number, row in (changed or {}).items()],
            removed=removed,
            added=[json.dumps(row) for row in added],
        )
        return self._ask(pb.DatasetVersion, self._stub.EditRows, request)

    def compare_dataset_versions(
        self, old_id: int, new_id: int, offset: int = 0, limit: int = 20
    ) -> pb.CompareDatasetVersionsReply:
        """How many rows of a dataset were added, removed or changed between two versions, and at most 200 of them."""
        request = pb.CompareDatasetVersionsRequest(old_id=old_id, new_id=new_id, offset=offset, limit=limit)
        return self._ask(pb.CompareDatasetVersionsReply, self._stub.CompareDatasetVersions, request)

    def list_rows(
        self, dataset_version_id: int, split: str = "train", offset: int = 0, limit: int = 20
    ) -> list[dict[str, Any]]:
        """At most 200 rows of a dataset version's `train`, `test` or `left_out` part; fewer where they are long."""
        request = pb.ListRowsRequest(dataset_version_id=dataset_version_id, split=split, offset=offset, limit=limit)
        return [json.loads(row) for row in self._ask(pb.ListRowsReply, self._stub.ListRows, request).rows]

    # ---- guided runs

    def start_guided_run(
        self, project: str, case: str, dataset_version_id: int, idempotency_key: str = ""
    ) -> pb.GuidedRun:
        """Carry out a case's graph on a dataset version: import, train, evaluate; if better, package and deploy.

        What was made from the very same pins before is used again.
        Two calls with the same `idempotency_key` make one run; without one, each call makes its own.
        """
        request = pb.StartGuidedRunRequest(
            project=project,
            case=case,
            dataset_version_id=dataset_version_id,
            idempotency_key=idempotency_key or uuid.uuid4().hex,
        )
        return self._ask(pb.GuidedRun, self._stub.StartGuidedRun, request)

    def get_guided_run(self, run_id: int) -> pb.GuidedRun:
        """A run: each step, how it stands, its job and what it made."""
        return self._ask(pb.GuidedRun, self._stub.GetGuidedRun, pb.GetGuidedRunRequest(id=run_id))

    def list_guided_runs(self, project: str) -> list[pb.GuidedRun]:
        """The newest runs of a project."""
        request = pb.ListGuidedRunsRequest(project=project)
        return list(self._ask(pb.ListGuidedRunsReply, self._stub.ListGuidedRuns, request).runs)

    def wait_guided_run(self, run_id: int) -> Iterator[pb.GuidedRun]:
        """Follow a run until it is over: at each step that begins, and at its end."""
        version = 0
        while True:
            request = pb.WaitGuidedRunRequest(id=run_id, after_version=version, wait_seconds=_HANG)
            run = self._ask(pb.GuidedRun, self._stub.WaitGuidedRun, request)
            if run.version > version:
                yield run
            version = run.version
            if run.outcome:
                return

    def cancel_guided_run(self, run_id: int) -> pb.GuidedRun:
        """Have a run start nothing more, and its open jobs end; what is deployed stays so."""
        return self._ask(pb.GuidedRun, self._stub.CancelGuidedRun, pb.CancelGuidedRunRequest(id=run_id))

    # ---- sweeps

    def start_sweep(
        self,
        project: str,
        method: str,
        varied: Mapping[str, Any],
        trials: int,
        at_once: int = 1,
        objective: str = "held_out_loss",
        **job: Any,
    ) -> pb.Sweep:
        """Ask for up to `trials` jobs of a method, `at_once` at a time, that differ in the `varied` parameters.

        Each of those is a list of values, or `{"low": …, "high": …, "log": true}` to draw from. The best is the one
        whose `objective` is best at its end: `held_out_loss` (less is better) or `reward` (more is). `job` holds what
        `submit_job` takes besides: name, parameters, inputs, seed, idempotency_key, policy, preset.
        """
        request = pb.StartSweepRequest(
            job=_submission(project, method, **job),
            varied=json.dumps(dict(varied)),
            trials=trials,
            at_once=at_once,
            objective=objective,
        )
        return self._ask(pb.Sweep, self._stub.StartSweep, request)

    def get_sweep(self, sweep_id: int) -> pb.Sweep:
        """A sweep: its jobs with the values they were given, what came of each, and the best."""
        return self._ask(pb.Sweep, self._stub.GetSweep, pb.GetSweepRequest(id=sweep_id))

    def list_sweeps(self, project: str) -> list[pb.Sweep]:
        """The newest sweeps of a project."""
        request = pb.ListSweepsRequest(project=project)
        return list(self._ask(pb.ListSweepsReply, self._stub.ListSweeps, request).sweeps)

    def wait_sweep(self, sweep_id: int) -> Iterator[pb.Sweep]:
        """Follow a sweep until it is over: at each job that begins, and at its end."""
        version = 0
        while True:
            request = pb.WaitSweepRequest(id=sweep_id, after_version=version, wait_seconds=_HANG)
            sweep = self._ask(pb.Sweep, self._stub.WaitSweep, request)
            if sweep.version > version:
                yield sweep
            version = sweep.version
            if sweep.outcome:
                return

    def cancel_sweep(self, sweep_id: int) -> pb.Sweep:
        """Have a sweep start nothing more, and its open jobs end."""
        return self._ask(pb.Sweep, self._stub.CancelSweep, pb.CancelSweepRequest(id=sweep_id))

    # ---- jobs

    def submit_job(
        self,
        project: str,
        method: str,
        name: str = "",
        parameters: Mapping[str, Any] | None = None,
        inputs: Mapping[str, int] | None = None,
        seed: int = 42,
        idempotency_key: str = "",
        policy: Mapping[str, Any] | None = None,
        preset: str = "",
    ) -> pb.Job:
        """Ask for a job. `inputs` are ids of models and dataset versions by input name; parameters left out take what
        the `preset` says (`quick`, `balanced`, `thorough`, where the method has them), else their defaults. Two calls
        with the same `idempotency_key` make one job; without one, each call makes its own.
        `policy` may hold `priority`, `not_before` (epoch seconds), `lost_after` (seconds), `when_lost` and `time_limit`
        (seconds that an attempt may run); ValueError names one that is none of these or no such number.
        """
        request = _submission(project, method, name, parameters, inputs, seed, idempotency_key, policy, preset)
        return self._ask(pb.Job, self._stub.SubmitJob, request)

    def estimate_job(
        self,
        project: str,
        method: str,
        parameters: Mapping[str, Any] | None = None,
        inputs: Mapping[str, int] | None = None,
    ) -> pb.JobEstimate:
        """What such a job would take: memory, disk, and the time on each machine that could run it."""
        request = pb.EstimateJobRequest(
            project=project,
            method=method,
            parameters=json.dumps(dict(parameters or {})),
            inputs=[pb.InputRef(name=key, id=number) for key, number in (inputs or {}).items()],
        )
        return self._ask(pb.JobEstimate, self._stub.EstimateJob, request)

    def get_job(self, job_id: int) -> pb.Job:
        """A job with its attempts."""
        return self._ask(pb.Job, self._stub.GetJob, pb.GetJobRequest(id=job_id))

    def list_jobs(self, project: str, state: str = "", method: str = "", text: str = "", tag: str = "") -> list[pb.Job]:
        """The newest jobs of a project, without attempts: of a state, method or tag, or with `text` in their names."""
        request = pb.ListJobsRequest(project=project, state=state, method=method, text=text, tag=tag)
        return list(self._ask(pb.ListJobsReply, self._stub.ListJobs, request).jobs)

    def wait_job(self, job_id: int) -> Iterator[tuple[pb.Job, list[dict[str, Any]]]]:
        """Follow a job until it is over: at each change, the job and the events reported since the last one.

        An event is a dict with at least `kind` (progress, metric, checkpoint, message) and `time` (seconds since the
        epoch); see “Writing a method” for the rest.
        """
        version = cursor = 0
        while True:
            request = pb.WaitJobRequest(id=job_id, after_version=version, after_event=cursor, wait_seconds=_HANG)
            reply = self._ask(pb.WaitJobReply, self._stub.WaitJob, request)
            events = [json.loads(event.body) for event in reply.events]
            yield reply.job, events
            version = reply.job.version
            cursor = reply.events[-1].id if reply.events else cursor
            if reply.job.state in OVER and not events:
                return

    def cancel_job(self, job_id: int) -> pb.Job:
        """Ask for a job to end; a running one ends in order, at its next step."""
        return self._ask(pb.Job, self._stub.CancelJob, pb.CancelJobRequest(id=job_id))

    def list_events(self, job_id: int, after: int = 0, kind: str = "") -> list[pb.Event]:
        """What a job reported after the event `after`; `body` is JSON."""
        request = pb.ListEventsRequest(job_id=job_id, after=after, kind=kind)
        return list(self._ask(pb.ListEventsReply, self._stub.ListEvents, request).events)

    def read_log(
        self, job_id: int, stream: str = "stdout", offset: int = 0, length: int = 0, attempt_id: int = 0
    ) -> tuple[bytes, int]:
        """Bytes of a log (`stdout`, `stderr`, `agent`) from `offset`, and how many there are in all."""
        request = pb.ReadLogRequest(job_id=job_id, stream=stream, offset=offset, length=length, attempt_id=attempt_id)
        reply = self._ask(pb.ReadLogReply, self._stub.ReadLog, request)
        return bytes(reply.data), int(reply.size)

    def get_job_config(self, job_id: int) -> dict[str, Any]:
        """All that a job pins: method, parameters, inputs and seed; environment and hardware of its newest attempt."""
        request = pb.GetJobConfigRequest(job_id=job_id)
        config: dict[str, Any] = json.loads(self._ask(pb.GetJobConfigReply, self._stub.GetJobConfig, request).config)
        return config

    def list_files(self, job_id: int) -> list[pb.Artifact]:
        """What a job's attempts left behind, checkpoints among it, oldest first."""
        request = pb.ListFilesRequest(job_id=job_id)
        return list(self._ask(pb.ListFilesReply, self._stub.ListFiles, request).artifacts)

    def get_file(self, job_id: int, artifact_id: int, path: str, offset: int = 0, length: int = 0) -> tuple[bytes, int]:
        """Bytes of a job's file from `offset`, as many as one answer holds, and how many there are in all."""
        request = pb.GetFileRequest(job_id=job_id, artifact_id=artifact_id, path=path, offset=offset, length=length)
        reply = self._ask(pb.GetFileReply, self._stub.GetFile, request)
        return bytes(reply.data), int(reply.size)

    def download(self, job_id: int, artifact: pb.Artifact, to: str | Path) -> list[Path]:
        """Write all files of an artifact under the folder `to`, checked by their sha256; the paths written.

        Raises CallFailed, also where a file does not arrive as it is listed; a file stands only when it is whole.
        """

        def reader(path: str) -> Callable[[int], bytes]:
            return lambda offset: self.get_file(job_id, artifact.id, path, offset)[0]

        return [fetch(file, Path(to), reader(file.path)) for file in artifact.files]

    # ---- models and evaluations

    def list_models(
        self, project: str, form: str = "", offset: int = 0, limit: int = 0, tag: str = ""
    ) -> list[pb.Model]:
        """The models of a project, newest first, of one form (base, adapter, merged, …) if named; 100 at a time."""
        request = pb.ListModelsRequest(project=project, form=form, offset=offset, limit=limit, tag=tag)
        return list(self._ask(pb.ListModelsReply, self._stub.ListModels, request).models)

    def get_model(self, model_id: int) -> pb.Model:
        """A model; `card` is JSON: what it is, and all that its making pinned."""
        return self._ask(pb.Model, self._stub.GetModel, pb.GetModelRequest(id=model_id))

    def get_lineage(self, model_id: int) -> pb.Lineage:
        """Where a model is from, and what became of it."""
        return self._ask(pb.Lineage, self._stub.GetLineage, pb.GetLineageRequest(model_id=model_id))

    def get_evaluation(self, evaluation_id: int, offset: int = 0, limit: int = 0) -> pb.Evaluation:
        """An evaluation: scores with n and 95 % intervals, the verdict, and its rows from `offset` on (32) as JSON."""
        return self._ask(
            pb.Evaluation,
            self._stub.GetEvaluation,
            pb.GetEvaluationRequest(id=evaluation_id, offset=offset, limit=limit),
        )

    def list_evaluations(self, project: str, offset: int = 0, limit: int = 0) -> list[pb.Evaluation]:
        """The evaluations of a project without their rows, newest first; 100 at a time."""
        request = pb.ListEvaluationsRequest(project=project, offset=offset, limit=limit)
        return list(self._ask(pb.ListEvaluationsReply, self._stub.ListEvaluations, request).evaluations)

    # ---- serving

    def deploy(self, project: str, name: str, model_id: int, context_length: int = 0, slots: int = 0) -> pb.Deployment:
        """Have a GGUF model served under `name`; a name that exists gets the new model."""
        request = pb.DeployRequest(
            project=project, name=name, model_id=model_id, context_length=context_length, slots=slots
        )
        return self._ask(pb.Deployment, self._stub.Deploy, request)

    def get_deployment(self, deployment_id: int) -> pb.Deployment:
        """A deployment as it is now."""
        return self._ask(pb.Deployment, self._stub.GetDeployment, pb.GetDeploymentRequest(id=deployment_id))

    def list_deployments(self, project: str, tag: str = "") -> list[pb.Deployment]:
        """The deployments of a project, by name."""
        request = pb.ListDeploymentsRequest(project=project, tag=tag)
        return list(self._ask(pb.ListDeploymentsReply, self._stub.ListDeployments, request).deployments)

    def wait_deployment(self, deployment_id: int) -> Iterator[pb.Deployment]:
        """Follow a deployment, at each change, until it serves, has failed or is stopped."""
        version = 0
        while True:
            request = pb.WaitDeploymentRequest(id=deployment_id, after_version=version, wait_seconds=_HANG)
            deployment = self._ask(pb.Deployment, self._stub.WaitDeployment, request)
            yield deployment
            version = deployment.version
            if deployment.state in ("SERVING", "FAILED", "STOPPED"):
                return

    def stop_deployment(self, deployment_id: int) -> pb.Deployment:
        """Have it served no longer."""
        return self._ask(pb.Deployment, self._stub.StopDeployment, pb.StopDeploymentRequest(id=deployment_id))

    def chat(self, deployment_id: int, messages: Iterable[Mapping[str, str]], **options: Any) -> str:
        """The whole answer to a chat, e.g. `[{"role": "user", "content": "…"}]`.

        `options` are those of an OpenAI chat completion: temperature, max_tokens, response_format …
        """
        body = {"messages": list(messages), "stream": False, **options}
        data = b"".join(self._chat(deployment_id, body))
        return str(json.loads(data)["choices"][0]["message"]["content"] or "")

    def chat_stream(self, deployment_id: int, messages: Iterable[Mapping[str, str]], **options: Any) -> Iterator[str]:
        """The answer piece by piece, as `chat`; closing the iterator ends the generation."""
        body = {"messages": list(messages), "stream": True, **options}
        for line in _lines(self._chat(deployment_id, body)):
            if line.startswith(b"data: {"):
                choices = json.loads(line[6:]).get("choices") or [{}]
                if piece := choices[0].get("delta", {}).get("content"):
                    yield piece

    # ---- things

    def describe_thing(
        self,
        kind: str,
        thing_id: int,
        title: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> pb.Thing:
        """Give a dataset, model, job, deployment or project a title, a description or tags; what is None stays."""
        said = pb.Tags(tags=tags) if tags is not None else None
        request = pb.DescribeThingRequest(kind=kind, id=thing_id, title=title, description=description, tags=said)
        return self._ask(pb.Thing, self._stub.DescribeThing, request)

    def delete_thing(self, kind: str, thing_id: int) -> pb.Thing:
        """Put a thing into the trash; refused, with who uses it, while something still needs it."""
        return self._ask_once(pb.Thing, self._stub.DeleteThing, pb.DeleteThingRequest(kind=kind, id=thing_id))

    def restore_thing(self, kind: str, thing_id: int) -> pb.Thing:
        """Take a thing out of the trash."""
        return self._ask_once(pb.Thing, self._stub.RestoreThing, pb.RestoreThingRequest(kind=kind, id=thing_id))

    def purge_thing(self, kind: str, thing_id: int) -> None:
        """Delete for good what is in the trash; administrators only."""
        self._ask_once(pb.PurgeThingReply, self._stub.PurgeThing, pb.PurgeThingRequest(kind=kind, id=thing_id))

    def list_trash(self, project: str = "") -> list[pb.Thing]:
        """What is in a project's trash, newest first; without a project, the projects that are in the trash."""
        request = pb.ListTrashRequest(project=project)
        return list(self._ask(pb.ListTrashReply, self._stub.ListTrash, request).things)

    # ---- how a call is made

    def _ask(self, kind: type[R], method: Callable[..., Any], request: Message) -> R:
        return self._repeated(kind, lambda: method(request, metadata=self._metadata, timeout=_HANG + _MARGIN))

    def _ask_once(self, kind: type[R], method: Callable[..., Any], request: Message) -> R:
        """For what must not happen twice: an answer that was lost is not asked for again."""
        return retried(kind, lambda: method(request, metadata=self._metadata, timeout=_HANG + _MARGIN), 0.0)

    def _repeated(self, kind: type[R], call: Callable[[], Any]) -> R:
        return retried(kind, call, self.patience)

    def _chat(self, deployment_id: int, body: Mapping[str, Any]) -> Iterator[bytes]:
        request = pb.ChatRequest(deployment_id=deployment_id, body=json.dumps(body))
        for reply in streamed(lambda: self._stub.Chat(request, metadata=self._metadata)):
            if reply.status >= 400:
                raise CallFailed(reply.data.decode("utf-8", "replace"), "engine_failed", {}, "UNAVAILABLE")
            yield reply.data


def _submission(
    project: str,
    method: str,
    name: str = "",
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, int] | None = None,
    seed: int = 42,
    idempotency_key: str = "",
    policy: Mapping[str, Any] | None = None,
    preset: str = "",
) -> pb.SubmitJobRequest:
    return pb.SubmitJobRequest(
        project=project,
        method=method,
        name=name,
        parameters=json.dumps(dict(parameters or {})),
        inputs=[pb.InputRef(name=key, id=number) for key, number in (inputs or {}).items()],
        seed=seed,
        idempotency_key=idempotency_key or uuid.uuid4().hex,
        policy=_policy(policy or {}),
        preset=preset,
    )


def _policy(given: Mapping[str, Any]) -> pb.Policy:
    policy = pb.Policy()
    for name, value in given.items():
        try:
            policy.MergeFrom(pb.Policy(**{name: value}))
        except (TypeError, ValueError, OverflowError) as problem:  # none of which says the name
            raise ValueError(f"policy: {name}: {problem}") from problem
    return policy


def _chunks(source: str | Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield from (source[start : start + _CHUNK] for start in range(0, len(source), _CHUNK))
        return
    with Path(source).open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, without their ends, from pieces that end anywhere."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.rstrip(b"\r") for line in whole)
    if rest:
        yield rest
