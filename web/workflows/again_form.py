"""The form of a run once more with something changed: what it offers, and the wish that was sent.

Whatever is left as it is drawn is no change: a value counts only where it differs from what the run before had. Fields
of a training that was given another method count where the new method has them, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain.graph import DATA, Graph, Step
from control_plane.domain.manifest import Manifest
from control_plane.domain.permissions import Actor
from control_plane.services import methods
from control_plane.services.workflows import again
from control_plane.services.workflows.again import Offered, Wish
from control_plane.store.workflows import WorkflowRunRecord
from web import forms, words
from web.formatting import decimal_sign
from web.languages import locale
from web.paging import whole_number
from web.workflows.seen import step_word

_METHOD = "method."


@dataclass(frozen=True)
class Choice:
    """A choice among few: `control` is its name in the page, `options` are (value, words)."""

    control: str
    label: str
    options: Sequence[tuple[str, str]]
    value: str


@dataclass(frozen=True)
class Form:
    """The form as it is drawn."""

    data: Sequence[tuple[str, str]]
    dataset: str  # the id that is chosen
    newer: int  # the number of a newer version of the run's data; 0: there is none
    bases: Sequence[tuple[str, str]]
    base: str
    methods: Sequence[Choice]
    step: str  # whose parameters are shown
    steps: Sequence[tuple[str, str]]  # (step, words) of those that have parameters
    groups: Sequence[forms.Group]
    errors: Mapping[str, str]  # codes by control


def drawn(actor: Actor, cp: ControlPlane, run: WorkflowRunRecord, step: str, sent: MultiDict[str, str] | None) -> Form:
    """The form of a run: as it was sent, or fresh; a newer version of its data is chosen from the start."""
    graph, offered = graphs.of_data(run.graph), again.offered(actor, cp, run.id)
    shown = _shown(graph, step or (sent.get("step", "") if sent is not None else ""))
    manifest = _manifest(offered, shown.method) if shown else None
    errors: dict[str, str] = {}
    groups: list[forms.Group] = []
    if shown is not None and manifest is not None:
        values = manifest.complete(shown.parameters)
        if sent is not None:
            _values, errors = forms.read(manifest.parameters, sent, decimal_sign(locale()))
            values |= forms.texts(manifest.parameters, sent)
        groups = forms.layout(manifest.parameters, manifest.groups, values, errors, decimal_sign(locale()))
    return Form(
        data=[(str(version.id), words.version(dataset, version)) for dataset, version in offered.versions],
        dataset=sent.get("dataset", "") if sent is not None else _dataset(graph, offered),
        newer=int(offered.newest.number) if offered.newest else 0,
        bases=[(str(one.id), words.model(one)) for one in offered.bases],
        base=sent.get("base", "") if sent is not None else _base(graph, offered),
        methods=_methods(graph, offered, sent),
        step=shown.name if shown else "",
        steps=[(one.name, one.name if one.variant else step_word(one)) for one in graph if one.method],
        groups=groups,
        errors={forms.PREFIX + name: code for name, code in errors.items()},
    )


def wish(actor: Actor, cp: ControlPlane, run: WorkflowRunRecord, sent: MultiDict[str, str]) -> Wish:
    """What was sent, as far as it differs from the run."""
    graph, offered = graphs.of_data(run.graph), again.offered(actor, cp, run.id)
    chosen = {step.name: sent.get(_METHOD + step.name, step.method) for step in graph if step.kind == "train"}
    chosen = {name: method for name, method in chosen.items() if method != _of(graph, name).method}
    base, number = sent.get("base", ""), whole_number(sent.get("dataset", ""))
    return Wish(
        dataset_version_id=0 if number == run.dataset_version_id else number,
        base_id=whole_number(base) if base != _base(graph, offered) else 0,
        methods=chosen,
        parameters=_parameters(graph, offered, chosen, sent),
    )


def fresh_wish(form: Form) -> Wish:
    """What the form says before anything is chosen: the newest version of the data, if there is a newer one."""
    return Wish(dataset_version_id=whole_number(form.dataset) if form.newer else 0)


def _parameters(
    graph: Graph, offered: Offered, chosen: Mapping[str, str], sent: MultiDict[str, str]
) -> dict[str, dict[str, Any]]:
    step = _shown(graph, sent.get("step", ""))
    manifest = _manifest(offered, step.method) if step else None
    if step is None or manifest is None:
        return {}
    values, _errors = forms.read(manifest.parameters, sent, decimal_sign(locale()))
    before = manifest.complete(step.parameters)
    changed = {name: value for name, value in values.items() if value != before.get(name)}
    if step.name in chosen:
        new = _manifest(offered, chosen[step.name])
        known = new.parameters.get("properties", {}) if new else {}
        changed = {name: value for name, value in changed.items() if name in known}
    return {step.name: changed} if changed else {}


def _methods(graph: Graph, offered: Offered, sent: MultiDict[str, str] | None) -> list[Choice]:
    """A choice for each training for which there is another method."""
    found = []
    for name, known in offered.instead.items():
        if len(known) > 1:
            step, control = _of(graph, name), _METHOD + name
            titles = [(one, f"{manifest.display} ({one})") for one in known if (manifest := _manifest(offered, one))]
            value = sent.get(control, step.method) if sent is not None else step.method
            found.append(Choice(control, name if step.variant else step_word(step), titles, value))
    return found


def _manifest(offered: Offered, method: str) -> Manifest | None:
    """A method's manifest in the reader's language; None of one that is no more."""
    record = offered.methods.get(method)
    return methods.manifest(record, locale()) if record is not None else None


def _shown(graph: Graph, name: str) -> Step | None:
    """The step whose parameters are shown: the one that is asked for, else the first training, else the first."""
    steps = [step for step in graph if step.method]
    asked = [step for step in steps if step.name == name] or [step for step in steps if step.kind == "train"]
    return next(iter(asked or steps), None)


def _dataset(graph: Graph, offered: Offered) -> str:
    had = next((step.dataset_version for step in graph if step.kind == DATA), 0)
    return str(offered.newest.id if offered.newest else had or "")


def _base(graph: Graph, offered: Offered) -> str:
    """The base model that the run brought in, as far as it is among those that are offered."""
    brought = next((step for step in graph if step.kind == "import"), None)
    return str(again.base_of(brought, offered.bases) or "") if brought else ""


def _of(graph: Graph, name: str) -> Step:
    return next(step for step in graph if step.name == name)
