"""From code and parameters to a sentence in the reader's language: the one place where they become words."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from control_plane.domain import errors
from control_plane.domain.waiting import REASONS

TRANSLATIONS = Path(__file__).parent / "translations"
LOCALES = {"en": "English", "de": "Deutsch", "zh": "中文"}

# byte counts among the parameters are shown in the unit that a person reads
_BYTES = frozenset({"needed", "free", "limit"})


@cache
def catalogue(locale: str) -> gettext.NullTranslations:
    """The catalogue of a locale; English is the catalogue's own key."""
    return gettext.translation("messages", TRANSLATIONS, [locale], fallback=True)


@cache
def _sentences() -> Mapping[str, str]:
    return {errors.code_of(kind): errors.sentence_of(kind) for kind in errors.every()}


def say(code: str, params: Mapping[str, object], locale: str) -> str:
    """The sentence of an error code. A code from a method that is not ours is said with its own `text`."""
    sentence = _sentences().get(code)
    if sentence is None:
        return str(params.get("text") or code)
    return _fill(sentence, params, locale)


def waiting(code: str, params: Mapping[str, object], locale: str) -> str:
    """The sentence why a job or a deployment waits; empty for an empty code."""
    return _fill(REASONS[code], params, locale) if code else ""


def locale_of(languages: str) -> str:
    """The best of our locales for an Accept-Language header or a stored preference; English when none fits."""
    for part in languages.split(","):
        tag = part.split(";")[0].strip().lower().replace("_", "-").split("-")[0]
        if tag in LOCALES:
            return tag
    return "en"


def _fill(sentence: str, params: Mapping[str, object], locale: str) -> str:
    shown = {key: _show(key, value) for key, value in params.items()}
    return catalogue(locale).gettext(sentence).format_map(_Open(shown))


def _show(key: str, value: object) -> str:
    if key in _BYTES and isinstance(value, int):
        return _size(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)


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
