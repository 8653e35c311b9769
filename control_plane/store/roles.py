"""Roles: what their bearers may do in a project."""

from peewee import AutoField, BooleanField, CharField

from control_plane.store.database import JSONField, Record


class RoleRecord(Record):
    id = AutoField()
    name = CharField(32, unique=True)
    permissions = JSONField()  # names of domain/permissions.py PERMISSIONS
    built_in = BooleanField(default=False)  # written by a migration; nobody changes or deletes it

    class Meta:
        table_name = "roles"
