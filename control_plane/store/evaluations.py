"""Evaluations: the scores of one evaluation job, and the verdict."""

from peewee import AutoField, CharField, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord


class EvaluationRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    job = ForeignKeyField(JobRecord, unique=True, lazy_load=False)
    job_id: int
    dataset_version = ForeignKeyField(DatasetVersionRecord, lazy_load=False)
    dataset_version_id: int
    candidate = ForeignKeyField(ModelRecord, lazy_load=False)
    candidate_id: int
    baseline = ForeignKeyField(ModelRecord, null=True, lazy_load=False)
    baseline_id: int | None
    primary_metric = CharField(64)
    verdict = CharField(16)  # better | worse | unclear | unpaired
    scores = JSONField()  # [{"metric", "candidate", "n", "value", "low", "high"}]
    differences = JSONField(default=dict)  # metric → what `domain/scores.py::_differences` found; empty: unpaired
    rows_sha256 = CharField(64, default="")  # the blob that holds the rows: evaluation.json
    index_sha256 = CharField(64, default="")  # the blob that says where in it each row is, and how it was scored
    row_count = IntegerField(default=0)
    seconds = JSONField(default=dict)
    answer_limit = IntegerField(default=0)  # tokens; 0: there was none, or the method does not say
    cut = JSONField(default=dict)  # {candidate: how many of its answers were stopped there}
    created_at = TimeField()

    class Meta:
        table_name = "evaluations"
