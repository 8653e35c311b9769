"""A workflow as text: YAML or JSON in, YAML or JSON out.

YAML is read as version 1.2 has it (`no` and `on` are words, `1e-4` is a number), from its events: size, depth and what
aliases add up to are bounded before anything is built, and each part keeps the line in which it stands. JSON is YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import yaml

from control_plane.domain.errors import WorkflowTooLarge, WorkflowUnreadable
from control_plane.domain.workflows import reading
from control_plane.domain.workflows.spec import Lines, Path, Spec, as_data

YAML, JSON = "yaml", "json"
FORMS = (YAML, JSON)

LONGEST = 128 << 10  # characters
DEEPEST, MOST_PARTS = 30, 10_000  # levels; values, those that aliases repeat counted each time

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_STANDARD = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Read:
    """A spec as it was read, and where in the text its parts stand."""

    spec: Spec
    line: Lines


def read(text: str) -> Read:
    """The workflow that a text holds. Raises WorkflowUnreadable, WorkflowTooLarge, WorkflowInvalid."""
    reader = _Reader(text)
    data = reader.document()
    return Read(reading.parse(data, reader.line), reader.line)


def write(spec: Spec, form: str = YAML) -> str:
    """The canonical text of a workflow; `read` reads it again as the same."""
    data = as_data(spec)
    if form == JSON:
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Quotes whatever a reader of YAML 1.1 or of 1.2 would not take for a text; repeats instead of aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Dumper.add_implicit_resolver(f"{_STANDARD}float", _NUMBER, list("-+.0123456789"))


@dataclass(frozen=True)
class _Anchored:
    """What an alias repeats, and how much that is."""

    value: Any
    parts: int
    characters: int
    levels: int  # below it


class _Reader:
    """Builds plain data from the events of one document."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[Path, int] = {}
        self._anchors: dict[str, _Anchored] = {}
        self._parts = self._characters = 0
        self._reached = 0  # the deepest level so far of what is being read
        self._line = 1

    def line(self, path: Path) -> int:
        """The line of what stands there, or of what it would stand in."""
        while path not in self._lines and path:
            path = path[:-1]
        return self._lines.get(path, 0)

    def document(self) -> Any:
        """The data. Raises WorkflowUnreadable, WorkflowTooLarge."""
        if len(self._text) > LONGEST:
            raise WorkflowTooLarge(what=f"{len(self._text)} > {LONGEST}", most=LONGEST)
        self._events = iter(yaml.parse(self._text, Loader=yaml.SafeLoader))
        try:
            found = self._documents()
        except yaml.MarkedYAMLError as problem:
            mark = problem.problem_mark or problem.context_mark
            raise WorkflowUnreadable(
                line=mark.line + 1 if mark else self._line, problem=problem.problem or ""
            ) from problem
        except yaml.YAMLError as problem:  # a character that no text may hold
            raise WorkflowUnreadable(line=self._line, problem=str(problem).splitlines()[0][:200]) from problem
        except (ValueError, OverflowError) as problem:  # an escape that stands for no character
            raise WorkflowUnreadable(line=self._line, problem="\\U …") from problem
        return found

    def _documents(self) -> Any:
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise WorkflowUnreadable(line=1, problem="∅")
        found = self._value(next(self._events), ())
        next(self._events)  # the document ends
        more = next(self._events)
        if not isinstance(more, yaml.StreamEndEvent):
            raise self._wrong(more, "---")
        return found

    def _wrong(self, event: Any, problem: str) -> WorkflowUnreadable:
        return WorkflowUnreadable(line=event.start_mark.line + 1, problem=problem[:200])

    def _value(self, event: Any, path: Path) -> Any:
        self._line = event.start_mark.line + 1
        self._lines.setdefault(path, self._line)
        if isinstance(event, yaml.AliasEvent):
            return self._repeated(event, len(path))
        above, self._reached = self._reached, 0
        self._reach(len(path))
        before = (self._parts, self._characters)
        self._count(1, len(event.value) if isinstance(event, yaml.ScalarEvent) else 0)
        if event.tag and event.tag not in ("!", f"{_STANDARD}str", f"{_STANDARD}map", f"{_STANDARD}seq"):
            raise self._wrong(event, event.tag)
        found: Any
        if isinstance(event, yaml.ScalarEvent):
            found = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            found = self._sequence(path)
        else:
            found = self._mapping(path)
        if event.anchor:
            parts, characters = self._parts - before[0], self._characters - before[1]
            self._anchors[event.anchor] = _Anchored(found, parts, characters, self._reached - len(path))
        self._reached = max(above, self._reached)
        return found

    def _count(self, parts: int, characters: int) -> None:
        self._parts += parts
        self._characters += characters
        if self._parts > MOST_PARTS:
            raise WorkflowTooLarge(what=str(self._parts), most=MOST_PARTS)
        if self._characters > LONGEST:
            raise WorkflowTooLarge(what=str(self._characters), most=LONGEST)

    def _reach(self, level: int) -> None:
        self._reached = max(self._reached, level)
        if self._reached > DEEPEST:
            raise WorkflowTooLarge(what="…" * 3, most=DEEPEST)

    def _repeated(self, event: Any, level: int) -> Any:
        if event.anchor not in self._anchors:  # also one inside what it names
            raise self._wrong(event, f"*{event.anchor}")
        one = self._anchors[event.anchor]
        self._count(one.parts, one.characters)
        self._reach(level + one.levels)
        return one.value

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if event.tag or not event.implicit[0]:  # quoted, or a block: a text whatever it looks like
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            number = float(text)
            if not isfinite(number):
                raise self._wrong(event, text)
            return number
        return text

    def _sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._wrong(event, "? …")
            key = event.value
            self._count(0, len(key))
            if key in found:
                raise self._wrong(event, f"{key[:100]}: 2 ×")
            self._lines[(*path, key)] = event.start_mark.line + 1
            found[key] = self._value(next(self._events), (*path, key))
        return found
