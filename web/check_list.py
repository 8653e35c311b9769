"""A list of checks in a form: each with its weight and its own fields, added and removed by buttons of the form.

It works without JavaScript: a button sends the whole form with `change` = "add parameter.reward" or "remove
parameter.reward 0" (or "up …", "down …"), and the page comes again with the list as it then is.
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

_MOVES = {"up": -1, "down": 1}

Lists = dict[str, list[dict[str, Any]]]  # parameter → its checks


@dataclass(frozen=True)
class CheckItem:
    """One check of a list: its weight and its own parameters as fields; `control` is what their names begin with."""

    name: str
    control: str
    title: str
    help: str
    fields: Sequence[forms.Field]
    parts: str = ""  # what it counts, of `whole` in all; empty where a weight cannot be read
    whole: str = ""


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
        if action in _MOVES and place == control and number.isdecimal():
            found[name] = _moved(found[name], int(number), int(number) + _MOVES[action])
    return found


def _moved(checks: list[dict[str, Any]], first: int, second: int) -> list[dict[str, Any]]:
    """The list with two checks in each other's places; as it is where there is no such place."""
    places = list(range(len(checks)))
    if first in places and second in places:
        places[first], places[second] = second, first
    return [checks[place] for place in places]


def _weights(checks: Sequence[Mapping[str, Any]], decimal: str) -> list[float]:
    """What each check counts; empty where a text of them is no weight."""
    texts = [str(one.get("weight", 1.0)) for one in checks]
    try:
        found = [forms.parsed(_WEIGHT["properties"]["weight"], text or "1", decimal) for text in texts]
    except forms.Unreadable:
        return []
    return [one for one in found if isinstance(one, float)]


def _plain(weight: float, decimal: str) -> str:
    return f"{weight:g}".replace(".", decimal)


def _list(one: forms.Field, schema: forms.Schema, values: Mapping[str, Any], decimal: str, weight: str) -> forms.Field:
    parameter, value = schema["properties"][one.name], values.get(one.name) or []
    if "x-checks" not in parameter or not isinstance(value, list):
        return one
    known = parameter["x-checks"]
    label = {"weight": _WEIGHT["properties"]["weight"] | {"title": weight}}
    items: list[CheckItem] = []
    weights = _weights([item for item in value if item.get("check") in known], decimal)
    whole = _plain(sum(weights), decimal)
    for number, check in enumerate(item for item in value if item.get("check") in known):
        place, about = f"{one.control}.{number}.", known[check["check"]]
        given = check.get("parameters", {}) | {key: check[key] for key in ("weight",) if key in check}
        both = {**label, **schema_of_check(about)["properties"]}
        groups = forms.layout({"properties": both}, {}, given, decimal=decimal, prefix=place)
        fields = [field for group in groups for field in group.fields]
        shares = (_plain(weights[number], decimal), whole) if weights else ()
        items.append(CheckItem(check["check"], place, about["display"], about["description"], fields, *shares))
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
