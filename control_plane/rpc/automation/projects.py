"""The Automation service's calls about projects and their members."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services.access import projects
from control_plane.store.projects import ProjectRecord
from tunesmith.v1 import automation_pb2 as pb


def list_projects(call: Call, request: pb.ListProjectsRequest) -> pb.ListProjectsReply:
    found = projects.list_projects(call.actor, call.cp)
    return pb.ListProjectsReply(projects=[_project(call, project) for project in found])


def create_project(call: Call, request: pb.CreateProjectRequest) -> pb.Project:
    return _project(call, projects.create(call.actor, call.cp, request.name, request.title))


def list_members(call: Call, request: pb.ListMembersRequest) -> pb.ListMembersReply:
    found = projects.members(call.actor, call.cp, request.project)
    return pb.ListMembersReply(members=[messages.member(user, role) for user, role in found])


def set_member(call: Call, request: pb.SetMemberRequest) -> pb.Member:
    projects.set_member(call.actor, call.cp, request.project, request.user, request.role)
    return pb.Member(user=request.user, role=request.role)


def remove_member(call: Call, request: pb.RemoveMemberRequest) -> pb.RemoveMemberReply:
    projects.remove_member(call.actor, call.cp, request.project, request.user)
    return pb.RemoveMemberReply()


def _project(call: Call, record: ProjectRecord) -> pb.Project:
    role, everywhere = call.actor.roles.get(record.id), "Administrator" if call.actor.administrator else ""
    return pb.Project(
        id=record.id,
        name=record.name,
        title=record.label,
        role=role.name if role else everywhere,
        thing=messages.thing(record),
    )
