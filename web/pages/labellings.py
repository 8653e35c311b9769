"""Labellings: people judge answers, or rows that a model made up, one by one, and a dataset version comes of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from control_plane.domain.errors import NotFound
from control_plane.domain.labelling import DISAGREED, MOST_VARIATIONS, ItemState, Kind
from control_plane.domain.lifecycle import SERVING
from control_plane.domain.rows import FORMATS
from control_plane.services import deployments
from control_plane.services.datasets import versions
from control_plane.services.endpoints import keeping
from control_plane.services.labelling import agreeing, judging, making, saving, summary
from control_plane.services.labelling.judging import Item
from control_plane.services.labelling.making import Rows
from control_plane.services.labelling.summary import Summary
from control_plane.store.labelling import LabellingRecord
from web import label_form, label_words, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.fragments import fragment
from web.paging import asked_number
from web.refusals import shown_again

blueprint = Blueprint("labellings", __name__, url_prefix="/p/<project>/labelling")

_MOST_OFFERED = 100  # dataset versions
_SHOWN = 20  # disputed and unusable items
_SHARES = (0, 10, 20, 50, 100)  # per cent of the items that two people judge


@blueprint.get("")
@requires("dataset.see")
def index(project: str) -> ResponseReturnValue:
    """The project's labellings."""
    found = making.of_project(the_actor(), the_control_plane(), project)
    counts = summary.counts([one.id for one in found])
    listed = [Summary(one, counts[one.id], []) for one in found]
    snippet = snippets.list_labellings(project)
    return render_template("labellings/index.html", found=listed, label=label_words, snippet=snippet)


@blueprint.get("/new")
@requires("dataset.upload")
def new(project: str) -> ResponseReturnValue:
    """The form. `kind`, `dataset` (a version's id), `split`, `q`, `check` and `numbers` fill it in."""
    actor, cp, args = the_actor(), the_control_plane(), request.args
    kind = Kind.VARIATIONS if args.get("kind") == Kind.VARIATIONS else Kind.ANSWERS
    offered = versions.list_versions(actor, cp, project)[:_MOST_OFFERED]
    chosen = asked_number("dataset", offered[0][1].id if offered else 0)
    served = [one for one in deployments.list_deployments(actor, cp, project) if one.desired_state == SERVING]
    endpoints = keeping.list_endpoints(actor, cp, project) if actor.may("endpoint.use", the_project().id) else []
    who = [(str(one.name), str(one.label)) for one in served]
    who += [(f"{label_form.ENDPOINT}{one.name}", f"{one.name} · {one.model}") for one in endpoints]
    return render_template(
        "labellings/new.html", kind=kind, offered=offered, chosen=chosen, who=who, shares=_SHARES,
        rows=Rows(args.get("split", "train"), (), args.get("q", "")[:200], args.get("check", "")),
        numbers=args.get("numbers", "")[:200], count=label_form.FIRST_COUNT, most=MOST_VARIATIONS,
        instruction=label_form.instruction(), snippet=snippets.start_labelling(project, chosen, kind, served),
    )  # fmt: skip


@blueprint.post("/new")
@requires("dataset.upload")
@shown_again("labelling", new, "count", "per_row", "overlap", "name", "instruction", "deployment", "split", "seed")
def start(project: str) -> ResponseReturnValue:
    """Begin one; its page follows it."""
    begun = making.start(the_actor(), the_control_plane(), project, label_form.read(request.form))
    return redirect(url_for("labellings.show", project=project, labelling_id=begun.id))


@blueprint.get("/<int:labelling_id>")
@requires("dataset.see")
def show(project: str, labelling_id: int) -> ResponseReturnValue:
    """How far it is, how far people agree, and what can be made of it."""
    labelling = _labelling(labelling_id)
    dataset, version = versions.of_version(the_actor(), the_control_plane(), labelling.dataset_version_id)
    made = versions.with_dataset(labelling.made_version_id) if labelling.made_version_id else None
    return render_template(
        "labellings/show.html", **_standing(labelling_id), dataset=dataset, dataset_version=version, made=made,
        is_open=labelling.state != "closed", forms=_forms(labelling, str(version.format)),
        snippet=snippets.show_labelling(project, labelling_id),
    )  # fmt: skip


@blueprint.get("/<int:labelling_id>/status")
@requires("dataset.see")
def status(project: str, labelling_id: int) -> Response:
    """What of the page changes by itself."""
    _labelling(labelling_id)
    return fragment(render_template("labellings/status.html", **_standing(labelling_id)))


@blueprint.post("/<int:labelling_id>/stop")
@requires("dataset.upload")
def stop(project: str, labelling_id: int) -> ResponseReturnValue:
    """Ask for no more answers."""
    making.stop(the_actor(), the_control_plane(), _labelling(labelling_id).id)
    return _to(project, labelling_id)


@blueprint.post("/<int:labelling_id>/resume")
@requires("dataset.upload")
def resume(project: str, labelling_id: int) -> ResponseReturnValue:
    """Ask for what is missing or was unusable."""
    making.resume(the_actor(), the_control_plane(), _labelling(labelling_id).id)
    return _to(project, labelling_id)


@blueprint.post("/<int:labelling_id>/close")
@requires("dataset.upload")
def close(project: str, labelling_id: int) -> ResponseReturnValue:
    """Nothing more is asked or judged."""
    making.close(the_actor(), the_control_plane(), _labelling(labelling_id).id)
    return _to(project, labelling_id)


@blueprint.post("/<int:labelling_id>/save")
@requires("dataset.upload")
@shown_again("save", show)
def save(project: str, labelling_id: int) -> ResponseReturnValue:
    """A dataset version of what is judged by now."""
    form, keep_others = request.form.get("form", saving.ANSWERS), request.form.get("others") == "true"
    actor, cp = the_actor(), the_control_plane()
    version, reused = saving.save(actor, cp, _labelling(labelling_id).id, form, keep_others)
    found = summary.of(actor, cp, labelling_id)
    dataset, _ = versions.of_version(actor, cp, version.id)
    if reused:
        flash(gettext("The same data was there already as version %(number)s.", number=version.number))
    else:
        flash(gettext("Version %(number)s was saved.", number=version.number))
    if found.overtaken and form == saving.ANSWERS:  # the others are of datasets of their own
        flash(label_words.overtaken(found))
    return redirect(url_for("datasets.show", project=project, name=dataset.name, version=version.number))


@blueprint.get("/<int:labelling_id>/next")
@requires("dataset.upload")
def next_item(project: str, labelling_id: int) -> ResponseReturnValue:
    """The next item, which is kept for the reader for a while."""
    labelling = _labelling(labelling_id)
    item = judging.next_item(the_actor(), the_control_plane(), labelling.id)
    if item is not None:
        return _drawn(project, item)
    return render_template(
        "labellings/done.html", **_standing(labelling_id), skipped=judging.skipped_by(the_actor(), labelling),
        snippet=snippets.show_labelling(project, labelling_id),
    )  # fmt: skip


@blueprint.get("/<int:labelling_id>/agreeing")
@requires("dataset.upload")
def agreeing_items(project: str, labelling_id: int) -> ResponseReturnValue:
    """Answers that say what their rows say, to be accepted together; `accepted` are those that can be undone."""
    labelling = _labelling(labelling_id)
    found = agreeing.shown(the_actor(), the_control_plane(), labelling.id)
    return render_template(
        "labellings/agreeing.html", labelling=labelling, found=found, label=label_words,
        accepted=label_form.numbers(request.args.get("accepted", "")),
        snippet=snippets.agreeing(project, labelling_id),
    )  # fmt: skip


@blueprint.post("/<int:labelling_id>/accept")
@requires("dataset.upload")
def accept(project: str, labelling_id: int) -> ResponseReturnValue:
    """Accept what was shown."""
    shown = label_form.numbers(request.form.get("items", ""))
    done = agreeing.accept(the_actor(), the_control_plane(), _labelling(labelling_id).id, shown)
    accepted = ",".join(map(str, done)) or None
    return redirect(url_for("labellings.agreeing_items", project=project, labelling_id=labelling_id, accepted=accepted))


@blueprint.post("/<int:labelling_id>/take-back")
@requires("dataset.upload")
def take_back(project: str, labelling_id: int) -> ResponseReturnValue:
    """Undo that."""
    shown = label_form.numbers(request.form.get("items", ""))
    count = agreeing.take_back(the_actor(), the_control_plane(), _labelling(labelling_id).id, shown)
    flash(ngettext("One item is to be judged again.", "%(num)s items are to be judged again.", count))
    return redirect(url_for("labellings.agreeing_items", project=project, labelling_id=labelling_id))


@blueprint.post("/<int:labelling_id>/unskip")
@requires("dataset.upload")
def unskip(project: str, labelling_id: int) -> ResponseReturnValue:
    """What the reader skipped is given out to them again."""
    judging.unskip(the_actor(), the_control_plane(), _labelling(labelling_id).id)
    return redirect(url_for("labellings.next_item", project=project, labelling_id=labelling_id))


@blueprint.get("/items/<int:item_id>")
@requires("dataset.upload")
def item(project: str, item_id: int) -> ResponseReturnValue:
    """An item to judge again, or to decide on."""
    return _drawn(project, _item(item_id))


@blueprint.post("/items/<int:item_id>")
@requires("dataset.upload")
@shown_again("judge", item)
def judge(project: str, item_id: int) -> ResponseReturnValue:
    """What the reader says of an item; the next one follows, after a decision the labelling."""
    found = _item(item_id)
    judging.judge(the_actor(), the_control_plane(), item_id, *label_form.said(found, request.form))
    if found.is_disputed:
        return _to(project, found.labelling.id)
    return redirect(url_for("labellings.next_item", project=project, labelling_id=found.labelling.id))


def _labelling(labelling_id: int) -> LabellingRecord:
    """A labelling of the address's project. Raises NotFound."""
    found = making.get(the_actor(), the_control_plane(), labelling_id)
    if found.project_id != the_project().id:
        raise NotFound
    return found


def _item(item_id: int) -> Item:
    """An item of the address's project. Raises NotFound."""
    found = judging.show(the_actor(), the_control_plane(), item_id)
    if found.labelling.project_id != the_project().id:
        raise NotFound
    return found


def _to(project: str, labelling_id: int) -> ResponseReturnValue:
    return redirect(url_for("labellings.show", project=project, labelling_id=labelling_id))


def _standing(labelling_id: int) -> dict[str, Any]:
    actor, cp = the_actor(), the_control_plane()
    found = summary.of(actor, cp, labelling_id)
    listed = {
        "disputed": judging.list_items(actor, cp, labelling_id, outcome=DISAGREED, limit=_SHOWN),
        "unusable": judging.list_items(actor, cp, labelling_id, state=ItemState.UNUSABLE, limit=_SHOWN),
    }
    return {"found": found, "labelling": found.labelling, "label": label_words, "most_shown": _SHOWN} | listed


def _drawn(project: str, found: Item) -> str:
    last = judging.last_of(the_actor(), found.labelling)
    return render_template(
        "labellings/item.html", item=found, labelling=found.labelling, label=label_words,
        fields=label_form.fields(found, request.form), names=FORMATS[found.version.format],
        last=last if last != found.record.id else None, is_new=found.labelling.kind == Kind.VARIATIONS,
        snippet=snippets.judge(project, found.labelling.id),
    )  # fmt: skip


def _forms(labelling: LabellingRecord, format: str) -> list[tuple[str, str]]:
    """What can be made of a labelling."""
    if labelling.kind == Kind.VARIATIONS:
        return [(saving.ANSWERS, gettext("All rows that there are, and the accepted new ones"))]
    answers = (saving.ANSWERS, gettext("Questions with the accepted and the corrected answers"))
    if format == "text":
        return [answers]
    return [
        answers,
        (saving.PAIRS, gettext("Pairs: the corrected answer is better than the one that was corrected")),
        (saving.JUDGED, gettext("Each answer, judged good or bad")),
    ]
