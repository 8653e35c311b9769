"""What the words mean, and which call does what."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from web.access import signed_in
from web.pages.item import Item

blueprint = Blueprint("help", __name__)
navigation = Item("work", "help.index", _("Help"), "circle-question-mark", "project.see")


@blueprint.get("/help")
@signed_in
def index() -> ResponseReturnValue:
    """The glossary, and how to call a deployment."""
    return render_template("help/index.html")
