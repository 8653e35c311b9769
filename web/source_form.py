"""The form of a source: drawn from what a connector says of its parameters and secrets, and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from control_plane.domain.connectors import Described
from control_plane.services.datasets.connectors import Offered
from control_plane.store.sources import SourceRecord
from web import forms
from web.formatting import decimal_sign
from web.languages import locale

SECRET = "secret."
LIKE, NAME, PICK = "like", "name", "pick"


@dataclass(frozen=True)
class Secret:
    """A control that is never filled in by us."""

    control: str
    label: str
    help: str


@dataclass(frozen=True)
class Filled:
    """A form, fresh or as it was sent."""

    connector: Offered
    parameters: Mapping[str, Any] = field(default_factory=dict)  # typed
    typed: Mapping[str, Any] = field(default_factory=dict)  # as texts, where they were sent
    secrets: Mapping[str, str] = field(default_factory=dict)
    name: str = ""  # of the dataset
    like: int = 0  # the source whose secrets are used where none are given
    has_secrets: bool = False  # that source has some
    errors: Mapping[str, str] = field(default_factory=dict)  # by parameter: a code of `forms`, or a sentence
    problem: str = ""  # of the whole form
    found: Described | None = None  # what there is

    @property
    def groups(self) -> Sequence[forms.Group]:
        titles = {"basics": gettext("What to fetch")}
        values = {**self.parameters, **self.typed}
        return forms.layout(self.connector.parameters, titles, values, self.errors, decimal_sign(locale()))

    @property
    def wrong(self) -> dict[str, str]:
        """What is wrong, by control: a field that most people leave alone may not be shown."""
        return {forms.PREFIX + name: error for name, error in self.errors.items()}

    @property
    def labels(self) -> dict[str, str]:
        return {item.control: item.label for group in self.groups for item in group.fields}

    @property
    def has_more(self) -> bool:
        """Whether there are parameters that most people leave alone."""
        return any(item.level != "guided" for group in self.groups for item in group.fields)

    @property
    def asked_secrets(self) -> list[Secret]:
        kept = gettext("Left empty, the stored one is used.") if self.has_secrets else ""
        return [
            Secret(SECRET + name, one["title"], f"{one['description']} {kept}".strip())
            for name, one in self.connector.secrets.items()
        ]

    def is_whole_with(self, picked: Mapping[str, Any]) -> bool:
        """Whether something of what there is can be fetched, or has to be looked into first."""
        given = {**self.parameters, **picked}
        return all(given.get(name) not in (None, "") for name in self.connector.parameters.get("required", ()))

    def without(self, name: str, problem: str) -> Filled:
        """The form with what is wrong: with a parameter, or with all of it."""
        if name in self.connector.parameters["properties"]:
            return replace(self, errors={**self.errors, name: problem})
        return replace(self, problem=problem)


def fresh(connector: Offered, name: str = "", source: SourceRecord | None = None) -> Filled:
    """A form to begin with, or as a source has it."""
    if source is None:
        return Filled(connector, name=name)
    return Filled(
        connector, source.parameters, name=name, like=int(source.id), has_secrets=source.secret_id is not None
    )


def received(connector: Offered, form: MultiDict[str, str], source: SourceRecord | None) -> Filled:
    """The form as it was sent; what was picked of what there is goes before what is in its fields."""
    values, errors = forms.read(connector.parameters, form, decimal_sign(locale()))
    typed = forms.texts(connector.parameters, form)
    picked = _picked(form.get(PICK, ""))
    secrets = {name: form.get(SECRET + name, "") for name in connector.secrets}
    return Filled(
        connector,
        values | picked,
        {name: text for name, text in typed.items() if name not in picked},
        {name: value for name, value in secrets.items() if value},
        form.get(NAME, "").strip(),
        int(source.id) if source else 0,
        source is not None and source.secret_id is not None,
        {name: code for name, code in errors.items() if name not in picked},
    )


def pick(parameters: Mapping[str, Any]) -> str:
    """The value of the button that fetches one thing of what there is."""
    return json.dumps(parameters, ensure_ascii=False)


def _picked(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
