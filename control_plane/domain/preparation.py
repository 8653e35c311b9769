"""How a file becomes a dataset version: what the process that prepares it is told, and what it answers.

The process (`control_plane.preparation`) reads strangers' files, so it stands apart (ADR 27): it gets an `Order` and a
folder, and knows neither database nor network. Everything here is plain values that go through JSON (`told`, `read`).
"""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Step(StrEnum):
    """What is to be done; each later step repeats the reading, none trusts a file that an earlier one left."""

    LOOK = "look"  # what kind of file it is, its columns and first records, and the mapping that suggests itself
    CHECK = "check"  # every record through the mapping and the checks: a report
    SAVE = "save"  # the same, with the choices carried out: the rows of a version
    EDIT = "edit"  # a version's rows, with others instead, without some, with new ones
    MEASURE = "measure"  # how many tokens rows of a version have
    SEE = "see"  # one row as a model sees it: apart as well, as the model's chat template is a stranger's program


class DraftState(StrEnum):
    """How far a draft is. While it fetches, looks, checks, saves or edits, a process is at work or waited for."""

    FETCHING = "fetching"
    LOOKING = "looking"
    CHECKING = "checking"
    READY = "ready"
    SAVING = "saving"
    EDITING = "editing"  # the rows of a version: a draft without a file
    SAVED = "saved"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Choice(StrEnum):
    """What is done about the rows that a check has found."""

    KEEP = "keep"
    DROP = "drop"  # kept aside with the reason, beside the version
    FIX = "fix"  # only where the check knows how


class Learning(StrEnum):
    """What of a conversation is learned, as the parameter `learn_from` of the methods says it."""

    COMPLETION = "completion"  # every answer
    LAST = "last"  # the last answer alone
    WHOLE = "whole"  # the questions, too


UNREADABLE = "unreadable"  # the check that leaves out records with a fault

_KEEP, _DROP, _FIX = Choice.KEEP, Choice.DROP, Choice.FIX
# check → what can be done about what it finds, its own choice first. In the order of precedence: a row that several
# checks would leave out is left out by the first.
CHOICES: Dictionary[str, tuple[Choice, ...]] = {
    UNREADABLE: (_DROP,),
    "hidden_characters": (_FIX, _KEEP, _DROP),
    "secrets": (_DROP, _FIX, _KEEP),
    "personal_data": (_KEEP, _FIX, _DROP),
    "empty_answer": (_KEEP, _DROP),
    "too_long": (_KEEP, _DROP),
    "answer_schema": (_KEEP, _DROP),
    "language_mix": (_KEEP, _DROP),
    "duplicates": (_DROP, _KEEP),
    "near_duplicates": (_KEEP, _DROP),
    "leakage": (_DROP, _KEEP),
    "imbalance": (_KEEP,),
}


@dataclass(frozen=True)
class Source:
    """A file and how it is to be read; what is empty is found out."""

    name: str  # as it was sent: its ending is a hint, no more
    path: str = ""  # where it lies
    kind: str = ""  # jsonl, json, csv, parquet, xlsx, text
    packing: str = ""  # "", gz, zip: one file inside
    encoding: str = ""  # utf-8, utf-16, gb18030, windows-1252
    delimiter: str = ""  # of csv: one character; of text: what parts two records, "\n" or "\n\n"
    sheet: str = ""  # of xlsx


@dataclass(frozen=True)
class Column:
    name: str
    kind: str  # text, number, boolean, list, object, mixed, empty
    filled: int  # of the records that were looked at, how many have a value here
    examples: list[str] = field(default_factory=list)  # at most three, shortened


@dataclass(frozen=True)
class Mapping:
    """Which columns make which field of a format (`domain/rows.py::FORMATS`).

    A field of texts that is made of several columns: a prompt names each with its value, a line each; an answer is one
    JSON object with the columns as keys. `messages` takes one column of messages in one of the known shapes.
    """

    format: str = ""
    parts: dict[str, list[str]] = field(default_factory=dict)  # field → columns


@dataclass(frozen=True)
class Look:
    """What a first look found; `looked_at` records were read for it."""

    source: Source
    columns: list[Column]
    samples: list[dict[str, Any]]  # the first records, as they stand in the file
    mapping: Mapping  # that suggests itself; its format is empty if none does
    looked_at: int
    sheets: list[str] = field(default_factory=list)
    peculiarities: dict[str, int] = field(default_factory=dict)  # byte_order_mark, crlf, blank_lines … → times


@dataclass(frozen=True)
class Split:
    """Which rows are held out: a share by seed, or none where a file of its own holds them."""

    share: float = 0.2  # 0..0.5
    seed: int = 42
    by: str = ""  # a column of the file: rows that agree in it stay on one side
    stratify: str = ""  # a column: each of its values is held out in the same share


@dataclass(frozen=True)
class Limits:
    row_bytes: int
    file_bytes: int  # after unpacking
    memory_bytes: int = 0  # that the process may take; 0: any
    seconds: int = 0  # of computing; 0: any


@dataclass(frozen=True)
class Order:
    step: Step
    train: Source
    limits: Limits
    test: Source | None = None  # held-out rows as a file of their own
    mapping: Mapping | None = None  # of both files; none: the one that suggests itself
    split: Split = field(default_factory=Split)
    choices: dict[str, Choice] = field(default_factory=dict)  # check → choice; else the check's own
    tokenizer: str = ""  # folder with tokenizer.json, for lengths in tokens; empty: characters
    context: int = 0  # tokens that fit into the model; 0: not known
    row: dict[str, Any] = field(default_factory=dict)  # to be seen: of a version, in the mapping's format
    learn_from: Learning = Learning.COMPLETION  # likewise
    edits: str = ""  # file with the edits (`domain/edits.py::Edits`) of the rows


@dataclass(frozen=True)
class Place:
    """A row that a check has found."""

    file: str
    line: int  # as the file counts from 1: lines of text, rows of a sheet, else records
    excerpt: str = ""  # never of a secret or of personal data: those are masked
    params: dict[str, Any] = field(default_factory=dict)  # of the finding's sentence
    field: str = ""  # last, as it takes the name of what makes defaults


@dataclass(frozen=True)
class Finding:
    """What one check has found in all rows."""

    check: str  # its code; the words are in `web/check_words.py`
    count: int  # rows
    choice: Choice  # that was carried out, or will be
    choices: list[Choice]  # that there are
    places: list[Place] = field(default_factory=list)  # the first hundred
    params: dict[str, Any] = field(default_factory=dict)  # of the finding's sentence


@dataclass(frozen=True)
class Report:
    """What a check or a save found: it goes with the version."""

    format: str
    rows: int  # read, the faulty ones included
    train_rows: int
    test_rows: int
    left_out_rows: int
    findings: list[Finding]
    samples: list[dict[str, Any]]  # the first rows as they will be kept; of very long ones the beginning
    # as `domain/datasets.py::Scan.facts` has them; `histogram` of lengths; `uncounted`, why they are not in tokens
    # although a model was given ({code, params}); `languages`
    facts: dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """A part of a text that is one token; several where they make one sign, none where the model does not see it."""

    text: str
    ids: list[int]
    is_learned: bool  # whether training teaches the model to write it
    is_special: bool = False  # a sign of the tokenizer's own, as the end of a turn
    is_cut: bool = False  # it does not fit: training leaves it out


@dataclass(frozen=True)
class Example:
    """What training reads of a row in one go. Of very many pieces only the first and the last are listed."""

    pieces: list[Piece]
    tokens: int  # that the model reads
    learned_tokens: int
    cut_tokens: int = 0  # that do not fit
    hidden_after: int = 0  # so many pieces are listed before the gap; 0: there is none
    hidden_pieces: int = 0
    answer: str = ""  # of compared answers: chosen, rejected
    is_refused: bool = False  # the answer alone does not fit: training refuses the row


@dataclass(frozen=True)
class Seen:
    """A row as a model sees it: most rows are one example."""

    examples: list[Example]
    by_template: bool  # False: the model has no chat template, and messages stand line by line
    hidden_examples: int = 0  # more than are listed


def told(value: Any) -> dict[str, Any]:
    """A value of this module as JSON has it."""
    return asdict(value)


def read(kind: type[T], written: Dictionary[str, Any]) -> T:
    """The value of `kind` that was `told`. Raises KeyError, TypeError or ValueError where it is none."""
    hints, written = get_type_hints(kind), _plain(dict, written)
    given = {one.name: _value(hints[one.name], written[one.name]) for one in fields(kind) if one.name in written}  # type: ignore[arg-type]
    return kind(**given)


def _value(hint: Any, value: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return None if value is None else _value(next(one for one in inner if one is not type(None)), value)
    if hint is Any:
        return value
    if is_dataclass(hint):
        return read(hint, value)  # type: ignore[arg-type]
    if origin is list:
        return [_value(inner[0], one) for one in _plain(list, value)]
    if origin is dict:
        return {_plain(str, key): _value(inner[1], one) for key, one in _plain(dict, value).items()}
    return hint(value) if issubclass(hint, StrEnum) else _plain(hint, value)


def _plain(kind: type[T], value: Any) -> T:
    """A value of just this type; a whole number is a number, too. Raises TypeError."""
    if type(value) is kind or (kind is float and type(value) is int):
        return cast(T, value)
    raise TypeError(f"{str(value)[:40]}: {type(value).__name__} ≠ {kind.__name__}")
