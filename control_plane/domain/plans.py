"""What a case (`case.toml`) says in the reader's language, and the data that it brings; its steps are a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.domain import names
from control_plane.domain.manifest import in_language


@dataclass(frozen=True)
class Data:
    """The case's files, and the name of the dataset that they become."""

    name: str
    format: str
    train: str
    test: str


@dataclass(frozen=True)
class Plan:
    """What a case is, in words."""

    name: str
    title: str
    domain: str
    minutes: float  # of work on two processor cores, without the building of environments; 0: unknown
    story: Mapping[str, str]  # problem, need, result, duration
    dataset: Data


def parse(name: str, source: Mapping[str, Any], locale: str = "en") -> Plan:
    """The plan of the case called `name`. Raises KeyError where a part is missing: a shipped case is tested for it."""
    dataset = source["dataset"]
    return Plan(
        name=name,
        title=in_language(source["display"], locale),
        domain=in_language(source.get("domain_display", ""), locale) or source.get("domain", ""),
        minutes=float(source.get("minutes", 0)),
        story={key: in_language(text, locale) for key, text in source.get("story", {}).items()},
        dataset=Data(names.of_title(dataset["name"]), dataset["format"], dataset["train"], dataset["test"]),
    )
