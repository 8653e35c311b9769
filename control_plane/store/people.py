"""Users, their sessions, API tokens and one-time links."""

from peewee import AutoField, BooleanField, CharField, ForeignKeyField, TextField

from control_plane.store.database import Record, TimeField


class UserRecord(Record):
    id = AutoField()
    name = CharField(64, unique=True)  # what is typed at sign-in
    title = CharField(200, default="")
    password_hash = TextField(default="")  # argon2id; empty: none set yet
    administrator = BooleanField(default=False)
    language = CharField(8, default="")  # en | de | zh; empty: the browser's
    active = BooleanField(default=True)
    local = BooleanField(default=False)  # whoever owns the data folder: no password, a token in bootstrap.json
    notified_until = TimeField(default=0.0)  # what happened until then, they have been told and have seen
    created_at = TimeField()

    class Meta:
        table_name = "users"


class SessionRecord(Record):
    """A signed-in browser; the cookie holds the secret, the row its sha256."""

    id = AutoField()
    user = ForeignKeyField(UserRecord, backref="sessions", on_delete="CASCADE", lazy_load=False)
    user_id: int
    secret_hash = CharField(64, unique=True)
    created_at = TimeField()
    expires_at = TimeField()

    class Meta:
        table_name = "sessions"


class ApiTokenRecord(Record):
    id = AutoField()
    user = ForeignKeyField(UserRecord, backref="tokens", on_delete="CASCADE", lazy_load=False)
    user_id: int
    name = CharField(64)
    secret_hash = CharField(64, unique=True)  # sha256; the token itself is shown once
    created_at = TimeField()
    expires_at = TimeField()
    used_at = TimeField(default=0.0)
    revoked_at = TimeField(default=0.0)

    class Meta:
        table_name = "api_tokens"


class OneTimeLinkRecord(Record):
    """Sets a password once."""

    id = AutoField()
    user = ForeignKeyField(UserRecord, on_delete="CASCADE", lazy_load=False)
    user_id: int
    secret_hash = CharField(64, unique=True)
    expires_at = TimeField()
    used_at = TimeField(default=0.0)

    class Meta:
        table_name = "one_time_links"
