"""A row as a model sees it: by the model's own chat template and tokenizer, in a process of its own (ADR 27).

The template is a stranger's program, and the tokenizer a stranger's file.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    FieldInvalid,
    FileTooDemanding,
    FileTooSlow,
    NotFound,
    PreparationBroke,
    PreparationTooSlow,
    RowNotMade,
    RowTooDemanding,
    SeeingBroke,
    SeeingBusy,
    TunesmithError,
)
from control_plane.domain.permissions import Actor
from control_plane.domain.preparation import Learning, Limits, Mapping, Order, Seen, Source, Step, read
from control_plane.services import tokenizers
from control_plane.services.datasets import drafts, process, rows, versions
from control_plane.store.models import ModelRecord

LONGEST = 1 << 20  # tokens that may be asked for

_SECONDS = 20  # of computing, for one row
_WAIT = 20.0  # seconds for those that came before
_AT_ONCE = threading.BoundedSemaphore(2)  # processes; each takes a processor for about a second
_FOLDER = "seeing"


@dataclass(frozen=True)
class Wish:
    """As which model sees it, and how a training would be set."""

    model_id: int = 0  # 0: the one that suggests itself
    learn_from: str = Learning.COMPLETION
    max_length: int = 0  # tokens; 0: what fits into the model


@dataclass(frozen=True)
class SeenBy:
    """A row as this model sees it."""

    model: ModelRecord
    seen: Seen
    limit: int  # tokens; 0: it is not known what fits
    learn_from: Learning


def of_version(
    actor: Actor, cp: ControlPlane, version_id: int, wish: Wish, split: str = "train", number: int = 1
) -> SeenBy:
    """The row of this number (1 is the first) of a part of a version.

    Raises NotFound, Denied, InTrash, FieldInvalid, ModelNeeded, TokenizerUnreadable and ChatTemplateFailed with their
    kinds, SeeingBusy.
    """
    dataset, version = versions.of_version(actor, cp, version_id)
    found = rows.page(actor, cp, version_id, split, number - 1, 1) if number > 0 and split != rows.LEFT_OUT else []
    if not found:
        raise NotFound
    return _seen(actor, cp, dataset.project_id, version.format, found[0], wish)


def of_draft(actor: Actor, cp: ControlPlane, draft_id: int, wish: Wish, number: int = 1) -> SeenBy:
    """What the draft's mapping makes of the record of this number, of those that were looked at first.

    A very long record is cut before. Raises as `of_version`, and RowNotMade.
    """
    draft = drafts.get(actor, cp, draft_id)
    mapping = read(Mapping, draft.mapping) if draft.mapping else None
    if mapping is None:
        raise RowNotMade
    made = drafts.preview(actor, cp, draft_id, mapping)
    if not 0 < number <= len(made):
        raise NotFound
    row = made[number - 1].row
    if row is None:
        raise RowNotMade
    return _seen(actor, cp, draft.project_id, mapping.format, row, wish)


def _seen(actor: Actor, cp: ControlPlane, project_id: int, format: str, row: dict[str, Any], wish: Wish) -> SeenBy:
    learn_from = _learning(wish.learn_from)
    if not 0 <= wish.max_length <= LONGEST:
        raise FieldInvalid(field="max_length", problem=f"0 … {LONGEST}")
    model = tokenizers.chosen(actor, cp, project_id, wish.model_id)
    limit = wish.max_length or tokenizers.context(model)
    settings = cp.settings
    with _room(cp) as room:
        order = Order(
            step=Step.SEE,
            train=Source(name=model.name),
            limits=Limits(
                settings.max_row_bytes, settings.max_unpacked_bytes, settings.preparation_memory_bytes, _SECONDS
            ),
            mapping=Mapping(format),
            tokenizer=str(tokenizers.bring(cp, model, room / "tokenizer")),
            context=limit,
            row=row,
            learn_from=learn_from,
        )
        _carry_out(cp, order, room)
        seen = read(Seen, json.loads((room / "seen.json").read_bytes()))
    return SeenBy(model, seen, limit, learn_from)


def _carry_out(cp: ControlPlane, order: Order, room: Path) -> None:
    try:
        fault = process.run(cp, order, room, threading.Event(), lambda done, of: None)
        problem = process.raised(fault) if fault else None
    except PreparationTooSlow as slow:
        problem = slow
    if problem is not None:
        raise _in_words(problem, order.train.name)


def _in_words(problem: TunesmithError, model: str) -> TunesmithError:
    if isinstance(problem, FileTooDemanding | FileTooSlow | PreparationTooSlow):
        return RowTooDemanding(model=model)
    return SeeingBroke(model=model) if isinstance(problem, PreparationBroke) else problem


def _learning(said: str) -> Learning:
    try:
        return Learning(said or Learning.COMPLETION)
    except ValueError as problem:
        raise FieldInvalid(field="learn_from", problem=", ".join(Learning)) from problem


@contextmanager
def _room(cp: ControlPlane) -> Iterator[Path]:
    """A folder for one process, once it is its turn. Raises SeeingBusy."""
    if not _AT_ONCE.acquire(timeout=_WAIT):
        raise SeeingBusy
    try:
        room = Path(tempfile.mkdtemp(dir=cp.blobs.staging(_FOLDER)))
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)
    finally:
        _AT_ONCE.release()
