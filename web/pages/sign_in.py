"""Signing in and out, and the one-time link that sets a password."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from control_plane.domain.errors import LinkExpired, PasswordTooShort, WrongPassword
from control_plane.services.access import passwords, people
from control_plane.wording import LOCALES
from web.access import begin_session, end_session, public, signed_in, the_control_plane
from web.failures import sentence

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@public
def form() -> ResponseReturnValue:
    """Ask for name and password."""
    if g.get("actor") is not None:
        return redirect(_next())
    return render_template("sign_in/form.html", name="", problem="", next=_next())


@blueprint.post("/sign-in")
@public
def enter() -> ResponseReturnValue:
    """Check them, and begin a session."""
    name = request.form.get("name", "").strip()
    try:
        secret = people.sign_in(the_control_plane(), name, request.form.get("password", ""), request.remote_addr or "")
    except WrongPassword as problem:
        return render_template("sign_in/form.html", name=name, problem=sentence(problem), next=_next()), 401
    _begin(secret)
    return redirect(_next())


@blueprint.post("/sign-out")
@signed_in
def leave() -> ResponseReturnValue:
    """End the session, on the server too."""
    language = session.get("lang")
    end_session()
    if language:
        session["lang"] = language
    return redirect(url_for("sign_in.form"))


@blueprint.get("/welcome/<secret>")
@public
def welcome(secret: str) -> ResponseReturnValue:
    """The one-time link: whose it is, and a field for the password."""
    return _welcome(secret, "")


@blueprint.post("/welcome/<secret>")
@public
def set_password(secret: str) -> ResponseReturnValue:
    """Set the password, once, and begin a session."""
    cp = the_control_plane()
    try:
        kept = people.redeem_link(cp, secret, request.form.get("password", ""), request.remote_addr or "")
    except PasswordTooShort as problem:
        return _welcome(secret, sentence(problem)), 400
    _begin(kept)
    return redirect(url_for("home.start"))


@blueprint.errorhandler(LinkExpired)
def expired(problem: LinkExpired) -> ResponseReturnValue:
    """A link that was used says so, with the way to sign in."""
    return render_template("sign_in/expired.html", problem=sentence(problem)), 410


def _welcome(secret: str, problem: str) -> str:
    user, minimum = people.link_user(the_control_plane(), secret), passwords.MINIMUM
    return render_template("sign_in/welcome.html", secret=secret, user=user, minimum=minimum, problem=problem)


def _begin(secret: str) -> None:
    """A new session under a new cookie; the language stays as chosen, else it is the user's."""
    chosen = session.get("lang")
    actor = begin_session(secret)
    language = chosen or people.user(actor, the_control_plane()).language
    if language in LOCALES:
        session["lang"] = language


def _next() -> str:
    """Where the reader wanted to go: a path of this application only, never another site."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return url_for("home.start")
    return wanted
