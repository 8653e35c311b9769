"""What the generators of the cases' sample data have in common: rows that differ, written as JSON Lines.

A generator draws from a `random.Random` of its own seed, so that the same seed gives the same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

One = TypeVar("One")


def distinct(count: int, draw: Callable[[], One], key: Callable[[One], object]) -> list[One]:
    """`count` drawn ones, no two with the same key; of those that share one, the last drawn, at the first's place."""
    found: dict[object, One] = {}
    while len(found) < count:
        one = draw()
        found[key(one)] = one
    return list(found.values())


def asked(question: str, text: str, record: Mapping[str, object]) -> dict[str, str]:
    """A row: what is asked about a text, and the JSON record that is the answer."""
    return {"prompt": question + text, "completion": json.dumps(record, ensure_ascii=False)}


def prompt_of(row: Mapping[str, str]) -> str:
    """What tells rows apart."""
    return row["prompt"]


def write_rows(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows as a JSON Lines file, in UTF-8 as people read it."""
    lines = (f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def run(write: Callable[[Path], None], script: str) -> None:
    """Let a generator write beside itself, or into the folder that its command line names."""
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(script).parent)
