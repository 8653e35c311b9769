"""Rewards and their versions: weighted checks that say what a good answer is."""

from __future__ import annotations

from peewee import AutoField, BigIntegerField, CharField, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.datasets import DatasetVersionRecord
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


class RewardDryRunRecord(Record):
    """A version tried on rows of a dataset version, before anything trains by it."""

    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    reward_version = ForeignKeyField(RewardVersionRecord, on_delete="CASCADE", lazy_load=False)
    reward_version_id: int
    dataset_version = ForeignKeyField(DatasetVersionRecord, on_delete="CASCADE", lazy_load=False)
    dataset_version_id: int
    asked = JSONField(default=dict)  # who gives samples (`labelling/answering.py::chosen`); empty: nobody
    done = IntegerField(default=0)
    of = IntegerField(default=0)  # samples and answers; 0: not known yet
    outcome = CharField(16, default="")  # done | failed | cancelled; empty while it goes on
    trial = JSONField(default=dict)  # what it found (`domain/rewards/dry_run.py::Trial`)
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    version = BigIntegerField(default=1)
    created_by = CharField(64)
    created_at = TimeField()
    ended_at = TimeField(default=0.0)

    class Meta:
        table_name = "reward_dry_runs"
        indexes = ((("outcome",), False),)
