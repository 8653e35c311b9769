"""Endpoints: models of others that are asked over the network."""

from peewee import AutoField, CharField, ForeignKeyField, IntegerField

from control_plane.store.database import Record, TimeField
from control_plane.store.projects import ProjectRecord
from control_plane.store.secrets import SecretRecord


class EndpointRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)
    address = CharField(1_000)  # up to and without /chat/completions
    model = CharField(200)  # as the other side calls it
    secret = ForeignKeyField(SecretRecord, null=True, on_delete="SET NULL", lazy_load=False)  # null: no key is needed
    secret_id: str | None
    daily_calls = IntegerField()  # the most in a day (UTC), the repeated ones counted
    calls = IntegerField(default=0)  # on that day
    day = IntegerField(default=0)  # since 1970
    created_by = CharField(64)
    created_at = TimeField()
    changed_at = TimeField()

    class Meta:
        table_name = "endpoints"
        indexes = ((("project", "name"), True),)
