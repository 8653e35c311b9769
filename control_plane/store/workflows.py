"""Workflow runs: the graph of a case carried out on a dataset version."""

from peewee import AutoField, BigIntegerField, CharField, ForeignKeyField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord


class WorkflowRunRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    case = CharField(64)
    dataset_version = ForeignKeyField(DatasetVersionRecord, lazy_load=False)
    dataset_version_id: int
    graph = JSONField()  # as it was at the start (domain/graph.py)
    # step → {"job": id, "reused"} or {"deployment": id, "model": id, "reused"}; with "ended" once that was told
    begun = JSONField(default=dict)
    outcome = CharField(16, default="")  # done | stopped | cancelled; empty while it goes on
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    reason = CharField(64, default="")  # why it stopped
    reason_params = JSONField(default=dict)
    idempotency_key = CharField(100, null=True)
    created_by = ForeignKeyField(UserRecord, lazy_load=False)
    created_by_id: int
    created_at = TimeField()
    ended_at = TimeField(default=0.0)  # 0: it goes on

    class Meta:
        table_name = "workflow_runs"
        indexes = ((("project", "idempotency_key"), True), (("outcome",), False), (("created_by", "ended_at"), False))
