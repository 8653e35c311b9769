"""How long the rows of a dataset or a draft are, as its card shows it, and in whose tokens that can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from control_plane.domain.errors import Invalid, SeeingBroke, TooMany
from control_plane.domain.preparation import Report
from control_plane.services import tokenizers
from control_plane.services.datasets import lengths
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.wording import say
from web import data_words, histograms
from web.access import the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale


@dataclass(frozen=True)
class Lengths:
    """A picture of them, the unit in words, and why that is not tokens, if it should be."""

    picture: histograms.Histogram
    unit: str
    problem: str = ""


def of(facts: Mapping[str, Any]) -> Lengths | None:
    """What the facts of a report tell; None where lengths were not counted."""
    spread, problem = facts.get("histogram", {}), facts.get("uncounted")
    picture = histograms.draw(spread.get("edges", []), spread.get("counts", []), spread.get("limit", 0))
    if picture is None:
        return None
    said = say(problem["code"], problem["params"], locale()) if problem else ""
    return Lengths(picture, data_words.unit(spread["unit"]), said)


@dataclass(frozen=True)
class Card:
    """The lengths of a version; where nothing is known of them yet, a model may count them."""

    lengths: Lengths | None
    models: list[tuple[str, str]]
    model: int = 0  # in whose tokens; 0: in characters
    problem: str = ""
    counted: int = 0  # rows, where not all need to have been
    is_to_be_measured: bool = False


def kept(version: DatasetVersionRecord, report: Report | None) -> Card:
    """What was counted when the version was made."""
    facts = report.facts if report else {}
    in_tokens = facts.get("histogram", {}).get("unit") == "tokens"
    found, by = of(facts), version.facts.get("base_model", {}).get("id", 0) if in_tokens else 0
    offered = models(by, in_characters=found is not None and not by)
    return Card(found, offered, by, is_to_be_measured=found is None and bool(offered))


def measured(version: DatasetVersionRecord, model_id: int) -> Card:
    """In tokens of a model; what can go wrong is said on the card."""
    offered = models(model_id, in_characters=False)
    try:
        found = lengths.of_version(the_actor(), the_control_plane(), int(version.id), model_id)
    except (Invalid, TooMany, SeeingBroke) as problem:
        return Card(None, offered, model_id, sentence(problem))
    return Card(of({"histogram": found.histogram}), offered, int(found.model.id), counted=found.counted)


def models(chosen: int, in_characters: bool = True) -> list[tuple[str, str]]:
    """The models in whose tokens lengths can be told, perhaps behind none; empty where the reader sees no models."""
    project = the_project()
    if not the_actor().may("model.see", project.id):
        return []
    found = tokenizers.choices(the_actor(), the_control_plane(), project.name, chosen)
    none = ("0", gettext("no model: in characters"))
    return [*([none] if in_characters else []), *((str(one.id), one.label) for one in found)] if found else []
