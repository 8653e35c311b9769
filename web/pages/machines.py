"""The fleet: which machines there are, what they do, how one joins."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.services import overview
from control_plane.services.fleet import enrollment, machines
from control_plane.store.machines import MachineRecord
from web import snippets
from web.access import requires, the_actor, the_control_plane
from web.pages.item import Item
from web.refusals import shown_again

blueprint = Blueprint("machines", __name__)
navigation = Item("fleet", "machines.index", _("Machines"), "server", "machine.see", "g f")


@blueprint.get("/machines")
@requires("machine.see")
def index() -> ResponseReturnValue:
    """All machines."""
    return render_template("machines/index.html", machines=machines.list_machines(the_actor(), the_control_plane()))


@blueprint.get("/machines/<machine_id>")
@requires("machine.see")
def show(machine_id: str) -> ResponseReturnValue:
    """One machine: its hardware as last reported, and what it holds."""
    actor, cp = the_actor(), the_control_plane()
    machine = machines.get(actor, cp, machine_id)
    held, snippet = overview.held(actor, cp, machine_id), _snippet(machine)
    return render_template("machines/show.html", machine=machine, held=held, snippet=snippet)


@blueprint.post("/machines/join")
@requires("machine.join")
@shown_again("join", index)
def join() -> ResponseReturnValue:
    """A fresh join token, shown once, in the command that uses it."""
    cp = the_control_plane()
    token, record = enrollment.create_join_token(the_actor(), cp, request.form.get("machine_class", ""))
    address = f"{cp.settings.public_host}:{cp.settings.api_port}"
    snippet = snippets.create_join_token(record.machine_class)
    return render_template("machines/join.html", token=token, record=record, address=address, snippet=snippet)


@blueprint.post("/machines/<machine_id>/drain")
@requires("machine.change")
def drain(machine_id: str) -> ResponseReturnValue:
    """Give it no new jobs."""
    machines.drain(the_actor(), the_control_plane(), machine_id)
    return redirect(url_for("machines.show", machine_id=machine_id))


@blueprint.post("/machines/<machine_id>/undrain")
@requires("machine.change")
def undrain(machine_id: str) -> ResponseReturnValue:
    """Give it jobs again."""
    machines.undrain(the_actor(), the_control_plane(), machine_id)
    return redirect(url_for("machines.show", machine_id=machine_id))


def _snippet(machine: MachineRecord) -> snippets.Snippet:
    """What the reader's button does; for who has none, looking."""
    if not the_actor().may("machine.change"):
        return snippets.show_machine(machine.id)
    return snippets.undrain_machine(machine.id) if machine.drained else snippets.drain_machine(machine.id)
