"""Every record of a draft's files through the mapping and the checks, in one pass and bounded memory.

Rows go in blocks: first what a row has by itself (`judging.py`), then what tells it from others is written down in the
`Ledger`. `comparing.py` takes over once all were read. Nothing depends on time, on chance beyond the seed, or on how
long a block is: the same order makes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from control_plane.domain import generated
from control_plane.domain import mapping as mappings
from control_plane.domain.datasets import characters, digest
from control_plane.domain.documents import well_formed
from control_plane.domain.errors import (
    ChatTemplateFailed,
    FormatUnknown,
    RowGenerated,
    RowsInvalid,
    SplitColumnMissing,
    SplitColumnVaried,
    TokenizerUnreadable,
    TunesmithError,
)
from control_plane.domain.preparation import Mapping as Columns
from control_plane.domain.preparation import Order, Source, Step
from control_plane.domain.rows import ANSWERS, FEEDBACK, PREFERENCE, asked
from control_plane.preparation import reading
from control_plane.preparation.blocks import Block, key_of, written
from control_plane.preparation.checks import TABLE, UNREADABLE, secrets
from control_plane.preparation.checks.language_mix import languages
from control_plane.preparation.checks.near_duplicates import NearDuplicates
from control_plane.preparation.checks.too_long import Count, TooLong
from control_plane.preparation.facts import Facts, TokenLengths
from control_plane.preparation.findings import Findings
from control_plane.preparation.judging import Judging
from control_plane.preparation.ledger import Ledger
from control_plane.preparation.scratch import Scratch

MOST_STRATA = 1000

_ROWS, _BYTES = 2000, 1 << 20  # of a block, about

Tell = Callable[[int, int], None]
Aside = Callable[[str, int, str, str], None]  # file, line, row, check


@dataclass
class _Waiting:
    """Sound rows that are not yet a block."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    groups: list[bytes | None] = field(default_factory=list)  # if a column makes them; None: by the row's content
    strata: list[int] = field(default_factory=list)  # if a column makes them
    marks: dict[int, generated.Mark] = field(default_factory=dict)  # of the rows that a model has made
    size: int = 0


class Pipeline:
    """Takes the files of an order; `aside` is told each record that makes no row.

    Raises FormatUnknown.
    """

    def __init__(self, order: Order, folder: Path, aside: Aside) -> None:
        self.order, self.mapping = order, order.mapping or _proposed(order)
        self.format = self.mapping.format
        self.rows = 0  # that were read, the faulty ones included
        self.marks: dict[int, generated.Mark] = {}  # of the rows that a model has made, by their numbers
        self.uncounted: TunesmithError | None = None  # why tokens cannot be counted although they should be
        count = self._counting(Path(order.tokenizer)) if order.tokenizer else None
        self.too_long, self.tokens = TooLong(order.context, count), TokenLengths(count) if count else None
        self.ledger, self.findings, self.facts = Ledger(), Findings(order.choices), Facts(self.format)
        self.near, self.scratch = NearDuplicates(folder), Scratch(folder, whole=order.step == Step.SAVE)
        self._second = ThreadPoolExecutor(max_workers=1)
        self._behind: Future[None] | None = None  # what it does now
        self._aside = aside
        self._judging = Judging(self.format, self.findings, self.too_long)
        self._strata: dict[bytes, int] = {}
        self._missing = {column for column in (order.split.by, order.split.stratify) if column}
        self._columns = mappings.text_columns(self.mapping)
        self._characters = _of_texts if self._columns else characters
        texts = ANSWERS if self.format == "prompt_completion" else ()  # elsewhere they can be messages
        self._answers = [column for part in texts for column in self.mapping.parts.get(part, [])]
        # a column of that name which makes a field of the rows is somebody's text and no mark
        self._tells_made = all(generated.FIELD not in columns for columns in self.mapping.parts.values())
        self._waiting = _Waiting()

    def read(self, tell: Tell) -> None:
        """Read all records. Raises FileUnfit, DatasetEmpty, SplitColumnMissing, SplitColumnVaried."""
        sources = [self.order.train, *([self.order.test] if self.order.test else [])]
        sizes = [Path(source.path).stat().st_size for source in sources]
        for number, source in enumerate(sources):
            heard = partial(_told, tell, sum(sizes[:number]), sum(sizes))
            notes = self.facts.notes if number == 0 else None
            for raw in reading.records(source, self.order.limits, heard, notes):
                self._take(source, raw)
            self._end_block(source)
            if number == 0:
                self.ledger.train_rows = len(self.ledger)
                if self._missing and not self.order.test:
                    raise SplitColumnMissing(file=source.name, column=min(self._missing))
        self._wait()

    def file_of(self, row: int) -> str:
        """The name of the file that a row comes from."""
        test = self.order.test
        return test.name if test and row >= self.ledger.train_rows else self.order.train.name

    def close(self) -> None:
        """Remove what was put on the disk."""
        self._second.shutdown()
        self.near.close()
        self.scratch.close()

    def _take(self, source: Source, raw: reading.Raw) -> None:
        self.rows += 1
        problem, excerpt = raw.fault, raw.excerpt
        if raw.fields is not None:
            try:
                row = mappings.of_texts(self._columns, raw.fields)
                if not row:
                    row = mappings.made(self.mapping, raw.fields)
                    self.facts.objects += source is self.order.train and self._has_object(raw.fields)
                text = written(row)
                if self._tells_made and generated.FIELD in raw.fields:
                    self._mark(source, raw.fields)
                self._add(source, raw.line, raw.fields, row, text)
            except RowsInvalid as found:
                problem, excerpt = found, well_formed(json.dumps(raw.fields, ensure_ascii=False, default=str))
        if problem is not None:
            problem.params = {"file": source.name, "line": raw.line, **problem.params}
            masked = secrets.masked_as_written(excerpt)
            self.findings.unreadable(problem, masked)
            self._aside(source.name, raw.line, excerpt if self.findings.keeps_secrets else masked, UNREADABLE)

    def _mark(self, source: Source, fields: Mapping[str, Any]) -> None:
        """Note it if a model has made the next row.

        Raises RowGenerated where that would be held out, RowFieldTypeWrong where it is not known whether.
        """
        mark = generated.checked_mark_of(fields)
        if mark is None:
            return
        if source is self.order.test:
            raise RowGenerated
        self._waiting.marks[len(self._waiting.rows)] = mark

    def _add(self, source: Source, line: int, fields: Mapping[str, Any], row: dict[str, Any], text: bytes) -> None:
        waiting, split = self._waiting, self.order.split
        waiting.rows.append(row)
        waiting.texts.append(text)
        waiting.lines.append(line)
        if split.by:
            waiting.groups.append(self._group(fields, split.by))
        if split.stratify:
            waiting.strata.append(self._stratum(source, fields, split.stratify))
        waiting.size += len(text)
        if len(waiting.rows) >= _ROWS or waiting.size >= _BYTES:
            self._end_block(source)

    def _counting(self, tokenizer: Path) -> Count | None:
        """What counts tokens; nothing where the model's files do not allow it, which keeps no data from being saved."""
        from control_plane.preparation.tokens import Tokens  # loaded only where tokens are counted

        try:
            return Tokens(tokenizer, self.format).count
        except (TokenizerUnreadable, ChatTemplateFailed) as problem:
            self.uncounted = problem
            return None

    def _has_object(self, fields: Mapping[str, Any]) -> bool:
        """Whether an answer is an object or a list, and is kept as its text."""
        return any(isinstance(fields.get(column), dict | list) for column in self._answers)

    def _group(self, fields: Mapping[str, Any], column: str) -> bytes | None:
        """What rows that stay together have in common; a row without a value stands by itself."""
        self._missing -= fields.keys()
        value = fields.get(column)
        return None if value in (None, "") else digest(value)

    def _stratum(self, source: Source, fields: Mapping[str, Any], column: str) -> int:
        self._missing -= fields.keys()
        number = self._strata.setdefault(digest(fields.get(column)), len(self._strata))
        if number >= MOST_STRATA:
            raise SplitColumnVaried(file=source.name, column=column, most=MOST_STRATA)
        return number

    def _end_block(self, source: Source) -> None:
        waiting, self._waiting = self._waiting, _Waiting()
        if not waiting.rows:
            return
        first = len(self.ledger)
        self.marks.update((first + place, mark) for place, mark in waiting.marks.items())
        block = Block(first, waiting.rows, waiting.texts, list(map(self._characters, waiting.rows)))
        judged = self._judging.judge(block, source.name, waiting.lines)
        self._write_down(judged.block, waiting)
        for code, rows in judged.found:
            self.ledger.mark(TABLE[code].number, [first + row for row in rows], leave_out=False)
        for row, code in judged.left_out.items():
            self.ledger.mark(TABLE[code].number, [first + row], leave_out=True)
        if source is self.order.train:
            self.facts.take(first, judged.block.rows, judged.left_out)
        else:
            self.facts.skip(len(judged.block.rows))

    def _write_down(self, block: Block, waiting: _Waiting) -> None:
        self.ledger.add(
            lines=waiting.lines,
            lengths=block.lengths,
            strata=waiting.strata or bytes(len(block.rows)),
            good=[bool(row.get("label")) for row in block.rows] if self.format == FEEDBACK else bytes(len(block.rows)),
        )
        if self.tokens:
            self.tokens.take(block)
        self._wait()
        self._behind = self._second.submit(self._look_closely, block, waiting.groups)

    def _look_closely(self, block: Block, given: list[bytes | None]) -> None:
        """What takes numpy and the disk long and Python hardly, beside the reading of the next block."""
        self.near.take(block)
        self.ledger.languages.frombytes(languages(block).tobytes())
        self.scratch.add(block)
        told_by_content = self.format not in (PREFERENCE, FEEDBACK)
        keys = list(map(key_of, block.rows))
        contents = keys if told_by_content else [digest(asked(self.format, row)) for row in block.rows]
        of_column = zip(contents, given, strict=True) if given else ()
        self.ledger.add_keys(keys, [own if group is None else group for own, group in of_column] or contents)

    def _wait(self) -> None:
        if self._behind:
            self._behind.result()


def _proposed(order: Order) -> Columns:
    """The mapping that suggests itself. Raises FormatUnknown where none does."""
    look = reading.look(order.train, order.limits)
    if not look.mapping.format:
        names = [column.name[:40] for column in look.columns[:10]]
        raise FormatUnknown(file=order.train.name, line=1, fields=names)
    return look.mapping


def _of_texts(row: dict[str, Any]) -> int:
    return sum(map(len, row.values()))


def _told(tell: Tell, before: int, of: int, done: int, _of_file: int) -> None:
    tell(before + done, of)
