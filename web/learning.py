"""What is said of a training's loss or reward: whether it learns, what follows from it, and the numbers behind it."""

from __future__ import annotations

from flask_babel import gettext

from control_plane.domain.learning import REWARD, Learning
from web import formatting
from web.languages import locale


def says(found: Learning | None) -> tuple[str, str]:
    """What a loss or a reward says, and what follows from it; empty while there is nothing to say."""
    if found is None:
        return "", ""
    if found.measure == REWARD:
        return _of_reward()[found.verdict]
    known: dict[str, tuple[str, str]] = {
        "falling": (gettext("Yes: the loss is falling."), ""),
        "flat": (
            gettext("Not so far: the loss has not fallen."),
            gettext("A higher learning rate or more steps often help; so does looking at the data."),
        ),
        "diverged": (
            gettext("No: the loss rose, so what was learnt is lost (diverged)."),
            gettext("A lower learning rate helps most often. Do not use this model."),
        ),
        "over_learning": (
            gettext("It learns by heart: the loss on held-out rows rises again (overfitting)."),
            gettext("Fewer steps or more data help."),
        ),
    }
    return known[found.verdict]


def figures(found: Learning | None) -> str:
    """The numbers behind it."""
    if found is None:
        return ""
    numbers = {name: formatting.number(getattr(found, name), locale()) for name in ("first", "last", "best")}
    if found.measure == REWARD:
        return str(gettext("Reward: %(first)s at first, %(last)s at last, %(best)s at best.", **numbers))
    return str(gettext("Loss: %(first)s at first, %(last)s at last, %(best)s at best.", **numbers))


def _of_reward() -> dict[str, tuple[str, str]]:
    return {
        "rising": (gettext("Yes: the reward is rising."), ""),
        "flat": (
            gettext("Not so far: the reward has not risen."),
            gettext("More steps, a higher learning rate or checks that give partial credit often help."),
        ),
        "constant": (
            gettext("No: the reward has been the same in every step, so there is nothing to learn from."),
            gettext("Choose checks that tell better answers from worse ones, as those do that give partial credit."),
        ),
        "diverged": (
            gettext("No: the reward has fallen, or the model has gone far beyond its base model (diverged)."),
            gettext(
                "A lower learning rate or a stronger tie to the base model helps most often. Do not use this model."
            ),
        ),
    }
