"""Curves: the numbers of an attempt's metric events, by name, and fewer of them for each level above."""

from peewee import AutoField, BigIntegerField, CharField, CompositeKey, DoubleField, ForeignKeyField, IntegerField

from control_plane.store.database import Record
from control_plane.store.jobs import AttemptRecord


class CurveRecord(Record):
    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, on_delete="CASCADE", lazy_load=False, index=False)
    attempt_id: int
    name = CharField(200)
    count = IntegerField(default=0)  # points of level 0
    first_step = DoubleField()
    last_sequence = BigIntegerField(default=0)  # of the event that brought the newest point

    class Meta:
        table_name = "curves"
        indexes = ((("attempt", "name"), True),)


class PointRecord(Record):
    curve = ForeignKeyField(CurveRecord, on_delete="CASCADE", lazy_load=False, index=False)
    curve_id: int
    level = IntegerField()  # 0: as reported; above, the telling ones of each bucket: see services/fleet/points.py
    position = IntegerField()  # 0, 1, … of the curve, as reported; the same on each level
    sequence = BigIntegerField()  # of its event
    step = DoubleField()
    value = DoubleField()

    class Meta:
        table_name = "points"
        primary_key = CompositeKey("curve", "level", "position")
