"""The audit record. Written in the transaction of what it tells; chained by a tick, in order of commit."""

from peewee import AutoField, CharField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField, database


class AuditRecord(Record):
    id = AutoField()  # given once: see the migration
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
    """One link of the chain over the entries: see services/audit_chain.py."""

    id = AutoField()
    entry = IntegerField(unique=True)  # AuditRecord.id
    hash = CharField(64)

    class Meta:
        table_name = "audit_seals"


def columns() -> set[str]:
    """The columns that the table of the entries really has."""
    return {column.name for column in database.obj.get_columns(AuditRecord._meta.table_name)}
