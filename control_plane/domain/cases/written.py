"""The plan of a case as somebody else wrote it: each part is checked before anything is kept of it.

Its steps are only held to be a list of tables of a bearable size: what they name is looked up when a graph is built.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from control_plane.domain.cases.archive import LARGEST_PLAN, TEST, TRAIN
from control_plane.domain.errors import CasePlanFaulty
from control_plane.domain.plans import TASKS
from control_plane.domain.rows import FORMATS

LANGUAGES = ("en", "de", "zh")
STORY = ("problem", "need", "result", "limits", "duration", "columns", "next")
LONGEST_TITLE, LONGEST_TEXT, MOST_STEPS, MOST_COLUMNS, MOST_SCORES = 160, 4_000, 40, 100, 20
_KEYS = ("domain", "task", "minutes", "display", "domain_display", "story", "measured", "dataset", "steps")


def checked(source: Mapping[str, Any]) -> dict[str, Any]:
    """A plan of what is known alone, in the form of case.toml. Raises CasePlanFaulty with the place."""
    try:
        size = len(json.dumps(source, ensure_ascii=False).encode())
    except UnicodeEncodeError as problem:  # half of a character, which no database takes
        raise CasePlanFaulty(place="–", wanted="UTF-8") from problem
    if size > LARGEST_PLAN:
        raise CasePlanFaulty(place="–", wanted=f"≤ {LARGEST_PLAN}")
    plan: dict[str, Any] = {
        "domain": _line("domain", source.get("domain", ""), 60),
        "task": source.get("task") if source.get("task") in TASKS else "other",
        "minutes": _number("minutes", source.get("minutes", 0)),
        "display": _texts("display", source.get("display"), LONGEST_TITLE),
        "story": _story(source.get("story", {})),
        "dataset": _dataset(source.get("dataset")),
        "steps": _steps(source.get("steps")),
    }
    if source.get("domain_display"):
        plan["domain_display"] = _texts("domain_display", source["domain_display"], LONGEST_TITLE)
    if source.get("measured"):
        plan["measured"] = _measured(source["measured"])
    return {key: plan[key] for key in _KEYS if key in plan}


def _texts(place: str, value: Any, longest: int) -> dict[str, str]:
    """The same text in one language or several."""
    wanted = f"{{{', '.join(LANGUAGES)}}} ≤ {longest}"
    if not isinstance(value, Mapping) or not value or not set(value) <= set(LANGUAGES):
        raise CasePlanFaulty(place=place, wanted=wanted)
    for text in value.values():
        if not isinstance(text, str) or not text.strip() or len(text) > longest or not _is_shown(text):
            raise CasePlanFaulty(place=place, wanted=wanted)
    return {language: value[language].strip() for language in LANGUAGES if language in value}


def _line(place: str, value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise CasePlanFaulty(place=place, wanted=f"≤ {longest}")
    return value


def _number(place: str, value: Any) -> float:
    """A finite number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10**9 or not isfinite(value):
        raise CasePlanFaulty(place=place, wanted="0 … 10⁹")
    return value


def _whole(place: str, value: Any) -> int:
    return int(_number(place, value))


def _story(value: Any) -> dict[str, dict[str, str]]:
    if not isinstance(value, Mapping) or not set(value) <= set(STORY):
        raise CasePlanFaulty(place="story", wanted=", ".join(STORY))
    return {key: _texts(f"story.{key}", value[key], LONGEST_TEXT) for key in STORY if key in value}


def _dataset(value: Any) -> dict[str, Any]:
    """The files of the data, or its shape alone: columns, and how many rows there were."""
    if not isinstance(value, Mapping):
        raise CasePlanFaulty(place="dataset", wanted="{name, format, …}")
    if value.get("format") not in list(FORMATS):  # a list is not to be hashed
        raise CasePlanFaulty(place="dataset.format", wanted=", ".join(FORMATS))
    columns = value.get("columns", [])
    if not isinstance(columns, list) or len(columns) > MOST_COLUMNS:
        raise CasePlanFaulty(place="dataset.columns", wanted=f"≤ {MOST_COLUMNS}")
    files = {key: value.get(key, "") for key in ("train", "test")}
    for key, name in (("train", TRAIN), ("test", TEST)):
        if files[key] not in ("", name):
            raise CasePlanFaulty(place=f"dataset.{key}", wanted=name)
    return {
        "name": _line("dataset.name", value.get("name"), LONGEST_TITLE),
        "format": value["format"],
        **files,
        "columns": [_line("dataset.columns", one, 200) for one in columns],
        "rows": _whole("dataset.rows", value.get("rows", 0)),
        "test_rows": _whole("dataset.test_rows", value.get("test_rows", 0)),
    }


def _steps(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_STEPS:
        raise CasePlanFaulty(place="steps", wanted=f"1 … {MOST_STEPS}")
    for number, step in enumerate(value, 1):
        if not isinstance(step, dict):
            raise CasePlanFaulty(place=f"steps.{number}", wanted="{name, method, …}")
        for key in ("name", "method", "kind", "title"):
            if not isinstance(step.get(key, ""), str):
                raise CasePlanFaulty(place=f"steps.{number}.{key}", wanted="“…”")
        for key in ("parameters", "inputs", "from_data"):
            if not isinstance(step.get(key, {}), dict):
                raise CasePlanFaulty(place=f"steps.{number}.{key}", wanted="{…}")
    return value


def _measured(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise CasePlanFaulty(place="measured", wanted="{date, machine, minutes, rows, base, tuned}")
    tables = {key: _scores(f"measured.{key}", value.get(key)) for key in ("base", "tuned")}
    if set(tables["base"]) != set(tables["tuned"]):
        raise CasePlanFaulty(place="measured.base", wanted=", ".join(tables["tuned"]))
    return {
        "date": _line("measured.date", value.get("date"), 20),
        "machine": _line("measured.machine", value.get("machine"), 200),
        "minutes": _number("measured.minutes", value.get("minutes")),
        "rows": _whole("measured.rows", value.get("rows")),
        **tables,
    }


def _scores(place: str, value: Any) -> dict[str, list[float]]:
    if not isinstance(value, Mapping) or not 0 < len(value) <= MOST_SCORES:
        raise CasePlanFaulty(place=place, wanted=f"1 … {MOST_SCORES}")
    for name, interval in value.items():
        _line(place, name, 64)
        if not isinstance(interval, list) or len(interval) != 3 or not all(map(_is_share, interval)):
            raise CasePlanFaulty(place=f"{place}.{name[:64]}", wanted="[0 … 1, 0 … 1, 0 … 1]")
    return {name: list(interval) for name, interval in value.items()}


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_shown(text: str) -> bool:
    """Whether a text holds no sign that nobody sees, but for ends of lines and tabs."""
    return all(one.isprintable() or one in "\n\t" for one in text)
