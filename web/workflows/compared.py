"""Two runs side by side, in words: what differs, and what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from control_plane.domain.graph import Graph
from control_plane.domain.workflows.changes import Difference
from control_plane.services.workflows.comparing import Measured
from web import words
from web.workflows.seen import step_word


@dataclass(frozen=True)
class Told:
    """A difference in words."""

    step: str
    what: str
    before: str
    after: str


def told(differences: Sequence[Difference], *graphs: Graph) -> list[Told]:
    """Differences in words; `graphs` are those of the two runs."""
    titles: dict[str, str] = {
        step.name: step.name if step.variant else step_word(step) for graph in graphs for step in graph
    }
    return [
        Told(titles.get(one.step, one.step), one.name or _what(one), _value(one.before), _value(one.after))
        for one in differences
    ]


def sentence(one: Measured) -> str:
    """What a change did to a metric, in one sentence: plainly also where it cannot be told."""
    name = words.metric(one.metric)
    if one.gain is None:
        return str(gettext("Only one of the two runs has “%(metric)s”.", metric=name))
    low, high = words.points(one.gain.low), words.points(one.gain.high)
    texts: Mapping[str, str] = {
        "better": gettext("“%(metric)s” got better, by %(value)s.", metric=name, value=words.points(one.gain.value)),
        "worse": gettext("“%(metric)s” got worse, by %(value)s.", metric=name, value=words.points(one.gain.value)),
        "unclear": gettext(
            "Whether “%(metric)s” got better cannot be told: the difference lies between %(low)s and %(high)s.",
            metric=name,
            low=low,
            high=high,
        ),
    }
    return texts[one.verdict]


def _what(one: Difference) -> str:
    names: dict[str, str] = {
        "data": gettext("Version"),
        "method": gettext("Method"),
        "method_version": gettext("The method was written anew"),
        "title": gettext("Name of what it makes"),
        "step": gettext("The step itself"),
    }
    return names.get(one.what, one.what)


def _value(value: Any) -> str:
    return "–" if value is None else words.value(value)
