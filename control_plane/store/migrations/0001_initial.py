"""The first schema: a frozen copy of the records, deliberately independent of them; and the built-in roles."""

import json

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    Model,
    NodeList,
    SqliteDatabase,
    TextField,
)

from control_plane.domain.permissions import BUILT_IN_ROLES


class Record(Model):
    class Meta:
        legacy_table_names = False


class JSONField(TextField):
    def db_value(self, value):
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def python_value(self, value):
        return None if value is None else json.loads(value)


class TimeField(DoubleField):
    pass


class OnceField(AutoField):
    """A number that is never given again; SQLite would give the highest ones again once their rows are gone."""

    def ddl(self, ctx):
        words = super().ddl(ctx)
        sqlite = isinstance(self.model._meta.database, SqliteDatabase)
        return NodeList((words, SQL("AUTOINCREMENT"))) if sqlite else words


class Thing(Record):
    title = CharField(200, default="")
    description = TextField(default="")
    tags = JSONField(default=list)
    deleted_at = TimeField(default=0.0)
    deleted_by = CharField(64, default="")
    purged_at = TimeField(default=0.0)


def name_once(record, *fields):
    name = f"{record._meta.table_name}_name"
    return record.index(*fields, unique=True, where=(record.deleted_at == 0.0), name=name)


class UserRecord(Record):
    id = AutoField()
    name = CharField(64, unique=True)
    title = CharField(200, default="")
    password_hash = TextField(default="")
    administrator = BooleanField(default=False)
    language = CharField(8, default="")
    active = BooleanField(default=True)
    local = BooleanField(default=False)
    notified_until = TimeField(default=0.0)
    created_at = TimeField()

    class Meta:
        table_name = "users"


class SessionRecord(Record):
    id = AutoField()
    user = ForeignKeyField(UserRecord, backref="sessions", on_delete="CASCADE", lazy_load=False)
    secret_hash = CharField(64, unique=True)
    created_at = TimeField()
    expires_at = TimeField()

    class Meta:
        table_name = "sessions"


class ApiTokenRecord(Record):
    id = AutoField()
    user = ForeignKeyField(UserRecord, backref="tokens", on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    secret_hash = CharField(64, unique=True)
    created_at = TimeField()
    expires_at = TimeField()
    used_at = TimeField(default=0.0)
    revoked_at = TimeField(default=0.0)

    class Meta:
        table_name = "api_tokens"


class OneTimeLinkRecord(Record):
    id = AutoField()
    user = ForeignKeyField(UserRecord, on_delete="CASCADE", lazy_load=False)
    secret_hash = CharField(64, unique=True)
    expires_at = TimeField()
    used_at = TimeField(default=0.0)

    class Meta:
        table_name = "one_time_links"


class RoleRecord(Record):
    id = AutoField()
    name = CharField(32, unique=True)
    permissions = JSONField()
    built_in = BooleanField(default=False)

    class Meta:
        table_name = "roles"


class ProjectRecord(Thing):
    id = AutoField()
    name = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "projects"


ProjectRecord.add_index(name_once(ProjectRecord, ProjectRecord.name))


class MemberRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, backref="members", on_delete="CASCADE", lazy_load=False)
    user = ForeignKeyField(UserRecord, backref="memberships", on_delete="CASCADE", lazy_load=False)
    role = ForeignKeyField(RoleRecord, field="name", column_name="role", lazy_load=False)

    class Meta:
        table_name = "members"
        indexes = ((("project", "user"), True),)


class JoinTokenRecord(Record):
    id = CharField(32, primary_key=True)
    secret_hash = CharField(64)
    machine_class = CharField(16)
    key_hash = CharField(64, default="")
    machine_id = CharField(36, default="")
    created_by = CharField(64)
    created_at = TimeField()
    expires_at = TimeField()
    used_at = TimeField(default=0.0)

    class Meta:
        table_name = "join_tokens"


class MachineRecord(Record):
    id = CharField(36, primary_key=True)
    name = CharField(200)
    machine_class = CharField(16)
    key_hash = CharField(64)
    generation = BigIntegerField(default=1)
    serial = CharField(64)
    next_serial = CharField(64, default="")
    locked_reason = CharField(64, default="")
    epoch = BigIntegerField(default=0)
    boot_id = CharField(64, default="")
    agent_version = CharField(32, default="")
    inventory = JSONField(default=dict)
    connectivity = CharField(16, default="DISCONNECTED")
    last_seen = TimeField(default=0.0)
    drained = BooleanField(default=False)
    labels = JSONField(default=list)
    enrolled_at = TimeField()
    removed_at = TimeField(default=0.0)

    class Meta:
        table_name = "machines"


class EnvironmentLockRecord(Record):
    id = AutoField()
    requirements_hash = CharField(64)
    platform = CharField(64)
    lock = TextField()
    lock_hash = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "environment_locks"
        indexes = ((("requirements_hash", "platform"), True),)


class DatasetRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "datasets"


DatasetRecord.add_index(name_once(DatasetRecord, DatasetRecord.project, DatasetRecord.name))


class DatasetVersionRecord(Record):
    id = AutoField()
    dataset = ForeignKeyField(DatasetRecord, backref="versions", on_delete="CASCADE", lazy_load=False)
    number = IntegerField()
    hash = CharField(64)
    format = CharField(32)
    train_sha256 = CharField(64)
    test_sha256 = CharField(64, default="")
    train_rows = IntegerField()
    test_rows = IntegerField()
    left_out_sha256 = CharField(64, default="")
    left_out_rows = IntegerField(default=0)
    report_sha256 = CharField(64, default="")
    marks_sha256 = CharField(64, default="")
    to_check = BooleanField(default=False)
    size = BigIntegerField()
    split_seed = IntegerField(null=True)
    facts = JSONField(default=dict)
    mapping = JSONField(default=dict)
    source = JSONField(default=dict)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "dataset_versions"
        indexes = ((("dataset", "number"), True), (("dataset", "hash"), False))


class MethodVersionRecord(Record):
    id = AutoField()
    name = CharField(64)
    number = IntegerField(default=1)
    hash = CharField(64)
    kind = CharField(16)
    manifest = JSONField()
    requirements = TextField()
    files = JSONField()
    current = BooleanField(default=True)
    source = CharField(8, default="shipped")
    state = CharField(16, default="published")
    author = CharField(64, default="")
    approved_by = CharField(64, default="")
    approved_at = TimeField(default=0.0)
    dry_run_job = IntegerField(default=0)
    created_at = TimeField()

    class Meta:
        table_name = "method_versions"
        indexes = ((("name", "hash"), True),)


class RewardRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "rewards"


RewardRecord.add_index(name_once(RewardRecord, RewardRecord.project, RewardRecord.name))


class RewardVersionRecord(Record):
    id = AutoField()
    reward = ForeignKeyField(RewardRecord, on_delete="CASCADE", lazy_load=False)
    number = IntegerField()
    hash = CharField(64)
    document = JSONField()
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "reward_versions"
        indexes = ((("reward", "number"), True),)


class RewardDryRunRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    reward_version = ForeignKeyField(RewardVersionRecord, on_delete="CASCADE", lazy_load=False)
    dataset_version = ForeignKeyField(DatasetVersionRecord, on_delete="CASCADE", lazy_load=False)
    asked = JSONField(default=dict)
    done = IntegerField(default=0)
    of = IntegerField(default=0)
    outcome = CharField(16, default="")
    trial = JSONField(default=dict)
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    version = BigIntegerField(default=1)
    created_by = CharField(64)
    created_at = TimeField()
    ended_at = TimeField(default=0.0)

    class Meta:
        table_name = "reward_dry_runs"
        indexes = ((("outcome",), False),)


class WorkflowRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "workflows"


WorkflowRecord.add_index(name_once(WorkflowRecord, WorkflowRecord.project, WorkflowRecord.name))


class WorkflowVersionRecord(Record):
    id = AutoField()
    workflow = ForeignKeyField(WorkflowRecord, on_delete="CASCADE", lazy_load=False)
    number = IntegerField()
    hash = CharField(64)
    text = TextField()
    spec = JSONField()
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "workflow_versions"
        indexes = ((("workflow", "number"), True),)


class WorkflowRunRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    title = CharField(200, default="")
    case = CharField(64, default="")
    workflow_version = ForeignKeyField(WorkflowVersionRecord, null=True, lazy_load=False)
    dataset_version = ForeignKeyField(DatasetVersionRecord, null=True, lazy_load=False)
    spec = JSONField(default=dict)
    given = JSONField(default=dict)
    graph = JSONField()
    fresh = BooleanField(default=False)
    begun = JSONField(default=dict)
    outcome = CharField(16, default="")
    version = BigIntegerField(default=1)
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    repeats = ForeignKeyField("self", null=True, lazy_load=False, on_delete="SET NULL")
    idempotency_key = CharField(100, null=True)
    created_by = ForeignKeyField(UserRecord, lazy_load=False)
    created_at = TimeField()
    ended_at = TimeField(default=0.0)

    class Meta:
        table_name = "workflow_runs"
        indexes = (
            (("project", "idempotency_key"), True),
            (("outcome",), False),
            (("created_by", "ended_at"), False),
        )


class CaseRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64, unique=True)
    plan = JSONField()
    train_sha256 = CharField(64, default="")
    test_sha256 = CharField(64, default="")
    shared = BooleanField(default=False)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "cases"


class CaseNoteRecord(Record):
    id = AutoField()
    case = CharField(64)
    user = ForeignKeyField(UserRecord, on_delete="CASCADE", lazy_load=False)
    rating = IntegerField()
    text = JSONField(default="")
    written_at = TimeField()

    class Meta:
        table_name = "case_notes"
        indexes = ((("case", "user"), True),)


class ApprovalRecord(Record):
    id = AutoField()
    run = ForeignKeyField(WorkflowRunRecord, on_delete="CASCADE", lazy_load=False)
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    step = CharField(64)
    own = BooleanField(default=False)
    given = JSONField()
    decision = CharField(16, default="")
    note = TextField(default="")
    decided_by = ForeignKeyField(UserRecord, null=True, lazy_load=False)
    asked_at = TimeField()
    expires_at = TimeField(default=0.0)
    decided_at = TimeField(default=0.0)

    class Meta:
        table_name = "approvals"
        indexes = ((("run", "step"), True), (("decision", "project"), False))


class SweepRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    method_version = ForeignKeyField(MethodVersionRecord, lazy_load=False)
    parameters = JSONField()
    space = JSONField()
    inputs = JSONField()
    seed = BigIntegerField()
    policy = JSONField(default=dict)
    objective = CharField(64)
    trials = IntegerField()
    at_once = IntegerField()
    outcome = CharField(16, default="")
    version = BigIntegerField(default=1)
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    idempotency_key = CharField(100, null=True)
    created_by = ForeignKeyField(UserRecord, lazy_load=False)
    created_at = TimeField()
    ended_at = TimeField(default=0.0)

    class Meta:
        table_name = "sweeps"
        indexes = ((("project", "idempotency_key"), True), (("outcome",), False))


class JobRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    method_version = ForeignKeyField(MethodVersionRecord, lazy_load=False)
    kind = CharField(16)
    parameters = JSONField()
    inputs = JSONField()
    seed = BigIntegerField()
    state = CharField(16)
    fence = BigIntegerField(default=0)
    version = BigIntegerField(default=1)
    priority = IntegerField(default=0)
    not_before = TimeField(default=0.0)
    only_machine = CharField(36, default="")
    lost_after = DoubleField(null=True)
    when_lost = CharField(16, default="requeue")
    time_limit = DoubleField(default=0.0)
    cancel_requested_at = TimeField(default=0.0)
    waiting_code = CharField(64, default="not_planned")
    waiting_params = JSONField(default=dict)
    progress = JSONField(default=dict)
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    learning = CharField(16, default="")
    memory_bytes = BigIntegerField(default=0)
    estimate = JSONField(default=dict)
    disk_bytes = BigIntegerField(default=0)
    lost_attempts = IntegerField(default=0)
    idempotency_key = CharField(100, null=True)
    workflow_run = ForeignKeyField(WorkflowRunRecord, null=True, lazy_load=False)
    created_by = CharField(64)
    created_at = TimeField()
    ended_at = TimeField(default=0.0)
    sweep = ForeignKeyField(SweepRecord, null=True, lazy_load=False)

    class Meta:
        table_name = "jobs"
        indexes = ((("project", "idempotency_key"), True), (("state",), False), (("created_by", "ended_at"), False))


class PromptRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "prompts"


PromptRecord.add_index(name_once(PromptRecord, PromptRecord.project, PromptRecord.name))


class PromptVersionRecord(Record):
    id = AutoField()
    prompt = ForeignKeyField(PromptRecord, on_delete="CASCADE", lazy_load=False)
    number = IntegerField()
    hash = CharField(64)
    content = JSONField()
    job = ForeignKeyField(JobRecord, null=True, lazy_load=False)
    found = JSONField(default=dict)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "prompt_versions"
        indexes = ((("prompt", "number"), True),)


class AttemptRecord(Record):
    id = AutoField()
    job = ForeignKeyField(JobRecord, backref="attempts", on_delete="CASCADE", lazy_load=False)
    number = IntegerField()
    machine = ForeignKeyField(MachineRecord, lazy_load=False)
    fence = BigIntegerField()
    state = CharField(16)
    stage = CharField(32, default="")
    sequence = BigIntegerField(default=0)
    event_sequence = BigIntegerField(default=0)
    offered_at = TimeField()
    offer_expires_at = TimeField()
    preempt_requested_at = TimeField(default=0.0)
    accepted_at = TimeField(default=0.0)
    running_at = TimeField(default=0.0)
    ended_at = TimeField(default=0.0)
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    environment_lock_hash = CharField(64, default="")
    peak_memory_bytes = BigIntegerField(default=0)
    hardware = JSONField(default=dict)

    class Meta:
        table_name = "attempts"
        indexes = (
            (("job", "number"), True),
            (("state", "ended_at"), False),
            (("machine", "state"), False),
            (("accepted_at",), False),
        )


class AttemptPartRecord(Record):
    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, backref="parts", on_delete="CASCADE", lazy_load=False)
    rank = IntegerField()
    machine = ForeignKeyField(MachineRecord, lazy_load=False)
    state = CharField(16)
    lease_until = TimeField(default=0.0)
    devices = JSONField()

    class Meta:
        table_name = "attempt_parts"
        indexes = ((("attempt", "rank"), True), (("machine", "state"), False), (("state", "lease_until"), False))


class EventRecord(Record):
    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, on_delete="CASCADE", lazy_load=False)
    sequence = BigIntegerField()
    kind = CharField(16)
    time = TimeField()
    body = JSONField()

    class Meta:
        table_name = "events"
        indexes = ((("attempt", "sequence"), True), (("attempt", "kind", "sequence"), False))


class CurveRecord(Record):
    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, on_delete="CASCADE", lazy_load=False, index=False)
    name = CharField(200)
    count = IntegerField(default=0)
    first_step = DoubleField()
    last_sequence = BigIntegerField(default=0)

    class Meta:
        table_name = "curves"
        indexes = ((("attempt", "name"), True),)


class PointRecord(Record):
    curve = ForeignKeyField(CurveRecord, on_delete="CASCADE", lazy_load=False, index=False)
    level = IntegerField()
    position = IntegerField()
    sequence = BigIntegerField()
    step = DoubleField()
    value = DoubleField()

    class Meta:
        table_name = "points"
        primary_key = CompositeKey("curve", "level", "position")


class LogRecord(Record):
    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, on_delete="CASCADE", lazy_load=False)
    stream = CharField(16)
    size = BigIntegerField(default=0)
    sha256 = CharField(64, default="")
    sealed_at = TimeField(default=0.0)

    class Meta:
        table_name = "logs"
        indexes = ((("attempt", "stream"), True),)


class ArtifactRecord(Record):
    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, backref="artifacts", on_delete="CASCADE", lazy_load=False)
    name = CharField(100)
    files = JSONField()
    hash = CharField(64)
    size = BigIntegerField()
    begun_at = TimeField()
    committed_at = TimeField(default=0.0)

    class Meta:
        table_name = "artifacts"
        indexes = ((("attempt", "name", "hash"), True),)


class BlobReferenceRecord(Record):
    sha256 = CharField(64)
    owner_kind = CharField(16)
    owner_id = IntegerField()

    class Meta:
        table_name = "blob_references"
        primary_key = CompositeKey("sha256", "owner_kind", "owner_id")
        indexes = ((("owner_kind", "owner_id"), False),)


class ModelRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    form = CharField(16)
    job = ForeignKeyField(JobRecord, lazy_load=False)
    artifact = ForeignKeyField(ArtifactRecord, lazy_load=False)
    base = ForeignKeyField("self", null=True, lazy_load=False)
    origin = ForeignKeyField("self", null=True, lazy_load=False)
    dataset_version = ForeignKeyField(DatasetVersionRecord, null=True, lazy_load=False)
    hash = CharField(64)
    size = BigIntegerField()
    card = JSONField()
    created_at = TimeField()

    class Meta:
        table_name = "models"
        indexes = ((("project", "form"), False),)


class SecretRecord(Record):
    id = CharField(32, primary_key=True)
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    sealed = TextField()
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "secrets"


class EndpointRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    address = CharField(1_000)
    model = CharField(200)
    secret = ForeignKeyField(SecretRecord, null=True, on_delete="SET NULL", lazy_load=False)
    daily_calls = IntegerField()
    calls = IntegerField(default=0)
    day = IntegerField(default=0)
    created_by = CharField(64)
    created_at = TimeField()
    changed_at = TimeField()

    class Meta:
        table_name = "endpoints"
        indexes = ((("project", "name"), True),)


class SourceRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    dataset = ForeignKeyField(DatasetRecord, null=True, unique=True, on_delete="CASCADE", lazy_load=False)
    connector = CharField(64)
    parameters = JSONField()
    secret = ForeignKeyField(SecretRecord, null=True, on_delete="SET NULL", lazy_load=False)
    label = CharField(255)
    reading = JSONField(default=dict)
    mapping = JSONField(default=dict)
    split = JSONField(default=dict)
    choices = JSONField(default=dict)
    mark = TextField(default="")
    sha256 = CharField(64, default="")
    follows = ForeignKeyField(DatasetVersionRecord, null=True, on_delete="SET NULL", lazy_load=False)
    schedule = JSONField(default=dict)
    next_at = TimeField(default=0.0)
    looked_at = TimeField(default=0.0)
    changed_at = TimeField(default=0.0)
    error = CharField(64, default="")
    error_params = JSONField(default=dict)
    version = BigIntegerField(default=1)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "sources"
        indexes = ((("next_at",), False), (("created_by",), False))


class UploadRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    file_name = CharField(255)
    size = BigIntegerField()
    fingerprint = CharField(100)
    created_by = CharField(64)
    created_at = TimeField()
    touched_at = TimeField()
    over_at = TimeField(default=0.0)

    class Meta:
        table_name = "uploads"
        indexes = ((("project", "created_by"), False), (("touched_at",), False))


class DatasetDraftRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    train_upload = ForeignKeyField(UploadRecord, null=True, lazy_load=False)
    test_upload = ForeignKeyField(UploadRecord, null=True, lazy_load=False)
    source = ForeignKeyField(SourceRecord, null=True, on_delete="SET NULL", lazy_load=False)
    edits = ForeignKeyField(DatasetVersionRecord, null=True, lazy_load=False)
    refreshes = BooleanField(default=False)
    mark = TextField(default="")
    train = JSONField()
    test = JSONField(null=True)
    mapping = JSONField(null=True)
    split = JSONField(default=dict)
    choices = JSONField(default=dict)
    base_model = ForeignKeyField(ModelRecord, null=True, lazy_load=False)
    state = CharField(16)
    fence = IntegerField(default=1)
    started_at = TimeField(default=0.0)
    done_bytes = BigIntegerField(default=0)
    of_bytes = BigIntegerField(default=0)
    error = CharField(64, default="")
    error_params = JSONField(default=dict)
    dataset_version = ForeignKeyField(DatasetVersionRecord, null=True, lazy_load=False)
    version = BigIntegerField(default=1)
    created_by = CharField(64)
    created_at = TimeField()
    touched_at = TimeField()

    class Meta:
        table_name = "dataset_drafts"
        indexes = ((("project", "created_by"), False), (("state",), False), (("touched_at",), False))


class EvaluationRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    job = ForeignKeyField(JobRecord, unique=True, lazy_load=False)
    dataset_version = ForeignKeyField(DatasetVersionRecord, lazy_load=False)
    candidate = ForeignKeyField(ModelRecord, lazy_load=False)
    baseline = ForeignKeyField(ModelRecord, null=True, lazy_load=False)
    primary_metric = CharField(64)
    verdict = CharField(16)
    scores = JSONField()
    differences = JSONField(default=dict)
    rows_sha256 = CharField(64, default="")
    index_sha256 = CharField(64, default="")
    row_count = IntegerField(default=0)
    seconds = JSONField(default=dict)
    answer_limit = IntegerField(default=0)
    cut = JSONField(default=dict)
    created_at = TimeField()

    class Meta:
        table_name = "evaluations"


class DeploymentRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    model = ForeignKeyField(ModelRecord, lazy_load=False)
    desired_state = CharField(16)
    generation = BigIntegerField(default=1)
    version = BigIntegerField(default=1)
    context_length = IntegerField()
    slots = IntegerField()
    waiting_code = CharField(64, default="")
    waiting_params = JSONField(default=dict)
    prompt_version = ForeignKeyField(PromptVersionRecord, null=True, lazy_load=False)
    answer_schema = JSONField(default=dict)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "deployments"


DeploymentRecord.add_index(name_once(DeploymentRecord, DeploymentRecord.project, DeploymentRecord.name))


class ReplicaRecord(Record):
    id = AutoField()
    deployment = ForeignKeyField(DeploymentRecord, backref="replicas", on_delete="CASCADE", lazy_load=False)
    machine = ForeignKeyField(MachineRecord, lazy_load=False)
    generation = BigIntegerField(default=1)
    desired_state = CharField(16)
    observed_generation = BigIntegerField(default=0)
    state = CharField(16)
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    restarts = IntegerField(default=0)
    failed_generation = BigIntegerField(default=0)
    observed_at = TimeField(default=0.0)

    class Meta:
        table_name = "replicas"
        indexes = ((("desired_state",), False),)


class TrafficRecord(Record):
    deployment = ForeignKeyField(DeploymentRecord, on_delete="CASCADE", lazy_load=False, index=False)
    started_at = BigIntegerField()
    requests = IntegerField()

    class Meta:
        table_name = "traffic"
        primary_key = CompositeKey("deployment", "started_at")


class AllocationRecord(Record):
    id = AutoField()
    machine = ForeignKeyField(MachineRecord, on_delete="CASCADE", lazy_load=False)
    device = CharField(100)
    part = ForeignKeyField(AttemptPartRecord, null=True, on_delete="CASCADE", lazy_load=False)
    replica = ForeignKeyField(ReplicaRecord, null=True, on_delete="CASCADE", lazy_load=False)
    memory_bytes = BigIntegerField()
    exclusive = BooleanField()

    class Meta:
        table_name = "allocations"
        indexes = ((("machine", "device"), False),)


AllocationRecord.add_index(
    AllocationRecord.index(
        AllocationRecord.machine,
        AllocationRecord.device,
        unique=True,
        where=(AllocationRecord.exclusive == True),  # noqa: E712  # a condition of SQL
        name="allocations_alone",
    )
)


class LabellingRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    name = CharField(64)
    dataset_version = ForeignKeyField(DatasetVersionRecord, on_delete="CASCADE", lazy_load=False)
    kind = CharField(16)
    asked = JSONField(default=dict)
    instruction = JSONField(default="")
    per_row = IntegerField(default=1)
    overlap = DoubleField(default=0.0)
    seed = BigIntegerField()
    state = CharField(16)
    fence = IntegerField(default=1)
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    made_version = ForeignKeyField(DatasetVersionRecord, null=True, on_delete="SET NULL", lazy_load=False)
    version = BigIntegerField(default=1)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "labellings"
        indexes = ((("state",), False),)


class LabelItemRecord(Record):
    id = AutoField()
    labelling = ForeignKeyField(LabellingRecord, on_delete="CASCADE", lazy_load=False)
    place = IntegerField()
    split = CharField(8)
    row = IntegerField()
    variation = IntegerField(default=0)
    state = CharField(16)
    attempts = IntegerField(default=0)
    answer = JSONField(default="")
    problem = CharField(64, default="")
    problem_params = JSONField(default=dict)
    seats = IntegerField(default=1)
    judged = IntegerField(default=0)
    outcome = CharField(16, default="")
    result = JSONField(default="")

    class Meta:
        table_name = "label_items"
        indexes = ((("labelling", "place"), True), (("labelling", "state"), False))


class JudgementRecord(Record):
    id = AutoField()
    item = ForeignKeyField(LabelItemRecord, backref="judgements", on_delete="CASCADE", lazy_load=False)
    labelling = ForeignKeyField(LabellingRecord, on_delete="CASCADE", lazy_load=False)
    judge = CharField(64)
    judge_name = CharField(200)
    is_decision = BooleanField(default=False)
    action = CharField(16, default="")
    answer = JSONField(default="")
    lease_until = TimeField(default=0.0)
    judged_at = TimeField(default=0.0)

    class Meta:
        table_name = "judgements"
        indexes = ((("item", "judge"), True), (("labelling", "judge"), False))


class ListenerRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    way = CharField(16)
    label = CharField(255)
    secret = ForeignKeyField(SecretRecord, null=True, on_delete="SET NULL", lazy_load=False)
    events = JSONField()
    language = CharField(8)
    stopped = BooleanField(default=False)
    error = CharField(64, default="")
    error_params = JSONField(default=dict)
    failed_at = TimeField(default=0.0)
    version = BigIntegerField(default=1)
    created_by = ForeignKeyField(UserRecord, lazy_load=False)
    created_at = TimeField()

    class Meta:
        table_name = "listeners"


class DeliveryRecord(Record):
    id = AutoField()
    listener = ForeignKeyField(ListenerRecord, on_delete="CASCADE", lazy_load=False)
    event = CharField(64)
    about = CharField(100)
    payload = JSONField()
    outcome = CharField(16, default="")
    attempts = IntegerField(default=0)
    next_at = TimeField()
    tried_at = TimeField(default=0.0)
    code = IntegerField(default=0)
    error = CharField(64, default="")
    error_params = JSONField(default=dict)
    created_at = TimeField()

    class Meta:
        table_name = "deliveries"
        indexes = ((("outcome", "next_at"), False), (("listener", "id"), False), (("created_at",), False))


class TriggerRecord(Record):
    id = OnceField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    workflow = ForeignKeyField(WorkflowRecord, on_delete="CASCADE", lazy_load=False)
    kind = CharField(16)
    schedule = JSONField(default=dict)
    missed = CharField(8, default="once")
    dataset = BigIntegerField(default=0)
    quiet = JSONField(default=dict)
    given = JSONField(default=dict)
    secret = ForeignKeyField(SecretRecord, null=True, on_delete="SET NULL", lazy_load=False)
    seen = BigIntegerField(default=0)
    next_at = TimeField(default=0.0)
    stopped = BooleanField(default=False)
    error = CharField(64, default="")
    error_params = JSONField(default=dict)
    failed_at = TimeField(default=0.0)
    version = BigIntegerField(default=1)
    created_by = ForeignKeyField(UserRecord, lazy_load=False)
    created_at = TimeField()

    class Meta:
        table_name = "triggers"
        indexes = ((("next_at",), False),)


class FiringRecord(Record):
    id = AutoField()
    trigger = ForeignKeyField(TriggerRecord, on_delete="CASCADE", lazy_load=False)
    key = CharField(80)
    run_key = CharField(64)
    due_at = TimeField()
    outcome = CharField(16, default="")
    run = ForeignKeyField(WorkflowRunRecord, null=True, on_delete="SET NULL", lazy_load=False)
    error = CharField(64, default="")
    error_params = JSONField(default=dict)
    created_at = TimeField()

    class Meta:
        table_name = "firings"
        indexes = ((("trigger", "key"), True), (("outcome", "due_at"), False), (("trigger", "created_at"), False))


class AuditRecord(Record):
    id = OnceField()
    at = TimeField()
    actor_kind = CharField(16)
    actor_id = CharField(64)
    actor_name = CharField(200)
    address = CharField(64, default="")
    action = CharField(64)
    subject = CharField(100)
    project_id = IntegerField(null=True)
    details = JSONField(default=dict)

    class Meta:
        table_name = "audit"
        indexes = ((("project_id",), False), (("subject",), False))


class AuditSealRecord(Record):
    id = OnceField()
    entry = IntegerField(unique=True)
    hash = CharField(64)

    class Meta:
        table_name = "audit_seals"


RECORDS = [
    UserRecord,
    SessionRecord,
    ApiTokenRecord,
    OneTimeLinkRecord,
    RoleRecord,
    ProjectRecord,
    MemberRecord,
    JoinTokenRecord,
    MachineRecord,
    EnvironmentLockRecord,
    DatasetRecord,
    DatasetVersionRecord,
    MethodVersionRecord,
    SweepRecord,
    JobRecord,
    PromptRecord,
    PromptVersionRecord,
    AttemptRecord,
    AttemptPartRecord,
    EventRecord,
    CurveRecord,
    PointRecord,
    LogRecord,
    ArtifactRecord,
    BlobReferenceRecord,
    ModelRecord,
    SecretRecord,
    EndpointRecord,
    SourceRecord,
    UploadRecord,
    DatasetDraftRecord,
    EvaluationRecord,
    DeploymentRecord,
    ReplicaRecord,
    TrafficRecord,
    AllocationRecord,
    RewardRecord,
    RewardVersionRecord,
    RewardDryRunRecord,
    WorkflowRecord,
    WorkflowVersionRecord,
    WorkflowRunRecord,
    CaseRecord,
    CaseNoteRecord,
    ApprovalRecord,
    LabellingRecord,
    LabelItemRecord,
    JudgementRecord,
    ListenerRecord,
    DeliveryRecord,
    TriggerRecord,
    FiringRecord,
    AuditRecord,
    AuditSealRecord,
]


def up(migrator, db):
    with db.bind_ctx(RECORDS, bind_refs=False, bind_backrefs=False):
        db.create_tables(RECORDS, safe=False)
        for role in BUILT_IN_ROLES:
            RoleRecord.create(name=role.name, permissions=sorted(role.permissions), built_in=True)
