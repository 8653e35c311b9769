"""What a job would take, in the reader's words, for the form of a new one."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext

from control_plane.context import ControlPlane
from control_plane.domain.errors import TunesmithError
from control_plane.domain.permissions import Actor
from control_plane.services import forecasts
from control_plane.services.forecasts import Forecast, Place
from web import formatting, job_form
from web.job_form import Draft
from web.languages import locale

_LOOKS = {"ready": "ready", "busy": "running", "memory": "failed", "disk": "failed", "offline": "offline"}


@dataclass(frozen=True)
class Row:
    """A machine that has a device for the job."""

    place: Place
    look: str
    word: str


@dataclass(frozen=True)
class View:
    """A forecast as the page draws it; `parts` are (what for, size)."""

    forecast: Forecast
    parts: list[tuple[str, str]]
    correction: str
    rows: list[Row]


def view(actor: Actor, cp: ControlPlane, project: str, draft: Draft) -> View | None:
    """What the job of a draft would take, once enough is chosen and right; sending the form says what is not."""
    if not draft.is_readable or job_form.lacks(draft):
        return None
    given = job_form.references(draft)
    try:
        found = forecasts.forecast(actor, cp, project, draft.record.name, draft.parameters, given)
    except TunesmithError:
        return None
    parts = [(_part(name), formatting.filesize(size, locale())) for name, size in found.parts.items()]
    rows = [Row(place, _LOOKS.get(place.state, "paused"), _state(place.state)) for place in found.places]
    return View(found, parts, _correction(found.factor), rows)


def _part(name: str) -> str:
    names: dict[str, str] = {
        "runtime": gettext("Program and libraries"),
        "weights": gettext("Weights of the model"),
        "reference": gettext("A second, frozen copy of the model"),
        "learned": gettext("What is learned, and its gradients"),
        "optimizer": gettext("What the optimizer keeps"),
        "activations": gettext("What the layers keep for learning (activations)"),
        "output": gettext("Scores of all possible words"),
        "rollouts": gettext("Answers that are tried out"),
    }
    return names.get(name, name)


def _state(code: str) -> str:
    names: dict[str, str] = {
        "ready": gettext("Ready"),
        "busy": gettext("In use"),
        "memory": gettext("Too little memory"),
        "disk": gettext("Too little free disk"),
        "offline": gettext("Offline"),
        "drained": gettext("Takes no new work"),
        "on_battery": gettext("On battery"),
    }
    return names.get(code, code)


def _correction(factor: float) -> str:
    if factor == 1:
        return ""
    share = formatting.percent(factor, locale())
    text: str = gettext("Earlier jobs held %(share)s of what was worked out; that is taken into account.", share=share)
    return text
