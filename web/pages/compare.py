"""Jobs side by side: their curves over each other, and only what they were asked to do differently."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from control_plane.services import comparison
from control_plane.services.comparison import Compared
from web import snippets
from web.access import requires, the_actor, the_control_plane
from web.paging import whole_number

blueprint = Blueprint("compare", __name__, url_prefix="/p/<project>/compare")


@blueprint.get("")
@requires("job.see")
def show(project: str) -> ResponseReturnValue:
    """Which is better, and because of what? The jobs stand in the address: `?job=41&job=42`."""
    compared = _asked_for(project)
    numbers = [one.job.id for one in compared]
    return render_template(
        "compare/show.html",
        compared=compared,
        differing=comparison.differing(compared),
        measures=comparison.measures(compared),
        series=url_for("compare.series", project=project, job=numbers),
        snippet=snippets.compare(project, numbers),
        most=comparison.MOST,
    )


@blueprint.get("/series")
@requires("job.see")
def series(project: str) -> ResponseReturnValue:
    """The loss of each of them, or the reward where they learn by that."""
    compared = _asked_for(project)
    curve = request.args.get("curve", comparison.measures(compared)[0])
    return {"series": comparison.curves(compared, curve), "cursor": 0}


def _asked_for(project: str) -> list[Compared]:
    numbers = [whole_number(text) for text in request.args.getlist("job")]
    return comparison.of_jobs(the_actor(), the_control_plane(), project, [number for number in numbers if number])
