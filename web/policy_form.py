"""What a job's owner asks of the scheduler, as fields: in hours and minutes, and from now on, as people say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask_babel import gettext

from control_plane.domain.policies import FAIL, REQUEUE, Policy
from control_plane.store.jobs import JobRecord
from web import forms
from web.forms import Field, FormData

PREFIX = "policy."
_UNITS = {"time_limit": 3600.0, "not_before": 3600.0, "lost_after": 60.0}  # seconds of what is typed
_FURTHEST = 1e12  # seconds; a policy refuses that, and infinity has no integer
_CONTROLS = {"when_lost": "give_up"}  # field of a policy → its control, where they differ


def _schema() -> dict[str, Any]:
    """As a method's parameters are written; a number that may be left out is null."""
    number = {"type": ["number", "null"], "default": None}
    fields: dict[str, Any] = {
        "priority": {
            "type": "integer",
            "default": 0,
            "minimum": -100,
            "maximum": 100,
            "title": gettext("Priority"),
            "description": gettext("From −100 to 100. Of two jobs that wait, the higher one is planned first."),
        },
        "not_before": number
        | {
            "title": gettext("Start in (hours) at the earliest"),
            "description": gettext("Left empty, it starts as soon as a machine is free."),
        },
        "time_limit": number
        | {
            "title": gettext("Longest time it may run (hours)"),
            "description": gettext(
                "Then it ends as failed. Left empty: 30 minutes for imports as a rule, else any time."
            ),
        },
        "lost_after": number
        | {
            "title": gettext("Count its machine as lost after (minutes)"),
            "description": gettext("Of silence. Left empty, it depends on the class of the machine."),
        },
        "give_up": {
            "type": "boolean",
            "default": False,
            "title": gettext("Fail when its machine is lost, instead of queuing again"),
        },
    }
    return {"properties": fields}


def read(form: FormData, decimal: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What is asked for, by field, and a code for each text that cannot be read."""
    return forms.read(_schema(), form, decimal, PREFIX)


def fields(form: Mapping[str, Any], errors: Mapping[str, str], decimal: str) -> list[Field]:
    """The controls; `form` are values, or texts as they were typed."""
    named = {name.removeprefix(PREFIX): text for name, text in errors.items() if name.startswith(PREFIX)}
    (group,) = forms.layout(_schema(), {}, form, named, decimal, PREFIX)
    return list(group.fields)


def typed(form: FormData) -> dict[str, str]:
    """What was typed."""
    return forms.texts(_schema(), form, PREFIX)


def policy(values: Mapping[str, Any], now: float) -> Policy:
    """What the values of `read` ask for at this time."""
    seconds = {name: values[name] * unit for name, unit in _UNITS.items() if values.get(name) is not None}
    return Policy(
        priority=values.get("priority", 0),
        not_before=round(now + min(seconds["not_before"], _FURTHEST)) if seconds.get("not_before") else 0.0,
        lost_after=seconds.get("lost_after"),
        when_lost=FAIL if values.get("give_up") else REQUEUE,
        time_limit=seconds.get("time_limit"),
    )


def values_of(job: JobRecord) -> dict[str, Any]:
    """The same for another job like this one; when it was to start at the earliest is over."""
    units = {name: getattr(job, name) / _UNITS[name] for name in ("time_limit", "lost_after") if getattr(job, name)}
    whole = {name: int(value) if value.is_integer() else value for name, value in units.items()}
    return {"priority": job.priority, "give_up": job.when_lost == FAIL} | whole


def asked(policy: Policy) -> dict[str, Any]:
    """What differs from the usual, in seconds, as the API takes it."""
    usual = asdict(Policy())
    return {name: value for name, value in asdict(policy).items() if value != usual[name]}


def control(field: str) -> str:
    """The control of a field of the policy."""
    return PREFIX + _CONTROLS.get(field, field)
