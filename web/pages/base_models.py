"""Base models: what training starts from. The form to import one is that of the import method (`jobs.new`)."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.services import models
from control_plane.services.things import kinds
from web import snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.pages.item import Item

blueprint = Blueprint("base_models", __name__, url_prefix="/p/<project>/base-models")
navigation = Item("work", "base_models.index", _("Base models"), "layers", "model.see")


@blueprint.get("")
@requires("model.see")
def index(project: str) -> ResponseReturnValue:
    """Every base model, with what it may be used for."""
    tag = request.args.get("tag", "")
    found = models.list_models(the_actor(), the_control_plane(), project, "base", tag=tag)
    tags, snippet = kinds.tags_of(kinds.MODEL, the_project().id), snippets.list_models(project)
    return render_template("base_models/index.html", models=found, tag=tag, tags=tags, snippet=snippet)
