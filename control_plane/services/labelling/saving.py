"""The dataset versions that come of a labelling. Rows that are held out stay so, and what a model made stays marked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import generated, variations
from control_plane.domain.datasets import digest
from control_plane.domain.errors import FieldInvalid, LabellingUnsettled
from control_plane.domain.labelling import Action, ItemState, Kind
from control_plane.domain.permissions import Actor
from control_plane.domain.rows import FEEDBACK, PREFERENCE
from control_plane.services.datasets import json_lines, row_index, versions
from control_plane.services.datasets.json_lines import Rewritten
from control_plane.services.labelling import making
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.labelling import LabelItemRecord, LabellingRecord

ANSWERS, PAIRS, JUDGED = "answers", "preference", "unpaired_preference"
FORMS = (ANSWERS, PAIRS, JUDGED)

_SETTLED = (Action.ACCEPT, Action.CORRECT, Action.REJECT)
_SUFFIX = {PAIRS: "-pairs", JUDGED: "-judged"}  # of the names of datasets with rows of another form
_LONGEST = 64

Row = dict[str, Any]


def save(
    actor: Actor, cp: ControlPlane, labelling_id: int, form: str = ANSWERS, keep_others: bool = True
) -> tuple[DatasetVersionRecord, bool]:
    """Make a version of what is judged by now; with it whether the same content was there already.

    `answers`: rows with the accepted and the corrected answers, without the rejected ones; `keep_others` says whether
    the rows to learn from that nobody judged stay. Where a deployment was asked, a held-out row takes a corrected
    answer alone: the model's own would measure it against itself. `preference`: pairs of a corrected answer and the one
    that was corrected. `unpaired_preference`: each answer with whether it is good. The last two make versions of a
    dataset of their own. Of variations there is the first alone: the rows that there are, and the accepted ones with
    their mark.
    Raises NotFound, Denied, InTrash, FieldInvalid, LabellingUnsettled, DatasetEmpty, HeldOutLeak, DiskFull.
    """
    labelling = making.get(actor, cp, labelling_id, "dataset.upload")
    version = versions.get_version(actor, cp, labelling.dataset_version_id)
    forms = FORMS if labelling.kind == Kind.ANSWERS and version.format != "text" else (ANSWERS,)
    if form not in forms:
        raise FieldInvalid(field="form", problem=", ".join(forms))
    items = _settled(labelling)
    train, test = _PARTS[form](cp, labelling, version, items, keep_others)
    how = Rewritten(
        action="dataset.label",
        source={"labelling": labelling.id, "labelling_name": labelling.name, "labelled_from": version.id,
                "asked": labelling.asked.get("name", "")},
        name=_named(version, form),
        format="" if form == ANSWERS else form,
    )  # fmt: skip
    made, reused = json_lines.rewrite(actor, cp, version, train, test, how)
    with transaction():
        told = {"made_version": made.id, "version": LabellingRecord.version + 1}
        LabellingRecord.update(**told).where(LabellingRecord.id == labelling.id).execute()
    making.changed(cp, labelling)
    return made, reused


def _settled(labelling: LabellingRecord) -> list[LabelItemRecord]:
    """Raises LabellingUnsettled where there are none."""
    mine = (LabelItemRecord.labelling == labelling.id) & (LabelItemRecord.state == ItemState.READY)
    query = LabelItemRecord.select().where(mine, LabelItemRecord.outcome.in_(list(_SETTLED)))
    found = list(query.order_by(LabelItemRecord.place))
    if not found:
        raise LabellingUnsettled
    return found


def _named(version: DatasetVersionRecord, form: str) -> str:
    if form == ANSWERS:
        return ""
    name = str(DatasetRecord.get_by_id(version.dataset_id).name)
    return name[: _LONGEST - len(_SUFFIX[form])] + _SUFFIX[form]


# ---- the rows


@dataclass(frozen=True)
class _Lines:
    """Lines to learn from without those that are held out: a new answer may make a row the same as one of these."""

    format: str
    test: Callable[[], Iterator[bytes]]

    def apart(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        held_out = {self._key(line) for line in self.test()}
        return (line for line in lines if self._key(line) not in held_out)

    def _key(self, line: bytes) -> bytes:
        return digest(variations.content(self.format, json.loads(line)))


def _answers(
    cp: ControlPlane,
    labelling: LabellingRecord,
    version: DatasetVersionRecord,
    items: list[LabelItemRecord],
    keep_others: bool,
) -> tuple[Iterator[bytes], Iterator[bytes]]:
    if labelling.kind == Kind.VARIATIONS:
        return _with_variations(cp, labelling, version, items)
    by_row = {(item.split, item.row): item for item in items}
    # a held-out row has its own answer still, whatever was said of a model's, until a person writes a better one
    test_by_row = {at: item for at, item in by_row.items() if item.outcome == Action.CORRECT or not labelling.asked}
    test = partial(_edited, cp, version, test_by_row, "test", True)
    train = _Lines(str(version.format), test).apart(_edited(cp, version, by_row, "train", keep_others))
    return _some(train), test()


def _edited(
    cp: ControlPlane,
    version: DatasetVersionRecord,
    by_row: dict[tuple[str, int], LabelItemRecord],
    split: str,
    keep_others: bool,
) -> Iterator[bytes]:
    for number, line in enumerate(_lines(cp, version, split), 1):
        item = by_row.get((split, number))
        if item is None:
            if keep_others:
                yield line
        elif item.outcome != Action.REJECT:
            yield _line(_answered(str(version.format), json.loads(line), _text(item)))


def _with_variations(
    cp: ControlPlane, labelling: LabellingRecord, version: DatasetVersionRecord, items: list[LabelItemRecord]
) -> tuple[Iterator[bytes], Iterator[bytes]]:
    format, asked = str(version.format), labelling.asked
    test = partial(_lines, cp, version, "test")

    def made() -> Iterator[bytes]:
        for item in items:
            if item.outcome != Action.REJECT:
                of = making.question_of(cp, version, item.split, item.row)
                key = digest(variations.content(format, of))
                by = f"{asked['kind']} {asked['name']}"
                row = generated.marked(json.loads(_text(item)), key, version.id, item.row, by, asked["model"])
                yield _line(row)

    if all(item.outcome == Action.REJECT for item in items):
        raise LabellingUnsettled

    def train() -> Iterator[bytes]:
        yield from _lines(cp, version, "train")
        yield from _Lines(format, test).apart(made())

    return train(), test()


def _pairs(
    cp: ControlPlane, _: LabellingRecord, version: DatasetVersionRecord, items: list[LabelItemRecord], __: bool
) -> tuple[Iterator[bytes], Iterator[bytes]]:
    def rows(item: LabelItemRecord, prompt: Any) -> Iterator[Row]:
        if item.outcome == Action.CORRECT:
            yield {"prompt": prompt, "chosen": item.result, "rejected": item.answer}

    return _by_split(cp, version, items, PREFERENCE, rows)


def _judged(
    cp: ControlPlane, _: LabellingRecord, version: DatasetVersionRecord, items: list[LabelItemRecord], __: bool
) -> tuple[Iterator[bytes], Iterator[bytes]]:
    def rows(item: LabelItemRecord, prompt: Any) -> Iterator[Row]:
        yield {"prompt": prompt, "completion": item.answer, "label": item.outcome == Action.ACCEPT}
        if item.outcome == Action.CORRECT:
            yield {"prompt": prompt, "completion": item.result, "label": True}

    return _by_split(cp, version, items, FEEDBACK, rows)


_PARTS = {ANSWERS: _answers, PAIRS: _pairs, JUDGED: _judged}


def _by_split(
    cp: ControlPlane,
    version: DatasetVersionRecord,
    items: list[LabelItemRecord],
    format: str,
    rows: Callable[[LabelItemRecord, Any], Iterator[Row]],
) -> tuple[Iterator[bytes], Iterator[bytes]]:
    """Rows of another form, each where its item's row is: to learn from, or held out."""

    def lines(split: str) -> Iterator[bytes]:
        for item in items:
            if item.split == split:
                row = making.question_of(cp, version, item.split, item.row)
                mark = {generated.FIELD: row[generated.FIELD]} if generated.mark_of(row) is not None else {}
                yield from (_line(one | mark) for one in rows(item, _prompt(str(version.format), row)))

    return _some(_Lines(format, partial(lines, "test")).apart(lines("train"))), lines("test")


def _some(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines, if there is one to learn from. Raises LabellingUnsettled."""
    first = next(lines, None)
    if first is None:
        raise LabellingUnsettled

    def all_of() -> Iterator[bytes]:
        yield first
        yield from lines

    return all_of()


def _text(item: LabelItemRecord) -> str:
    return str(item.result if item.outcome == Action.CORRECT else item.answer)


def _prompt(format: str, row: Row) -> Any:
    return row["messages"][:-1] if format == "chat" else row["prompt"]


def _answered(format: str, row: Row, answer: str) -> Row:
    """The row with another answer; of a text with another text."""
    if format == "chat":
        return row | {"messages": [*row["messages"][:-1], row["messages"][-1] | {"content": answer}]}
    return row | {"text" if format == "text" else "completion": answer}


def _lines(cp: ControlPlane, version: DatasetVersionRecord, split: str) -> Iterator[bytes]:
    sha256 = version.train_sha256 if split == "train" else version.test_sha256
    return row_index.lines(cp, sha256) if sha256 else iter(())


def _line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
