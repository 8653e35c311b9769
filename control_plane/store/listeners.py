"""Listeners of a project's events, and what they were told or wait to be told."""

from peewee import AutoField, BigIntegerField, BooleanField, CharField, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.secrets import SecretRecord


class ListenerRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    way = CharField(16)  # domain/listeners/ways.py
    label = CharField(255)  # whom it reaches, without what is secret: a host, a mail address, a plug-in's name
    secret = ForeignKeyField(SecretRecord, null=True, on_delete="SET NULL", lazy_load=False)  # address, signing
    secret_id: str | None
    events = JSONField()  # that it is told, sorted
    language = CharField(8)  # of the sentences
    stopped = BooleanField(default=False)  # who added it may do so no longer: it is told nothing more
    error = CharField(64, default="")  # why it is stopped, or a delivery was given up after the last that arrived
    error_params = JSONField(default=dict)
    failed_at = TimeField(default=0.0)  # when
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    created_by = ForeignKeyField(UserRecord, lazy_load=False)  # who added or changed it: in whose name it is told
    created_by_id: int
    created_at = TimeField()

    class Meta:
        table_name = "listeners"


class DeliveryRecord(Record):
    """One event for one listener. Written with the change that it tells, in one transaction."""

    id = AutoField()
    listener = ForeignKeyField(ListenerRecord, on_delete="CASCADE", lazy_load=False)
    listener_id: int
    event = CharField(64)
    about = CharField(100)  # kind and id of what it is about, as `job:42`
    payload = JSONField()  # domain/listeners/events.py::payload
    outcome = CharField(16, default="")  # delivered | given_up; empty while it waits
    attempts = IntegerField(default=0)  # since it was asked for
    next_at = TimeField()  # when it is tried next
    tried_at = TimeField(default=0.0)  # when it was tried last
    code = IntegerField(default=0)  # what the last attempt was answered, of HTTP or SMTP; 0: nothing
    error = CharField(64, default="")  # why the last attempt failed
    error_params = JSONField(default=dict)
    created_at = TimeField()

    class Meta:
        table_name = "deliveries"
        indexes = ((("outcome", "next_at"), False), (("listener", "id"), False), (("created_at",), False))
