"""What tests of drafts need: somebody who brings files, and processes that stand in for the one that prepares."""

from __future__ import annotations

import io
import json

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services.access import identity, people, projects
from control_plane.services.datasets import drafts, preparing, uploads
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.people import UserRecord

ROWS = "".join(json.dumps({"prompt": f"p{number}", "completion": f"c{number}"}) + "\n" for number in range(20)).encode()


def expert(cp: ControlPlane, name: str = "erin", project: str = "pumps") -> Actor:
    """An expert of a project, which is made if there is none."""
    if project not in {one.name for one in projects.list_projects(SYSTEM, cp)}:
        projects.create(SYSTEM, cp, project, "")
    people.invite(SYSTEM, cp, name, name, False)
    projects.set_member(SYSTEM, cp, project, name, "Expert")
    return identity.actor_of(UserRecord.get(UserRecord.name == name), "")


def bring(
    actor: Actor, cp: ControlPlane, content: bytes = ROWS, name: str = "faults.jsonl", project: str = "pumps"
) -> int:
    """A file that has arrived whole in a project; its upload's id."""
    upload = uploads.begin(actor, cp, project, name, len(content))
    return int(uploads.append(actor, cp, upload.id, 0, io.BytesIO(content)).id)


def settle(cp: ControlPlane, draft: DatasetDraftRecord) -> DatasetDraftRecord:
    """Carry drafts on until this one rests."""
    while (found := DatasetDraftRecord.get_by_id(draft.id)).state in preparing.UNDER_WAY:
        preparing.advance(cp)
        cp.preparations.join()
    return found


def draft_of(actor: Actor, cp: ControlPlane, content: bytes = ROWS, name: str = "faults.jsonl") -> DatasetDraftRecord:
    """A draft of a file that was looked at and checked."""
    return settle(cp, drafts.begin(actor, cp, "pumps", bring(actor, cp, content, name)))
