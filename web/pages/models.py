"""Models: what can be used, where each is from, and what it may be used for."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import NotFound
from control_plane.services import methods, models, results
from control_plane.services.things import kinds
from web import rail, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.pages.item import Item
from web.paging import asked_page

blueprint = Blueprint("models", __name__, url_prefix="/p/<project>/models")
navigation = Item("work", "models.index", _("Models"), "boxes", "model.see", "g m")

FORMS = ("adapter", "merged", "gguf", "reward")
MODELS_SHOWN = 25


@blueprint.get("")
@requires("model.see")
def index(project: str) -> ResponseReturnValue:
    """The models that were made here; base models have a page of their own."""
    actor, cp = the_actor(), the_control_plane()
    asked = request.args.get("form", "")
    form = asked if asked in FORMS else models.MADE
    tag = request.args.get("tag", "")
    page = asked_page(models.count(actor, cp, project, form, tag), MODELS_SHOWN)
    found = models.list_models(actor, cp, project, form, page.size, page.offset, tag)
    return render_template(
        "models/index.html",
        models=found,
        page=page,
        bases=results.model_names({model.base_id for model in found}),
        forms=FORMS,
        form=asked,
        tag=tag,
        tags=kinds.tags_of(kinds.MODEL, the_project().id),
        snippet=snippets.list_models(project),
    )


@blueprint.get("/<int:model_id>")
@requires("model.see")
def show(project: str, model_id: int) -> ResponseReturnValue:
    """The card, the lineage and the files of one model."""
    actor, cp = the_actor(), the_control_plane()
    models.get(actor, cp, model_id)  # not one in the trash
    lineage, training = models.lineages(actor, cp, model_id)
    if lineage.model.project_id != the_project().id:
        raise NotFound
    return render_template(
        "models/show.html",
        model=lineage.model,
        card=lineage.model.card,
        lineage=lineage,
        trained=_trained(training),
        artifact=models.artifact_of(actor, cp, lineage.model),
        rail=rail.of_lineage(project, lineage, training),
        run_id=training.job.workflow_run_id,
        snippet=snippets.show_model(project, model_id),
    )


def _trained(training: models.Lineage) -> dict[str, object]:
    """The training with its pins: that of the model itself, or of what it was packaged from."""
    method = methods.of_version(training.job.method_version_id)
    return {"job": training.job, "method": method.name, "pins": training.model.card.get("pins", {})}
