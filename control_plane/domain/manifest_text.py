"""A method.toml as text: on which line a thing stands, and the same manifest under other names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from control_plane.domain.errors import MethodBroken

_TABLE = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$")  # in one pass, whatever somebody hands in
_KEY = re.compile(r"\s*([A-Za-z0-9_\-.\"']+)\s*=")
_NUMBERED = re.compile(r"line (\d+)")


def line_of(text: str, path: Sequence[object]) -> int:
    """The line (1, 2, …) on which the thing at `path` stands, or the nearest one around it; 1 where none does."""
    wanted, best, deepest, table = [str(part) for part in path], 1, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLE.match(line):
            table = here = _parts(found[1])
        elif found := _KEY.match(line):
            here = table + _parts(found[1])
        else:
            continue
        if len(here) > deepest and here == wanted[: len(here)]:
            best, deepest = number, len(here)
    return best


def line_in(problem: str) -> int:
    """The line that a TOML reader's complaint names; 1 where it names none."""
    found = _NUMBERED.search(problem)
    return int(found[1]) if found else 1


def renamed(text: str, name: str, kind_of_method: str, words: Mapping[str, Mapping[str, str]]) -> str:
    """The manifest with another name, another type where one is given, and other `words`: {"display": {"en": …}, …}.

    Raises MethodBroken where the text has no place for them.
    """
    text = _set(text, "name", name)
    if kind_of_method:
        text = _set(text, "type", kind_of_method)
    for key, texts in words.items():
        text = _set_words(text, key, texts)
    return text


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _set(text: str, key: str, value: str) -> str:
    head, table, rest = _split(text)
    found, count = re.subn(rf"(?m)^{key}\s*=.*$", lambda _: f"{key} = {_quoted(value)}", head, count=1)
    if not count:
        raise MethodBroken(method=value, problem=f"method.toml: {key}")
    return found + table + rest


def _split(text: str) -> tuple[str, str, str]:
    """What stands before the first table, and the rest."""
    head, table, rest = text.partition("\n[")
    return head, table, rest


def _set_words(text: str, key: str, texts: Mapping[str, str]) -> str:
    inline = "{ " + ", ".join(f"{language} = {_quoted(one)}" for language, one in texts.items()) + " }"
    head, table, rest = _split(text)
    if re.search(rf"(?m)^{key}\s*=", head):
        return re.sub(rf"(?m)^{key}\s*=.*$", lambda _: f"{key} = {inline}", head, count=1) + table + rest
    block = "\n".join([f"[{key}]", *(f"{language} = {_quoted(one)}" for language, one in texts.items())]) + "\n"
    found, count = re.subn(rf"(?ms)^\[{key}\]\n.*?(?=^\s*$|^\[|\Z)", lambda _: block, text, count=1)
    if not count:
        raise MethodBroken(method=key, problem=f"method.toml: {key}")
    return found


def _quoted(text: str) -> str:
    """A basic string of TOML, which JSON's strings are."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
