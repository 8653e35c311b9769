"""Passwords and keys that people gave, sealed: services/secrets.py alone can open them."""

from peewee import CharField, ForeignKeyField, TextField

from control_plane.store.database import Record, TimeField
from control_plane.store.projects import ProjectRecord


class SecretRecord(Record):
    id = CharField(32, primary_key=True)
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    sealed = TextField()  # nonce and ciphertext, as base64
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "secrets"
