"""Methods: folders with a manifest, registered by content. New jobs take the current version of a name."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from control_plane.context import ControlPlane
from control_plane.domain import manifest as manifests
from control_plane.domain.documents import parse
from control_plane.domain.errors import (
    MethodBroken,
    MethodUnknown,
    ParameterInvalid,
    ParameterLengthWrong,
    ParameterMissing,
    ParameterNotListed,
    ParameterOutOfRange,
    ParameterTypeWrong,
    ParameterUnknown,
)
from control_plane.domain.manifest import Manifest
from control_plane.domain.permissions import SYSTEM, Actor, require
from control_plane.services import audit, references
from control_plane.store.database import transaction
from control_plane.store.methods import MethodVersionRecord

# beside the packages in a checkout, among the shared data of an installed wheel
SHIPPED = (Path(__file__).resolve().parents[2] / "methods", Path(sys.prefix) / "share" / "tunesmith" / "methods")
KIT = "kit"
EASIEST = "sft_demo"  # of several methods that fit, the one to begin with

_LOG = logging.getLogger(__name__)
_SIGNS = {
    "minimum": "≥ ", "exclusiveMinimum": "> ", "maximum": "≤ ", "exclusiveMaximum": "< ",
    "minLength": "≥ ", "maxLength": "≤ ",
}  # fmt: skip
_CACHES = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".DS_Store"})


@dataclass(frozen=True)
class _Folder:
    """A method as it was read from disk."""

    manifest: dict[str, Any]
    requirements: str
    files: list[dict[str, Any]]
    hash: str


def register_shipped(cp: ControlPlane) -> list[str]:
    """Register each method folder as it is now; the names. Called at the start.

    What is the same stays the same version. A faulty folder is logged and left out: it must not keep the rest from
    starting. A method whose folder is not there stays as it is: the database may know methods that no disk has.
    """
    root = Path(cp.settings.methods) if cp.settings.methods else next(filter(Path.is_dir, SHIPPED))
    with cp.blobs.holding():
        found = {}
        for path in sorted(root.glob("*/method.toml")):
            try:
                folder = _read(cp, root, path.parent)
            except MethodBroken as problem:
                _LOG.error("%s", problem)
                continue
            found[path.parent.name] = folder
        with transaction():
            for name, folder in found.items():
                _register(cp, name, folder)
    return list(found)


def list_methods(actor: Actor, cp: ControlPlane) -> list[MethodVersionRecord]:
    """The current version of each method, by name. Raises Denied."""
    require(actor, "method.see")
    return list(MethodVersionRecord.select().where(_current()).order_by(MethodVersionRecord.name))


def of_kind(actor: Actor, cp: ControlPlane, kind: str, row_format: str = "") -> list[MethodVersionRecord]:
    """The current methods of a kind that take rows of a format, if one is named; the one to begin with first.

    Raises Denied.
    """
    found = [one for one in list_methods(actor, cp) if one.kind == kind and (not row_format or _takes(one, row_format))]
    return sorted(found, key=lambda one: one.name != EASIEST)


def _takes(record: MethodVersionRecord, row_format: str) -> bool:
    inputs = manifest(record).inputs.values()
    return any(one.kind == "dataset" and row_format in one.accepts for one in inputs)


def get(actor: Actor, cp: ControlPlane, name: str) -> MethodVersionRecord:
    """The current version of a method. Raises MethodUnknown, Denied."""
    require(actor, "method.see")
    record = MethodVersionRecord.get_or_none(_current() & (MethodVersionRecord.name == name))
    if record is None:
        raise MethodUnknown(method=name)
    return record


def manifest(record: MethodVersionRecord, locale: str = "en") -> Manifest:
    """What a method version is, in a language."""
    return manifests.parse(record.manifest, locale)


def of_version(version_id: int) -> MethodVersionRecord:
    """The method version of a job; methods are everybody's."""
    found: MethodVersionRecord = MethodVersionRecord.get_by_id(version_id)
    return found


def check_parameters(manifest: Manifest, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters`, complete and within the manifest's schema. Raises ParameterUnknown, ParameterInvalid."""
    known = manifest.parameters.get("properties", {})
    for name in parameters:
        if name not in known:
            raise ParameterUnknown(method=manifest.name, parameter=name)
    complete = manifest.complete({name: _keepable(name, value) for name, value in parameters.items()})
    errors = sorted(Draft202012Validator(manifest.parameters).iter_errors(complete), key=lambda e: str(e.path))
    if errors:
        raise _parameter_error(errors[0])
    return complete


def _keepable(name: str, value: Any) -> Any:
    """The value as it can be stored and shown again. Raises ParameterInvalid for NaN, say, or endless nesting."""
    try:
        return parse(json.dumps(value))
    except (ValueError, RecursionError) as problem:
        raise ParameterInvalid(parameter=name, problem=str(problem)) from problem


def _parameter_error(error: ValidationError) -> ParameterInvalid:
    """The schema's complaint as one of our sentences, which exist in every language."""
    name = str(error.path[0]) if error.path else ""
    rule, schema = str(error.validator), error.schema if isinstance(error.schema, Mapping) else {}
    if rule == "required":
        required = error.validator_value if isinstance(error.validator_value, list) else []
        given = error.instance if isinstance(error.instance, Mapping) else {}
        return ParameterMissing(parameter=next((item for item in required if item not in given), name))
    if rule in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        return ParameterOutOfRange(parameter=name, value=error.instance, range=_range(schema))
    if rule in ("minLength", "maxLength"):
        return ParameterLengthWrong(parameter=name, range=_range(schema))
    if rule == "enum":
        return ParameterNotListed(parameter=name, value=error.instance, allowed=list(schema["enum"]))
    if rule == "type":
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return ParameterTypeWrong(parameter=name, expected=kinds)
    return ParameterInvalid(parameter=name, problem=error.message[:200])


def _range(schema: Mapping[str, Any]) -> str:
    return ", ".join(f"{sign}{schema[rule]}" for rule, sign in _SIGNS.items() if rule in schema)


def _read(cp: ControlPlane, root: Path, folder: Path) -> _Folder:
    """Read a folder into values, and its files and the kit's into blobs. Raises MethodBroken."""
    manifest = _read_manifest(root, folder)
    manifest["messages"] = _of_kit(root, "messages.toml") | manifest.get("messages", {})
    requirements = folder / "requirements.txt"
    if not requirements.is_file() or not (folder / manifest["entry"]).is_file():
        raise MethodBroken(method=folder.name, problem=f"requirements.txt or {manifest['entry']} is missing")
    files = [_keep(cp, root, path) for part in (folder, root / KIT) for path in _files(part)]
    digest = hashlib.sha256(json.dumps([(file["path"], file["sha256"]) for file in files]).encode()).hexdigest()
    return _Folder(manifest, requirements.read_text("utf-8"), files, digest)


def _read_manifest(root: Path, folder: Path) -> dict[str, Any]:
    try:
        manifest = tomllib.loads((folder / "method.toml").read_text("utf-8"))
        manifest = manifests.taken_over(manifest, _of_kit(root, "parameters.toml"))
        schema = json.loads((root / KIT / "manifest.schema.json").read_text("utf-8"))
        Draft202012Validator(schema).validate(manifest)
        Draft202012Validator.check_schema(manifests.in_language(manifest["parameters"], "en"))
    except (OSError, ValueError) as problem:
        raise MethodBroken(method=folder.name, problem=str(problem)) from problem
    except (ValidationError, SchemaError) as problem:
        raise MethodBroken(method=folder.name, problem=f"{problem.json_path}: {problem.message}") from problem
    if manifest["name"] != folder.name:
        raise MethodBroken(method=folder.name, problem=f"name = {manifest['name']!r} is not the folder's")
    manifests.parse(manifest)
    return manifest


def _of_kit(root: Path, file: str) -> dict[str, Any]:
    """What the kit says once for all methods; empty for a kit that has no such file."""
    path = root / KIT / file
    try:
        return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as problem:
        raise MethodBroken(method=KIT, problem=str(problem)) from problem


def _files(folder: Path) -> list[Path]:
    inside = (path for path in folder.rglob("*") if path.is_file() and not _CACHES & {*path.relative_to(folder).parts})
    return sorted(path for path in inside if path.suffix != ".pyc")


def _keep(cp: ControlPlane, root: Path, path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"path": path.relative_to(root).as_posix(), "sha256": cp.blobs.put_bytes(data), "size": len(data)}


def _register(cp: ControlPlane, name: str, folder: _Folder) -> None:
    known = MethodVersionRecord.get_or_none(MethodVersionRecord.name == name, MethodVersionRecord.hash == folder.hash)
    if known is not None and known.current:
        return
    MethodVersionRecord.update(current=False).where(MethodVersionRecord.name == name).execute()
    if known is not None:
        MethodVersionRecord.update(current=True).where(MethodVersionRecord.id == known.id).execute()
    else:
        known = MethodVersionRecord.create(
            name=name,
            hash=folder.hash,
            kind=folder.manifest["kind"],
            manifest=folder.manifest,
            requirements=folder.requirements,
            files=folder.files,
            created_at=cp.clock(),
        )
        references.add(cp, references.METHOD, known.id, [file["sha256"] for file in folder.files])
    audit.record(SYSTEM, cp, "method.register", f"method:{known.id}", name=name, hash=folder.hash)


def _current() -> Any:
    return MethodVersionRecord.current == True  # noqa: E712 (an expression)
