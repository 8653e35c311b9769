"""Search over a project, its pages and the fleet; the palette (Ctrl+K) asks for the same, as a part of a page."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from control_plane.services import search
from control_plane.services.search import Found
from web import snippets
from web.access import requires, the_actor, the_control_plane

blueprint = Blueprint("search", __name__, url_prefix="/p/<project>/search")


@blueprint.get("")
@requires("project.see")
def show(project: str) -> ResponseReturnValue:
    """What has the text in its name (`q`)."""
    text = request.args.get("q", "")
    found = [(one, _address(project, one)) for one in search.find(the_actor(), the_control_plane(), project, text)]
    template = "search/results.html" if "HX-Request" in request.headers else "search/show.html"
    return render_template(template, text=text.strip(), found=found, snippet=snippets.search(project, text.strip()))


def _address(project: str, one: Found) -> str:
    to: dict[str, Callable[[], str]] = {
        "dataset": lambda: url_for("datasets.show", project=project, name=one.name),
        "job": lambda: url_for("jobs.show", project=project, job_id=one.id),
        "model": lambda: url_for("models.show", project=project, model_id=one.id),
        "evaluation": lambda: url_for("evaluations.show", project=project, evaluation_id=one.id),
        "deployment": lambda: url_for("deployments.show", project=project, deployment_id=one.id),
        "machine": lambda: url_for("machines.show", machine_id=one.id),
    }
    return to[one.kind]()
