"""Sweeps: one job asked for with several settings."""

from peewee import AutoField, BigIntegerField, CharField, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord


class SweepRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)
    method_version = ForeignKeyField(MethodVersionRecord, lazy_load=False)
    method_version_id: int
    parameters = JSONField()  # what stays the same; complete
    space = JSONField()  # what is varied (domain/sweeps.py)
    inputs = JSONField()  # pinned, as a job's
    seed = BigIntegerField()
    policy = JSONField(default=dict)  # of each job
    objective = CharField(64)  # the curve whose last value is compared
    trials = IntegerField()  # how many jobs at most
    at_once = IntegerField()  # … of them unfinished
    outcome = CharField(16, default="")  # done | stopped | cancelled; empty while it goes on
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    reason = CharField(64, default="")  # why it stopped
    reason_params = JSONField(default=dict)
    idempotency_key = CharField(100, null=True)
    created_by = ForeignKeyField(UserRecord, lazy_load=False)
    created_by_id: int
    created_at = TimeField()
    ended_at = TimeField(default=0.0)

    class Meta:
        table_name = "sweeps"
        indexes = ((("project", "idempotency_key"), True), (("outcome",), False))
