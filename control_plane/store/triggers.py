"""What starts workflows by itself, and each time that it did."""

from peewee import AutoField, BigIntegerField, BooleanField, CharField, ForeignKeyField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.secrets import SecretRecord
from control_plane.store.workflows import WorkflowRecord, WorkflowRunRecord


class TriggerRecord(Record):
    id = AutoField()  # given once: see the migration
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    workflow = ForeignKeyField(WorkflowRecord, on_delete="CASCADE", lazy_load=False)
    workflow_id: int
    kind = CharField(16)  # domain/workflows/triggers.py
    schedule = JSONField(default=dict)  # of a schedule: domain/schedules.py::Schedule, as it is told
    missed = CharField(8, default="once")  # once | skip: what becomes of its times at which nothing ran
    dataset = BigIntegerField(default=0)  # the id of the dataset whose versions it waits for
    quiet = JSONField(default=dict)  # domain/workflows/triggers.py::Quiet, as it is told; empty: none
    given = JSONField(default=dict)  # parameters of the run
    secret = ForeignKeyField(SecretRecord, null=True, on_delete="SET NULL", lazy_load=False)  # of a webhook
    secret_id: str | None
    seen = BigIntegerField(default=0)  # the newest version or model that it has seen
    next_at = TimeField(default=0.0)  # of a schedule; 0: none
    stopped = BooleanField(default=False)  # who made it may do so no longer: it starts nothing more
    error = CharField(64, default="")  # why it is stopped, or the last run did not start
    error_params = JSONField(default=dict)
    failed_at = TimeField(default=0.0)  # when
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    created_by = ForeignKeyField(UserRecord, lazy_load=False)  # in whose name it starts runs
    created_by_id: int
    created_at = TimeField()

    class Meta:
        table_name = "triggers"
        indexes = ((("next_at",), False),)


class FiringRecord(Record):
    """One time that a trigger fired: its key is what makes it that one, as the time or the version's id."""

    id = AutoField()
    trigger = ForeignKeyField(TriggerRecord, on_delete="CASCADE", lazy_load=False)
    trigger_id: int
    key = CharField(80)
    run_key = CharField(64)  # the idempotency key of its run
    due_at = TimeField()  # when a run is started: at once, or at the end of quiet hours
    outcome = CharField(16, default="")  # started | missed | refused; empty while it waits
    run = ForeignKeyField(WorkflowRunRecord, null=True, on_delete="SET NULL", lazy_load=False)
    run_id: int | None
    error = CharField(64, default="")  # why no run started
    error_params = JSONField(default=dict)
    created_at = TimeField()

    class Meta:
        table_name = "firings"
        indexes = ((("trigger", "key"), True), (("outcome", "due_at"), False), (("trigger", "created_at"), False))
