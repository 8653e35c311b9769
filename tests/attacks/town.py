"""One furnished project called `canary`, another one, and somebody in each role: what an attacker would like to see."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import data_support
import rooms

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.rpc.server import Server
from control_plane.services.access import credentials, identity, people, projects
from control_plane.services.datasets import drafts, json_lines, sources
from control_plane.services.endpoints import keeping
from control_plane.services.labelling import making
from control_plane.services.labelling.making import Rows, Wanted
from control_plane.services.listeners import listening
from control_plane.services.triggers import setting
from control_plane.store.database import transaction
from control_plane.store.jobs import JobRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import ApiTokenRecord, UserRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.sources import SourceRecord
from control_plane.store.sweeps import SweepRecord
from control_plane.store.workflows import WorkflowRunRecord

# who is who: `eve` owns another project, `nora` is in none, `vic` may look at the canary, `olga` owns it
EVE, NORA, VIC, OLGA, ROOT = "eve", "nora", "vic", "olga", "root"
PROJECT, OTHER = "canary", "other"


@dataclass
class Town:
    """Two projects behind the real ports; `made` names by what they are the ids of what stands in the canary."""

    cp: ControlPlane
    server: Server
    rooms: rooms.Rooms
    tokens: dict[str, str]  # API tokens by user
    sessions: dict[str, str]

    @property
    def made(self) -> dict[str, int]:
        return self.rooms.made


def settle(cp: ControlPlane) -> Town:
    """Furnish the canary, found the other project, invite everybody. The server is not started."""
    furnished = rooms.furnished(cp, PROJECT)
    projects.create(SYSTEM, cp, OTHER, "Other")
    for name in (EVE, NORA, VIC, OLGA):
        people.invite(SYSTEM, cp, name, name, False)
    people.invite(SYSTEM, cp, ROOT, ROOT, True)
    for name, project, role in ((EVE, OTHER, "Owner"), (VIC, PROJECT, "Viewer"), (OLGA, PROJECT, "Owner")):
        projects.set_member(SYSTEM, cp, project, name, role)
    tokens, sessions = {}, {}
    with transaction():
        for user in UserRecord.select():
            tokens[user.name] = credentials.new_token(cp, user, "t", 3600.0)[0]
            sessions[user.name] = credentials.new_session(cp, user)
    made = furnished.made
    run = WorkflowRunRecord.create(
        project=ProjectRecord.get(ProjectRecord.name == PROJECT),
        case=rooms.CASE,
        dataset_version=made["version"],
        graph=[],
        outcome="done",
        created_by=UserRecord.get(UserRecord.name == OLGA),
        created_at=cp.clock(),
    )
    made["method"] = MethodVersionRecord.get(MethodVersionRecord.name == "sft_demo").id
    training = JobRecord.get_by_id(made["train"])
    sweep = SweepRecord.create(
        project=training.project_id,
        name="faults",
        method_version=training.method_version_id,
        parameters={},
        space={"steps": [10, 20]},
        inputs=training.inputs,
        seed=1,
        objective="held_out_loss",
        trials=2,
        at_once=1,
        outcome="done",
        created_by=UserRecord.get(UserRecord.name == OLGA),
        created_at=cp.clock(),
    )
    olga = identity.actor_of(UserRecord.get(UserRecord.name == OLGA), "")
    for name in ("upload", "upload_unwanted"):
        made[name] = data_support.bring(olga, cp, project=PROJECT)
    for name in ("draft", "draft_unwanted"):
        made[name] = drafts.begin(olga, cp, PROJECT, made["upload"]).id
    for name in ("source", "source_unwanted"):
        given = {"address": "http://127.0.0.1/"}
        made[name] = sources.begin(olga, cp, PROJECT, "http", given, {"password": "a secret"}).source_id or 0
        version, _ = json_lines.upload(olga, cp, PROJECT, name, BytesIO(rooms.rows(20, name)), None)
        SourceRecord.update(dataset=version.dataset_id).where(SourceRecord.id == made[name]).execute()
    for name in ("endpoint", "endpoint_unwanted"):
        wanted = keeping.Wanted("http://127.0.0.1:9/v1", "m", "a secret key")
        made[name] = keeping.save(olga, cp, PROJECT, name.replace("_", "-"), wanted).id
    rooms.with_labelling(furnished)
    made["labelling_unwanted"] = making.start(olga, cp, PROJECT, Wanted(made["version"], rows=Rows(count=2))).id
    for name in ("trigger", "trigger_unwanted"):
        made[name] = setting.add(olga, cp, made["workflow"], setting.Wanted("base_model"))[0].id
    for name in ("listener", "listener_tested", "listener_unwanted"):
        address = "https://hooks.example.org/a-secret"
        made[name] = listening.add(olga, cp, PROJECT, "webhook", address, ["job.failed"], "en")[0].id
    made["delivery"] = listening.test(olga, cp, made["listener"]).id
    root = ApiTokenRecord.get(ApiTokenRecord.user == UserRecord.get(UserRecord.name == ROOT).id)
    made |= {
        "run": run.id,
        "sweep": sweep.id,
        "token": root.id,
        "artifact": ModelRecord.get_by_id(made["adapter"]).artifact_id,
    }
    made["machine"] = furnished.machine.id  # type: ignore[assignment]  # the one id that is no number
    return Town(cp, Server(cp, cp.inference), furnished, tokens, sessions)  # type: ignore[arg-type]
