"""Prompts and their versions: what is said to a model before the question."""

from __future__ import annotations

from peewee import AutoField, CharField, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.jobs import JobRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.things import Thing, name_once


class PromptRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "prompts"


PromptRecord.add_index(name_once(PromptRecord, PromptRecord.project, PromptRecord.name))


class PromptVersionRecord(Record):
    """What somebody saved, or a search found; it never changes."""

    id = AutoField()
    prompt = ForeignKeyField(PromptRecord, on_delete="CASCADE", lazy_load=False)
    prompt_id: int
    number = IntegerField()  # 1, 2, … of the prompt
    hash = CharField(64)  # of what it says (domain/prompts/prompt.py::digest)
    content = JSONField()  # what it says, in its canonical form
    job = ForeignKeyField(JobRecord, null=True, lazy_load=False)  # the search that found it, which pins data and base
    job_id: int | None
    found = JSONField(default=dict)  # what that search says of it; empty: somebody wrote it
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "prompt_versions"
        indexes = ((("prompt", "number"), True),)
