"""From code and parameters to a sentence in the reader's language: the one place where they become words."""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from control_plane.domain import errors
from control_plane.domain.lifecycle import QUEUED
from control_plane.domain.listeners.events import EVENTS, TITLES
from control_plane.domain.terms import TERMS
from control_plane.domain.waiting import REASONS

TRANSLATIONS = Path(__file__).parent / "translations"
LOCALES = {"en": "English", "de": "Deutsch", "zh": "中文"}

# byte counts among the parameters are shown in the unit that a person reads
_BYTES = frozenset({"needed", "free", "limit"})
_DURATIONS = frozenset({"allowed"})  # seconds among the parameters, likewise
# parameters that hold codes of ours, which have words
_CODES = frozenset({"accepted", "given", "expected", "state", "permission", "verdict"})

_LISTED = {"zh": "、"}  # what stands between the parts of a list; elsewhere a comma
_QUOTE = "\x00"
_QUOTING = re.compile(r"(?:(?<=[.。])[^.。]*)?\x00.*", re.DOTALL)  # the sentence that ends with the quotation
_PLACE = re.compile(r"\{(\w+)\}")  # in a method's sentence, which is not ours: nothing but a name is filled in


@cache
def catalogue(locale: str) -> gettext.NullTranslations:
    """The catalogue of a locale; English is the catalogue's own key."""
    return gettext.translation("messages", TRANSLATIONS, [locale], fallback=True)


@cache
def _sentences() -> Mapping[str, str]:
    return {errors.code_of(kind): errors.sentence_of(kind) for kind in errors.every()}


def say(code: str, params: Mapping[str, object], locale: str) -> str:
    """The sentence of an error code. A code that is not ours is a method's: it is said with its own `text`."""
    told = _told(params, locale)
    sentence = _sentences().get(code)
    if sentence is None:
        return told or code
    return _fill(sentence, {**params, "text": told}, locale)


def briefly(code: str, params: Mapping[str, object], locale: str) -> str:
    """The same without the lines of a log that it would quote: they may hold what only the job's readers should see."""
    if "lines" not in params:
        return say(code, params, locale)
    told = say(code, {**params, "lines": _QUOTE}, locale)
    return _QUOTING.sub("", told).rstrip(" :：")


def waiting(code: str, params: Mapping[str, object], locale: str) -> str:
    """The sentence why a job or a deployment waits; empty for an empty code."""
    return _fill(REASONS[code], params, locale) if code else ""


def happened(event: str, params: Mapping[str, object], locale: str) -> str:
    """The sentence that tells listeners of an event."""
    return _fill(EVENTS[event], params, locale)


def event_title(event: str, locale: str) -> str:
    """What an event is called where listeners choose."""
    return catalogue(locale).gettext(TITLES.get(event, event))


def why(state: str, code: str, params: Mapping[str, object], locale: str) -> str:
    """Why a deployment is in a state: a reason to wait while it is queued, an error's sentence otherwise."""
    if state == QUEUED:
        return waiting(code, params, locale)
    return say(code, params, locale) if code else ""


def locale_of(languages: str) -> str:
    """The best of our locales for an Accept-Language header or a stored preference; English when none fits."""
    for part in languages.split(","):
        tag = part.split(";")[0].strip().lower().replace("_", "-").split("-")[0]
        if tag in LOCALES:
            return tag
    return "en"


def _told(params: Mapping[str, object], locale: str) -> str:
    """A method's own words: as it said them in English, else its manifest's with the parameters filled in."""
    text = params.get("text", "")
    if not isinstance(text, Mapping):
        return str(text)
    words = text.get(locale) if locale != "en" else None
    if words is None:
        return str(text.get("en", ""))
    return _PLACE.sub(lambda place: _show(place[1], params.get(place[1], place[0]), locale), str(words))


def _fill(sentence: str, params: Mapping[str, object], locale: str) -> str:
    shown = {key: _show(key, value, locale) for key, value in params.items()}
    return catalogue(locale).gettext(sentence).format_map(_Open(shown))


def _show(key: str, value: object, locale: str) -> str:
    if key in _BYTES and isinstance(value, int):
        return _size(value)
    if key in _DURATIONS and isinstance(value, int | float):
        return _duration(value)
    if isinstance(value, list | tuple):
        return _LISTED.get(locale, ", ").join(_word(key, item, locale) for item in value)
    return _word(key, value, locale)


def _word(key: str, value: object, locale: str) -> str:
    code = str(value)
    return catalogue(locale).gettext(TERMS[code]) if key in _CODES and code in TERMS else code


def _duration(seconds: float) -> str:
    """In the unit that fits, whose signs are the same in each language."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.4g} {unit}"
    return f"{seconds:g} s"


def _size(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024 or unit == "GiB":
            return f"{value:.1f} {unit}" if unit != "B" else f"{value:.0f} B"
        value /= 1024
    raise AssertionError("the loop returns")


class _Open(dict[str, str]):
    """Leaves an unknown placeholder visible instead of failing: a sentence is better than none."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
