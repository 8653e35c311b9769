"""The reader's own account: name, language, password, and where they are signed in."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from control_plane.services.access import passwords, people, profile
from control_plane.wording import LOCALES
from web import fleet_snippets
from web.access import signed_in, the_actor, the_control_plane
from web.refusals import shown_again

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
@signed_in
def show() -> ResponseReturnValue:
    """Forms for what one may change of oneself."""
    choices = [("", gettext("As the browser asks for")), *LOCALES.items()]
    return render_template(
        "account/show.html",
        me=people.user(the_actor(), the_control_plane()),
        language_choices=choices,
        minimum=passwords.MINIMUM,
        snippet=fleet_snippets.set_profile(),
    )


@blueprint.post("/account/profile")
@signed_in
@shown_again("profile", show, "title", "language")
def save() -> ResponseReturnValue:
    """Keep the full name and the language."""
    language = request.form.get("language", "")
    profile.change(the_actor(), the_control_plane(), request.form.get("title", "").strip(), language)
    session.pop("lang", None)
    if language:
        session["lang"] = language
    flash(gettext("Saved."))
    return redirect(url_for("account.show"))


@blueprint.post("/account/password")
@signed_in
@shown_again("password", show, "old", "password")
def change_password() -> ResponseReturnValue:
    """Another password, for whoever knows the present one."""
    old, new = request.form.get("old", ""), request.form.get("password", "")
    profile.change_password(the_actor(), the_control_plane(), old, new, current_user.secret)
    flash(gettext("The password is changed. Every other browser is signed out."))
    return redirect(url_for("account.show"))


@blueprint.post("/account/sign-out-others")
@signed_in
def sign_out_others() -> ResponseReturnValue:
    """End the reader's other sessions."""
    profile.sign_out_others(the_actor(), the_control_plane(), current_user.secret)
    flash(gettext("Every other browser is signed out."))
    return redirect(url_for("account.show"))
