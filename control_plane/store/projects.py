"""Projects and who is in them."""

from peewee import AutoField, CharField, ForeignKeyField

from control_plane.store.database import Record, TimeField
from control_plane.store.people import UserRecord
from control_plane.store.roles import RoleRecord
from control_plane.store.things import Thing, name_once


class ProjectRecord(Thing):
    id = AutoField()
    name = CharField(64)  # used in addresses: /p/<name>/…
    created_at = TimeField()

    class Meta:
        table_name = "projects"


ProjectRecord.add_index(name_once(ProjectRecord, ProjectRecord.name))


class MemberRecord(Record):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, backref="members", on_delete="CASCADE", lazy_load=False)
    project_id: int
    user = ForeignKeyField(UserRecord, backref="memberships", on_delete="CASCADE", lazy_load=False)
    user_id: int
    role = ForeignKeyField(RoleRecord, field="name", column_name="role", lazy_load=False)
    role_id: str  # the role's name

    class Meta:
        table_name = "members"
        indexes = ((("project", "user"), True),)
