"""Jobs and their attempts. Only services/transitions.py writes `state`, `fence` and what belongs to them."""

from peewee import AutoField, BigIntegerField, CharField, DoubleField, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.machines import MachineRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.sweeps import SweepRecord
from control_plane.store.things import Thing
from control_plane.store.workflows import WorkflowRunRecord


class JobRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)
    method_version = ForeignKeyField(MethodVersionRecord, lazy_load=False)
    method_version_id: int
    kind = CharField(16)  # of the method
    parameters = JSONField()  # complete
    inputs = JSONField()  # {name: {"kind": "model"|"dataset", "id": n, "hash": …}}
    seed = BigIntegerField()
    state = CharField(16)
    fence = BigIntegerField(default=0)  # of the newest attempt
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    priority = IntegerField(default=0)  # higher is planned first
    not_before = TimeField(default=0.0)
    only_machine = CharField(36, default="")  # the one that it may run on; empty: any
    lost_after = DoubleField(null=True)  # seconds of silence; null: by the machine's class
    when_lost = CharField(16, default="requeue")  # requeue | fail
    time_limit = DoubleField(default=0.0)  # seconds that an attempt may run; 0: without a limit
    cancel_requested_at = TimeField(default=0.0)
    waiting_code = CharField(64, default="not_planned")
    waiting_params = JSONField(default=dict)
    progress = JSONField(default=dict)  # {"step", "steps", "stage"} of the newest attempt
    reason = CharField(64, default="")  # why it failed
    reason_params = JSONField(default=dict)
    learning = CharField(16, default="")  # what its loss said when it had succeeded (domain/learning.py)
    memory_bytes = BigIntegerField(default=0)  # the estimate
    estimate = JSONField(default=dict)  # {"memory", "work"} before earlier jobs corrected it; empty: not known
    disk_bytes = BigIntegerField(default=0)
    lost_attempts = IntegerField(default=0)
    idempotency_key = CharField(100, null=True)
    workflow_run = ForeignKeyField(WorkflowRunRecord, null=True, lazy_load=False)  # which asked for it
    workflow_run_id: int | None
    created_by = CharField(64)
    created_at = TimeField()
    ended_at = TimeField(default=0.0)
    sweep = ForeignKeyField(SweepRecord, null=True, lazy_load=False)
    sweep_id: int | None

    class Meta:
        table_name = "jobs"
        indexes = ((("project", "idempotency_key"), True), (("state",), False), (("created_by", "ended_at"), False))


class AttemptRecord(Record):
    id = AutoField()
    job = ForeignKeyField(JobRecord, backref="attempts", on_delete="CASCADE", lazy_load=False)
    job_id: int
    number = IntegerField()  # 1, 2, … of the job
    machine = ForeignKeyField(MachineRecord, lazy_load=False)  # of rank 0, which reports for all parts
    machine_id: str
    fence = BigIntegerField()
    state = CharField(16)
    stage = CharField(32, default="")  # of PREPARING: blobs | environment
    sequence = BigIntegerField(default=0)  # the last report taken
    event_sequence = BigIntegerField(default=0)  # the last event taken
    offered_at = TimeField()
    offer_expires_at = TimeField()
    preempt_requested_at = TimeField(default=0.0)  # its devices are wanted for a more urgent job
    accepted_at = TimeField(default=0.0)
    running_at = TimeField(default=0.0)
    ended_at = TimeField(default=0.0)
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    environment_lock_hash = CharField(64, default="")
    peak_memory_bytes = BigIntegerField(default=0)  # of main memory, as measured; 0: not known
    hardware = JSONField(default=dict)  # the machine's inventory when it was offered

    class Meta:
        table_name = "attempts"
        indexes = (
            (("job", "number"), True),
            (("state", "ended_at"), False),
            (("machine", "state"), False),
            (("accepted_at",), False),
        )


class AttemptPartRecord(Record):
    """What one machine does of an attempt: ranks 0, 1, … Each has its own lease; today an attempt is one part."""

    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, backref="parts", on_delete="CASCADE", lazy_load=False)
    attempt_id: int
    rank = IntegerField()
    machine = ForeignKeyField(MachineRecord, lazy_load=False)
    machine_id: str
    state = CharField(16)  # of AttemptState; moves with the attempt's
    lease_until = TimeField(default=0.0)  # server time
    devices = JSONField()  # uuids of what it was given; the promise itself is in the allocations

    class Meta:
        table_name = "attempt_parts"
        indexes = ((("attempt", "rank"), True), (("machine", "state"), False), (("state", "lease_until"), False))


class EventRecord(Record):
    """What an attempt reported: progress, metric, checkpoint, message."""

    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, on_delete="CASCADE", lazy_load=False)
    attempt_id: int
    sequence = BigIntegerField()
    kind = CharField(16)
    time = TimeField()
    body = JSONField()

    class Meta:
        table_name = "events"
        indexes = ((("attempt", "sequence"), True), (("attempt", "kind", "sequence"), False))


class LogRecord(Record):
    """One stream of an attempt's log: a file while it grows, a blob once it is sealed."""

    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, on_delete="CASCADE", lazy_load=False)
    attempt_id: int
    stream = CharField(16)  # stdout | stderr | agent
    size = BigIntegerField(default=0)  # acknowledged bytes
    sha256 = CharField(64, default="")  # once sealed
    sealed_at = TimeField(default=0.0)

    class Meta:
        table_name = "logs"
        indexes = ((("attempt", "stream"), True),)
