"""The reader's language: `?lang=` (kept), else what they chose before, else what the browser asks for."""

from __future__ import annotations

from flask import Flask, g, request, session
from flask_babel import Babel

from control_plane.services.access import profile
from control_plane.wording import LOCALES, TRANSLATIONS, locale_of
from web.access import the_control_plane


def speak(app: Flask) -> None:
    """Set up gettext for templates and pages. The catalogue is the one of errors and explanations."""
    Babel(app, default_translation_directories=str(TRANSLATIONS), locale_selector=locale)


def locale() -> str:
    """One of the keys of LOCALES."""
    chosen = request.args.get("lang", "")
    if chosen in LOCALES:
        return chosen
    kept: str = session.get("lang", "")
    return kept if kept in LOCALES else locale_of(request.headers.get("Accept-Language", ""))


def remember() -> None:
    """Before each request, after who asks is known: keep a choice, for the user where there is one."""
    chosen = request.args.get("lang", "")
    if chosen not in LOCALES or session.get("lang") == chosen:
        return
    session["lang"] = chosen
    if g.get("actor") is not None:
        profile.set_language(g.actor, the_control_plane(), chosen)
