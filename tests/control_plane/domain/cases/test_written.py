"""A plan that somebody else wrote: what is known is kept, anything that does not fit is named by its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from control_plane.domain import errors, plans
from control_plane.domain.cases import written

PLAN: dict[str, Any] = {
    "domain": "water",
    "domain_display": {"de": "Wasserwerk"},
    "task": "extraction",
    "minutes": 5.5,
    "display": {"de": "Pumpen → Einträge"},
    "story": {"problem": {"de": "Zu viele\nMeldungen."}},
    "measured": {"date": "2026-01-01", "machine": "", "minutes": 0, "rows": 64}
    | {"base": {"f": [0, 0, 0.1]}, "tuned": {"f": [1, 0.9, 1]}},
    "dataset": {"name": "Pumpen", "format": "prompt_completion", "rows": 9, "test_rows": 3}
    | {"columns": ["prompt", "completion"]},
    "steps": [{"name": "data", "kind": "data"}],
}  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    plan = copy.deepcopy(PLAN)
    *outer, last = path.split(".")
    inner: Any = plan
    for key in outer:
        inner = inner[int(key)] if isinstance(inner, list) else inner[key]
    inner[last] = value
    return plan


def test_a_sound_plan_is_kept_and_can_be_read() -> None:
    kept = written.checked(PLAN | {"name": "stranger", "unknown": {"a": 1}, "playground": {"prompt": "x"}})
    assert "unknown" not in kept and "name" not in kept
    plan = plans.parse("pumps", kept, "zh")
    assert (plan.title, plan.field, plan.task) == ("Pumpen → Einträge", "Wasserwerk", "extraction")
    assert plan.dataset.train == "" and plan.dataset.rows == 9
    assert plan.measured is not None and plan.measured.scores[0].tuned == (1.0, 0.9, 1.0)


def test_a_task_that_nobody_knows_is_something_else() -> None:
    assert written.checked(PLAN | {"task": ["extraction"]})["task"] == "other"


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("display", {}, "display"), ("display", "Pumps", "display"), ("display", {"fr": "Pompes"}, "display"),
        ("display.de", " ", "display"), ("display.de", "x" * 161, "display"), ("display.de", "a\u202eb", "display"),
        ("display.de", 7, "display"), ("domain", "a\nb", "domain"), ("domain", None, "domain"),
        ("minutes", -1, "minutes"), ("minutes", float("inf"), "minutes"), ("minutes", True, "minutes"),
        ("minutes", "5", "minutes"), ("minutes", 10**400, "minutes"),
        ("story.problem", {"de": "x" * 4001}, "story.problem"), ("story.more", {"de": "x"}, "story"),
        ("story", [], "story"), ("dataset", None, "dataset"), ("dataset.format", "csv", "dataset.format"),
        ("dataset.format", ["text"], "dataset.format"), ("dataset.train", "../../etc/passwd", "dataset.train"),
        ("dataset.train", "test.jsonl", "dataset.train"), ("dataset.columns", "prompt", "dataset.columns"),
        ("dataset.columns", ["x"] * 101, "dataset.columns"), ("dataset.columns", [1], "dataset.columns"),
        ("dataset.rows", "many", "dataset.rows"), ("dataset.name", 5, "dataset.name"),
        ("measured.tuned", {"g": [1, 1, 1]}, "measured.base"), ("measured.tuned.f", [1, 2], "measured.tuned.f"),
        ("measured.tuned.f", [1, 1, 7], "measured.tuned.f"), ("measured.rows", None, "measured.rows"),
        ("measured.base", {}, "measured.base"), ("measured", "good", "measured"),
        ("steps", [], "steps"), ("steps", {}, "steps"), ("steps", [{}] * 41, "steps"), ("steps", ["data"], "steps.1"),
        ("steps.0.name", 7, "steps.1.name"), ("steps.0.parameters", [], "steps.1.parameters"),
        ("steps.0.inputs", "x", "steps.1.inputs"),
        ("steps.0.parameters", {"a": "\ud800"}, "–"), ("steps.0.parameters", {"a": "x" * 300_000}, "–"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(path: str, value: Any, place: str) -> None:
    with pytest.raises(errors.CasePlanFaulty) as refused:
        written.checked(changed(path, value))
    assert refused.value.params["place"] == place
