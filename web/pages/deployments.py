"""Deployments: what is live and healthy, how to call it, and a playground to see whether it does what one wants."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import Invalid, NotFound, TunesmithError
from control_plane.domain.lifecycle import SERVING, STOPPED
from control_plane.domain.prompts import answer_schema
from control_plane.services import deployments, examples, models, results, traffic
from control_plane.services.deployments import Condition
from control_plane.services.prompts import carrying, kept
from control_plane.services.things import kinds
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.models import ModelRecord
from control_plane.wording import why
from web import gateway, rail, snippets, sparklines
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.fragments import fragment
from web.languages import locale
from web.pages.item import Item
from web.paging import asked_number, whole_number
from web.refusals import shown_again
from web.words import cut

blueprint = Blueprint("deployments", __name__, url_prefix="/p/<project>/deployments")
_ENDPOINTS = frozenset({"endpoints"})
navigation = Item("work", "deployments.index", _("Deployments"), "rocket", "deployment.see", "g p", also=_ENDPOINTS)

CONTEXT_LENGTH, SLOTS = "2048", "4"
_FIELDS = ("context_length", "slots")


@dataclass(frozen=True)
class Entered:
    """The form of a deployment as it was filled in, and what was wrong with it."""

    name: str = ""
    model: str = ""
    context_length: str = CONTEXT_LENGTH
    slots: str = SLOTS
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """How a deployment stands, in words."""

    deployment: DeploymentRecord
    condition: Condition
    why: str
    requests: list[int]  # of each period of the last day

    @property
    def curve(self) -> str:
        """The path of the requests; from nothing at all upwards, so that few do not look like many."""
        return sparklines.path(self.requests, 0.0) if any(self.requests) else ""

    @property
    def is_serving(self) -> bool:
        return self.condition.state == SERVING

    @property
    def is_stopped(self) -> bool:
        return bool(self.deployment.desired_state == STOPPED)

    @property
    def topic(self) -> str:
        return f"deployment:{self.deployment.id} fleet"


@blueprint.get("")
@requires("deployment.see")
def index(project: str) -> ResponseReturnValue:
    """Everything that is or was served in the project."""
    actor, cp = the_actor(), the_control_plane()
    tag = request.args.get("tag", "")
    found = deployments.list_deployments(actor, cp, project, tag)
    names = results.model_names({one.model_id for one in found})
    return render_template(
        "deployments/index.html",
        seen=_seen(found),
        topic=" ".join([f"project:{the_project().id}", *(f"deployment:{one.id}" for one in found)]),
        names=names,
        tag=tag,
        tags=kinds.tags_of(kinds.DEPLOYMENT, the_project().id),
        snippet=snippets.list_deployments(project),
    )


@blueprint.get("/new")
@requires("deployment.change")
def new(project: str) -> ResponseReturnValue:
    """The form; a model that the address names is chosen, and gives its name."""
    asked = request.args.get("model", "")
    offered, _ = _offered(project, asked)
    chosen = next((model for model in offered if str(model.id) == asked), offered[0] if offered else None)
    name = request.args.get("name", "") or (chosen.name if chosen else "")
    return _form(project, Entered(name, str(chosen.id) if chosen else ""))


@blueprint.post("/new")
@requires("deployment.change")
def deploy(project: str) -> ResponseReturnValue:
    """Have the model served; the same name again changes what that name serves."""
    entered = _entered()
    if entered.errors:
        return _form(project, entered), 400
    try:
        made = deployments.deploy(
            the_actor(),
            the_control_plane(),
            project,
            entered.name,
            int(entered.model),
            int(entered.context_length),
            int(entered.slots),
        )
    except Invalid as problem:
        return _form(project, _with_problem(entered, problem)), 400
    return redirect(url_for("deployments.show", project=project, deployment_id=made.id))


@blueprint.get("/<int:deployment_id>")
@requires("deployment.see")
def show(project: str, deployment_id: int) -> ResponseReturnValue:
    """State, machine, how to call it, and the playground."""
    actor, cp = the_actor(), the_control_plane()
    deployment = _deployment(deployment_id)
    own, training = models.lineages(actor, cp, deployment.model_id)
    named, address = f"{project}/{deployment.name}", request.url_root.rstrip("/")
    return render_template(
        "deployments/show.html",
        seen=_seen([deployment])[0],
        model=own.model,
        run_id=training.job.workflow_run_id,
        endpoint=address + gateway.CHAT,
        named=named,
        curl=snippets.endpoint_curl(address, named),
        python=snippets.endpoint_python(address, named),
        rail=rail.of_lineage(project, own, training),
        asked=examples.asked_like(training),
        snippet=snippets.chat(project, deployment.name, deployment_id),
    )


@blueprint.get("/<int:deployment_id>/status")
@requires("deployment.see")
def status(project: str, deployment_id: int) -> ResponseReturnValue:
    """The parts of the page that change."""
    deployment = _deployment(deployment_id)
    drawn = rail.of_lineage(project, *models.lineages(the_actor(), the_control_plane(), deployment.model_id))
    return fragment(render_template("deployments/changed.html", seen=_seen([deployment])[0], rail=drawn))


@blueprint.get("/<int:deployment_id>/example")
@requires("deployment.use")
def example(project: str, deployment_id: int) -> ResponseReturnValue:
    """A held-out question (`at`: which one; it begins again after the last), with what was expected."""
    actor, cp = the_actor(), the_control_plane()
    training = models.lineages(actor, cp, _deployment(deployment_id).model_id)[1]
    return asdict(examples.held_out(actor, cp, training, asked_number("at", 0)))


@blueprint.post("/<int:deployment_id>/stop")
@requires("deployment.change")
def stop(project: str, deployment_id: int) -> ResponseReturnValue:
    """Have it served no longer."""
    deployments.stop(the_actor(), the_control_plane(), _deployment(deployment_id).id)
    flash(gettext("The deployment is being stopped."))
    return redirect(url_for("deployments.show", project=project, deployment_id=deployment_id))


@blueprint.post("/<int:deployment_id>/start")
@requires("deployment.change")
def start(project: str, deployment_id: int) -> ResponseReturnValue:
    """Serve again what was stopped."""
    one = _deployment(deployment_id)
    actor, cp = the_actor(), the_control_plane()
    deployments.deploy(actor, cp, project, one.name, one.model_id, one.context_length, one.slots)
    return redirect(url_for("deployments.show", project=project, deployment_id=deployment_id))


@blueprint.get("/<int:deployment_id>/carried")
@requires("deployment.see")
def carried(project: str, deployment_id: int) -> ResponseReturnValue:
    """The prompt and the form of answers that callers may ask for, and the form to change them."""
    one = _deployment(deployment_id)
    return render_template(
        "deployments/carried.html",
        one=one,
        named=f"{project}/{one.name}",
        carried=carrying.of([one]).get(int(one.id)),
        prompts=_prompts(),
        schema=json.dumps(one.answer_schema, ensure_ascii=False, indent=2) if one.answer_schema else "",
        snippet=snippets.set_deployment_prompt(project, deployment_id),
    )


@blueprint.post("/<int:deployment_id>/carried")
@requires("deployment.change")
@shown_again("carry", carried, "prompt", "schema")
def carry(project: str, deployment_id: int) -> ResponseReturnValue:
    """Have it carry a version of a prompt, and a schema that answers are held to."""
    text = request.form.get("schema", "").strip()
    schema = answer_schema.parse(text) if text else {}
    one = _deployment(deployment_id)
    carrying.carry(the_actor(), the_control_plane(), one.id, request.form.get("prompt", ""), schema)
    flash(gettext("Saved. Whoever asks for it is answered so from now on."))
    return redirect(url_for("deployments.show", project=project, deployment_id=deployment_id))


@blueprint.post("/<int:deployment_id>/chat")
@requires("deployment.use")
def chat(project: str, deployment_id: int) -> Response:
    """The playground's question: the engine's answer as it comes, for whoever is signed in."""
    deployment = _deployment(deployment_id)
    body, asked = gateway.read_request()
    if asked.get("stream") is not True:
        asked |= {"stream": True}
        body = json.dumps(asked).encode()
    wanted = asked.get("model")  # what stands behind the name: +prompt, +schema
    suffixes = wanted[wanted.index("+") :] if isinstance(wanted, str) and "+" in wanted else ""
    return gateway.relay(the_actor(), project, f"{deployment.name}{suffixes}", gateway.CHAT, body, asked)


def _prompts() -> list[str]:
    """The newest version of each prompt, as callers name it; none for whoever may see none."""
    place = the_project().id
    return [carrying.label(one) for one in kept.list_inside(place)] if the_actor().may("prompt.see", place) else []


def _deployment(deployment_id: int) -> DeploymentRecord:
    found = deployments.get(the_actor(), the_control_plane(), deployment_id)
    if found.project_id != the_project().id:
        raise NotFound
    return found


def _seen(found: list[DeploymentRecord]) -> list[Seen]:
    requests = traffic.last_day(the_control_plane(), [one.id for one in found])
    conditions = [deployments.condition(one) for one in found]
    return [
        Seen(one, now, why(now.state, now.code, now.params, locale()), requests[one.id])
        for one, now in zip(found, conditions, strict=True)
    ]


def _offered(project: str, chosen: str) -> tuple[list[ModelRecord], int]:
    return models.choices(the_actor(), the_control_plane(), project, ["gguf"], whole_number(chosen))


def _entered() -> Entered:
    sent = {name: request.form.get(name, "").strip() for name in ("name", "model", *_FIELDS)}
    errors = {name: gettext("Enter a whole number.") for name in _FIELDS if not _is_number(sent[name])}
    if not _is_number(sent["model"]):
        errors["model"] = gettext("Choose a model.")
    return Entered(**sent, errors=errors)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16


def _with_problem(entered: Entered, problem: TunesmithError) -> Entered:
    named = str(problem.params.get("field", ""))
    control = named if named in _FIELDS else {"name_invalid": "name", "model_unfit": "model"}.get(problem.code, "name")
    words = str(problem.params.get("problem")) if named in _FIELDS else sentence(problem)
    return Entered(entered.name, entered.model, entered.context_length, entered.slots, {control: words})


def _form(project: str, entered: Entered) -> str:
    taken = {one.name for one in deployments.list_deployments(the_actor(), the_control_plane(), project)}
    number = whole_number(entered.model)
    offered, total = _offered(project, entered.model)
    return render_template(
        "deployments/new.html",
        entered=entered,
        models=offered,
        cut=cut(total),
        is_taken=entered.name in taken,
        snippet=snippets.deploy(project, entered.name or "my-model", number),
    )
