"""What starts a workflow by itself: a page of the workflow."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.errors import NotFound
from control_plane.domain.preparation import read
from control_plane.domain.schedules import Schedule
from control_plane.domain.workflows.triggers import BASE_MODEL, DATASET, ONCE, SCHEDULE, SKIP, WEBHOOK, Quiet
from control_plane.services import schedules
from control_plane.services.datasets import versions
from control_plane.services.triggers import setting
from control_plane.services.triggers.setting import Wanted
from control_plane.services.workflows import kept
from control_plane.store.triggers import TriggerRecord
from control_plane.wording import say
from web import schedule_form, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.languages import locale
from web.refusals import shown_again

blueprint = Blueprint("triggers", __name__)


@blueprint.get("/p/<project>/workflows/<int:workflow_id>/triggers")
@requires("workflow.see")
def index(project: str, workflow_id: int) -> ResponseReturnValue:
    """What starts it, what that started last, and a form for more."""
    return _page(project, workflow_id, "")


@blueprint.post("/p/<project>/workflows/<int:workflow_id>/triggers")
@requires("workflow.change")
@shown_again("trigger", index)
def add(project: str, workflow_id: int) -> ResponseReturnValue:
    """Have it started by itself; a webhook's key is shown this once."""
    form = request.form
    kind = form.get(f"{schedule_form.PREFIX}kind", SCHEDULE)
    wished = schedule_form.read(form) if kind == SCHEDULE else Schedule()
    zone = wished.time_zone if wished.cron else form.get(f"{schedule_form.PREFIX}zone", "").strip() or "UTC"
    quiet = Quiet(form.get("quiet_begin", "").strip(), form.get("quiet_end", "").strip(), zone)
    wanted = Wanted(kind, wished, form.get("missed", ONCE), form.get("dataset", ""), quiet)
    trigger, key = setting.add(the_actor(), the_control_plane(), workflow_id, wanted)
    if key:
        return _page(project, workflow_id, key, url_for("hooks.call", trigger_id=trigger.id, _external=True))
    flash(gettext("The workflow is started by itself from now on, in your name."))
    return redirect(url_for("triggers.index", project=project, workflow_id=workflow_id))


@blueprint.post("/p/<project>/workflows/<int:workflow_id>/triggers/<int:trigger_id>/remove")
@requires("workflow.change")
def remove(project: str, workflow_id: int, trigger_id: int) -> ResponseReturnValue:
    """Have it start nothing more."""
    setting.remove(the_actor(), the_control_plane(), trigger_id)
    flash(gettext("It starts nothing more. The runs that it started stay."))
    return redirect(url_for("triggers.index", project=project, workflow_id=workflow_id))


def _page(project: str, workflow_id: int, key: str, address: str = "") -> str:
    actor, cp = the_actor(), the_control_plane()
    workflow = kept.get(actor, cp, workflow_id).workflow
    if workflow.project_id != the_project().id:
        raise NotFound
    found = setting.listed(actor, cp, workflow_id)
    fired, names = setting.firings_of(found, 3), setting.dataset_names(found)
    return render_template(
        "triggers/index.html",
        workflow=workflow,
        triggers=[(one, _said(one, names), fired[one.id]) for one in found],
        kinds=kinds(),
        policies=policies(),
        datasets=_datasets(project),
        choices=[one for one in schedule_form.choices() if one[0] != schedule_form.NEVER],
        form=schedule_form.Filled(schedule_form.DAILY, is_new=True),
        days=schedule_form.days(),
        zones=[(zone, zone) for zone in schedules.time_zones()],
        say=lambda code, params: say(code, params, locale()) if code else "",
        key=key,
        address=address,
        snippet=snippets.list_triggers(project, workflow.name, workflow_id),
    )


def _datasets(project: str) -> list[tuple[str, str]]:
    found = {one.name: one.label for one, *_ in versions.list_datasets(the_actor(), the_control_plane(), project)}
    return list(found.items())


def kinds() -> list[tuple[str, str]]:
    """What can start a workflow."""
    return [
        (SCHEDULE, gettext("At times of a calendar")),
        (DATASET, gettext("When a dataset has a new version")),
        (BASE_MODEL, gettext("When the project has a new base model")),
        (WEBHOOK, gettext("When another system calls (webhook)")),
    ]


def policies() -> list[tuple[str, str]]:
    """What becomes of times at which nothing ran."""
    return [(ONCE, gettext("Make up for them by one run")), (SKIP, gettext("Let them go"))]


def _said(trigger: TriggerRecord, names: Mapping[int, str]) -> str:
    if trigger.kind == SCHEDULE:
        return schedule_form.said(read(Schedule, trigger.schedule))
    if trigger.kind == DATASET:
        return str(gettext("New version of %(name)s", name=names.get(trigger.dataset, "–")))
    return str(dict(kinds())[trigger.kind])
