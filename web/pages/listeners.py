"""Listeners: who is told of what happens in a project, in which way, and what they were told."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import NotFound
from control_plane.domain.listeners.events import CHOICES
from control_plane.services.listeners import deliveries, listening
from control_plane.services.listeners.listening import Way
from control_plane.wording import event_title, say
from web import snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.fragments import fragment
from web.languages import locale
from web.pages.item import Item
from web.paging import asked_number
from web.refusals import shown_again

blueprint = Blueprint("listeners", __name__, url_prefix="/p/<project>/listeners")
navigation = Item("admin", "listeners.index", _("Listeners"), "send", "listener.see")

# what most people want to be told
USUAL = ("workflow_run.ended", "evaluation.judged", "job.failed", "source.failed", "machine.lost", "disk.low")


@blueprint.get("")
@requires("listener.see")
def index(project: str) -> ResponseReturnValue:
    """Who is told, and in which ways somebody can be."""
    actor, cp = the_actor(), the_control_plane()
    may_change = actor.may("listener.change", the_project().id)
    return render_template(
        "listeners/index.html",
        listeners=listening.listed(actor, cp, project),
        ways=listening.ways(actor, cp, project) if may_change else [],
        words=way_words(),
        say=_say,
        snippet=snippets.list_listeners(project),
    )


@blueprint.get("/new/<way>")
@requires("listener.change")
def new(project: str, way: str) -> ResponseReturnValue:
    """The form for a listener of one way."""
    found = _way(project, way)
    return render_template(
        "listeners/new.html",
        way=found,
        choices=[(name, name) for name in found.choices],
        words=way_words()[way],
        events=_titles(),
        chosen=request.form.getlist("event") if request.method == "POST" else USUAL,
        say=_say,
        snippet=snippets.list_listener_ways(project),
    )


@blueprint.post("/new/<way>")
@requires("listener.change")
@shown_again("listener", new, "address")
def add(project: str, way: str) -> ResponseReturnValue:
    """Add it, and go to its page; the key of a webhook's signature is shown there this once."""
    address, events = request.form.get("address", ""), request.form.getlist("event")
    listener, key = listening.add(the_actor(), the_control_plane(), project, way, address, events, locale())
    if key:
        return _page(project, listener.id, key)
    return redirect(url_for("listeners.show", project=project, listener_id=listener.id))


@blueprint.get("/<int:listener_id>")
@requires("listener.see")
def show(project: str, listener_id: int) -> ResponseReturnValue:
    """One listener: what it was told, and of which events it is."""
    return _page(project, listener_id)


@blueprint.get("/<int:listener_id>/deliveries")
@requires("listener.see")
def told(project: str, listener_id: int) -> ResponseReturnValue:
    """What it was told, as a part of its page."""
    return fragment(render_template("listeners/deliveries.html", **_told(listener_id)))


@blueprint.post("/<int:listener_id>/events")
@requires("listener.change")
@shown_again("events", show)
def change(project: str, listener_id: int) -> ResponseReturnValue:
    """Choose other events."""
    listening.change(the_actor(), the_control_plane(), listener_id, request.form.getlist("event"))
    flash(gettext("The events are chosen."))
    return _back(project, listener_id)


@blueprint.post("/<int:listener_id>/test")
@requires("listener.change")
@shown_again("test", show)
def test(project: str, listener_id: int) -> ResponseReturnValue:
    """Send a test."""
    listening.test(the_actor(), the_control_plane(), listener_id)
    return _back(project, listener_id)


@blueprint.post("/<int:listener_id>/deliveries/<int:delivery_id>/replay")
@requires("listener.change")
@shown_again("test", lambda project, listener_id, delivery_id: show(project, listener_id))
def replay(project: str, listener_id: int, delivery_id: int) -> ResponseReturnValue:
    """Send the same event once more."""
    deliveries.replay(the_actor(), the_control_plane(), delivery_id)
    return _back(project, listener_id)


@blueprint.post("/<int:listener_id>/remove")
@requires("listener.change")
def remove(project: str, listener_id: int) -> ResponseReturnValue:
    """Tell it nothing more."""
    listening.remove(the_actor(), the_control_plane(), listener_id)
    flash(gettext("The listener is told nothing more, and its address is forgotten."))
    return redirect(url_for("listeners.index", project=project))


def way_words() -> dict[str, dict[str, str]]:
    """What there is to say of each way: its name, what it is for, its field and the help beside it."""
    return {
        "webhook": {
            "name": gettext("Webhook"),
            "text": gettext("A program of yours gets each event as JSON, with a signature that it can verify."),
            "field": gettext("Address"),
            "help": gettext("It begins with https://. It is kept sealed and never shown again."),
        },
        "slack": {
            "name": "Slack",
            "text": gettext("A message in a Slack channel."),
            "field": gettext("Address of the incoming webhook"),
            "help": gettext("Slack shows it where the app “Incoming Webhooks” is added to a channel."),
        },
        "teams": {
            "name": "Microsoft Teams",
            "text": gettext("A card in a channel of Microsoft Teams."),
            "field": gettext("Address of the workflow"),
            "help": gettext("In Teams: Workflows, “Post to a channel when a webhook request is received”."),
        },
        "mail": {
            "name": gettext("Mail"),
            "text": gettext("A mail to one address, which may be that of a list."),
            "field": gettext("Mail address"),
            "help": "",
        },
        "python": {
            "name": gettext("Python"),
            "text": gettext("A function of an installed package is called with each event."),
            "field": gettext("Python listener"),
            "help": gettext("An administrator has named these."),
        },
    }


def _page(project: str, listener_id: int, key: str = "") -> str:
    found = _told(listener_id)
    listener = found["listener"]
    return render_template(
        "listeners/show.html",
        **found,
        key=key,
        words=way_words()[listener.way],
        events=_titles(),
        added_by=listening.who(listener),
        snippet=snippets.list_deliveries(project, listener_id),
    )


def _told(listener_id: int) -> dict[str, Any]:
    actor, cp = the_actor(), the_control_plane()
    listener, found = deliveries.listed(actor, cp, listener_id, asked_number("before", 0))
    if listener.project_id != the_project().id:
        raise NotFound
    older = found[-1].id if len(found) == deliveries.MOST else 0
    return {"listener": listener, "deliveries": found, "older": older, "titles": dict(_titles(whole=True)), "say": _say}


def _way(project: str, name: str) -> Way:
    found = listening.ways(the_actor(), the_control_plane(), project)
    way = next((one for one in found if one.name == name), None)
    if way is None:
        raise NotFound
    return way


def _titles(whole: bool = False) -> list[tuple[str, str]]:
    names = (*CHOICES, "listener.test") if whole else CHOICES
    return [(name, event_title(name, locale())) for name in names]


def _say(code: str, params: dict[str, object]) -> str:
    return say(code, params, locale()) if code else ""


def _back(project: str, listener_id: int) -> ResponseReturnValue:
    return redirect(url_for("listeners.show", project=project, listener_id=listener_id))
