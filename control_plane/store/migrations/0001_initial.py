"""The first schema."""


def up(migrator, db):
    from control_plane.store.database import Record

    db.create_tables(_all(Record), safe=False)


def _all(base):
    found = []
    for kind in base.__subclasses__():
        found.append(kind)
        found.extend(_all(kind))
    return found
