"""Rewards of a project: the list, the builder of one with its versions, and its dry run on real rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import Conflict, Invalid, NotFound
from control_plane.domain.lifecycle import SERVING
from control_plane.domain.names import of_title
from control_plane.domain.rewards import document, templates
from control_plane.services import deployments, method_folders, results
from control_plane.services.datasets import versions as dataset_versions
from control_plane.services.endpoints import keeping
from control_plane.services.rewards import documents, dry_running, kept
from control_plane.services.rewards.kept import Kept
from control_plane.services.things import kinds
from control_plane.store.rewards import RewardDryRunRecord, RewardVersionRecord
from web import check_list, forms, snippets, word_differences
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.formatting import decimal_sign
from web.fragments import fragment
from web.languages import locale
from web.pages.item import Item
from web.paging import asked_version, whole_number
from web.refusals import shown_again
from web.rewards import words

blueprint = Blueprint("rewards", __name__, url_prefix="/p/<project>/rewards")
navigation = Item("work", "rewards.index", _("Rewards"), "gauge", "reward.see", "g r")
CHECKS = "checks"


@blueprint.get("")
@requires("reward.see")
def index(project: str) -> ResponseReturnValue:
    """Each reward with its newest version."""
    tag = request.args.get("tag", "")
    found = kept.list_rewards(the_actor(), the_control_plane(), project, tag)
    return render_template(
        "rewards/index.html",
        found=found,
        authors=_authors([one.version for one in found]),
        tag=tag,
        tags=kinds.tags_of(kinds.REWARD, the_project().id),
        templates=words.templates(),
        snippet=snippets.list_rewards(project),
    )


@blueprint.get("/-new")
@requires("reward.change")
def new(project: str) -> ResponseReturnValue:
    """The builder with a template, or with nothing yet."""
    checks = templates.TEMPLATES.get(request.args.get("template", ""), ())
    return _builder(project, [dict(one) for one in checks])


@blueprint.post("/-new")
@requires("reward.change")
def create(project: str) -> ResponseReturnValue:
    """Save what was built under its title."""
    return _save(project, None)


@blueprint.get("/<name>")
@requires("reward.see")
def show(project: str, name: str) -> ResponseReturnValue:
    """One reward: a version of it in the builder, what differs between two, and its newest dry run."""
    found = kept.get(the_actor(), the_control_plane(), project, name)
    shown = asked_version(kept.versions(found.reward), "version", found.version)
    return _builder(project, list(shown.document["checks"]), Kept(found.reward, shown))


@blueprint.post("/<name>")
@requires("reward.change")
def save(project: str, name: str) -> ResponseReturnValue:
    """Save what was built as the next version; or the builder again, with one check more, less or elsewhere."""
    return _save(project, kept.get(the_actor(), the_control_plane(), project, name))


@blueprint.get("/<name>/document")
@requires("reward.see")
def export(project: str, name: str) -> Response:
    """A version as a file."""
    found = kept.get(the_actor(), the_control_plane(), project, name)
    shown = asked_version(kept.versions(found.reward), "version", found.version)
    answer = Response(_text(shown.document), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return answer


@blueprint.post("/<name>/try")
@requires("reward.change")
@shown_again("try", show, "dataset", "model")
def begin(project: str, name: str) -> ResponseReturnValue:
    """Try the version that was looked at on rows of a dataset, with samples of a model if one was chosen."""
    found = kept.get(the_actor(), the_control_plane(), project, name)
    shown = asked_version(kept.versions(found.reward), "version", found.version)
    kind, _colon, model = request.form.get("model", "").partition(":")
    who = {kind: model} if kind in ("deployment", "endpoint") else {}
    named, number = f"{name}@{shown.number}", whole_number(request.form.get("dataset", ""))
    dry_running.start(the_actor(), the_control_plane(), project, named, number, **who)
    return redirect(url_for("rewards.show", project=project, name=name, version=shown.number, _anchor="dry-run"))


@blueprint.post("/<name>/try/<int:dry_run_id>/cancel")
@requires("reward.change")
def cancel(project: str, name: str, dry_run_id: int) -> ResponseReturnValue:
    """Have a dry run end."""
    _dry_run(dry_run_id)
    try:
        dry_running.cancel(the_actor(), the_control_plane(), dry_run_id)
    except Conflict as problem:
        flash(sentence(problem), "error")
    return redirect(url_for("rewards.show", project=project, name=name, _anchor="dry-run"))


@blueprint.get("/<name>/try/<int:dry_run_id>")
@requires("reward.see")
def status(project: str, name: str, dry_run_id: int) -> Response:
    """How a dry run goes, or what it has found."""
    found = _dry_run(dry_run_id)
    return fragment(render_template("rewards/dry_run.html", name=name, **_found(found)))


def _save(project: str, before: Kept | None) -> ResponseReturnValue:
    actor, cp = the_actor(), the_control_plane()
    schema, decimal = _schema(), decimal_sign(locale())
    if check_list.CHANGE in request.form:
        return _builder(project, check_list.typed(schema, request.form).get(CHECKS, []), before)
    try:
        if request.form.get("what") == "document":
            return _builder(project, documents.read(cp, _sent_text())[CHECKS], before)
        lists, unread = check_list.read(schema, request.form, decimal)
        if unread:
            typed = check_list.typed(schema, request.form).get(CHECKS, [])
            return _builder(project, typed, before, errors=unread), 400
        title = request.form.get("title", "")
        name = str(before.reward.name) if before else of_title(title)
        base = whole_number(request.form.get("base", ""))
        saved = kept.save(actor, cp, project, name, lists.get(CHECKS, []), title, base)
    except (Invalid, Conflict) as problem:
        typed = check_list.typed(schema, request.form).get(CHECKS, [])
        return _builder(project, typed, before, sentence(problem)), 400
    is_new = before is None or saved.id != before.version.id
    said = gettext("Saved as version %(number)s.", number=saved.number)
    flash(said if is_new else gettext("Nothing has changed: version %(number)s says the same.", number=saved.number))
    return redirect(url_for("rewards.show", project=project, name=name))


def _sent_text() -> str:
    """The JSON that was chosen as a file, else the one that was typed."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return file.stream.read(document.LONGEST + 1).decode("utf-8-sig", "replace")
    return request.form.get("document", "")


def _builder(
    project: str,
    checks: Sequence[Mapping[str, Any]],
    before: Kept | None = None,
    problem: str = "",
    errors: Mapping[str, str] | None = None,
) -> str:
    schema, decimal = _schema(), decimal_sign(locale())
    drawn = forms.layout(schema, {}, {CHECKS: list(checks)}, errors, decimal)
    (group,) = check_list.drawn(drawn, schema, {CHECKS: list(checks)}, decimal, gettext("Weight"))
    given: dict[str, Any] = {}
    if before is not None:
        known = kept.versions(before.reward)
        old = asked_version(known, "old", before.version)
        found = dry_running.newest(before.version)
        given = {
            "reward": before.reward,
            "version": before.version,
            "versions": known,
            "authors": _authors(known),
            "old": old,
            "difference": word_differences.by_lines(_text(old.document), _text(before.version.document)),
            "text": _text(before.version.document),
            "newest": known[0],
            "datasets": _datasets(project),
            "models": _models(project),
            **(_found(found) if found else {"run": None}),
        }
    return render_template(
        "rewards/show.html",
        item=group.fields[0],
        problem=problem,
        title=request.form.get("title", before.reward.title if before else request.args.get("title", "")),
        templates=words.templates() if before is None else [],
        snippet=snippets.save_reward(project, str(before.reward.name) if before else "my-reward"),
        name=str(before.reward.name) if before else "",
        **{"reward": None, "run": None, **given},
    )


def _schema() -> forms.Schema:
    """The builder's form: one list of checks, as a method's parameter has it."""
    checks = {"type": "array", "title": gettext("Checks"), "x-checks": words.known(), "default": []}
    help = gettext("Each gives an answer from 0 to 1; the reward is their mean, each counted by its weight.")
    return {"type": "object", "properties": {CHECKS: {**checks, "description": help}}}


def _found(run: RewardDryRunRecord) -> dict[str, Any]:
    """A dry run for its template."""
    cp = the_control_plane()
    return {
        "run": run,
        "trial": dry_running.trial_of(run),
        "said": words,
        "known": words.known(),
        "reasons": method_folders.reasons(cp),
    }


def _dry_run(number: int) -> RewardDryRunRecord:
    found = dry_running.get(the_actor(), the_control_plane(), number)
    if found.project_id != the_project().id:
        raise NotFound
    return found


def _datasets(project: str) -> list[tuple[str, str]]:
    """Versions that can be tried on: id and what each is called."""
    if not the_actor().may("dataset.see", the_project().id):
        return []
    found = dataset_versions.list_datasets(the_actor(), the_control_plane(), project)
    return [(str(version.id), f"{dataset.label} v{version.number}") for dataset, version, _count in found]


def _models(project: str) -> list[tuple[str, str]]:
    """Who could give samples: what the form sends and what it says."""
    actor, cp = the_actor(), the_control_plane()
    found = [("", gettext("Nobody: only the rows’ own answers"))]
    if actor.may("deployment.use", the_project().id):
        served = [one for one in deployments.list_deployments(actor, cp, project) if one.desired_state == SERVING]
        found += [(f"deployment:{one.name}", one.label) for one in served]
    if actor.may("endpoint.use", the_project().id):
        found += [(f"endpoint:{one.name}", one.name) for one in keeping.list_endpoints(actor, cp, project)]
    return found


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _authors(versions: Sequence[RewardVersionRecord]) -> Mapping[str, str]:
    return results.owners_of({str(one.created_by) for one in versions})
