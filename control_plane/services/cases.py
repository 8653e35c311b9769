"""Cases: worked examples from real domains, with a plan, data and a story.

They are shipped as folders (`case.toml`), or people saved them from their runs (services/case_library/).
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.cases.archive import TEST, TRAIN
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor, require
from control_plane.store.cases import CaseRecord
from control_plane.store.projects import ProjectRecord

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).resolve().parents[1] / "cases"
PLAN = "case.toml"


@dataclass(frozen=True)
class Case:
    """A case by its name; `plan` is its case.toml, texts in all languages. One that was saved has a row, no folder."""

    name: str
    plan: dict[str, Any]
    folder: Path | None = None
    record: CaseRecord | None = None


def list_cases(actor: Actor, cp: ControlPlane, domain: str = "", task: str = "", minutes: float = 0) -> list[Case]:
    """The cases of a domain and a task that take at most so many minutes, by name; each condition only where given.

    Of those that people saved: what is shared, and what is kept in a project of the actor's. Raises Denied.
    """
    require(actor, "case.see")
    found = [*shipped(cp), *_saved(actor)]
    return [case for case in found if _fits(case.plan, domain, task, minutes)]


def shipped(cp: ControlPlane) -> list[Case]:
    """The cases that came with Tunesmith. A plan that cannot be read is logged and left out: it hides no other."""
    found = []
    for path in sorted(_root(cp).glob(f"*/{PLAN}")):
        try:
            found.append(_read(path.parent))
        except (OSError, ValueError) as problem:  # no TOML, no UTF-8
            log.error("The case %s cannot be read: %s", path.parent.name, problem)
    return found


def get(actor: Actor, cp: ControlPlane, name: str) -> Case:
    """A case by its name. Raises NotFound, Denied."""
    require(actor, "case.see")
    found = next((case for case in shipped(cp) if case.name == name), None)
    found = found or next((case for case in _saved(actor) if case.name == name), None)
    if found is None:
        raise NotFound
    return found


def projects_of(actor: Actor, found: Iterable[Case]) -> dict[str, str]:
    """The project of each saved case by the case's name, of those that the actor may see."""
    saved = [case.record for case in found if case.record and actor.may("case.see", case.record.project_id)]
    query = ProjectRecord.select().where(ProjectRecord.id.in_({one.project_id for one in saved}))
    names = {int(project.id): str(project.name) for project in query} if saved else {}
    return {str(one.name): names[one.project_id] for one in saved}


def read_file(actor: Actor, cp: ControlPlane, name: str, file: str) -> bytes:
    """A file of a case by its path inside the folder. Raises NotFound, also for what lies outside the folder."""
    case = get(actor, cp, name)
    if case.record is not None:
        kept = {TRAIN: case.record.train_sha256, TEST: case.record.test_sha256}.get(file)
        if not kept:
            raise NotFound
        return cp.blobs.path(kept).read_bytes()
    assert case.folder is not None
    folder = case.folder.resolve()
    try:
        path = (folder / file).resolve()
        if path.is_relative_to(folder) and path.is_file():
            return path.read_bytes()
    except (OSError, ValueError) as problem:  # a name that no file can have: too long, or with a zero byte
        raise NotFound from problem
    raise NotFound


def readings(cp: ControlPlane, locale: str) -> Mapping[str, str]:
    """What the texts of the cases' sample rows say in a language: text → reading; empty where none came with a case.

    A reading is for people: models learn from the rows as they are. It says nothing to who has not seen the row.
    """
    return _readings(_root(cp), locale)


@cache
def _readings(root: Path, locale: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in sorted(root.glob(f"*/*.{locale}.jsonl")):
        rows = path.with_name(path.name.removesuffix(f".{locale}.jsonl") + ".jsonl")
        try:
            for row, said in zip(_lines(rows), _lines(path), strict=True):
                found |= {text: said[name] for name, text in row.items() if name in said}
        except (OSError, ValueError) as problem:  # no JSON, no UTF-8, more of the one than of the other
            log.error("What %s says cannot be read: %s", path, problem)
    return found


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _saved(actor: Actor) -> list[Case]:
    """What people saved and the actor may see: what is shared, and what is in a project of the actor's."""
    kept = CaseRecord.select().join(ProjectRecord).where(ProjectRecord.deleted_at == 0).order_by(CaseRecord.name)
    found = [one for one in kept if one.shared or actor.may("case.see", one.project_id)]
    return [Case(one.name, {"name": one.name, **one.plan}, None, one) for one in found]


def _fits(plan: Mapping[str, Any], domain: str, task: str, minutes: float) -> bool:
    """Whether a case is one that is looked for; one that does not tell its time takes too long."""
    in_time = not minutes or 0 < plan.get("minutes", 0) <= minutes
    return in_time and domain in ("", plan.get("domain")) and task in ("", plan.get("task"))


def _root(cp: ControlPlane) -> Path:
    return Path(cp.settings.cases) if cp.settings.cases else SHIPPED


def _read(folder: Path) -> Case:
    return Case(folder.name, tomllib.loads((folder / PLAN).read_text("utf-8")), folder)
