"""What asks for the answers of labellings in the background: so many labellings at once, each item by itself.

An item's row says whether it still waits; that somebody asks for it is known to this process alone. So after a restart
what waits is asked for, and nothing twice that was written down.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import variations
from control_plane.domain.datasets import digest
from control_plane.domain.errors import (
    Conflict,
    Invalid,
    LabellingBroke,
    MachineWentAway,
    NothingServes,
    TunesmithError,
    Unavailable,
    VariationDuplicate,
    VariationNearDuplicate,
)
from control_plane.domain.labelling import ItemState, Kind, State
from control_plane.domain.likeness import Likeness
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.preparations import LABELLING
from control_plane.services.access import identity
from control_plane.services.datasets import row_index, versions
from control_plane.services.labelling import answering
from control_plane.services.labelling.answering import Asker
from control_plane.services.labelling.making import changed, question_of
from control_plane.services.watching import Stopped, watched
from control_plane.store.database import release, transaction
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.labelling import LabelItemRecord, LabellingRecord

log = logging.getLogger(__name__)

_TRIES = 2  # of one item, where the engine fails
_MOST_FAILURES = 10  # in a row: then asking ends until somebody wants it again
_AT_ONCE = 50  # items that are read from the store
_WATCH_SECONDS = 0.2
_PAUSE_SECONDS = 1.0  # until it is looked again whether something serves
_WARM = 0.9  # temperature of variations


def advance(cp: ControlPlane) -> int:
    """Begin to ask for the labellings whose turn it is, the oldest first, those last that nobody answered; how many."""
    running = cp.labellings.running(LABELLING)
    free = cp.settings.labellings - len(running)
    if free <= 0:
        return 0
    waiting = LabellingRecord.select().where(
        LabellingRecord.state == State.ASKING, LabellingRecord.id.not_in(list(running))
    )
    next_turn = partial(cp.signals.wake, "schedule")
    turn = list(waiting.order_by(LabellingRecord.reason != "", LabellingRecord.id).limit(free))
    return sum(cp.labellings.begin((LABELLING, one.id), partial(_watch, cp, one), next_turn) for one in turn)


def _watch(cp: ControlPlane, labelling: LabellingRecord, stop: threading.Event) -> None:
    what = f"labelling {labelling.id}"
    watched(what, partial(_ask, cp, labelling, stop), partial(stop.wait, _WATCH_SECONDS))


def _ask(cp: ControlPlane, labelling: LabellingRecord, stop: threading.Event) -> None:
    """Ask for all that waits, unless somebody stops it; where nobody answers just now, it goes on later."""
    problem = _asked(cp, labelling, stop)
    if stop.is_set():
        return
    is_silent = isinstance(problem, NothingServes | MachineWentAway) or type(problem) is Unavailable
    ends = {} if is_silent else {"state": State.OPEN, "fence": LabellingRecord.fence + 1}
    code, params = (problem.code, problem.storable()) if problem else ("", {})
    _note(cp, labelling, code, params, **ends)
    if is_silent:
        stop.wait(_PAUSE_SECONDS)


def _asked(cp: ControlPlane, labelling: LabellingRecord, stop: threading.Event) -> TunesmithError | None:
    """Why asking ended before all was asked for; None where it was not."""
    try:
        author = _author(labelling)
        version = versions.get_version(author, cp, labelling.dataset_version_id)
        asker = answering.asker(author, cp, labelling.project_id, labelling.asked)
        run = _Run(cp, labelling, version, asker, stop)
        run.carry_out()
    except TunesmithError as problem:
        return problem
    return run.ended_by


@dataclass
class _Run:
    """One go at what waits; `ended_by` is why it ended before all was asked for."""

    cp: ControlPlane
    labelling: LabellingRecord
    version: DatasetVersionRecord
    asker: Asker
    stop: threading.Event
    ended_by: TunesmithError | None = None
    _failures: int = 0  # in a row
    _known: _Known | None = None

    def carry_out(self) -> None:
        if self.labelling.kind == Kind.VARIATIONS:
            self._known = _Known(self.cp, self.labelling, self.version)
        while not self._is_over() and (items := self._waiting()):
            todo: queue.SimpleQueue[LabelItemRecord] = queue.SimpleQueue()
            for item in items:
                todo.put(item)
            threads = [
                threading.Thread(
                    target=self._answer_all, args=(todo,), name=f"labelling-{self.labelling.id}", daemon=True
                )
                for _ in range(min(self.asker.at_once, len(items)))
            ]
            for thread in threads:
                thread.start()
            while threads and not self.stop.is_set():  # what is asked for then is not waited for
                threads[0].join(_WATCH_SECONDS)
                threads = [one for one in threads if one.is_alive()]

    def _is_over(self) -> bool:
        return self.stop.is_set() or self.ended_by is not None

    def _waiting(self) -> list[LabelItemRecord]:
        mine = (LabelItemRecord.labelling == self.labelling.id) & (LabelItemRecord.state == ItemState.WAITING)
        query = LabelItemRecord.select().where(mine).order_by(LabelItemRecord.attempts, LabelItemRecord.place)
        return list(query.limit(_AT_ONCE))

    def _answer_all(self, todo: queue.SimpleQueue[LabelItemRecord]) -> None:
        try:
            while not self._is_over():
                try:
                    item = todo.get_nowait()
                except queue.Empty:
                    return
                self._answer(item)
        except Stopped:
            self.stop.set()
        except Unavailable as problem:  # of the database
            self.ended_by = problem
        except Exception as problem:  # a thread's top: a fault of ours would come again with the next item
            log.exception("an answer of labelling %s could not be had", self.labelling.id)
            self.ended_by = problem if isinstance(problem, TunesmithError) else LabellingBroke()
        finally:
            release()

    def _answer(self, item: LabelItemRecord) -> None:
        """Ask for an item and write down what came. What is not there just now is not the item's fault."""
        row = question_of(self.cp, self.version, item.split, item.row)
        try:
            text = self.asker.ask(self._question(item, row), self.stop)
            columns = self._judgeable(item, text)
        except (NothingServes, MachineWentAway, Conflict) as problem:
            self.ended_by = problem
            return
        except Unavailable as problem:
            self._failed(item, problem)
            return
        except Invalid as problem:
            columns = {"state": ItemState.UNUSABLE, "problem": problem.code, "problem_params": problem.storable()}
        self._failures = 0
        self._write(item, columns)

    def _failed(self, item: LabelItemRecord, problem: TunesmithError) -> None:
        self._failures += 1
        columns: dict[str, Any] = {"attempts": item.attempts + 1}
        if item.attempts + 1 >= _TRIES:
            columns |= {"state": ItemState.UNUSABLE, "problem": problem.code, "problem_params": problem.storable()}
        self._write(item, columns)
        if self._failures >= _MOST_FAILURES:
            self.ended_by = problem

    def _question(self, item: LabelItemRecord, row: dict[str, Any]) -> dict[str, Any]:
        format = str(self.version.format)
        if self.labelling.kind == Kind.VARIATIONS:
            schema = {"name": "row", "schema": variations.schema(format), "strict": True}
            return {
                "messages": variations.question(format, row, self.labelling.instruction),
                "temperature": _WARM,
                # another one for each item and each time that it is asked anew
                "seed": (self.labelling.seed + 1_000 * item.place + self.labelling.fence + item.attempts) % 2**31,
                "response_format": {"type": "json_schema", "json_schema": schema},
            }
        messages = row["messages"][:-1] if format == "chat" else [{"role": "user", "content": row["prompt"]}]
        return {"messages": messages, "temperature": 0}

    def _judgeable(self, item: LabelItemRecord, text: str) -> dict[str, Any]:
        """What is written of an item that came. Raises VariationUnreadable, VariationDuplicate and its like."""
        if self._known is None:
            return {"state": ItemState.READY, "answer": text}
        row = variations.read(str(self.version.format), text)
        self._known.refuse_known(item.place, row)
        return {"state": ItemState.READY, "answer": json.dumps(row, ensure_ascii=False)}

    def _write(self, item: LabelItemRecord, columns: dict[str, Any]) -> None:
        """Raises Stopped where asking has ended meanwhile."""
        same = (LabellingRecord.id == self.labelling.id) & (LabellingRecord.fence == self.labelling.fence)
        with transaction():
            raised = LabellingRecord.update(version=LabellingRecord.version + 1, reason="", reason_params={})
            if not raised.where(same & (LabellingRecord.state == State.ASKING)).execute():
                raise Stopped
            waits = (LabelItemRecord.id == item.id) & (LabelItemRecord.state == ItemState.WAITING)
            LabelItemRecord.update(**columns).where(waits).execute()
        self.cp.signals.wake(f"labelling:{self.labelling.id}")


class _Known:
    """The rows that there are, and the variations that have come: none of them is wanted once more."""

    def __init__(self, cp: ControlPlane, labelling: LabellingRecord, version: DatasetVersionRecord) -> None:
        self._format = str(version.format)
        ready = LabelItemRecord.select(LabelItemRecord.place, LabelItemRecord.answer).where(
            LabelItemRecord.labelling == labelling.id, LabelItemRecord.state == ItemState.READY
        )
        rows = chain(
            (json.loads(item.answer) for item in ready),
            (json.loads(line) for sha256 in _parts(version) for line in row_index.lines(cp, sha256)),
        )
        self._old, self._new = array("Q"), set[int]()  # keys: of a million rows those of the first kind take 8 MB
        texts = self._noted(rows)
        self._likeness = Likeness(texts)
        for _text_too_many in texts:
            pass
        self._old = array("Q", sorted(self._old))
        self._lock = threading.Lock()

    def refuse_known(self, place: int, row: dict[str, Any]) -> None:
        """Know a row from now on. Raises VariationDuplicate, VariationNearDuplicate where one is known already."""
        key, text = self._key(row), _text(row)
        with self._lock:
            if self._has(key):
                raise VariationDuplicate
            if self._likeness.near(text) is not None:
                raise VariationNearDuplicate
            self._new.add(key)
            self._likeness.add(place, text)

    def _noted(self, rows: Iterable[dict[str, Any]]) -> Iterator[tuple[int, str]]:
        """The texts of rows that there are, once their keys are noted; each has a place below those of items."""
        for number, row in enumerate(rows, 1):
            self._old.append(self._key(row))
            yield -number, _text(variations.content(self._format, row))

    def _has(self, key: int) -> bool:
        at = bisect_left(self._old, key)
        return key in self._new or (at < len(self._old) and self._old[at] == key)

    def _key(self, row: dict[str, Any]) -> int:
        return int.from_bytes(digest(variations.content(self._format, row))[:8], "big")


def _parts(version: DatasetVersionRecord) -> list[str]:
    return [sha256 for sha256 in (version.train_sha256, version.test_sha256) if sha256]


def _text(value: Any) -> str:
    """All texts of a row, one after the other; of messages without their roles."""
    if isinstance(value, dict):
        return " ".join(_text(part) for name, part in value.items() if name != "role")
    if isinstance(value, list):
        return " ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value)


def _author(labelling: LabellingRecord) -> Actor:
    """Raises Denied where they may no longer use what is asked."""
    if labelling.created_by == SYSTEM.id:
        return SYSTEM
    permission = answering.permission(labelling.asked)
    return identity.acting_for(int(labelling.created_by), permission, labelling.project_id)


def _note(cp: ControlPlane, labelling: LabellingRecord, reason: str, params: dict[str, object], **columns: Any) -> None:
    """Write down why asking waits or ends, if that is news."""
    same = (LabellingRecord.id == labelling.id) & (LabellingRecord.state == State.ASKING)
    same &= LabellingRecord.fence == labelling.fence
    with transaction():
        found = LabellingRecord.get_or_none(same)
        if found is None or (not columns and found.reason == reason):
            return
        told = {"reason": reason, "reason_params": params, "version": LabellingRecord.version + 1, **columns}
        LabellingRecord.update(**told).where(same).execute()
    changed(cp, labelling)
