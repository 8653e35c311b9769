"""Method versions: what was registered, by content."""

from peewee import AutoField, BooleanField, CharField, IntegerField, TextField

from control_plane.store.database import DocumentField, JSONField, Record, TimeField


class MethodVersionRecord(Record):
    id = AutoField()
    name = CharField(64)
    number = IntegerField(default=1)  # 1, 2, … of the name
    hash = CharField(64)  # over the folder's files and the kit's
    kind = CharField(16)
    manifest = DocumentField()  # its order is that of the form
    requirements = TextField()
    files = JSONField()  # [{"path", "sha256", "size"}], relative to the methods folder
    current = BooleanField(default=True)  # the version that new jobs take
    source = CharField(8, default="shipped")  # shipped | ours
    state = CharField(16, default="published")  # draft | published | deleted
    author = CharField(64, default="")  # the name of who wrote it; empty: shipped
    approved_by = CharField(64, default="")  # the name of who published it
    approved_at = TimeField(default=0.0)
    dry_run_job = IntegerField(default=0)  # its newest dry run; 0: none
    created_at = TimeField()

    class Meta:
        table_name = "method_versions"
        indexes = ((("name", "hash"), True),)
