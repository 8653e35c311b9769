"""What stands beside the names of the things that people make: a title, a description, tags; and whether it is kept."""

from __future__ import annotations

from typing import Any

from peewee import CharField, Field, TextField

from control_plane.store.database import JSONField, Record, TimeField


class Thing(Record):
    """Columns that datasets, models, jobs, deployments and projects share. It has no table of its own.

    What is in the trash has `deleted_at`, what was deleted for good has `purged_at` as well: its row goes on naming it
    where something was made from it.
    """

    title = CharField(200, default="")  # what people read, in any script; empty: the name
    description = TextField(default="")
    tags = JSONField(default=list)  # in the order of their letters
    deleted_at = TimeField(default=0.0)
    deleted_by = CharField(64, default="")  # a user's id, or the system's
    purged_at = TimeField(default=0.0)

    name: str  # each of them has one

    @property
    def label(self) -> str:
        """What it is called on pages."""
        return str(self.title or self.name)


def name_once(record: Any, *fields: Field) -> Any:
    """The index by which a name is given once among what is kept: what is in the trash gives it free."""
    name = f"{record._meta.table_name}_name"
    return record.index(*fields, unique=True, where=(record.deleted_at == 0.0), name=name)
