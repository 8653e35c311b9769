"""Rewards and their versions: weighted checks that say what a good answer is."""

from __future__ import annotations

from peewee import AutoField, CharField, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.projects import ProjectRecord
from control_plane.store.things import Thing, name_once


class RewardRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "rewards"


RewardRecord.add_index(name_once(RewardRecord, RewardRecord.project, RewardRecord.name))


class RewardVersionRecord(Record):
    """What somebody saved; it never changes."""

    id = AutoField()
    reward = ForeignKeyField(RewardRecord, on_delete="CASCADE", lazy_load=False)
    reward_id: int
    number = IntegerField()  # 1, 2, … of the reward
    hash = CharField(64)  # of the document (domain/rewards/document.py::digest)
    document = JSONField()  # in its canonical form
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "reward_versions"
        indexes = ((("reward", "number"), True),)
