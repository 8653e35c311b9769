"""A list of checks in a form: each with its weight and its own fields, added and removed by buttons of the form.

It works without JavaScript: a button sends the whole form with `change` = "add parameter.reward" or "remove
parameter.reward 0", and the page comes again with the list as it then is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from control_plane.domain.manifest import schema_of_check
from web import forms

COUNT, ADD, CHANGE = ".count", ".add", "change"
MOST = 50  # checks that are read from a form; the schema says how many there may be
_WEIGHT: dict[str, Any] = {"type": "object", "properties": {"weight": {"type": "number", "default": 1.0}}}

Lists = dict[str, list[dict[str, Any]]]  # parameter → its checks


@dataclass(frozen=True)
class CheckItem:
    """One check of a list: its weight and its own parameters as fields; `control` is what their names begin with."""

    name: str
    control: str
    title: str
    help: str
    fields: Sequence[forms.Field]


def drawn(groups: Sequence[forms.Group], schema: forms.Schema, values: Mapping[str, Any], decimal: str,
          weight: str) -> list[forms.Group]:  # fmt: skip
    """The groups of a form with each list of checks as such; `weight` is the label of a weight."""
    return [
        replace(group, fields=[_list(one, schema, values, decimal, weight) for one in group.fields]) for group in groups
    ]


def read(schema: forms.Schema, form: MultiDict[str, str], decimal: str) -> tuple[Lists, dict[str, str]]:
    """Each list that the form holds, typed; and a code for each with a text that is not of its field's type."""
    found: Lists = {}
    errors: dict[str, str] = {}
    for name, known, control in _sent(schema, form):
        found[name] = []
        for number, check in _checks(form, control, known):
            place = f"{control}.{number}."
            own, wrong = forms.read(schema_of_check(known[check]), form, decimal, place)
            more, bad = forms.read(_WEIGHT, form, decimal, place)
            if wrong or bad:
                errors[name] = [*wrong.values(), *bad.values()][0]
            found[name].append({"check": check, "weight": more.get("weight", 1.0), "parameters": own})
    return found, errors


def typed(schema: forms.Schema, form: MultiDict[str, str]) -> Lists:
    """Each list as it was typed, after the change that a button asked for."""
    found: Lists = {}
    action, _, rest = form.get(CHANGE, "").partition(" ")
    for name, known, control in _sent(schema, form):
        found[name] = [_texts(form, control, number, check, known) for number, check in _checks(form, control, known)]
        if action == "add" and rest == control and form.get(control + ADD, "") in known:
            found[name].append({"check": form[control + ADD], "parameters": {}})
        place, _, number = rest.rpartition(" ")
        if action == "remove" and place == control and number.isdecimal():
            found[name] = [one for at, one in enumerate(found[name]) if at != int(number)]
    return found


def _list(one: forms.Field, schema: forms.Schema, values: Mapping[str, Any], decimal: str, weight: str) -> forms.Field:
    parameter, value = schema["properties"][one.name], values.get(one.name) or []
    if "x-checks" not in parameter or not isinstance(value, list):
        return one
    known = parameter["x-checks"]
    label = {"weight": _WEIGHT["properties"]["weight"] | {"title": weight}}
    items = []
    for number, check in enumerate(item for item in value if item.get("check") in known):
        place, about = f"{one.control}.{number}.", known[check["check"]]
        given = check.get("parameters", {}) | {key: check[key] for key in ("weight",) if key in check}
        both = {**label, **schema_of_check(about)["properties"]}
        groups = forms.layout({"properties": both}, {}, given, decimal=decimal, prefix=place)
        fields = [field for group in groups for field in group.fields]
        items.append(CheckItem(check["check"], place, about["display"], about["description"], fields))
    return replace(one, kind="checks", checks=items, known=[(name, about["display"]) for name, about in known.items()])


def _sent(schema: forms.Schema, form: MultiDict[str, str]) -> list[tuple[str, Mapping[str, Any], str]]:
    return [(name, parameter["x-checks"], forms.PREFIX + name)
            for name, parameter in schema.get("properties", {}).items()
            if "x-checks" in parameter and forms.PREFIX + name + COUNT in form]  # fmt: skip


def _checks(form: MultiDict[str, str], control: str, known: Mapping[str, Any]) -> list[tuple[int, str]]:
    """(Number in the form, check) of each that there is."""
    count = form.get(control + COUNT, "")
    places = range(min(int(count), MOST) if count.isascii() and count.isdecimal() and len(count) < 5 else 0)
    sent = ((number, form.get(f"{control}.{number}.check", "")) for number in places)
    return [(number, check) for number, check in sent if check in known]


def _texts(
    form: MultiDict[str, str], control: str, number: int, check: str, known: Mapping[str, Any]
) -> dict[str, Any]:
    place = f"{control}.{number}."
    own = forms.texts(schema_of_check(known[check]), form, place)
    return {"check": check, "parameters": own, **forms.texts(_WEIGHT, form, place)}
