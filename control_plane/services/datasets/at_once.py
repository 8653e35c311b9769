"""A short step of a preparation process whose result somebody waits for: so many at once, and seconds each."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    FileTooDemanding,
    FileTooSlow,
    PreparationBroke,
    PreparationTooSlow,
    RowTooDemanding,
    SeeingBroke,
    SeeingBusy,
    TunesmithError,
)
from control_plane.domain.preparation import Limits, Order, Source, Step
from control_plane.services import tokenizers
from control_plane.services.datasets import process
from control_plane.store.models import ModelRecord

_SECONDS = 20  # of computing, and of waiting for it
_WAIT = 20.0  # seconds for those that came before
_AT_ONCE = threading.BoundedSemaphore(2)  # processes; each takes a processor for about a second
_FOLDER = "seeing"


def order(cp: ControlPlane, step: Step, model: ModelRecord, **more: Any) -> Order:
    """An order about rows of ours and this model's tokenizer."""
    settings = cp.settings
    rows, whole = settings.max_row_bytes, settings.max_unpacked_bytes
    limits = Limits(rows, whole, settings.preparation_memory_bytes, _SECONDS)
    return Order(step=step, train=Source(name=model.name), limits=limits, **more)


def answer(cp: ControlPlane, model: ModelRecord, order: Order, result: str, lines: Iterable[bytes] = ()) -> Any:
    """The result of a step, read from the file of that name; `lines` are given as the order's file.

    Raises SeeingBusy, TokenizerUnreadable and ChatTemplateFailed with their kinds, RowTooDemanding, SeeingBroke.
    """
    with _room(cp) as room:
        file = room / "rows"
        with file.open("wb") as written:
            written.writelines(lines)
        tokenizer = tokenizers.bring(cp, model, room / "tokenizer")
        whole = replace(order, train=replace(order.train, path=str(file)), tokenizer=str(tokenizer))
        problem = _carried_out(cp, whole, room)
        if problem is not None:
            raise _in_words(problem, model.name)
        return json.loads((room / result).read_bytes())


def _carried_out(cp: ControlPlane, order: Order, room: Path) -> TunesmithError | None:
    try:
        fault = process.run(cp, order, room, threading.Event(), lambda done, of: None)
    except PreparationTooSlow as slow:
        return slow
    return process.raised(fault) if fault else None


def _in_words(problem: TunesmithError, model: str) -> TunesmithError:
    if isinstance(problem, FileTooDemanding | FileTooSlow | PreparationTooSlow):
        return RowTooDemanding(model=model)
    return SeeingBroke(model=model) if isinstance(problem, PreparationBroke) else problem


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
