"""What is shown instead of the page of something that is in the trash: what it is, and the way back."""

from __future__ import annotations

from flask import render_template, url_for

from control_plane.domain.errors import InTrash
from control_plane.services.things import kinds, trash
from control_plane.services.things.kinds import PROJECT
from control_plane.store.projects import ProjectRecord
from web.access import the_actor, the_control_plane


def page(problem: InTrash) -> str:
    """The page; whoever may restore the thing is offered it. Raises NotFound, Denied."""
    actor, kind, number = the_actor(), str(problem.params["kind"]), int(str(problem.params["id"]))
    found = trash.look(actor, the_control_plane(), kind, number)
    place = kinds.project_of(found.thing)
    may = actor.may(f"{kind}.change", place)
    if kind == PROJECT:
        restore, shown = url_for("projects.restore", number=number), url_for("projects.index")
    else:
        project = ProjectRecord.get_by_id(place).name
        restore = url_for("things.restore", project=project, kind=kind, number=number)
        shown = url_for("things.show", project=project)
    return render_template("things/in_trash.html", trashed=found, restore_url=restore if may else "", trash_url=shown)
