"""Datasets and their immutable versions."""

from peewee import AutoField, BigIntegerField, BooleanField, CharField, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.projects import ProjectRecord
from control_plane.store.things import Thing, name_once


class DatasetRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "datasets"


DatasetRecord.add_index(name_once(DatasetRecord, DatasetRecord.project, DatasetRecord.name))


class DatasetVersionRecord(Record):
    id = AutoField()
    dataset = ForeignKeyField(DatasetRecord, backref="versions", on_delete="CASCADE", lazy_load=False)
    dataset_id: int
    number = IntegerField()  # 1, 2, … under the dataset
    hash = CharField(64)  # sha256 of the canonical JSON {"format", "train", "test"}
    format = CharField(32)  # as domain/rows.py::FORMATS names them
    train_sha256 = CharField(64)
    test_sha256 = CharField(64, default="")  # empty: no held-out rows
    train_rows = IntegerField()
    test_rows = IntegerField()
    left_out_sha256 = CharField(64, default="")  # faulty rows, kept to be mended; empty: there were none
    left_out_rows = IntegerField(default=0)
    report_sha256 = CharField(64, default="")  # as domain/preparation.py::Report is told; empty: there is none (yet)
    marks_sha256 = CharField(64, default="")  # rows that a check has found and that were kept; empty: there are none
    to_check = BooleanField(default=False)  # the checks have yet to look at its rows, which no draft led to
    size = BigIntegerField()
    split_seed = IntegerField(null=True)  # null: the held-out rows came as a file
    facts = JSONField(default=dict)  # as domain/datasets.py::Scan.facts has them
    mapping = JSONField(default=dict)  # as domain/preparation.py::Mapping is told; empty: the rows came in the format
    source = JSONField(
        default=dict
    )  # {name, kind, sha256, size, columns} of its file, `columns` a mark; empty: not known
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "dataset_versions"
        indexes = ((("dataset", "number"), True), (("dataset", "hash"), False))
