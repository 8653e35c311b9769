"""The reader's own account: their API tokens."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.errors import FieldInvalid
from control_plane.services.access import people
from web.access import signed_in, the_actor, the_control_plane
from web.refusals import shown_again

blueprint = Blueprint("tokens", __name__)
DAYS = (7, 30, 90, 365)
_DAY = 86_400.0


@blueprint.get("/account/tokens")
@signed_in
def index() -> ResponseReturnValue:
    """The reader's tokens."""
    return _page("")


@blueprint.post("/account/tokens")
@signed_in
@shown_again("token", index, "name", "days")
def create() -> ResponseReturnValue:
    """A new token, shown once."""
    days = request.form.get("days", "90")
    if days not in map(str, DAYS):
        raise FieldInvalid(field="days", problem=", ".join(map(str, DAYS)))
    name = request.form.get("name", "").strip()
    token, _record = people.create_token(the_actor(), the_control_plane(), name, int(days) * _DAY)
    return _page(token)


@blueprint.post("/account/tokens/<int:token_id>/revoke")
@signed_in
def revoke(token_id: int) -> ResponseReturnValue:
    """Refuse a token from now on."""
    people.revoke_token(the_actor(), the_control_plane(), token_id)
    flash(gettext("The token is revoked."))
    return redirect(url_for("tokens.index"))


def _page(fresh: str) -> str:
    actor, cp = the_actor(), the_control_plane()
    choices = [(days, gettext("%(count)s days", count=days)) for days in DAYS]
    return render_template(
        "tokens/index.html", tokens=people.list_tokens(actor, cp), fresh=fresh, now=cp.clock(), day_choices=choices
    )
