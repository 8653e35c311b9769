"""What is on its way to become a dataset version: uploads, and drafts made of them (ADR 27)."""

from peewee import AutoField, BigIntegerField, BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.sources import SourceRecord


class UploadRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    file_name = CharField(255)
    size = BigIntegerField()  # that was announced
    fingerprint = CharField(100)  # of the sender's: by it they know a file that was changed since
    created_by = CharField(64)
    created_at = TimeField()
    touched_at = TimeField()  # when some of it arrived last, or something was made of it
    over_at = TimeField(default=0.0)  # when its bytes were removed; 0: they are here, or on their way

    arrived = 0  # bytes; no column, for the file on the disk alone knows (services/datasets/uploads.py fills it in)

    class Meta:
        table_name = "uploads"
        indexes = ((("project", "created_by"), False), (("touched_at",), False))


class DatasetDraftRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)  # of the dataset
    train_upload = ForeignKeyField(UploadRecord, null=True, lazy_load=False)  # null: rows of a version are edited
    train_upload_id: int | None
    test_upload = ForeignKeyField(UploadRecord, null=True, lazy_load=False)  # held-out rows as a file of their own
    test_upload_id: int | None
    # where its file is fetched from; null: it was sent
    source = ForeignKeyField(SourceRecord, null=True, on_delete="SET NULL", lazy_load=False)
    source_id: int | None
    edits = ForeignKeyField(DatasetVersionRecord, null=True, lazy_load=False)  # whose rows are edited; null: a file
    edits_id: int | None
    refreshes = BooleanField(default=False)  # it goes on to a version by itself, as the source was saved
    mark = TextField(default="")  # of what was fetched
    train = JSONField()  # as domain/preparation.py::Source is told; likewise what follows
    test = JSONField(null=True)
    mapping = JSONField(null=True)  # null: the one that suggests itself
    split = JSONField(default=dict)
    choices = JSONField(default=dict)  # check → choice
    base_model = ForeignKeyField(ModelRecord, null=True, lazy_load=False)  # whose tokens lengths are told in
    base_model_id: int | None
    state = CharField(16)  # domain/preparation.py::DraftState
    fence = IntegerField(default=1)  # raised with each step that is begun: what an older one still says is dropped
    started_at = TimeField(default=0.0)  # of the step; 0: it waits for its turn
    done_bytes = BigIntegerField(default=0)  # of the step
    of_bytes = BigIntegerField(default=0)
    error = CharField(64, default="")  # why it failed: a code
    error_params = JSONField(default=dict)
    dataset_version = ForeignKeyField(DatasetVersionRecord, null=True, lazy_load=False)  # that it became
    dataset_version_id: int | None
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    created_by = CharField(64)
    created_at = TimeField()
    touched_at = TimeField()  # when something was changed last

    class Meta:
        table_name = "dataset_drafts"
        indexes = ((("project", "created_by"), False), (("state",), False), (("touched_at",), False))
