"""The first page of a project: what needs me now?"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.services import overview, results
from control_plane.services.access import projects
from web import job_page
from web.access import requires, signed_in, the_actor, the_control_plane, the_project
from web.pages.item import Item

blueprint = Blueprint("home", __name__)
navigation = Item("work", "home.show", _("Home"), "house", "project.see", "g h")


@blueprint.get("/")
@signed_in
def start() -> ResponseReturnValue:
    """To the project that was looked at last, or to any; whoever has none is told what to do."""
    seen = [project.name for project in projects.list_projects(the_actor(), the_control_plane())]
    if not seen:
        return render_template("home/no_project.html")
    last = session.get("project")
    return redirect(url_for("home.show", project=last if last in seen else seen[0]))


@blueprint.get("/p/<project>/")
@requires("project.see")
def show(project: str) -> ResponseReturnValue:
    """Running, failed, served, the fleet, and what is left to set up."""
    seen = overview.of_project(the_actor(), the_control_plane(), project)
    return render_template(
        "home/show.html",
        overview=seen,
        names=results.model_names({one.candidate_id for one in seen.undecided}),
        reasons={job.id: job_page.failure(job) for job in seen.failed},
        topic=f"project:{the_project().id} fleet",
    )
