"""Rows of a dataset: which format they are in, whether each is sound, and which are held out.

A file is JSON Lines in UTF-8. A byte-order mark, CRLF, blank lines and a missing last newline are accepted and told in
the facts; everything else that is not one sound object a line is a numbered error.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import isinf
from posixpath import commonprefix
from statistics import median
from typing import Any, NoReturn

from control_plane.domain import file_kinds, generated
from control_plane.domain.documents import well_formed
from control_plane.domain.errors import (
    FormatUnknown,
    HeldOutLeak,
    RowFieldTwice,
    RowGenerated,
    RowNotJson,
    RowNotNumber,
    RowNotObject,
    RowNotText,
    RowNotUtf8,
    RowsInvalid,
    RowTooDeep,
    RowTooLong,
)
from control_plane.domain.rows import FEEDBACK, FORMATS, answer, asked, check_row, from_messages, recognise, with_texts
from control_plane.domain.shapes import Shape

BOM = b"\xef\xbb\xbf"
SAMPLES = 5  # rows that are shown of a dataset

DEEPEST = 100  # levels of nesting
LONGEST_PREFIX = 4_000  # characters
_SHORTEST_PREFIX = 10
_INSTRUCTION_ENDS = re.compile(r": |：|\n")
_TAIL = 24  # characters: a few words


@dataclass
class Scan:
    """One file on its way through `take`, line by line; holds a few bytes a row."""

    file: str  # its name, for the errors
    max_row_bytes: int
    format: str = ""  # empty: recognised from the first sound row
    examines: bool = False  # its rows are held out: none that a model has made is sound
    line: int = 0
    problem: RowsInvalid | None = None  # of the first faulty row
    problem_count: int = 0  # rows
    keys: list[bytes] = field(default_factory=list)  # of each sound row: equal keys mean equal content
    groups: list[bytes] = field(default_factory=list)  # of each sound row: equal ones stay together in the split
    key_lines: list[int] = field(default_factory=list)  # where each of them stands
    marks: dict[int, generated.Mark] = field(default_factory=dict)  # of the sound rows that a model has made
    lengths: list[int] = field(default_factory=list)  # characters
    longest_answer: int = 0  # likewise
    shape: Shape = field(default_factory=Shape)  # of the answers
    prefix: str | None = None  # how every prompt so far begins
    good: int = 0  # judged answers that are called good
    objects: int = 0  # rows with an answer that was an object, kept as its JSON text
    bom: bool = False
    crlf: bool = False
    blank_lines: int = 0

    def take(self, line: bytes) -> bytes:
        """Check the next line; the row as it is to be stored (with its newline), empty where there is none.

        A line longer than `max_row_bytes` need not be complete. Raises FileUnfit: then no other line can be read
        either.
        """
        self.line += 1
        if self.line == 1:
            line = self._first(line)
        self.crlf = self.crlf or line.endswith(b"\r\n")
        text = line.strip(b" \t\r\n")
        if not text:
            self.blank_lines += 1
            return b""
        try:
            written = self._row(text)
            told = from_messages(self.format, written)
            row = with_texts(told)
            check_row(self.format, row)
            mark = generated.checked_mark_of(row)
            if self.examines and mark is not None:
                raise RowGenerated
        except RowsInvalid as problem:
            self._note(problem)
            return b""
        self._count(row, mark)
        self.objects += row is not told
        if row is not written:
            return json.dumps(row, ensure_ascii=False).encode() + b"\n"
        return text + b"\n"

    def fault(self) -> RowsInvalid | None:
        """The problem of the first faulty row, with how many rows have one; None where all are sound."""
        if self.problem is not None:
            self.problem.params["count"] = self.problem_count
        return self.problem

    def facts(self) -> dict[str, Any]:
        """What is worth knowing about the file: lengths are characters of a row's texts."""
        return {
            "duplicates": len(self.keys) - len(set(self.keys)),
            "longest": max(self.lengths, default=0),
            "median": int(median(self.lengths)) if self.lengths else 0,
            "longest_answer": self.longest_answer,
            "byte_order_mark": self.bom,
            "crlf": self.crlf,
            "blank_lines": self.blank_lines,
            "objects": self.objects,
            "good": self.good,
            "generated": len(self.marks),
            "answer_schema": self.shape.schema(),
            "prompt_prefix": whole_words(self.prefix or "") if len(self.keys) > 1 else "",
        }

    def never_held_out(self) -> frozenset[bytes]:
        """Those of the groups that the split leaves among the rows to learn from."""
        return generated.never_held_out(self.keys, self.groups, self.marks)

    def _first(self, line: bytes) -> bytes:
        self.bom = line.startswith(BOM)
        file_kinds.refuse(self.file, line.removeprefix(BOM))
        return line.removeprefix(BOM)

    def _row(self, text: bytes) -> dict[str, Any]:
        if len(text) > self.max_row_bytes:
            raise RowTooLong(limit=self.max_row_bytes)
        row = read_row(text)
        if not self.format:
            self.format = recognise(row)
            if not self.format:
                raise FormatUnknown(file=self.file, line=self.line, fields=[name[:40] for name in list(row)[:10]])
        return row

    def _note(self, problem: RowsInvalid) -> None:
        """Count a faulty row; the problem of the first is kept."""
        self.problem_count += 1
        if self.problem is None:
            problem.params = {"file": self.file, "line": self.line, **problem.params}
            self.problem = problem

    def _count(self, row: dict[str, Any], mark: generated.Mark | None) -> None:
        content = {name: row[name] for name in FORMATS[self.format]}
        if mark is not None:
            self.marks[len(self.keys)] = mark
        self.keys.append(digest(content))
        self.groups.append(digest(asked(self.format, row)))
        self.key_lines.append(self.line)
        self.lengths.append(characters(content))
        if (wanted := answer(self.format, row)) is not None:
            self.shape.take(wanted)
            self.longest_answer = max(self.longest_answer, len(wanted))
        self.good += self.format == FEEDBACK and row["label"]
        if self.format == "prompt_completion":
            prompt = row["prompt"]
            begins = beginning(prompt)
            self.prefix = begins if self.prefix is None else commonprefix([self.prefix, begins])


def refuse_leak(train: Scan, test: Scan) -> None:
    """Raises HeldOutLeak where a row is learnt from and held out, too."""
    learnt = set(train.keys)
    shared = [line for key, line in zip(test.keys, test.key_lines, strict=True) if key in learnt]
    if shared:
        raise HeldOutLeak(count=len(shared), line=shared[0])


def read_row(text: bytes) -> dict[str, Any]:
    """One line as an object. Raises a RowsInvalid that lacks `file` and `line`."""
    try:
        written = text.decode("utf-8")
        row = DECODER.decode(written)
    except UnicodeDecodeError as problem:
        raise RowNotUtf8(column=problem.start + 1) from problem
    except json.JSONDecodeError as problem:
        raise RowNotJson(column=problem.pos + 1) from problem
    except RecursionError as problem:
        raise RowTooDeep from problem
    except ValueError as problem:  # a number of more digits than Python reads
        raise RowNotNumber(value="…") from problem
    return as_row(row, written)


def as_row(value: Any, written: str) -> dict[str, Any]:
    """A value that was decoded from what is `written`, if it can be a row. Raises a RowsInvalid as `read_row` does."""
    if not isinstance(value, dict):
        raise RowNotObject
    if any(isinstance(part, dict | list) for part in value.values()):  # looking at the text takes longer
        _check_depth(value, written)
    if "\\" in written and "\\u" in written:  # one character is found much faster than two
        _check_whole(value)
    return value


def held_out(keys: Sequence[bytes], share: float, seed: int, never: Collection[bytes] = ()) -> frozenset[int]:
    """The numbers of the rows that are held out: about `share` of them, the same for the same rows and seed.

    Rows of equal keys stay together, so that none is both learnt and asked; those of `never` are not chosen from.
    """
    groups: dict[bytes, list[int]] = {}
    for number, key in enumerate(keys):
        if key not in never:
            groups.setdefault(key, []).append(number)
    wanted = min(max(1, round(share * len(groups))), len(groups) - 1) if share > 0 else 0
    # sorted first: then neither the order of the file nor of a set decides
    chosen = random.Random(seed).sample(sorted(groups), max(0, wanted))
    return frozenset(number for key in chosen for number in groups[key])


def digest(value: Any) -> bytes:
    """16 bytes that are equal where two values are: of their JSON with sorted fields and without spaces, in UTF-8."""
    return hashlib.sha256(_sorted_json(value).encode("utf-8", "surrogatepass")).digest()[:16]


def _sorted_json(value: Any) -> str:
    """As the encoder writes it; a row of texts, which most are, in half the time."""
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        return "{" + ",".join([f"{_quoted(name)}:{_quoted(value[name])}" for name in sorted(value)]) + "}"
    return _SORTED.encode(value)


def beginning(prompt: str) -> str:
    """As much of a prompt as can be an instruction that all begin with."""
    return prompt[: LONGEST_PREFIX + 1]


def whole_words(prefix: str) -> str:
    """A common beginning up to its last space, with it; empty where that is too short to be an instruction, or so long
    that it is what the rows are about.

    A colon or a line's end shortly before is where the instruction ends: what follows is how the questions happen to
    begin.
    """
    if len(prefix) > LONGEST_PREFIX:
        return ""
    ends = [end for end in (found.end() for found in _INSTRUCTION_ENDS.finditer(prefix)) if len(prefix) - end <= _TAIL]
    kept = prefix[: ends[-1] if ends else prefix.rfind(" ") + 1]
    return kept if len(kept) >= _SHORTEST_PREFIX else ""


def _check_depth(value: dict[str, Any], written: str) -> None:
    if written.count("{") + written.count("[") > DEEPEST and _depth(value) > DEEPEST:
        raise RowTooDeep


def _check_whole(row: dict[str, Any]) -> None:
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as problem:
        raise RowNotText from problem


def _depth(value: Any) -> int:
    deepest, pending = 0, [(value, 1)]
    while pending:
        item, level = pending.pop()
        deepest = max(deepest, level)
        inside = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        pending.extend((part, level + 1) for part in inside)
    return deepest


def characters(value: Any) -> int:
    """How many there are in all texts of a value."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(characters, value.values()))
    return sum(map(characters, value)) if isinstance(value, list) else 0


def _refuse_constant(name: str) -> NoReturn:
    raise RowNotNumber(value=name)


def _finite(written: str) -> float:
    number = float(written)
    if isinf(number):
        raise RowNotNumber(value=written[:20])
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in pairs:
        if name in row:
            raise RowFieldTwice(field=well_formed(name[:40]))
        row[name] = value
    return row


# raises RowFieldTwice and RowNotNumber besides what json raises
DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
_SORTED = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
_quoted = json.encoder.encode_basestring
