"""The Automation service's calls about prompts."""

from __future__ import annotations

import json
from collections.abc import Mapping

from control_plane.domain.prompts import prompt as prompts
from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import results
from control_plane.services.prompts import kept
from control_plane.services.prompts.kept import Kept
from tunesmith.v1 import automation_pb2 as pb


def save(call: Call, request: pb.SavePromptRequest) -> pb.Prompt:
    said = prompts.parse(request.content)
    found, made = kept.save(call.actor, call.cp, request.project, request.name, said, request.base_version)
    return _prompt(request.project, found, _authors([found]), reused=not made)


def list_prompts(call: Call, request: pb.ListPromptsRequest) -> pb.ListPromptsReply:
    return _reply(request.project, kept.list_prompts(call.actor, call.cp, request.project, request.tag))


def get(call: Call, request: pb.GetPromptRequest) -> pb.Prompt:
    found = kept.version(call.actor, call.cp, request.project, request.prompt)
    return _prompt(request.project, found, _authors([found]))


def list_versions(call: Call, request: pb.ListPromptVersionsRequest) -> pb.ListPromptsReply:
    named = kept.version(call.actor, call.cp, request.project, request.prompt).prompt
    return _reply(request.project, [Kept(named, one) for one in kept.versions(named)])


def _reply(project: str, found: list[Kept]) -> pb.ListPromptsReply:
    authors = _authors(found)
    return pb.ListPromptsReply(prompts=[_prompt(project, one, authors) for one in found])


def _authors(found: list[Kept]) -> Mapping[str, str]:
    return results.owners_of({str(one.version.created_by) for one in found})


def _prompt(project: str, found: Kept, authors: Mapping[str, str], reused: bool = False) -> pb.Prompt:
    version = found.version
    return pb.Prompt(
        id=found.prompt.id,
        project=project,
        name=found.prompt.name,
        version=version.number,
        version_id=version.id,
        hash=version.hash,
        author=authors.get(version.created_by, ""),
        created_at=version.created_at,
        content=json.dumps(version.content, ensure_ascii=False),
        job_id=version.job_id or 0,
        found=json.dumps(version.found, ensure_ascii=False) if version.found else "",
        reused=reused,
        thing=messages.thing(found.prompt),
    )
