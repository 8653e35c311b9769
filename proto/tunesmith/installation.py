"""The client's calls about accounts, projects, people, machines, methods, tokens and the audit record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.calls import Calls, chunks
from tunesmith.packing import packed
from tunesmith.v1 import automation_pb2 as pb


class Installation(Calls):
    """What a client can do with what all projects share, and with who may do what."""

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
            yield from (pb.UploadMethodRequest(archive=chunk) for chunk in chunks(archive))

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
