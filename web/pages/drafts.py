"""A dataset's draft: what the file is, which column becomes what, what was found, and the version that comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.errors import Conflict, Invalid, NotFound
from control_plane.domain.preparation import DraftState, Source, Split, read
from control_plane.services.datasets import drafts, seeing, versions
from control_plane.store.drafts import DatasetDraftRecord
from web import draft_edits, draft_form, draft_page, seen_page, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.draft_page import Seen
from web.failures import sentence
from web.fragments import redirected
from web.paging import asked_number
from web.refusals import shown_again

blueprint = Blueprint("drafts", __name__, url_prefix="/p/<project>/data/drafts/<int:draft_id>")


@blueprint.get("")
@requires("dataset.upload")
def show(project: str, draft_id: int) -> ResponseReturnValue:
    """The draft as it stands; a saved one leads to its version, or on in the case that it was uploaded for."""
    draft = _draft(draft_id)
    if draft.state == DraftState.SAVED:
        return redirected(_version(project, draft))
    if draft.edits_id is not None:
        return render_template("drafts/edits.html", seen=draft_edits.seen(draft), snippet=snippets.draft(project))
    return _page(project, draft_page.seen(draft))


@blueprint.get("/seen")
@requires("dataset.upload")
def seen(project: str, draft_id: int) -> ResponseReturnValue:
    """One of the first rows as a model sees it; the card alone for htmx, which puts it on the draft's page."""
    actor, cp, draft = the_actor(), the_control_plane(), _draft(draft_id)
    place = {"row": max(1, asked_number("row", 1))}
    format = draft.mapping["format"] if draft.mapping else ""
    card = seen_page.card(
        request.args,
        lambda wish: seeing.of_draft(actor, cp, draft_id, wish, place["row"]),
        format in seen_page.CONVERSATIONS,
    )
    address = url_for("drafts.seen", project=project, draft_id=draft_id, case=_case())
    more = {"card": card, "place": place, "address": address, "rows": _rows(draft_id)}
    if "HX-Request" in request.headers:
        return render_template("seen/card.html", **more)
    return _drawn("drafts/seen.html", draft_page.seen(draft), snippet=snippets.see_draft(project, draft_id), **more)


@blueprint.post("")
@requires("dataset.upload")
def change(project: str, draft_id: int) -> ResponseReturnValue:
    """Something is to be different: every row is then checked again. htmx replaces the draft on its page.

    Edits that came to nothing can be tried once more.
    """
    if _draft(draft_id).edits_id is not None:
        drafts.change(the_actor(), the_control_plane(), draft_id)
        return redirect(url_for("drafts.show", project=project, draft_id=draft_id))
    what, problem = request.form.get("what", ""), ""
    try:
        seen = _changed(_draft(draft_id), what)
    except (Invalid, Conflict) as refused:
        seen, problem = draft_page.seen(_draft(draft_id)), sentence(refused)
    if "HX-Request" in request.headers:
        return _drawn("drafts/draft.html", seen, changed=what, problem=problem)
    return _page(project, seen, changed=what, problem=problem)


@blueprint.post("/save")
@requires("dataset.upload")
@shown_again("save", show, "name")
def save(project: str, draft_id: int) -> ResponseReturnValue:
    """Make a version of it; the page follows that."""
    drafts.save(the_actor(), the_control_plane(), int(_draft(draft_id).id), request.form.get("name", "").strip())
    return redirect(url_for("drafts.show", project=project, draft_id=draft_id, case=_case()))


@blueprint.post("/cancel")
@requires("dataset.upload")
def cancel(project: str, draft_id: int) -> ResponseReturnValue:
    """Throw it away, and stop what is at work on it."""
    draft = _draft(draft_id)
    rows = draft_edits.seen(draft).address if draft.edits_id is not None else ""  # while the edits are there
    drafts.cancel(the_actor(), the_control_plane(), int(draft.id))
    if rows:
        flash(gettext("Nothing was changed: the version is as it was."))
        return redirect(rows)
    flash(gettext("The file was discarded."))
    return redirect(url_for("datasets.index", project=project))


def _rows(draft_id: int) -> list[tuple[str, str]]:
    """The rows that can be chosen: as many as were looked at first."""
    look = drafts.look(the_actor(), the_control_plane(), draft_id)
    numbers = range(1, len(look.samples) + 1) if look else ()
    return [(str(number), gettext("row %(number)s", number=number)) for number in numbers]


def _draft(draft_id: int) -> DatasetDraftRecord:
    """A draft of the address's project. Raises NotFound."""
    draft = drafts.get(the_actor(), the_control_plane(), draft_id)
    if draft.project_id != the_project().id:
        raise NotFound
    return draft


def _changed(draft: DatasetDraftRecord, what: str) -> Seen:
    """Change what the form says, if it can be: how to show the draft then."""
    actor, cp, form = the_actor(), the_control_plane(), request.form
    look = drafts.look(actor, cp, int(draft.id))
    if what in ("again", "model", "source"):
        given: dict[str, Any] = {}
        if what == "source":
            given["source"] = draft_form.read_source(read(Source, draft.train), form)
        if what == "model":
            given["base_model_id"] = draft_form.read_model(form)
        return _again(draft, **given)
    if look is None:
        return draft_page.seen(draft)
    if what == "mapping":
        mapping = draft_form.read_mapping(look, form)
        is_whole = mapping.format and not draft_form.missing(mapping)
        return _again(draft, mapping=mapping) if is_whole else draft_page.seen(draft, mapping)
    if what == "split":
        split, errors = draft_form.read_split(read(Split, draft.split), look, form)
        return replace(draft_page.seen(draft), errors=errors) if errors else _again(draft, split=split)
    report = drafts.report(actor, cp, int(draft.id))
    if report is None:
        return draft_page.seen(draft)
    return _again(draft, choices=draft_form.read_choices(report.findings, form))


def _again(draft: DatasetDraftRecord, **changes: Any) -> Seen:
    """Every row is checked once more."""
    return draft_page.seen(drafts.change(the_actor(), the_control_plane(), int(draft.id), **changes))


def _version(project: str, draft: DatasetDraftRecord) -> str:
    """The page of the version that a draft became; in a case, the next step of that."""
    dataset, version = versions.of_version(the_actor(), the_control_plane(), int(draft.dataset_version_id or 0))
    if case := _case():
        return url_for("cases.check", project=project, name=case, dataset=version.id)
    flash(gettext("Version %(number)s was saved.", number=version.number))
    return url_for("datasets.show", project=project, name=dataset.name, version=version.number)


def _page(project: str, seen: Seen, **more: Any) -> str:
    return _drawn("drafts/show.html", seen, snippet=snippets.draft(project), **more)


def _drawn(template: str, seen: Seen, **more: Any) -> str:
    return render_template(template, seen=seen, case=_case(), said=sentence, **more)


def _case() -> str | None:
    """The case that the file was uploaded for, if it was for one."""
    return request.args.get("case", "")[:64] or None
