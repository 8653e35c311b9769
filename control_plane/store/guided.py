"""Guided runs: a case's chain of jobs, of which each follows the success of the one before."""

from peewee import AutoField, CharField, ForeignKeyField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord


class GuidedRunRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    case = CharField(64)
    dataset_version = ForeignKeyField(DatasetVersionRecord, lazy_load=False)
    dataset_version_id: int
    stage = CharField(16)  # import | train | evaluate | export | done | stopped
    jobs = JSONField(default=dict)  # stage → job id
    made = JSONField(default=dict)  # {"base", "tuned", "packaged": model id, "evaluation": id}
    reason = CharField(64, default="")  # why it stopped
    reason_params = JSONField(default=dict)
    idempotency_key = CharField(100, null=True)
    created_by = ForeignKeyField(UserRecord, lazy_load=False)
    created_by_id: int
    created_at = TimeField()

    class Meta:
        table_name = "guided_runs"
        indexes = ((("project", "idempotency_key"), True), (("stage",), False))
