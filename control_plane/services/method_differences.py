"""What differs between two versions of a method."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor
from control_plane.services.authoring import content, own_files, version
from control_plane.services.method_folders import KIT
from control_plane.store.methods import MethodVersionRecord

_LONGEST_TEXT = 256 << 10  # bytes of a file that is shown
_MOST_LINES = 5_000  # of it: comparing takes their square
_CONTEXT = 3  # lines around a difference


@dataclass(frozen=True)
class Difference:
    """A file that is not the same in two versions; `lines` as `diff -u` writes them, none for what is no text."""

    path: str
    lines: list[str]


def compare(actor: Actor, cp: ControlPlane, old_id: int, new_id: int) -> list[Difference]:
    """What differs between two versions of a method: its own files, and that the kit does. Raises Denied, NotFound."""
    old, new = version(actor, cp, old_id), version(actor, cp, new_id)
    if old.name != new.name:
        raise NotFound
    before, after = own_files(old), own_files(new)
    paths = sorted(before.keys() | after.keys())
    return [_difference(cp, path, before.get(path), after.get(path)) for path in paths if _differ(path, before, after)]


def has_other_kit(old: MethodVersionRecord, new: MethodVersionRecord) -> bool:
    """Whether two versions were made with different kits."""
    return _kit_of(old) != _kit_of(new)


def _kit_of(record: MethodVersionRecord) -> dict[str, str]:
    return {one["path"]: one["sha256"] for one in record.files if one["path"].startswith(f"{KIT}/")}


def _differ(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool(before.get(path, {}).get("sha256") != after.get(path, {}).get("sha256"))


def _difference(cp: ControlPlane, path: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> Difference:
    texts = [_as_text(cp, one) for one in (old, new)]
    if texts[0] is None or texts[1] is None:
        return Difference(path, [])
    lines = [text.splitlines() for text in texts if text is not None]
    found = difflib.unified_diff(lines[0], lines[1], path, path, lineterm="", n=_CONTEXT)
    return Difference(path, list(found))


def _as_text(cp: ControlPlane, one: dict[str, Any] | None) -> str | None:
    """A file's text, empty where there is no file; None for what is none, or too much to be shown."""
    if one is None:
        return ""
    if one["size"] > _LONGEST_TEXT:
        return None
    try:
        text = content(cp, one).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if len(text.splitlines()) <= _MOST_LINES else None
