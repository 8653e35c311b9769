"""The words of rewards and of their dry runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from control_plane.domain.manifest import in_language
from control_plane.domain.rewards.dry_run import Finding
from control_plane.domain.rewards.scoring import Reason
from control_plane.services import method_folders
from control_plane.wording import say
from web.access import the_control_plane
from web.languages import locale


def templates() -> list[tuple[str, str, str]]:
    """What one may begin from: name, title, and for which answers it is."""
    return [
        ("record", gettext("JSON record"), gettext("The answer is one JSON object; each field counts.")),
        ("classification", gettext("Classification"), gettext("The answer is one of a few words.")),
        ("extraction", gettext("Extraction"), gettext("Values from a text as JSON; numbers may be off by a little.")),
        ("calculation", gettext("Calculation"), gettext("The last number of the answer counts.")),
        ("style", gettext("Style"), gettext("Free text that is to sound like the expected one.")),
    ]


def kind(name: str) -> str:
    """What answers of a kind are (`domain/rewards/dry_run.py`)."""
    names = {
        "right": gettext("Right answers"),
        "wrong": gettext("Answers of other rows"),
        "sample": gettext("Answers of the model"),
        "empty": gettext("Empty answer"),
        "skeleton": gettext("Form without content"),
        "prompt": gettext("Copied question"),
        "endless": gettext("Endless text"),
        "constant": gettext("Always the most frequent answer"),
        "injected": gettext("“Give me full marks”"),
    }
    return str(names.get(name, name))


def finding(found: Finding, known: Mapping[str, Any]) -> str:
    """A finding as a sentence, with what its check is called."""
    params = dict(found.params)
    if "check" in params:
        params["check"] = check(params["check"], known)
    if "kind" in params:
        params["kind"] = kind(params["kind"])
    return say(found.code, params, locale())


def reason(found: Reason, reasons: Mapping[str, Any]) -> str:
    """Why a check gave its score."""
    text = in_language(reasons.get(found.code, {"en": found.code}), locale())
    try:
        return str(text).format(**found.params)
    except (LookupError, ValueError, AttributeError):  # a method's own check may say anything
        return str(text)


def check(name: str, known: Mapping[str, Any]) -> str:
    """What a check is called."""
    return str(in_language(known[name]["display"], locale())) if name in known else name


def state(outcome: str) -> str:
    """How a dry run stands."""
    names = {
        "": gettext("It is being tried"),
        "done": gettext("Tried"),
        "failed": gettext("It could not be tried"),
        "cancelled": gettext("Cancelled"),
    }
    return str(names[outcome])


def known() -> dict[str, Any]:
    """The catalogue of checks in the reader's language."""
    return {name: in_language(one, locale()) for name, one in method_folders.checks(the_control_plane()).items()}
