"""The form that begins a run: a control for each parameter of the workflow, filled in with its default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.domain.errors import FieldInvalid
from control_plane.domain.workflows.spec import BOOLEAN, DATASET, INTEGER, NUMBER, RunParameter, Spec
from control_plane.services.datasets import versions
from web import formatting
from web.access import the_actor, the_control_plane
from web.languages import locale

PREFIX = "given-"  # before the name of a parameter, so that none is taken for a field of the form's own


@dataclass(frozen=True)
class Control:
    """A parameter as the form asks for it."""

    name: str  # of the field
    label: str
    kind: str  # text | number | check | select
    value: str
    options: Sequence[tuple[str, str]] = ()
    help: str = ""


def controls(project: str, spec: Spec) -> list[Control]:
    """The controls of a workflow's parameters."""
    datasets = _datasets(project) if any(one.type == DATASET for one in spec.parameters.values()) else []
    return [_control(one, datasets) for one in spec.parameters.values()]


def given(spec: Spec, form: Mapping[str, str]) -> dict[str, Any]:
    """What was chosen, by parameter; a field that was left empty takes the default. Raises FieldInvalid."""
    found: dict[str, Any] = {}
    for name, one in spec.parameters.items():
        text = form.get(PREFIX + name, "").strip()
        if one.type == BOOLEAN:
            found[name] = text == "true"
        elif text:
            found[name] = _value(one, text)
    return found


def _control(one: RunParameter, datasets: Sequence[str]) -> Control:
    label, value = one.title or one.name, _text(one.default)
    if one.type == BOOLEAN:
        return Control(PREFIX + one.name, label, "check", "true" if one.default else "")
    choices = [_text(choice) for choice in one.choices]
    if one.type == DATASET and not choices:
        choices = list(dict.fromkeys([value, *datasets] if value else datasets))
    if choices:
        return Control(PREFIX + one.name, label, "select", value, [(choice, choice) for choice in choices])
    kind = "number" if one.type in (INTEGER, NUMBER) else "text"
    return Control(PREFIX + one.name, label, kind, value, help=one.bounds if kind == "number" else "")


def _datasets(project: str) -> list[str]:
    found = versions.list_datasets(the_actor(), the_control_plane(), project)
    return [str(dataset.name) for dataset, _version, _count in found]


def _value(one: RunParameter, text: str) -> Any:
    if one.choices and text in (by_text := {_text(choice): choice for choice in one.choices}):
        return by_text[text]
    if one.type not in (INTEGER, NUMBER):
        return text
    plain = text.replace(formatting.decimal_sign(locale()), ".")
    try:
        return int(plain) if one.type == INTEGER else float(plain)
    except ValueError as problem:
        raise FieldInvalid(field=PREFIX + one.name, problem=one.wanted()) from problem


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(value).replace(".", formatting.decimal_sign(locale()))
    return str(value)
