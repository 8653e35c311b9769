"""Who names which blob: written in the transaction of the row that does, so that garbage is found by one query."""

from peewee import CharField, CompositeKey, IntegerField

from control_plane.store.database import Record


class BlobReferenceRecord(Record):
    sha256 = CharField(64)
    owner_kind = CharField(16)  # artifact | dataset_version | method_version | log | evaluation | case
    owner_id = IntegerField()

    class Meta:
        table_name = "blob_references"
        primary_key = CompositeKey("sha256", "owner_kind", "owner_id")
        indexes = ((("owner_kind", "owner_id"), False),)
