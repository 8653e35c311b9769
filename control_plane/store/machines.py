"""Machines, their devices and how they join."""

from peewee import AutoField, BigIntegerField, BooleanField, CharField, TextField

from control_plane.store.database import JSONField, Record, TimeField


class JoinTokenRecord(Record):
    id = CharField(32, primary_key=True)
    secret_hash = CharField(64)
    machine_class = CharField(16)  # server | laptop
    key_hash = CharField(64, default="")  # sha256 of the public key that redeemed it
    machine_id = CharField(36, default="")
    created_by = CharField(64)
    created_at = TimeField()
    expires_at = TimeField()
    used_at = TimeField(default=0.0)

    class Meta:
        table_name = "join_tokens"


class MachineRecord(Record):
    id = CharField(36, primary_key=True)  # uuid
    name = CharField(200)  # the hostname it enrolled with, until somebody changes it
    machine_class = CharField(16)  # server | laptop
    key_hash = CharField(64)  # sha256 of its public key (SubjectPublicKeyInfo)
    generation = BigIntegerField(default=1)  # raised by each certificate
    serial = CharField(64)  # of the current certificate
    next_serial = CharField(64, default="")  # issued, not used yet
    locked_reason = CharField(64, default="")  # a cloned disk, a revocation
    epoch = BigIntegerField(default=0)  # the newest session
    boot_id = CharField(64, default="")
    agent_version = CharField(32, default="")
    inventory = JSONField(default=dict)  # fleet.proto Inventory as a dict with proto field names
    connectivity = CharField(16, default="DISCONNECTED")
    last_seen = TimeField(default=0.0)
    drained = BooleanField(default=False)
    labels = JSONField(default=list)  # what people call its kind, sorted
    enrolled_at = TimeField()
    removed_at = TimeField(default=0.0)  # taken out of the lists, and locked; what it did keeps its name

    class Meta:
        table_name = "machines"


class EnvironmentLockRecord(Record):
    """What an environment resolved to when it was first built on a platform; later builds install from it."""

    id = AutoField()
    requirements_hash = CharField(64)
    platform = CharField(64)  # e.g. linux-x86_64-cpu
    lock = TextField()
    lock_hash = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "environment_locks"
        indexes = ((("requirements_hash", "platform"), True),)
