"""Configuration options of a method, from what a form says to the part of method.toml that declares them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence

from control_plane.domain.errors import FieldInvalid

TYPES = ("integer", "number", "string", "boolean")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LANGUAGES = ("en", "de", "zh")


def as_toml(options: Sequence[Mapping[str, str]]) -> str:
    """Tables `[parameters.properties.<name>]` of options with name, type, default, minimum, maximum and title.

    A title stands for all languages until somebody translates it. Raises FieldInvalid naming the option.
    """
    return "".join(_table(option) for option in options if option.get("name"))


def pasted(text: str) -> str:
    """TOML that somebody pasted, as it is; a JSON schema's `properties` as TOML. Raises FieldInvalid."""
    if not text.strip():
        return ""
    if not text.lstrip().startswith("{"):
        try:
            tomllib.loads(text)
        except (ValueError, RecursionError) as problem:
            raise FieldInvalid(field="pasted", problem=str(problem)[:200]) from problem
        return f"\n{text.strip()}\n"
    try:
        read = json.loads(text)
        properties = read.get("properties", read)
        lines = [_described(name, schema) for name, schema in properties.items()]
    except (ValueError, RecursionError, AttributeError, TypeError) as problem:
        raise FieldInvalid(field="pasted", problem=str(problem)[:200]) from problem
    return "".join(lines)


def _table(option: Mapping[str, str]) -> str:
    name, kind = option["name"].strip(), option.get("type", "")
    if not _NAME.fullmatch(name) or kind not in TYPES:
        raise FieldInvalid(field="options", problem=name[:60] or kind)
    title = option.get("title", "").strip() or name
    schema: dict[str, object] = {"type": kind, "title": title, "description": title}
    for key in ("default", "minimum", "maximum"):
        if text := option.get(key, "").strip():
            schema[key] = _value(name, kind, text)
    return _described(name, schema)


def _value(name: str, kind: str, text: str) -> object:
    try:
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        return text if kind == "string" else int(text) if kind == "integer" else float(text)
    except (ValueError, KeyError) as problem:
        raise FieldInvalid(field="options", problem=f"{name}: {text[:60]}") from problem


def _described(name: str, schema: Mapping[str, object]) -> str:
    """A property as TOML, with what every parameter of a method needs."""
    whole = {"title": name, "description": name, "x-group": "own", "x-level": "standard", **schema}
    whole |= {
        key: {one: text for one in _LANGUAGES}
        for key in ("title", "description")
        if isinstance(text := whole[key], str)
    }
    lines = [f"{_key(key)} = {_toml(value)}" for key, value in whole.items()]
    return "\n".join([f"\n[parameters.properties.{_key(name)}]", *lines]) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if value is None:
        raise TypeError("TOML has no null")
    return json.dumps(value, ensure_ascii=False)


GROUP = '\n[groups.own]\ndisplay = { en = "Own options", de = "Eigene Optionen", zh = "自定义选项" }\n'
