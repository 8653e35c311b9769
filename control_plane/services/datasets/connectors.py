"""The connectors of this installation, Tunesmith's own and others': found by their entry points."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from control_plane.context import ControlPlane
from control_plane.domain.connectors import GROUP, Manifest, Opened
from control_plane.domain.errors import ConnectorUnknown, ParameterInvalid, SourceFoldersNone, TunesmithError
from control_plane.domain.manifest import in_language
from control_plane.domain.permissions import Actor
from control_plane.services import schemas
from control_plane.services.access import projects

log = logging.getLogger(__name__)

_FOLDERS = "folders"  # what `x-choices` of a parameter may name: the list is made here
_LONGEST_LABEL = 255


@dataclass(frozen=True)
class Offered:
    """A connector in a language."""

    name: str
    display: str
    description: str
    parameters: dict[str, Any]  # JSON Schema of an object
    secrets: dict[str, dict[str, str]]  # name → title and description
    label: str  # the parameter that says what is fetched
    secrets_for: Sequence[str]
    problem: TunesmithError | None = None  # why it cannot be used as this installation is set up


def listed(actor: Actor, cp: ControlPlane, project: str, locale: str = "en") -> list[Offered]:
    """All of them, Tunesmith's own first. Raises NotFound, Denied."""
    projects.get(actor, cp, project, "dataset.upload")
    return [_offered(cp, name, manifest, locale) for name, manifest in _found().items()]


def get(cp: ControlPlane, name: str, locale: str = "en") -> Offered:
    """Raises ConnectorUnknown."""
    manifest = _found().get(name)
    if manifest is None:
        raise ConnectorUnknown(connector=name[:64], known=list(_found()))
    return _offered(cp, name, manifest, locale)


def complete(offered: Offered, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with their defaults. Raises ParameterInvalid, and what keeps the connector from being used."""
    if offered.problem is not None:
        raise offered.problem
    known = offered.parameters["properties"]
    if strange := next((name for name in parameters if name not in known), None):
        raise ParameterInvalid(parameter=strange[:64], problem=", ".join(known))
    return schemas.complete(offered.parameters, parameters)


def begun(offered: Offered, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The same where some may be missing still: enough to look what is there."""
    given = {name: value for name, value in parameters.items() if value not in ("", None)}
    return complete(replace(offered, parameters={**offered.parameters, "required": []}), given)


def refuse_strange_secrets(offered: Offered, secrets: Mapping[str, str]) -> None:
    """Raises ParameterInvalid for a secret that the connector has not."""
    if strange := next((name for name in secrets if name not in offered.secrets), None):
        raise ParameterInvalid(parameter=strange[:64], problem=", ".join(offered.secrets) or "–")


def label(offered: Offered, parameters: Mapping[str, Any]) -> str:
    """What is fetched, in short: of an address or a way the last part, without what a query may hold."""
    said = str(parameters.get(offered.label) or offered.name)
    path = urlsplit(said).path if "://" in said else said
    found = unquote(PurePosixPath(path).name) or offered.name
    return "".join(letter if letter.isprintable() else "_" for letter in found)[:_LONGEST_LABEL]


def opened(cp: ControlPlane) -> Opened:
    """What administrators have opened."""
    settings = cp.settings
    return Opened(settings.source_folders.every, str(settings.source_networks), settings.hub)


@cache
def _found() -> dict[str, Manifest]:
    """By name. One that cannot be loaded is no user's fault: it is logged, and the others are there."""
    found: dict[str, Manifest] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda one: not one.value.startswith("control_plane.")):
        try:
            manifest = point.load().manifest
        except Exception:  # a plug-in's own module may raise anything at all
            log.exception("connector %s cannot be loaded", point.name)
            continue
        if isinstance(manifest, Manifest):
            found.setdefault(point.name, manifest)
        else:
            log.error("connector %s has no manifest", point.name)
    return found


def _offered(cp: ControlPlane, name: str, manifest: Manifest, locale: str) -> Offered:
    parameters, problem = in_language(manifest.parameters, locale), None
    properties = dict(parameters["properties"])
    folders = cp.settings.source_folders.every
    for key, one in properties.items():
        if one.get("x-choices") == _FOLDERS and folders:
            properties[key] = {**one, "enum": folders, "default": folders[0]}
        elif one.get("x-choices") == _FOLDERS:
            problem = SourceFoldersNone()
    return Offered(
        name,
        in_language(manifest.display, locale),
        in_language(manifest.description, locale),
        {**parameters, "properties": properties},
        {key: in_language(one, locale) for key, one in manifest.secrets.items()},
        manifest.label,
        manifest.secrets_for,
        problem,
    )
