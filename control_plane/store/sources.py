"""Where the rows of a dataset come from, and how they are fetched again."""

from peewee import AutoField, BigIntegerField, CharField, ForeignKeyField, TextField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.secrets import SecretRecord


class SourceRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    # one at most for a dataset; null: nothing of it is saved yet
    dataset = ForeignKeyField(DatasetRecord, null=True, unique=True, on_delete="CASCADE", lazy_load=False)
    dataset_id: int | None
    connector = CharField(64)  # the name of its entry point
    parameters = JSONField()
    secret = ForeignKeyField(SecretRecord, null=True, on_delete="SET NULL", lazy_load=False)
    secret_id: str | None
    label = CharField(255)  # what is fetched, in short
    reading = JSONField(default=dict)  # as the last saved draft had it: domain/preparation.py::Source; likewise …
    mapping = JSONField(default=dict)
    split = JSONField(default=dict)
    choices = JSONField(default=dict)
    mark = TextField(default="")  # of the content that the last version was made from, as the connector has it
    sha256 = CharField(64, default="")  # of the same
    # the version that the next one may follow unasked: the last that it made, or one that somebody confirmed
    follows = ForeignKeyField(DatasetVersionRecord, null=True, on_delete="SET NULL", lazy_load=False)
    follows_id: int | None
    schedule = JSONField(default=dict)  # as domain/schedules.py::Schedule is told; empty: only when somebody asks
    next_at = TimeField(default=0.0)  # when it is fetched next by itself; 0: never
    looked_at = TimeField(default=0.0)  # when a refresh ended last, with a new version, without, or in vain
    changed_at = TimeField(default=0.0)  # when a version was made last
    error = CharField(64, default="")  # why the last refresh was in vain: a code
    error_params = JSONField(default=dict)
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    created_by = CharField(64)  # who brought it, or changed it last: for whom it is fetched
    created_at = TimeField()

    class Meta:
        table_name = "sources"
        indexes = ((("next_at",), False), (("created_by",), False))
