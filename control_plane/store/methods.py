"""Method versions: what was registered, by content."""

from peewee import AutoField, BooleanField, CharField, TextField

from control_plane.store.database import DocumentField, JSONField, Record, TimeField


class MethodVersionRecord(Record):
    id = AutoField()
    name = CharField(64)
    hash = CharField(64)  # over the folder's files and the kit's
    kind = CharField(16)
    manifest = DocumentField()  # its order is that of the form
    requirements = TextField()
    files = JSONField()  # [{"path", "sha256", "size"}], relative to the methods folder
    current = BooleanField(default=True)  # the version that new jobs take
    created_at = TimeField()

    class Meta:
        table_name = "method_versions"
        indexes = ((("name", "hash"), True),)
