"""Prompts of a project: the list, one with its versions and what differs between them, and the form of the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import Conflict, Invalid, NotFound
from control_plane.domain.prompts.prompt import Prompt
from control_plane.services import results
from control_plane.services.prompts import kept, searches
from control_plane.services.prompts.kept import Kept
from control_plane.services.things import kinds
from control_plane.store.prompts import PromptVersionRecord
from web import snippets, word_differences
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.pages.item import Item
from web.paging import asked_version, whole_number
from web.prompts import prompt_form

blueprint = Blueprint("prompts", __name__, url_prefix="/p/<project>/prompts")
navigation = Item("work", "prompts.index", _("Prompts"), "message-square", "prompt.see", "g o")


@blueprint.get("")
@requires("prompt.see")
def index(project: str) -> ResponseReturnValue:
    """Each prompt with its newest version."""
    tag = request.args.get("tag", "")
    found = kept.list_prompts(the_actor(), the_control_plane(), project, tag)
    return render_template(
        "prompts/index.html",
        found=found,
        said={one.version.id: kept.said(one.version) for one in found},
        authors=_authors([one.version for one in found]),
        tag=tag,
        tags=kinds.tags_of(kinds.PROMPT, the_project().id),
        snippet=snippets.list_prompts(project),
    )


@blueprint.get("/<int:prompt_id>")
@requires("prompt.see")
def show(project: str, prompt_id: int) -> ResponseReturnValue:
    """One prompt: a version of it, as JSON too, and what differs from another."""
    found = _kept(prompt_id)
    versions = kept.versions(found.prompt)
    shown = asked_version(versions, "version", found.version)
    old = asked_version(versions, "old", shown)
    said = kept.said(shown)
    return render_template(
        "prompts/show.html",
        prompt=found.prompt,
        versions=versions,
        version=shown,
        old=old,
        said=said,
        written=prompt_form.written(said),
        difference=_difference(old, shown) if old.id != shown.id else None,
        authors=_authors(versions),
        snippet=snippets.get_prompt(project, f"{found.prompt.name}@{shown.number}"),
    )


@blueprint.get("/<int:prompt_id>/json")
@requires("prompt.see")
def export(project: str, prompt_id: int) -> ResponseReturnValue:
    """A version as a file."""
    found = _kept(prompt_id)
    version = asked_version(kept.versions(found.prompt), "version", found.version)
    answer = Response(prompt_form.written(kept.said(version)) + "\n", mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.prompt.name}-{version.number}.json"'
    return answer


@blueprint.get("/new")
@requires("prompt.change")
def new(project: str) -> ResponseReturnValue:
    """The form of a prompt that there is not yet."""
    return _editor(project, prompt_form.fields(Prompt()), '{\n  "system": ""\n}')


@blueprint.post("/new")
@requires("prompt.change")
def create(project: str) -> ResponseReturnValue:
    """Save what was written under the name that was given."""
    return _save(project, None)


@blueprint.get("/<int:prompt_id>/edit")
@requires("prompt.change")
def edit(project: str, prompt_id: int) -> ResponseReturnValue:
    """The newest version in the form; saving makes the next."""
    found = _kept(prompt_id)
    said = kept.said(found.version)
    return _editor(project, prompt_form.fields(said), prompt_form.written(said), found)


@blueprint.post("/<int:prompt_id>/edit")
@requires("prompt.change")
def save(project: str, prompt_id: int) -> ResponseReturnValue:
    """Save what was written as the next version."""
    return _save(project, _kept(prompt_id))


@blueprint.post("/from/<int:job_id>/<int:number>")
@requires("prompt.change")
def take(project: str, job_id: int, number: int) -> ResponseReturnValue:
    """Keep what a search has tried as the next version of the prompt called like the search."""
    taken = searches.take(the_actor(), the_control_plane(), project, job_id, number)
    flash(gettext("Saved as version %(number)s.", number=taken.version.number))
    return redirect(url_for("prompts.show", project=project, prompt_id=taken.prompt.id))


def _save(project: str, before: Kept | None) -> ResponseReturnValue:
    form = request.form
    name = str(before.prompt.name) if before else form.get("name", "").strip()
    base = whole_number(form.get("base", ""))
    try:
        said = prompt_form.read(form)
        saved, made = kept.save(the_actor(), the_control_plane(), project, name, said, base)
    except (Invalid, Conflict) as problem:
        page = _editor(project, prompt_form.sent(form), form.get("json", ""), before, sentence(problem))
        return page, 409 if isinstance(problem, Conflict) else 400
    number = saved.version.number
    words = gettext("Saved as version %(number)s.", number=number)
    flash(words if made else gettext("Nothing has changed: version %(number)s says the same.", number=number))
    return redirect(url_for("prompts.show", project=project, prompt_id=saved.prompt.id))


def _editor(
    project: str, fields: Mapping[str, Any], written: str, before: Kept | None = None, problem: str = ""
) -> str:
    return render_template(
        "prompts/edit.html",
        fields=fields,
        written=written,
        as_json="json" in request.values,
        name=request.form.get("name", ""),
        prompt=before.prompt if before else None,
        base=before.version.number if before else 0,
        problem=problem,
        snippet=snippets.save_prompt(project, before.prompt.name if before else "my-prompt"),
    )


def _kept(prompt_id: int) -> Kept:
    """A prompt of the address's project."""
    found = kept.get(the_actor(), the_control_plane(), prompt_id)
    if found.prompt.project_id != the_project().id:
        raise NotFound
    return found


def _difference(old: PromptVersionRecord, new: PromptVersionRecord) -> word_differences.Compared:
    """Two versions word by word, as JSON."""
    return word_differences.compare(*(prompt_form.written(kept.said(one)) for one in (old, new)))


def _authors(versions: Sequence[PromptVersionRecord]) -> Mapping[str, str]:
    return results.owners_of({str(one.created_by) for one in versions})
