"""Which methods are offered, and what each reads, lets one choose and makes."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import MethodUnknown, NotFound
from control_plane.services import methods
from control_plane.services.access import projects
from control_plane.store.methods import MethodVersionRecord
from web import fleet_snippets, forms, job_form
from web.access import current_project, requires, the_actor, the_control_plane
from web.formatting import decimal_sign
from web.languages import locale
from web.pages.item import Item
from web.snippets import Snippet

blueprint = Blueprint("methods", __name__)
navigation = Item("admin", "methods.index", _("Methods"), "puzzle", "method.see")


@blueprint.get("/methods")
@requires("method.see")
def index() -> ResponseReturnValue:
    """The catalogue."""
    found = methods.list_methods(the_actor(), the_control_plane())
    return render_template("methods/index.html", methods=[methods.manifest(record, locale()) for record in found])


@blueprint.get("/methods/<name>")
@requires("method.see")
def show(name: str) -> ResponseReturnValue:
    """One method's manifest in plain words."""
    try:
        record = methods.get(the_actor(), the_control_plane(), name)
    except MethodUnknown as problem:
        raise NotFound from problem
    manifest = methods.manifest(record, locale())
    groups = forms.layout(manifest.parameters, manifest.groups, decimal=decimal_sign(locale()))
    snippet = _snippet(record)
    return render_template("methods/show.html", record=record, method=manifest, groups=groups, snippet=snippet)


def _snippet(record: MethodVersionRecord) -> Snippet:
    """A job of the method on the newest that fits in the project; looking, where something is lacking."""
    actor, cp = the_actor(), the_control_plane()
    project = current_project(projects.list_projects(actor, cp))
    if project is None or not actor.may("job.submit", project.id):
        return fleet_snippets.show_method(record.name)
    offered = job_form.Offered(actor, cp, project.name)
    return job_form.snippet(project.name, job_form.with_newest(job_form.fresh(record), offered), cp.clock())
