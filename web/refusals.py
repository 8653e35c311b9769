"""A form that is refused is shown again on its page, as it was filled in, with the problem beside its field.

A view that takes a form states the page it stands on (`@shown_again`), and its fields are drawn with `form=<its key>`
(templates/macros/form.html); nothing else has to be done for it. What belongs to no field stands above the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from flask import g, request

from control_plane.domain.errors import Conflict, Invalid, NotFound, TunesmithError
from control_plane.statuses import STATUS
from web.failures import sentence, wants_json

View = TypeVar("View", bound=Callable[..., Any])

# errors about one field whatever the form; a FieldInvalid names its own
_FIELDS = {
    "name_invalid": "name",
    "name_taken": "name",
    "user_unknown": "name",
    "old_password_wrong": "old",
    "password_too_short": "password",
}


@dataclass(frozen=True)
class Form:
    """A form as it is drawn: as it was sent if it was refused, else as its page fills it in."""

    sent: Mapping[str, str] | None = None  # None: it was not refused
    errors: Mapping[str, str] = field(default_factory=dict)  # sentences by field; by "" what belongs to none

    @property
    def is_refused(self) -> bool:
        return self.sent is not None

    def value(self, name: str, otherwise: object) -> object:
        """What to show in a field that its page would fill in with `otherwise`."""
        return otherwise if self.sent is None else self.sent.get(name, "")

    def checked(self, name: str, otherwise: bool) -> bool:
        """Whether a checkbox is checked."""
        return otherwise if self.sent is None else self.sent.get(name) == "true"

    def error(self, name: str) -> str:
        return self.errors.get(name, "")


def form(key: str) -> Form:
    """The form of this key, for templates."""
    refused: tuple[str, Form] = g.get("refused", ("", Form()))
    return refused[1] if key and key == refused[0] else Form()


def shown_again(key: str, page: Callable[..., Any], *fields: str) -> Callable[[View], View]:
    """State that this view's form, if it is refused, is shown again by the view `page` of the same arguments.

    `fields` are the form's own; a problem with anything else stands above it. Programs get the error as it is.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(**arguments: Any) -> Any:
            try:
                return view(**arguments)
            except (Invalid, Conflict, NotFound) as problem:
                if wants_json():
                    raise
                g.refused = (key, Form(request.form.to_dict(), _errors(problem, fields)))
                return page(**arguments), STATUS[problem.status].http

        return answer  # type: ignore[return-value]

    return decorate


def _errors(problem: TunesmithError, fields: tuple[str, ...]) -> dict[str, str]:
    named = str(problem.params.get("field", _FIELDS.get(problem.code, "")))
    return {named if named in fields else "": sentence(problem)}
