"""The Automation service's calls about users and their API tokens."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services.access import accounts, credentials, people, profile
from tunesmith.v1 import automation_pb2 as pb


def who_am_i(call: Call, request: pb.WhoAmIRequest) -> pb.WhoAmIReply:
    return messages.me(people.user(call.actor, call.cp), credentials.web_url(call.cp))


def set_profile(call: Call, request: pb.SetProfileRequest) -> pb.WhoAmIReply:
    me = profile.change(call.actor, call.cp, request.title, request.language)
    return messages.me(me, credentials.web_url(call.cp))


def change_password(call: Call, request: pb.ChangePasswordRequest) -> pb.ChangePasswordReply:
    profile.change_password(call.actor, call.cp, request.old, request.new)
    return pb.ChangePasswordReply()


def create_token(call: Call, request: pb.CreateApiTokenRequest) -> pb.CreateApiTokenReply:
    token, record = people.create_token(call.actor, call.cp, request.name, request.lifetime_seconds)
    return pb.CreateApiTokenReply(token=token, expires_at=record.expires_at)


def list_users(call: Call, request: pb.ListUsersRequest) -> pb.ListUsersReply:
    return pb.ListUsersReply(users=[messages.user(one) for one in people.list_users(call.actor, call.cp)])


def invite_user(call: Call, request: pb.InviteUserRequest) -> pb.InviteUserReply:
    asked = (request.name, request.title, request.administrator, request.project, request.role)
    link = people.invite(call.actor, call.cp, *asked)
    return pb.InviteUserReply(link=link)


def deactivate_user(call: Call, request: pb.DeactivateUserRequest) -> pb.User:
    return messages.user(accounts.deactivate(call.actor, call.cp, request.name))


def activate_user(call: Call, request: pb.ActivateUserRequest) -> pb.User:
    return messages.user(accounts.activate(call.actor, call.cp, request.name))


def set_administrator(call: Call, request: pb.SetAdministratorRequest) -> pb.User:
    return messages.user(accounts.set_administrator(call.actor, call.cp, request.name, request.administrator))


def create_user_link(call: Call, request: pb.CreateUserLinkRequest) -> pb.CreateUserLinkReply:
    return pb.CreateUserLinkReply(link=accounts.create_link(call.actor, call.cp, request.name))


def sign_out_user(call: Call, request: pb.SignOutUserRequest) -> pb.User:
    return messages.user(accounts.sign_out(call.actor, call.cp, request.name))


def list_tokens(call: Call, request: pb.ListApiTokensRequest) -> pb.ListApiTokensReply:
    return pb.ListApiTokensReply(tokens=[messages.token(one) for one in people.list_tokens(call.actor, call.cp)])


def revoke_token(call: Call, request: pb.RevokeApiTokenRequest) -> pb.RevokeApiTokenReply:
    people.revoke_token(call.actor, call.cp, request.id)
    return pb.RevokeApiTokenReply()
