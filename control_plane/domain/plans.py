"""What a case (`case.toml`) says in the reader's language, and the data that it brings; its steps are a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.domain import names

# what a model of a case does, as a library is searched by; the words stand in web/words.py
TASKS = ("extraction", "classification", "query", "formulation", "reasoning", "other")


@dataclass(frozen=True)
class Data:
    """The case's files, and the name of the dataset that they become."""

    name: str
    format: str
    train: str  # empty: a case that brings the shape of its data alone
    test: str
    columns: Sequence[str] = ()  # of that shape
    rows: int = 0
    test_rows: int = 0


@dataclass(frozen=True)
class Score:
    """A metric over the held-out rows with its 95 % interval; before and after."""

    metric: str
    base: tuple[float, float, float]  # value, low, high
    tuned: tuple[float, float, float]


@dataclass(frozen=True)
class Measured:
    """What came of the case where it was measured. Written by tests/benchmarks/cases.py into `[measured]`."""

    date: str
    machine: str
    minutes: float  # of work, without the building of environments
    rows: int  # held-out rows that were answered
    scores: Sequence[Score]


@dataclass(frozen=True)
class Plan:
    """What a case is, in words."""

    name: str
    title: str
    domain: str  # what its field is called by a program
    field: str  # … by a person
    task: str  # one of TASKS
    minutes: float  # of work on two processor cores, without the building of environments; 0: unknown
    story: Mapping[str, str]  # problem, need, result, limits, duration, columns, next
    dataset: Data
    measured: Measured | None = None


def parse(name: str, source: Mapping[str, Any], locale: str = "en") -> Plan:
    """The plan of the case called `name`. Raises KeyError where a part is missing: a shipped case is tested for it."""
    dataset, domain = source["dataset"], str(source.get("domain", ""))
    task = source.get("task", "")
    return Plan(
        name=name,
        title=said(source["display"], locale),
        domain=domain,
        field=said(source.get("domain_display", ""), locale) or domain,
        task=task if task in TASKS else "other",
        minutes=float(source.get("minutes", 0)),
        story={key: said(text, locale) for key, text in source.get("story", {}).items()},
        dataset=Data(
            name=names.of_title(dataset["name"]),
            format=dataset["format"],
            train=dataset.get("train", ""),
            test=dataset.get("test", ""),
            columns=dataset.get("columns", ()),
            rows=dataset.get("rows", 0),
            test_rows=dataset.get("test_rows", 0),
        ),
        measured=_measured(source["measured"]) if source.get("measured") else None,
    )


def said(texts: Mapping[str, str] | str, locale: str) -> str:
    """A text by language in the reader's; else in English, else in the first language that there is."""
    if isinstance(texts, str):
        return texts
    return texts.get(locale) or texts.get("en") or next(iter(texts.values()), "")


def _measured(source: Mapping[str, Any]) -> Measured:
    base, tuned = source["base"], source["tuned"]
    return Measured(
        date=str(source["date"]),
        machine=str(source["machine"]),
        minutes=float(source["minutes"]),
        rows=int(source["rows"]),
        scores=[Score(metric, _interval(base[metric]), _interval(value)) for metric, value in tuned.items()],
    )


def _interval(values: Sequence[float]) -> tuple[float, float, float]:
    value, low, high = map(float, values)
    return value, low, high
