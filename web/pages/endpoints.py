"""Endpoints: models of others that are asked over the network, as for labellings."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.errors import NotFound, TunesmithError
from control_plane.services.endpoints import asking, keeping
from control_plane.services.endpoints.keeping import DAILY_CALLS, Wanted
from control_plane.store.endpoints import EndpointRecord
from web import formatting, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale
from web.paging import asked_number, whole_number
from web.refusals import shown_again

blueprint = Blueprint("endpoints", __name__, url_prefix="/p/<project>/endpoints")


@blueprint.get("")
@requires("endpoint.use")
def index(project: str) -> ResponseReturnValue:
    """The project's endpoints, and the form for one; `change` is one that it is filled in with."""
    actor, cp = the_actor(), the_control_plane()
    found = keeping.list_endpoints(actor, cp, project)
    number = asked_number("change", 0)
    return render_template(
        "endpoints/index.html", found=[(one, keeping.calls_today(cp, one)) for one in found],
        changed=_endpoint(number) if number else None, daily_calls=DAILY_CALLS, snippet=snippets.endpoints(project),
    )  # fmt: skip


@blueprint.post("")
@requires("endpoint.change")
@shown_again("endpoint", index, "name", "address", "model", "key", "daily_calls")
def save(project: str) -> ResponseReturnValue:
    """Make or change one, and see whether it works."""
    form = request.form
    wanted = Wanted(
        form.get("address", ""), form.get("model", ""), form.get("key", ""),
        whole_number(form.get("daily_calls", "")),
    )  # fmt: skip
    saved = keeping.save(the_actor(), the_control_plane(), project, form.get("name", "").strip(), wanted)
    return _tried(project, saved)


@blueprint.post("/<int:endpoint_id>/test")
@requires("endpoint.change")
def test(project: str, endpoint_id: int) -> ResponseReturnValue:
    """Ask it something short, and say what came."""
    return _tried(project, _endpoint(endpoint_id))


@blueprint.post("/<int:endpoint_id>/remove")
@requires("endpoint.change")
def remove(project: str, endpoint_id: int) -> ResponseReturnValue:
    """Forget it and its key."""
    keeping.remove(the_actor(), the_control_plane(), int(_endpoint(endpoint_id).id))
    flash(gettext("The endpoint and its key are gone."))
    return redirect(url_for("endpoints.index", project=project))


def _tried(project: str, endpoint: EndpointRecord) -> ResponseReturnValue:
    try:
        tried = asking.test(the_actor(), the_control_plane(), int(endpoint.id))
    except TunesmithError as problem:
        flash(f"{endpoint.name}: {sentence(problem)}", "error")
    else:
        seconds = formatting.duration(tried.seconds, locale())
        said = {"name": endpoint.name, "time": seconds, "answer": tried.answer}
        flash(gettext("“%(name)s” answered within %(time)s: %(answer)s", **said))
    return redirect(url_for("endpoints.index", project=project))


def _endpoint(endpoint_id: int) -> EndpointRecord:
    """An endpoint of the address's project. Raises NotFound."""
    found = keeping.get(the_actor(), the_control_plane(), endpoint_id)
    if found.project_id != the_project().id:
        raise NotFound
    return found
