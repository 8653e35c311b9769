"""Models: named results. A base model is a model of the form `base`."""

from peewee import AutoField, BigIntegerField, CharField, ForeignKeyField

from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.database import JSONField, TimeField
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.things import Thing


class ModelRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)
    form = CharField(16)  # base | adapter | merged | gguf | reward
    job = ForeignKeyField(JobRecord, lazy_load=False)
    job_id: int
    artifact = ForeignKeyField(ArtifactRecord, lazy_load=False)
    artifact_id: int
    base = ForeignKeyField("self", null=True, lazy_load=False)  # of all but a base model
    base_id: int | None
    origin = ForeignKeyField("self", null=True, lazy_load=False)  # what a packaged model was made from
    origin_id: int | None
    dataset_version = ForeignKeyField(DatasetVersionRecord, null=True, lazy_load=False)  # what it learnt from
    dataset_version_id: int | None
    hash = CharField(64)  # of the artifact
    size = BigIntegerField()
    card = JSONField()  # model.json, and the pins: see services/models.py
    created_at = TimeField()

    class Meta:
        table_name = "models"
        indexes = ((("project", "form"), False),)
