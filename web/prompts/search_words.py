"""What a search for a prompt found, in words."""

from __future__ import annotations

from flask_babel import gettext

from control_plane.domain.prompts.search import NOTHING, Search
from control_plane.domain.verdict import BETTER, UNCLEAR, WORSE


def verdict(found: Search) -> str:
    """Whether the best prompt is better than none, and what to do about it."""
    names = {
        BETTER: gettext("The prompt found is better than none, also on rows that did not choose it."),
        WORSE: gettext("The prompt looked good only on the rows that chose it; on others it is worse than none."),
        UNCLEAR: gettext("Whether the prompt found is better than none cannot be told from so few rows."),
        NOTHING: gettext("Nothing that was tried was better than no prompt at all."),
    }
    return str(names[found.verdict])


def ended(found: Search) -> str:
    """Why the search ended."""
    names = {
        "candidates": gettext("All prompts were tried."),
        "minutes": gettext("The time was up before all prompts were tried; what was found by then counts."),
    }
    return str(names[found.ended])


def origin(code: str) -> str:
    """How a candidate came about; a method's own word where we have none."""
    names: dict[str, str] = {
        "base": gettext("Without a prompt"),
        "instruction": gettext("Instruction"),
        "examples": gettext("Examples from the data"),
        "own_answers": gettext("Good answers of the model itself"),
        "neighbour": gettext("The best so far with one change"),
    }
    return names.get(code, code)
