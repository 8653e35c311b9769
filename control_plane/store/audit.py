"""The audit record. Written in the transaction of what it tells; chained by a tick, in order of commit."""

from peewee import AutoField, CharField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField


class AuditRecord(Record):
    id = AutoField()
    at = TimeField()
    actor_kind = CharField(16)
    actor_id = CharField(64)
    actor_name = CharField(200)
    address = CharField(64, default="")
    action = CharField(64)  # noun.verb: job.submit, attempt.running …
    subject = CharField(100)  # job:42, dataset:7 …
    project_id = IntegerField(null=True)
    details = JSONField(default=dict)

    class Meta:
        table_name = "audit"
        indexes = ((("project_id",), False), (("subject",), False))


class AuditSealRecord(Record):
    """One link of the chain: hash = sha256(previous hash + canonical JSON of the entry)."""

    id = AutoField()
    entry = IntegerField(unique=True)  # AuditRecord.id
    hash = CharField(64)

    class Meta:
        table_name = "audit_seals"
