"""Labellings: items that people judge one by one, and what each of them said. Their texts may hold any character."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
)

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.projects import ProjectRecord


class LabellingRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)
    dataset_version = ForeignKeyField(DatasetVersionRecord, on_delete="CASCADE", lazy_load=False)
    dataset_version_id: int
    kind = CharField(16)  # domain/labelling.py::Kind
    asked = JSONField(default=dict)  # who is asked: {kind, id, name, model}; empty: the rows' own answers are judged
    instruction = JSONField(default="")  # of variations
    per_row = IntegerField(default=1)  # variations
    overlap = DoubleField(default=0.0)  # the share of items that two people judge
    seed = BigIntegerField()
    state = CharField(16)  # domain/labelling.py::State
    fence = IntegerField(default=1)  # raised when asking begins or ends: what an older one still says is dropped
    reason = CharField(64, default="")  # why asking waits or has ended: an error's code
    reason_params = JSONField(default=dict)
    made_version = ForeignKeyField(DatasetVersionRecord, null=True, on_delete="SET NULL", lazy_load=False)  # the last
    made_version_id: int | None
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "labellings"
        indexes = ((("state",), False),)


class LabelItemRecord(Record):
    id = AutoField()
    labelling = ForeignKeyField(LabellingRecord, on_delete="CASCADE", lazy_load=False)
    labelling_id: int
    place = IntegerField()  # from 1: the order in which items are given out
    split = CharField(8)  # of the dataset version: train | test
    row = IntegerField()  # its number in that part, from 1
    variation = IntegerField(default=0)  # which of the row's, from 1; 0: it is no variation
    state = CharField(16)  # domain/labelling.py::ItemState
    attempts = IntegerField(default=0)  # how often the model was asked in vain
    answer = JSONField(default="")  # what is judged: a text, of a variation the row as JSON
    problem = CharField(64, default="")  # why it is unusable: an error's code
    problem_params = JSONField(default=dict)
    seats = IntegerField(default=1)  # how many people judge it
    judged = IntegerField(default=0)  # how many have
    outcome = CharField(16, default="")  # domain/labelling.py::Outcome
    result = JSONField(default="")  # what it should have been, where it was corrected

    class Meta:
        table_name = "label_items"
        indexes = ((("labelling", "place"), True), (("labelling", "state"), False))


class JudgementRecord(Record):
    id = AutoField()
    item = ForeignKeyField(LabelItemRecord, backref="judgements", on_delete="CASCADE", lazy_load=False)
    item_id: int
    labelling = ForeignKeyField(LabellingRecord, on_delete="CASCADE", lazy_load=False)
    labelling_id: int
    judge = CharField(64)  # an actor's id
    judge_name = CharField(200)
    is_decision = BooleanField(default=False)  # a third person's, where two disagreed
    action = CharField(16, default="")  # domain/labelling.py::Action; empty: the item is kept for this person
    answer = JSONField(default="")  # the corrected one
    lease_until = TimeField(default=0.0)  # until when it is kept
    judged_at = TimeField(default=0.0)

    class Meta:
        table_name = "judgements"
        indexes = ((("item", "judge"), True), (("labelling", "judge"), False))
