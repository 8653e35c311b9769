"""Cases that people saved from their runs or brought along, and what colleagues say of any case."""

from peewee import AutoField, BooleanField, CharField, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord


class CaseRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)  # where it was saved
    project_id: int
    name = CharField(64, unique=True)  # among all cases, those that were shipped too
    plan = JSONField()  # as a case.toml holds it, checked (domain/cases/written.py)
    train_sha256 = CharField(64, default="")  # the sample data; empty: it brings the shape alone
    test_sha256 = CharField(64, default="")
    shared = BooleanField(default=False)  # with every project
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "cases"


class CaseNoteRecord(Record):
    id = AutoField()
    case = CharField(64)  # its name: shipped cases have no row
    user = ForeignKeyField(UserRecord, on_delete="CASCADE", lazy_load=False)
    user_id: int
    rating = IntegerField()  # 1 … 5
    text = JSONField(default="")
    written_at = TimeField()

    class Meta:
        table_name = "case_notes"
        indexes = ((("case", "user"), True),)
