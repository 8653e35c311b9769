"""The fleet: which machines there are, what they do, how one joins."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.authority import open_authority
from control_plane.domain.addresses import is_loopback
from control_plane.domain.errors import AddressLoopback
from control_plane.services import overview
from control_plane.services.fleet import enrollment, machines, upkeep
from control_plane.store.machines import MachineRecord
from web import fleet_snippets, sparklines
from web.access import requires, signed_in, the_actor, the_control_plane
from web.failures import sentence
from web.fragments import fragment
from web.pages.item import Item
from web.refusals import shown_again
from web.snippets import Snippet

blueprint = Blueprint("machines", __name__)
navigation = Item("fleet", "machines.index", _("Machines"), "server", "machine.see", "g f")


@blueprint.get("/machines")
@requires("machine.see")
def index() -> ResponseReturnValue:
    """All machines."""
    cp = the_control_plane()
    found = machines.list_machines(the_actor(), cp)
    loads = {key: sparklines.path(kept, 0.0, 1.0) for key, kept in machines.loads(the_actor(), cp).items()}
    return render_template("machines/index.html", machines=found, loads=loads, unreachable=_unreachable())


@blueprint.get("/machines/<machine_id>")
@requires("machine.see")
def show(machine_id: str) -> ResponseReturnValue:
    """One machine: its hardware as last reported, and what it holds."""
    actor, cp = the_actor(), the_control_plane()
    machine = machines.get(actor, cp, machine_id)
    held, snippet = overview.held(actor, cp, machine_id), _snippet(machine)
    load = sparklines.path(machines.loads(actor, cp).get(machine_id, ()), 0.0, 1.0)
    return render_template("machines/show.html", machine=machine, held=held, load=load, snippet=snippet)


@blueprint.post("/machines/join")
@requires("machine.join")
@shown_again("join", index)
def join() -> ResponseReturnValue:
    """A fresh join token, shown once, among the steps that use it. Raises AddressLoopback before one is made."""
    cp = the_control_plane()
    address = enrollment.join_address(cp)
    token, record = enrollment.create_join_token(the_actor(), cp, request.form.get("machine_class", ""))
    return render_template(
        "machines/join.html",
        token=token,
        record=record,
        address=address,
        listens_here=is_loopback(cp.settings.host),
        version=enrollment.CONTROL_PLANE_VERSION,
        machine=None,
        now=cp.clock(),
        snippet=fleet_snippets.create_join_token(record.machine_class),
    )


@blueprint.get("/machines/join/<token_id>")
@requires("machine.join")
def joined(token_id: str) -> ResponseReturnValue:
    """The part of the steps' page that changes: whether a machine has joined with the token, and runs."""
    record, machine = enrollment.joined(the_actor(), the_control_plane(), token_id)
    now = the_control_plane().clock()
    return fragment(render_template("machines/joined.html", record=record, machine=machine, now=now))


@blueprint.get("/authority.pem")
@signed_in
def authority() -> Response:
    """The certificate of this installation's authority, by which commands and scripts know that they reach it."""
    pem = open_authority(the_control_plane().settings.data).pem
    disposition = {"Content-Disposition": 'attachment; filename="authority.pem"'}
    return Response(pem, content_type="application/x-pem-file", headers=disposition)


@blueprint.post("/machines/<machine_id>/describe")
@requires("machine.change")
def describe(machine_id: str) -> ResponseReturnValue:
    """Another name, and other labels."""
    labels = request.form.get("labels", "").replace(",", " ").split()
    upkeep.describe(the_actor(), the_control_plane(), machine_id, request.form.get("name", ""), labels)
    return redirect(url_for("machines.show", machine_id=machine_id))


@blueprint.post("/machines/<machine_id>/revoke")
@requires("machine.change")
def revoke(machine_id: str) -> ResponseReturnValue:
    """Refuse its calls from now on."""
    machines.revoke(the_actor(), the_control_plane(), machine_id)
    return redirect(url_for("machines.show", machine_id=machine_id))


@blueprint.post("/machines/<machine_id>/remove")
@requires("machine.change")
def remove(machine_id: str) -> ResponseReturnValue:
    """Refuse its calls from now on, and list it no more."""
    upkeep.remove(the_actor(), the_control_plane(), machine_id)
    flash(gettext("The machine is removed."))
    return redirect(url_for("machines.index"))


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


def _unreachable() -> str:
    """Why no other machine can join, in words; empty where one can."""
    try:
        enrollment.join_address(the_control_plane())
    except AddressLoopback as problem:
        return sentence(problem)
    return ""


def _snippet(machine: MachineRecord) -> Snippet:
    """What the reader's button does; for who has none, looking."""
    if not the_actor().may("machine.change"):
        return fleet_snippets.show_machine(machine.id)
    return fleet_snippets.undrain_machine(machine.id) if machine.drained else fleet_snippets.drain_machine(machine.id)
