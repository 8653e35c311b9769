"""The form of a new job of any method: inputs as choices that fit, parameters from the manifest, errors per field.

A Draft is the form as values: fresh from an address (what a page wanted to start with), or as it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, NotFound, TunesmithError
from control_plane.domain.forms import REWARD
from control_plane.domain.manifest import Input, Manifest
from control_plane.domain.permissions import Actor
from control_plane.services import methods, models
from control_plane.services.datasets import versions
from control_plane.store.jobs import JobRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from web import check_list, fleet_snippets, forms, policy_form, snippets, words
from web.failures import sentence
from web.formatting import decimal_sign
from web.languages import locale
from web.paging import whole_number

INPUT = "input."


@dataclass(frozen=True)
class InputField:
    """An input of the method as a choice: `options` are (id as text, words)."""

    name: str
    control: str
    kind: str
    label: str
    help: str
    required: bool
    value: str
    options: list[tuple[str, str]]
    error: str


@dataclass(frozen=True)
class Draft:
    """A job that is being put together; `inputs` holds chosen ids as text, `typed` what could not be read."""

    record: MethodVersionRecord
    manifest: Manifest
    name: str = ""
    seed: str = "42"
    parameters: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)  # as web/policy_form.py reads it
    typed_policy: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)  # by control; "" is the whole form

    @property
    def method(self) -> str:
        """By what name this very version is asked for."""
        return methods.pinned(self.record)

    @property
    def is_readable(self) -> bool:
        """Whether every text was of its field's type."""
        return not self.errors


def fresh(record: MethodVersionRecord) -> Draft:
    """An empty form of a method."""
    return Draft(record, methods.manifest(record, locale()))


def of_job(record: MethodVersionRecord, before: JobRecord) -> Draft:
    """A form filled in as a job of the method was."""
    inputs = {name: str(pin["id"]) for name, pin in before.inputs.items()}
    same: dict[str, Any] = {"parameters": dict(before.parameters), "policy": policy_form.values_of(before)}
    return replace(fresh(record), name=before.name, seed=str(before.seed), inputs=inputs, **same)


def received(record: MethodVersionRecord, form: MultiDict[str, str]) -> Draft:
    """The form as it was sent."""
    manifest = methods.manifest(record, locale())
    parameters, unread = forms.read(manifest.parameters, form, decimal_sign(locale()))
    lists, unread_lists = check_list.read(manifest.parameters, form, decimal_sign(locale()))
    unread |= unread_lists
    policy, unread_policy = policy_form.read(form, decimal_sign(locale()))
    errors = {forms.PREFIX + name: code for name, code in unread.items()}
    errors |= {policy_form.PREFIX + name: code for name, code in unread_policy.items()}
    seed = form.get("seed", "42").strip()
    if not seed.isdecimal() or len(seed) > 15:
        errors["seed"] = "not_an_integer"
    return Draft(
        record,
        manifest,
        form.get("name", "").strip(),
        seed,
        parameters | lists,
        forms.texts(manifest.parameters, form) | check_list.typed(manifest.parameters, form),
        {name: form.get(INPUT + name, "") for name in manifest.inputs},
        policy,
        policy_form.typed(form),
        errors,
    )


def references(draft: Draft) -> dict[str, dict[str, Any]]:
    """The chosen inputs as the service takes them."""
    return {
        name: {"kind": draft.manifest.inputs[name].kind, "id": whole_number(text)}
        for name, text in draft.inputs.items()
        if whole_number(text)
    }


def with_problem(draft: Draft, problem: TunesmithError) -> Draft:
    """The draft with a refusal at the field that it is about."""
    return replace(draft, errors={**draft.errors, _control(draft, problem): sentence(problem)})


def _control(draft: Draft, problem: TunesmithError) -> str:
    if "parameter" in problem.params:
        return forms.PREFIX + str(problem.params["parameter"])
    if "input" in problem.params:
        return INPUT + str(problem.params["input"])
    if problem.code == "field_invalid":
        return policy_form.control(str(problem.params["field"]))
    if problem.code == "name_invalid":
        return "name"
    if problem.code == "held_out_missing":
        return next((INPUT + one.name for one in draft.manifest.inputs.values() if one.kind == "dataset"), "")
    return ""


def groups(draft: Draft) -> list[forms.Group]:
    """The parameters to draw; what was typed stands again as it was typed."""
    prefix = forms.PREFIX
    errors = {name.removeprefix(prefix): text for name, text in draft.errors.items() if name.startswith(prefix)}
    values = {**draft.manifest.complete(draft.parameters), **draft.typed}
    schema, decimal = draft.manifest.parameters, decimal_sign(locale())
    drawn = forms.layout(schema, draft.manifest.groups, values, errors, decimal)
    return check_list.drawn(drawn, schema, values, decimal, gettext("Weight"))


def policy_fields(draft: Draft) -> list[forms.Field]:
    """What is asked of the scheduler, to draw; what was typed stands again as it was typed."""
    return policy_form.fields({**draft.policy, **draft.typed_policy}, draft.errors, decimal_sign(locale()))


@dataclass(frozen=True)
class PresetChoice:
    """A preset as a choice: what it puts into each control, and whether that is what stands there."""

    name: str
    display: str
    controls: dict[str, str]
    is_chosen: bool


def presets(draft: Draft) -> list[PresetChoice]:
    """The presets of the method; one is chosen as long as the form holds its values, whoever put them there.

    Only what one of them names is theirs: the rest of a form stays as it is.
    """
    manifest = draft.manifest
    theirs = {name for one in manifest.presets.values() for name in one.values}
    now = manifest.complete(draft.parameters)
    found = []
    for one in manifest.presets.values():
        values = manifest.complete(one.values)
        drawn = forms.filled(manifest.parameters, one.values, decimal_sign(locale()))
        controls = {control: text for control, text in drawn.items() if control.removeprefix(forms.PREFIX) in theirs}
        is_chosen = all(now.get(name) == values.get(name) for name in theirs)
        found.append(PresetChoice(one.name, one.display, controls, is_chosen))
    return found


def input_fields(draft: Draft, offered: Offered) -> list[InputField]:
    """The inputs to draw, each with what in the project fits it."""
    return [_input_field(draft, offered, one) for one in draft.manifest.inputs.values()]


def _input_field(draft: Draft, offered: Offered, one: Input) -> InputField:
    chosen = draft.inputs.get(one.name, "")
    fitting = offered.fitting(one, chosen)
    helps = "" if one.required else gettext("May be left out."), offered.cut(one)
    return InputField(
        name=one.name,
        control=INPUT + one.name,
        kind=one.kind,
        label=one.display,
        help=" ".join(text for text in helps if text),
        required=one.required,
        value=chosen,
        options=_options(one, fitting) if fitting else [],
        error=draft.errors.get(INPUT + one.name, ""),
    )


def _options(one: Input, fitting: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return fitting if one.required and len(fitting) == 1 else [("", gettext("Choose …")), *fitting]


class Offered:
    """What a project has to choose from, read once: every dataset version, and the newest models of each form."""

    def __init__(self, actor: Actor, cp: ControlPlane, project: str) -> None:
        self._place = actor, cp, project
        self._models: dict[tuple[str, ...], tuple[list[ModelRecord], int]] = {}
        self.versions = versions.list_versions(actor, cp, project)

    def format_of(self, number: int) -> str:
        """What the rows of a dataset version are; empty where the project has no such version."""
        return next((str(version.format) for _dataset, version in self.versions if version.id == number), "")

    def fitting(self, one: Input, chosen: str = "") -> list[tuple[str, str]]:
        """(id, words) of what the input accepts, newest first; what is `chosen` is among them if it fits."""
        if one.kind == "model":
            return [(str(model.id), words.model(model)) for model in self._fitting_models(one, chosen)]
        return [
            (str(version.id), words.version(dataset, version))
            for dataset, version in self.versions
            if version.format in one.accepts
        ]

    def _fitting_models(self, one: Input, chosen: str) -> list[ModelRecord]:
        found, total = self._models.get(one.accepts, ([], -1))
        is_cut = total > models.MOST_LISTED
        if total < 0 or (is_cut and chosen and all(str(model.id) != chosen for model in found)):
            found, total = models.choices(*self._place, one.accepts, whole_number(chosen))
            self._models[one.accepts] = found, total
        return found

    def cut(self, one: Input) -> str:
        """That more models fit than are listed; empty where all are."""
        return words.cut(self._models[one.accepts][1]) if one.accepts in self._models else ""


def hinted(draft: Draft, offered: Offered, hints: Mapping[str, str], base_of: Mapping[str, str]) -> Draft:
    """The draft with inputs chosen by what the page before was about.

    `hints` may name an input itself, or say `model` and `dataset` in general; `base_of` gives a model's base model,
    which is what an optional second model is compared with. An input for which only one thing fits takes that.
    """
    chosen: dict[str, str] = {}
    for one in draft.manifest.inputs.values():
        general = hints.get(one.kind, "")
        wanted = hints.get(one.name) or (general if one.required else base_of.get(general, ""))
        fitting = [key for key, _ in offered.fitting(one, wanted)]
        only = fitting[0] if one.required and len(fitting) == 1 else ""
        chosen[one.name] = wanted if wanted in fitting else only
    return replace(draft, inputs=chosen)


def with_newest(draft: Draft, offered: Offered) -> Draft:
    """The draft with the newest that fits for each input that is needed."""
    fitting = {one.name: offered.fitting(one) for one in draft.manifest.inputs.values() if one.required}
    return replace(draft, inputs={name: found[0][0] for name, found in fitting.items() if found})


def plan(draft: Draft, now: float) -> dict[str, Any]:
    """What exactly will run, as the reader may check it; what is asked of the scheduler, where it is not the usual."""
    policy = policy_form.asked(policy_form.policy(draft.policy, now))
    return ({"policy": policy} if policy else {}) | {
        "method": draft.record.name,
        "method_hash": draft.record.hash,
        "inputs": references(draft),
        "parameters": draft.manifest.complete(draft.parameters),
        "seed": draft.seed if "seed" in draft.errors else int(draft.seed),
    }


def warnings(actor: Actor, cp: ControlPlane, project_id: int, draft: Draft) -> list[str]:
    """What to know before the run: of chosen values, and of a chosen model that cannot be packaged later on."""
    found = draft.manifest.warnings(draft.parameters)
    if draft.manifest.kind not in ("train", "export"):
        return found
    for pin in references(draft).values():
        with suppress(NotFound, Denied):  # not offered here; sending the form says so at the field
            chosen = models.get(actor, cp, pin["id"]) if pin["kind"] == "model" else None
            if chosen is not None and chosen.project_id == project_id and chosen.form != REWARD:
                found.append(words.packaging_problem(chosen.card))
    return list(dict.fromkeys(text for text in found if text))


def snippet(project: str, draft: Draft, now: float) -> snippets.Snippet:
    """The same by API: only what differs from the defaults is spelled out. Looking at the method, while a job of the
    draft would be refused for what it lacks."""
    if lacks(draft):
        return fleet_snippets.show_method(draft.record.name)
    defaults = draft.manifest.complete({})
    changed = {name: value for name, value in draft.parameters.items() if defaults.get(name, ...) != value}
    given = {name: pin["id"] for name, pin in references(draft).items()}
    seed = 42 if "seed" in draft.errors else int(draft.seed)
    policy = policy_form.asked(policy_form.policy(draft.policy, now))
    return snippets.submit(project, draft.method, draft.name, changed, given, seed, policy)


def lacks(draft: Draft) -> bool:
    """Whether an input or a parameter that is needed is not given."""
    needed = [one.name for one in draft.manifest.inputs.values() if one.required]
    values = draft.manifest.complete(draft.parameters)
    given = references(draft)
    return any(name not in given for name in needed) or any(
        values.get(name) in (None, "") for name in draft.manifest.parameters.get("required", ())
    )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(what, before, now) of each pin that differs between two plans; parameters and inputs one by one."""
    flat_before, flat_now = _flat(before), _flat(now)
    pairs = ((name, flat_before.get(name), flat_now.get(name)) for name in dict.fromkeys([*flat_before, *flat_now]))
    return [(name, old, new) for name, old, new in pairs if old != new]


def _flat(plan: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {f"inputs.{name}": pin["id"] for name, pin in plan["inputs"].items()}
    parameters = {f"parameters.{name}": value for name, value in plan["parameters"].items()}
    method = {"method": plan["method"], "method_hash": plan["method_hash"][:12]}
    policy = {f"policy.{name}": value for name, value in plan.get("policy", {}).items()}
    return {**method, **inputs, **parameters, "seed": plan["seed"], **policy}
