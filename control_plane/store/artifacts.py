"""Artifacts: the files an attempt produced, under the attempt until they are committed."""

from peewee import AutoField, BigIntegerField, CharField, ForeignKeyField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.jobs import AttemptRecord


class ArtifactRecord(Record):
    id = AutoField()
    attempt = ForeignKeyField(AttemptRecord, backref="artifacts", on_delete="CASCADE", lazy_load=False)
    attempt_id: int
    name = CharField(100)  # the output's name, or checkpoint:<step>
    files = JSONField()  # [{"path", "size", "sha256", "chunks": [sha256 …]}]
    hash = CharField(64)  # sha256 of the canonical JSON of (path, sha256) pairs
    size = BigIntegerField()
    begun_at = TimeField()
    committed_at = TimeField(default=0.0)

    class Meta:
        table_name = "artifacts"
        indexes = ((("attempt", "name", "hash"), True),)
