"""What pages of datasets, models, jobs and deployments share: describing and deleting; and the project's trash."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import NotFound
from control_plane.services.things import kinds, trash
from control_plane.services.things.kinds import DATASET, DEPLOYMENT, JOB, MODEL, PROJECT, PROMPT, REWARD, WORKFLOW
from control_plane.store.datasets import DatasetRecord
from control_plane.store.rewards import RewardRecord
from control_plane.store.things import Thing
from web import described, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.pages import base_models, datasets, deployments, jobs, models, prompts, rewards, workflows
from web.pages.item import Item
from web.refusals import shown_again

blueprint = Blueprint("things", __name__, url_prefix="/p/<project>")
_OF_THINGS = frozenset({"things.describe", "things.delete"})  # refused, they are shown on the page of a thing
navigation = Item("work", "things.show", _("Trash"), "trash-2", "project.see", others=_OF_THINGS)


@blueprint.get("/trash")
@requires("project.see")
def show(project: str) -> ResponseReturnValue:
    """What was deleted in the project."""
    found = trash.list_trash(the_actor(), the_control_plane(), project)
    return render_template("things/trash.html", found=found, snippet=snippets.list_trash(project))


def _own_page(project: str, kind: str, number: int) -> ResponseReturnValue:
    """The page of a thing, as its own view draws it."""
    if kind == DATASET:
        return datasets.show(project, DatasetRecord.get_by_id(number).name)
    if kind == REWARD:
        return rewards.show(project, RewardRecord.get_by_id(number).name)
    pages = {
        MODEL: models.show,
        JOB: jobs.show,
        DEPLOYMENT: deployments.show,
        WORKFLOW: workflows.show,
        PROMPT: prompts.show,
    }
    if kind not in pages:
        raise NotFound
    return pages[kind](project, number)


def _trash_page(project: str, kind: str, number: int) -> ResponseReturnValue:
    return show(project)


@blueprint.post("/things/<kind>/<int:number>/describe")
@requires("project.see")
@shown_again("describe", _own_page, "title", "description", "tags")
def describe(project: str, kind: str, number: int) -> ResponseReturnValue:
    """Give a thing another title, description and tags."""
    _find(kind, number)
    described.save(kind, number)
    return redirect(_address(kind, number))


@blueprint.post("/things/<kind>/<int:number>/delete")
@requires("project.see")
@shown_again("delete", _own_page)
def delete(project: str, kind: str, number: int) -> ResponseReturnValue:
    """Put a thing into the trash; the answer offers to undo that."""
    _find(kind, number)
    thing = trash.delete(the_actor(), the_control_plane(), kind, number)
    undo = url_for("things.restore", project=project, kind=kind, number=number)
    text = gettext("%(name)s is in the trash.", name=thing.label)
    flash({"text": text, "undo": undo}, "undo")  # type: ignore[arg-type]  # whatever JSON holds
    return redirect(_list_of(kind, thing))


@blueprint.post("/things/<kind>/<int:number>/restore")
@requires("project.see")
@shown_again("trash", _trash_page)
def restore(project: str, kind: str, number: int) -> ResponseReturnValue:
    """Take a thing out of the trash."""
    _find(kind, number)
    thing = trash.restore(the_actor(), the_control_plane(), kind, number)
    flash(gettext("%(name)s is back.", name=thing.label))
    return redirect(_address(kind, number))


@blueprint.post("/things/<kind>/<int:number>/purge")
@requires("project.see")
@shown_again("trash", _trash_page)
def purge(project: str, kind: str, number: int) -> ResponseReturnValue:
    """Delete a thing for good."""
    thing = _find(kind, number)
    trash.purge(the_actor(), the_control_plane(), kind, number)
    flash(gettext("%(name)s is deleted for good.", name=thing.label))
    return redirect(url_for("things.show", project=project))


def _find(kind: str, number: int) -> Thing:
    """A thing of the address's project. Raises NotFound."""
    if kind not in kinds.KINDS or kind == PROJECT:
        raise NotFound
    thing: Thing = kinds.find(the_actor(), kind, number, "see")
    if kinds.project_of(thing) != the_project().id:
        raise NotFound
    return thing


def _address(kind: str, number: int) -> str:
    """The address of a thing's page."""
    project = the_project().name
    if kind == DATASET:
        return url_for("datasets.show", project=project, name=DatasetRecord.get_by_id(number).name)
    if kind == REWARD:
        return url_for("rewards.show", project=project, name=RewardRecord.get_by_id(number).name)
    given: dict[str, Any] = {"project": project, f"{kind}_id": number}
    return url_for(f"{kind}s.show", **given)


def _list_of(kind: str, thing: Thing) -> str:
    """The list that a thing stood in."""
    page = base_models if getattr(thing, "form", "") == "base" else None
    return url_for("base_models.index" if page else f"{kind}s.index", project=the_project().name)
