"""Which methods are offered, and what each reads, lets one choose and makes."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import MethodUnknown, NotFound
from control_plane.services import methods
from web import forms
from web.access import requires, the_actor, the_control_plane
from web.languages import locale
from web.pages.item import Item

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
    groups = forms.layout(manifest.parameters, manifest.groups)
    return render_template("methods/show.html", record=record, method=manifest, groups=groups)
