"""The Automation service's calls about people, their tokens, the members of projects, and machines."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services.access import people, projects
from control_plane.services.fleet import machines
from tunesmith.v1 import automation_pb2 as pb


def list_users(call: Call, request: pb.ListUsersRequest) -> pb.ListUsersReply:
    return pb.ListUsersReply(users=[messages.user(one) for one in people.list_users(call.actor, call.cp)])


def invite_user(call: Call, request: pb.InviteUserRequest) -> pb.InviteUserReply:
    link = people.invite(call.actor, call.cp, request.name, request.title, request.administrator)
    return pb.InviteUserReply(link=link)


def list_tokens(call: Call, request: pb.ListApiTokensRequest) -> pb.ListApiTokensReply:
    return pb.ListApiTokensReply(tokens=[messages.token(one) for one in people.list_tokens(call.actor, call.cp)])


def revoke_token(call: Call, request: pb.RevokeApiTokenRequest) -> pb.RevokeApiTokenReply:
    people.revoke_token(call.actor, call.cp, request.id)
    return pb.RevokeApiTokenReply()


def list_members(call: Call, request: pb.ListMembersRequest) -> pb.ListMembersReply:
    found = projects.members(call.actor, call.cp, request.project)
    return pb.ListMembersReply(members=[messages.member(user, role) for user, role in found])


def set_member(call: Call, request: pb.SetMemberRequest) -> pb.Member:
    projects.set_member(call.actor, call.cp, request.project, request.user, request.role)
    return pb.Member(user=request.user, role=request.role)


def remove_member(call: Call, request: pb.RemoveMemberRequest) -> pb.RemoveMemberReply:
    projects.remove_member(call.actor, call.cp, request.project, request.user)
    return pb.RemoveMemberReply()


def get_machine(call: Call, request: pb.GetMachineRequest) -> pb.Machine:
    return _machine(call, request.id)


def drain_machine(call: Call, request: pb.DrainMachineRequest) -> pb.Machine:
    machines.drain(call.actor, call.cp, request.id)
    return _machine(call, request.id)


def undrain_machine(call: Call, request: pb.UndrainMachineRequest) -> pb.Machine:
    machines.undrain(call.actor, call.cp, request.id)
    return _machine(call, request.id)


def revoke_machine(call: Call, request: pb.RevokeMachineRequest) -> pb.Machine:
    machines.revoke(call.actor, call.cp, request.id)
    return _machine(call, request.id)


def _machine(call: Call, machine_id: str) -> pb.Machine:
    return messages.machine(machines.get(call.actor, call.cp, machine_id))
