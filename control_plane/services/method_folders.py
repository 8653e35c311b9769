"""A method's folder as it is registered: its manifest, checked, and its files and the kit's as blobs under one hash."""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match

from control_plane.context import ControlPlane
from control_plane.domain import manifest as manifests
from control_plane.domain import manifest_text, method_files
from control_plane.domain.errors import ManifestFaulty, MethodBroken, MethodFileMissing, MethodNameReserved
from control_plane.domain.method_files import MANIFEST

# beside the packages in a checkout, among the shared data of an installed wheel
SHIPPED = (Path(__file__).resolve().parents[2] / "methods", Path(sys.prefix) / "share" / "tunesmith" / "methods")
KIT = "kit"
REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class Folder:
    """A method as it was read; `files` are its own and the kit's, as an offer names them."""

    manifest: dict[str, Any]
    requirements: str
    files: list[dict[str, Any]]
    hash: str


def root_of(cp: ControlPlane) -> Path:
    """The folder that holds the shipped methods and the kit."""
    return Path(cp.settings.methods) if cp.settings.methods else next(filter(Path.is_dir, SHIPPED))


def checks(cp: ControlPlane) -> dict[str, Any]:
    """The catalogue of checks as the kit has it now, each by its name, with its texts in every language."""
    return dict(_of_kit(cp, "checks.toml").get("checks", {}))


def reasons(cp: ControlPlane) -> dict[str, Any]:
    """The sentences by which checks say why they gave a score, each by its code, in every language."""
    return dict(_of_kit(cp, "checks.toml").get("reasons", {}))


def read_shipped(cp: ControlPlane, name: str) -> Folder:
    """A method of the methods folder; its files become blobs, which the caller holds. Raises MethodBroken."""
    place = root_of(cp) / name
    found = read(cp, _files_of(place))
    if found.manifest["name"] != name:
        raise MethodBroken(method=name, problem=f"name = {found.manifest['name']!r} is not the folder's")
    return found


def read(cp: ControlPlane, files: Mapping[str, bytes]) -> Folder:
    """A method from the files of its folder, with the kit as it is now.

    Its files become blobs, which the caller holds. Raises what `checked_manifest` does.
    """
    manifest = checked_manifest(cp, files)
    name = manifest["name"]
    kept = [_keep(cp, f"{name}/{path}", data) for path, data in sorted(files.items())]
    kept += [_keep(cp, f"{KIT}/{path}", data) for path, data in sorted(_files_of(root_of(cp) / KIT).items())]
    digest = hashlib.sha256(json.dumps([(file["path"], file["sha256"]) for file in kept]).encode()).hexdigest()
    return Folder(manifest, _text(name, files, REQUIREMENTS), kept, digest)


def checked_manifest(cp: ControlPlane, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest among the files, with what it takes over from the kit.

    Raises ManifestFaulty with the line and the field, MethodBroken, MethodNameReserved, MethodFileMissing.
    """
    if MANIFEST not in files:
        raise MethodFileMissing(file=MANIFEST)
    text = _text("?", files, MANIFEST)
    try:
        source = tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        line = manifest_text.line_in(str(problem))
        raise ManifestFaulty(method="?", line=line, field="–", problem=str(problem)[:300]) from problem
    manifest = _complete(cp, text, source)
    if manifest["name"] == KIT:
        raise MethodNameReserved(method=KIT)
    manifest["messages"] = _of_kit(cp, "messages.toml") | manifest.get("messages", {})
    for needed in (REQUIREMENTS, manifest["entry"]):
        if needed not in files:
            raise MethodFileMissing(file=needed)
    return manifest


def _complete(cp: ControlPlane, text: str, source: dict[str, Any]) -> dict[str, Any]:
    name = str(source.get("name", "?"))[:64]
    try:
        manifest = manifests.taken_over(source, _of_kit(cp, "parameters.toml"))
        schema = json.loads((root_of(cp) / KIT / "manifest.schema.json").read_text("utf-8"))
        if fault := best_match(Draft202012Validator(schema).iter_errors(manifest)):
            raise fault
        Draft202012Validator.check_schema(manifests.in_language(manifest["parameters"], "en"))
        _check_presets(manifests.parse(manifest))
        manifest = manifests.with_checks(manifest, checks(cp))
    except ManifestFaulty:
        raise
    except MethodBroken as problem:  # which begins with the place
        field, _, said = str(problem.params["problem"]).partition(": ")
        raise _faulty(name, text, field.split("."), said) from problem
    except ValidationError as problem:
        raise _faulty(name, text, list(problem.absolute_path), problem.message) from problem
    except SchemaError as problem:
        raise _faulty(name, text, ["parameters", *problem.absolute_path], problem.message) from problem
    except (OSError, ValueError, RecursionError) as problem:
        raise MethodBroken(method=name, problem=str(problem)[:300]) from problem
    return manifest


def _check_presets(manifest: manifests.Manifest) -> None:
    """Each preset is within the method's own schema. Raises MethodBroken."""
    for preset in manifest.presets.values():
        values = manifest.complete(preset.values)
        for error in Draft202012Validator(manifest.parameters).iter_errors(values):
            if error.path:  # what is required and has no default, a preset need not give
                problem = f"presets.{preset.name}.values.{error.path[0]}: {error.message}"
                raise MethodBroken(method=manifest.name, problem=problem)


def _faulty(name: str, text: str, path: list[Any], problem: str) -> ManifestFaulty:
    field = ".".join(str(part) for part in path) or "–"
    line = manifest_text.line_of(text, path)
    return ManifestFaulty(method=name, line=line, field=field, problem=problem[:300])


def _of_kit(cp: ControlPlane, file: str) -> dict[str, Any]:
    """What the kit says once for all methods; empty for a kit that has no such file."""
    path = root_of(cp) / KIT / file
    try:
        return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as problem:
        raise MethodBroken(method=KIT, problem=str(problem)) from problem


def _text(name: str, files: Mapping[str, bytes], path: str) -> str:
    try:
        return files[path].decode("utf-8")
    except UnicodeDecodeError as problem:
        raise MethodBroken(method=name, problem=f"{path}: {problem}") from problem


def _files_of(folder: Path) -> dict[str, bytes]:
    """The files below a folder by their paths in it, without caches."""
    found = {}
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and not method_files.is_cache(inside.parts):
            found[inside.as_posix()] = path.read_bytes()
    return found


def _keep(cp: ControlPlane, path: str, data: bytes) -> dict[str, Any]:
    return {"path": path, "sha256": cp.blobs.put_bytes(data), "size": len(data)}
