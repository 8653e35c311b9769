"""The projects that somebody is in: which there are, what they are called, and deleting one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.services.access import projects
from control_plane.services.things import trash
from control_plane.services.things.kinds import PROJECT
from control_plane.store.projects import ProjectRecord
from web import described, refusals, snippets
from web.access import requires, signed_in, the_actor, the_control_plane
from web.pages import people
from web.pages.item import Item

blueprint = Blueprint("projects", __name__, url_prefix="/projects")
navigation = Item("admin", "projects.index", _("Projects"), "folder", "project.see")


@dataclass(frozen=True)
class Seen:
    """A project as its reader sees it."""

    project: ProjectRecord
    role: str  # the reader's, in words; empty: an administrator's
    may_change: bool


@blueprint.get("")
@signed_in
def index(number: int = 0) -> ResponseReturnValue:
    """Every project of the reader, and those in the trash that they may restore."""
    actor, cp = the_actor(), the_control_plane()
    role_words = dict(people.role_choices())
    seen = [
        Seen(one, role_words.get(actor.roles[one.id].name, "") if one.id in actor.roles else "", _may_change(one))
        for one in projects.list_projects(actor, cp)
    ]
    trashed = trash.list_trash(actor, cp)
    return render_template("things/projects.html", found=seen, trashed=trashed, snippet=snippets.list_projects())


def _page_with_form() -> ResponseReturnValue:
    """The page that a new project's form was sent from: it stands on two."""
    return people.index() if request.form.get("page") == people.blueprint.name else index()


@blueprint.post("")
@requires("project.create")
@refusals.shown_again("project", _page_with_form, "name", "title")
def create() -> ResponseReturnValue:
    """A new project, with the reader as its owner."""
    name, title = request.form.get("name", "").strip(), request.form.get("title", "").strip()
    made = projects.create(the_actor(), the_control_plane(), name, title)
    return redirect(url_for("home.show", project=made.name))


@blueprint.post("/<int:number>/describe")
@signed_in
def describe(number: int) -> ResponseReturnValue:
    """Give a project another title, description and tags."""
    return refusals.shown_again(f"describe-{number}", index, "title", "description", "tags")(_describe)(number=number)


@blueprint.post("/<int:number>/delete")
@signed_in
def delete(number: int) -> ResponseReturnValue:
    """Put a project, with all that is in it, into the trash; the answer offers to undo that."""
    return refusals.shown_again(f"delete-{number}", index)(_delete)(number=number)


@blueprint.post("/<int:number>/restore")
@signed_in
@refusals.shown_again("trash", index)
def restore(number: int) -> ResponseReturnValue:
    """Take a project out of the trash."""
    project = trash.restore(the_actor(), the_control_plane(), PROJECT, number)
    flash(gettext("%(name)s is back.", name=project.label))
    return redirect(url_for("home.show", project=project.name))


@blueprint.post("/<int:number>/purge")
@signed_in
@refusals.shown_again("trash", index)
def purge(number: int) -> ResponseReturnValue:
    """Delete a project for good, with all that is in it."""
    trash.purge(the_actor(), the_control_plane(), PROJECT, number)
    flash(gettext("The project is deleted for good."))
    return redirect(url_for("projects.index"))


def _describe(number: int) -> ResponseReturnValue:
    described.save(PROJECT, number)
    return redirect(url_for("projects.index"))


def _delete(number: int) -> ResponseReturnValue:
    project = trash.delete(the_actor(), the_control_plane(), PROJECT, number)
    text = gettext("%(name)s is in the trash.", name=project.label)
    flash({"text": text, "undo": url_for("projects.restore", number=number)}, "undo")  # type: ignore[arg-type]
    return redirect(url_for("projects.index"))


def _may_change(project: ProjectRecord) -> bool:
    return the_actor().may("project.change", project.id)
