"""Methods: folders with a manifest, registered by content. New jobs take the current version of a name."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain import manifest as manifests
from control_plane.domain.errors import (
    MethodBroken,
    MethodFileMissing,
    MethodUnknown,
    ParameterUnknown,
)
from control_plane.domain.manifest import Manifest
from control_plane.domain.permissions import SYSTEM, Actor, require
from control_plane.services import audit, check_lists, method_folders, references, schemas
from control_plane.services.method_folders import Folder
from control_plane.store.database import transaction
from control_plane.store.methods import MethodVersionRecord

SHIPPED, OURS = "shipped", "ours"  # where a version comes from
DRAFT, PUBLISHED, DELETED = "draft", "published", "deleted"  # its state
EASIEST = "sft_demo"  # of several methods that fit, the one to begin with
TEMPLATE = "Custom"  # the type of those that are there to be changed

_LOG = logging.getLogger(__name__)


def register_shipped(cp: ControlPlane) -> list[str]:
    """Register each method folder as it is now; the names. Called at the start.

    What is the same stays the same version. A faulty folder is logged and left out: it must not keep the rest from
    starting. A method whose folder is not there stays as it is: the database may know methods that no disk has.
    """
    root = method_folders.root_of(cp)
    with cp.blobs.holding():
        found = {}
        for path in sorted(root.glob("*/method.toml")):
            try:
                found[path.parent.name] = method_folders.read_shipped(cp, path.parent.name)
            except (MethodBroken, MethodFileMissing) as problem:
                _LOG.error("“%s”: %s", path.parent.name, problem)
        with transaction():
            for name, folder in found.items():
                _register(cp, name, folder)
    return list(found)


def list_methods(actor: Actor, cp: ControlPlane) -> list[MethodVersionRecord]:
    """The current version of each method that is not deleted, by name. Raises Denied."""
    require(actor, "method.see")
    return list(MethodVersionRecord.select().where(_offered()).order_by(MethodVersionRecord.name))


def of_kind(actor: Actor, cp: ControlPlane, kind: str, row_format: str = "") -> list[MethodVersionRecord]:
    """The current methods of a kind that take rows of a format, if one is named.

    The one to begin with comes first, templates to be changed last. Raises Denied.
    """
    found = [one for one in list_methods(actor, cp) if one.kind == kind and (not row_format or _takes(one, row_format))]
    return sorted(found, key=lambda one: (one.name != EASIEST, one.manifest.get("type") == TEMPLATE))


def _takes(record: MethodVersionRecord, row_format: str) -> bool:
    if record.hash not in _accepted:
        inputs = [one for one in manifest(record).inputs.values() if one.kind == "dataset"]
        if len(_accepted) >= _MOST_KNOWN:
            _accepted.clear()
        _accepted[record.hash] = frozenset(format for one in inputs for format in one.accepts)
    return row_format in _accepted[record.hash]


_MOST_KNOWN = 1_000
_accepted: dict[str, frozenset[str]] = {}  # by a version's hash, what formats of rows it takes: each page of data asks


def get(actor: Actor, cp: ControlPlane, name: str) -> MethodVersionRecord:
    """The current version of a method, or by `name@hash` the one of that whole hash that was published once.

    What a job pinned can thus be run again, whatever became of the method. Raises MethodUnknown, Denied.
    """
    require(actor, "method.see")
    plain, at, wanted = name.partition("@")
    which = _once_offered() & (MethodVersionRecord.hash == wanted) if at else _offered()
    found: MethodVersionRecord | None = MethodVersionRecord.get_or_none(which & (MethodVersionRecord.name == plain))
    if found is None:
        raise MethodUnknown(method=name)
    return found


def pinned(version: MethodVersionRecord) -> str:
    """By what name `get` finds this very version: the plain one while new jobs take it."""
    return str(version.name) if version.current and version.state == PUBLISHED else f"{version.name}@{version.hash}"


def get_all(actor: Actor, cp: ControlPlane, wanted: Collection[str]) -> dict[str, MethodVersionRecord]:
    """Several methods, named as for `get`, in one query where it can be. Raises MethodUnknown, Denied."""
    require(actor, "method.see")
    named = MethodVersionRecord.name.in_(list(wanted))
    offered = {str(one.name): one for one in MethodVersionRecord.select().where(_offered() & named)}
    return {name: offered[name] if name in offered else get(actor, cp, name) for name in wanted}


def manifest(record: MethodVersionRecord, locale: str = "en") -> Manifest:
    """What a method version is, in a language."""
    return manifests.parse(record.manifest, locale)


def of_version(version_id: int) -> MethodVersionRecord:
    """The method version of a job; methods are everybody's."""
    found: MethodVersionRecord = MethodVersionRecord.get_by_id(version_id)
    return found


def with_preset(
    actor: Actor, cp: ControlPlane, name: str, preset: str, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """`parameters` over what a preset of the method says. Raises MethodUnknown, Denied, PresetUnknown."""
    return manifest(get(actor, cp, name)).with_preset(preset, parameters) if preset else dict(parameters)


def check_parameters(manifest: Manifest, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters`, complete and within the manifest's schema. Raises ParameterUnknown, ParameterInvalid."""
    known = manifest.parameters.get("properties", {})
    for name in parameters:
        if name not in known:
            raise ParameterUnknown(method=manifest.name, parameter=name)
    complete = schemas.complete(manifest.parameters, parameters)
    check_lists.verify(known, complete)
    return complete


def _register(cp: ControlPlane, name: str, folder: Folder) -> None:
    """A version that somebody here published stays the current one, and a deleted method stays deleted."""
    known = MethodVersionRecord.get_or_none(MethodVersionRecord.name == name, MethodVersionRecord.hash == folder.hash)
    now = MethodVersionRecord.get_or_none(MethodVersionRecord.name == name, _current())
    if known is not None and (known.current or (now is not None and now.source == OURS)):
        return
    if known is None:
        known = record(cp, folder, source=SHIPPED, current=False)
    if now is None or now.source != OURS:
        make_current(known, PUBLISHED if now is None else now.state)
    audit.record(SYSTEM, cp, "method.register", f"method:{known.id}", name=name, hash=folder.hash)


def record(cp: ControlPlane, folder: Folder, **columns: Any) -> MethodVersionRecord:
    """The row of a folder, the next of its name. Called inside a transaction by whoever holds the folder's blobs."""
    name = folder.manifest["name"]
    last = MethodVersionRecord.select(fn.MAX(MethodVersionRecord.number)).where(MethodVersionRecord.name == name)
    made: MethodVersionRecord = MethodVersionRecord.create(
        name=name,
        number=(last.scalar() or 0) + 1,
        hash=folder.hash,
        kind=folder.manifest["kind"],
        manifest=folder.manifest,
        requirements=folder.requirements,
        files=folder.files,
        created_at=cp.clock(),
        **columns,
    )
    references.add(cp, references.METHOD, made.id, [file["sha256"] for file in folder.files])
    return made


def make_current(version: MethodVersionRecord, state: str = PUBLISHED) -> None:
    """New jobs take this version of its name. Called inside a transaction."""
    MethodVersionRecord.update(current=False).where(MethodVersionRecord.name == version.name).execute()
    MethodVersionRecord.update(current=True, state=state).where(MethodVersionRecord.id == version.id).execute()


def _current() -> Any:
    return MethodVersionRecord.current == True  # noqa: E712 (an expression)


def _offered() -> Any:
    return _current() & (MethodVersionRecord.state == PUBLISHED)


def _once_offered() -> Any:
    return (MethodVersionRecord.source == SHIPPED) | (MethodVersionRecord.approved_at > 0)
