"""Workflows with their versions; runs, which carry out the graph of one or of a case; and what is decided in them."""

from __future__ import annotations

from peewee import AutoField, BigIntegerField, BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.things import Thing, name_once


class WorkflowRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)  # as its spec has it
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "workflows"


WorkflowRecord.add_index(name_once(WorkflowRecord, WorkflowRecord.project, WorkflowRecord.name))


class WorkflowVersionRecord(Record):
    """What somebody saved; it never changes."""

    id = AutoField()
    workflow = ForeignKeyField(WorkflowRecord, on_delete="CASCADE", lazy_load=False)
    workflow_id: int
    number = IntegerField()  # 1, 2, … of the workflow
    hash = CharField(64)  # of what it says (domain/workflows/spec.py::digest)
    text = TextField()  # as it was written, comments among it
    spec = JSONField()  # what it says, in its canonical form
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "workflow_versions"
        indexes = ((("workflow", "number"), True),)


class WorkflowRunRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    title = CharField(200, default="")  # of the workflow or the case when it began
    case = CharField(64, default="")  # on whose page it shows; empty: none
    workflow_version = ForeignKeyField(WorkflowVersionRecord, null=True, lazy_load=False)  # null: it was given a text
    workflow_version_id: int | None
    dataset_version = ForeignKeyField(DatasetVersionRecord, null=True, lazy_load=False)  # of the first data step
    dataset_version_id: int | None
    spec = JSONField(default=dict)  # what it carries out (domain/workflows/spec.py)
    given = JSONField(default=dict)  # each parameter of the run with its value
    graph = JSONField()  # what follows from both, with the methods as they were at the start (domain/graph.py)
    fresh = BooleanField(default=False)  # nothing that was made before is used again
    # step → {"job": id, "reused", "tries", "earlier": [ids]} | {"deployment": id, "model": id, "reused"} |
    # {"approval": id, "reused"}; with "ended" once that was told
    begun = JSONField(default=dict)
    outcome = CharField(16, default="")  # done | stopped | refused | cancelled; empty while it goes on
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    reason = CharField(64, default="")  # why it stopped
    reason_params = JSONField(default=dict)
    repeats = ForeignKeyField("self", null=True, lazy_load=False, on_delete="SET NULL")  # with something changed
    repeats_id: int | None
    idempotency_key = CharField(100, null=True)
    created_by = ForeignKeyField(UserRecord, lazy_load=False)
    created_by_id: int
    created_at = TimeField()
    ended_at = TimeField(default=0.0)  # 0: it goes on

    @property
    def label(self) -> str:
        """What it is called on pages and in lists."""
        return str(self.title or self.case)

    class Meta:
        table_name = "workflow_runs"
        indexes = (
            (("project", "idempotency_key"), True),
            (("outcome",), False),
            (("created_by", "ended_at"), False),
        )


class ApprovalRecord(Record):
    id = AutoField()
    run = ForeignKeyField(WorkflowRunRecord, on_delete="CASCADE", lazy_load=False)
    run_id: int
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    step = CharField(64)
    own = BooleanField(default=False)  # whether who started the run may decide
    given = JSONField()  # input → id: what it is about
    decision = CharField(16, default="")  # approved | refused | expired; empty while nobody has decided
    note = TextField(default="")
    decided_by = ForeignKeyField(UserRecord, null=True, lazy_load=False)
    decided_by_id: int | None
    asked_at = TimeField()
    expires_at = TimeField(default=0.0)  # 0: never
    decided_at = TimeField(default=0.0)

    class Meta:
        table_name = "approvals"
        indexes = ((("run", "step"), True), (("decision", "project"), False))
