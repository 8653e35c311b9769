"""The form that renames, describes and tags a thing (macros/things.html), wherever it stands."""

from __future__ import annotations

from flask import flash, request
from flask_babel import gettext

from control_plane.services.things.describe import describe
from web.access import the_actor, the_control_plane


def save(kind: str, number: int) -> None:
    """Give a thing the title, the description and the tags that were sent. Raises what `describe` raises."""
    form, tags = request.form, request.form.get("tags", "").replace(",", " ").replace("，", " ").split()
    describe(the_actor(), the_control_plane(), kind, number, form.get("title", ""), form.get("description", ""), tags)
    flash(gettext("Saved."))
