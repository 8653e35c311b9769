"""The first schema."""

from importlib import import_module
from pkgutil import iter_modules


def up(migrator, db):
    from control_plane import store
    from control_plane.store.database import Record

    for module in iter_modules(store.__path__):  # a record that nobody has imported yet gets its table too
        if not module.ispkg:
            import_module(f"control_plane.store.{module.name}")
    db.create_tables(_all(Record), safe=False)


def _all(base):
    found = []
    for kind in base.__subclasses__():
        found.append(kind)
        found.extend(_all(kind))
    return found
