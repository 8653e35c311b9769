"""What the reader is told: the bell in the top bar, and the page behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.learning import NOT_LEARNT
from control_plane.services import cases, notifications
from control_plane.services.notifications import Notification
from control_plane.services.workflows import sources
from web import fleet_snippets
from web.access import signed_in, the_actor, the_control_plane
from web.fragments import fragment
from web.job_page import without_lines
from web.languages import locale

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")

_WARNING = (*NOT_LEARNT, "decision", "approval", "refused", "judging")
LOOKS = {"failed": "failed", "silent": "lost"} | dict.fromkeys(_WARNING, "warning")


@dataclass(frozen=True)
class Told:
    """A notification as it is shown."""

    one: Notification
    state: str  # in a word or two
    title: str
    text: str
    url: str

    @property
    def look(self) -> str:
        """A key of macros/status.html."""
        return LOOKS.get(self.one.kind, "succeeded")


@blueprint.get("")
@signed_in
def index() -> ResponseReturnValue:
    """What there is to know, newest first. The page itself then says (`read`) how far it was seen."""
    found = notifications.listed(the_actor(), the_control_plane())
    snippet = fleet_snippets.list_notifications()
    return render_template("notifications/index.html", found=_told(found), snippet=snippet)


@blueprint.post("/read")
@signed_in
def read() -> ResponseReturnValue:
    """Mark as read what happened up to `until`; the bell as it then is, or the page for a press without scripts."""
    try:
        until = float(request.form.get("until", "0"))
    except ValueError:
        until = 0.0
    notifications.mark_read(the_actor(), the_control_plane(), until)
    return _bell() if "HX-Request" in request.headers else redirect(url_for("notifications.index"))


@blueprint.get("/bell")
@signed_in
def bell() -> ResponseReturnValue:
    """The bell, with the newest that is unread, for the browser's own notifications."""
    return fragment(_bell())


def _bell() -> str:
    newest = [one for one in notifications.listed(the_actor(), the_control_plane(), 1) if one.unread]
    return render_template("notifications/bell.html", newest=next(iter(_told(newest)), None))


def _told(found: list[Notification]) -> list[Told]:
    runs = any(one.noun == "workflow_run" for one in found)
    known = cases.list_cases(the_actor(), the_control_plane()) if runs else []
    titles = {case.name: sources.plan_of(case, locale()).title for case in known}
    return [Told(one, _state(one), _title(one, titles), _text(one), _address(one)) for one in found]


def _state(one: Notification) -> str:
    states: dict[str, str] = {
        "ended": gettext("Ended"),
        "failed": gettext("Failed"),
        "decision": gettext("Your decision"),
        "approval": gettext("Your decision"),
        "refused": gettext("Refused"),
        "judging": gettext("To be judged"),
        "silent": gettext("Not heard"),
    } | dict.fromkeys(NOT_LEARNT, gettext("Needs attention"))
    return states[one.kind]


def _title(one: Notification, titles: Mapping[str, str]) -> str:
    """`titles` are those of cases by name, for a workflow run."""
    return titles.get(one.name, one.title) if one.noun == "workflow_run" else one.title or one.name


def _text(one: Notification) -> str:
    reason = without_lines(one.reason, dict(one.reason_params)) if one.reason else ""
    texts: dict[str, str] = {
        "ended": gettext("Has ended well."),
        "failed": reason or gettext("Failed"),
        "diverged": gettext("Ended, but what was learnt is lost: its loss rose or its reward fell (diverged)."),
        "flat": gettext("Ended, but its loss has not fallen, or its reward not risen."),
        "constant": gettext("Ended, but its reward has been the same in every step: it has learnt nothing."),
        "decision": gettext("Better than the model it came from, and not deployed: this waits for your decision."),
        "approval": gettext("It goes on once you approve: this waits for your decision."),
        "refused": reason,
        "judging": gettext("Answers or new rows wait for you to judge them."),
        "silent": gettext("The machine is not heard any more."),
    }
    return texts[one.kind]


def _address(one: Notification) -> str:
    to: dict[str, Callable[[], str]] = {
        "job": lambda: url_for("jobs.show", project=one.project, job_id=one.id),
        "evaluation": lambda: url_for("evaluations.show", project=one.project, evaluation_id=one.id),
        "workflow_run": lambda: url_for("workflow_runs.show", project=one.project, run_id=one.id),
        "source": lambda: url_for("sources.show", project=one.project, name=one.name),
        "listener": lambda: url_for("listeners.show", project=one.project, listener_id=one.id),
        "labelling": lambda: url_for("labellings.show", project=one.project, labelling_id=one.id),
        "machine": lambda: url_for("machines.show", machine_id=one.id),
    }
    return to[one.noun]()
