"""Models: what can be used, where each is from, and what it may be used for."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import NotFound
from control_plane.services import jobs, models, results
from control_plane.store.models import ModelRecord
from web import rail, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.pages.item import Item

blueprint = Blueprint("models", __name__, url_prefix="/p/<project>/models")
navigation = Item("work", "models.index", _("Models"), "boxes", "model.see", "g m")

FORMS = ("adapter", "merged", "gguf")


@blueprint.get("")
@requires("model.see")
def index(project: str) -> ResponseReturnValue:
    """The models that were made here; base models have a page of their own."""
    asked = request.args.get("form", "")
    found = models.list_models(the_actor(), the_control_plane(), project, asked if asked in FORMS else "")
    names = {model.id: model.name for model in models.list_models(the_actor(), the_control_plane(), project, "base")}
    made = [model for model in found if model.form != "base"]
    return render_template(
        "models/index.html", models=made, bases=names, forms=FORMS, form=asked, snippet=snippets.list_models(project)
    )


@blueprint.get("/<int:model_id>")
@requires("model.see")
def show(project: str, model_id: int) -> ResponseReturnValue:
    """The card, the lineage and the files of one model."""
    actor, cp = the_actor(), the_control_plane()
    lineage = models.lineage(actor, cp, model_id)
    if lineage.model.project_id != the_project().id:
        raise NotFound
    artifact = next(one for one in jobs.files(actor, cp, lineage.job.id) if one.id == lineage.model.artifact_id)
    return render_template(
        "models/show.html",
        model=lineage.model,
        card=lineage.model.card,
        lineage=lineage,
        trained=_trained(lineage),
        artifact=artifact,
        rail=rail.of_model(actor, cp, project, model_id),
        snippet=snippets.show_model(project, model_id),
    )


def _trained(lineage: models.Lineage) -> dict[str, object]:
    """The pins of the training: those of the model itself, or of what it was packaged from."""
    origin: ModelRecord = lineage.model
    while origin.form in ("merged", "gguf") and origin.origin_id:
        origin = models.get(the_actor(), the_control_plane(), origin.origin_id)
    job = jobs.get(the_actor(), the_control_plane(), origin.job_id)
    method = results.methods_of([job.method_version_id])[job.method_version_id]
    return {"job": job, "method": method.name, "pins": origin.card.get("pins", {})}
