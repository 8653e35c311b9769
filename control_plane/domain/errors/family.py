"""What an error is, and the families that all others belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator


class TunesmithError(Exception):
    """Something went wrong."""

    status = "failed"  # a row of STATUS in control_plane/statuses.py

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(f"{self.code}: {params}" if params else self.code)

    @property
    def code(self) -> str:
        """The class's name in snake case: `JobNotFound` → `job_not_found`."""
        return code_of(type(self))

    def storable(self) -> dict[str, object]:
        """The parameters as they can stand in a row."""
        return {
            key: value if isinstance(value, str | int | float | list) else str(value)
            for key, value in self.params.items()
        }

    def __str__(self) -> str:
        return sentence_of(type(self)).format_map(_Lenient(self.params))


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def code_of(kind: type[TunesmithError]) -> str:
    """The stable code of an error class."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def sentence_of(kind: type[TunesmithError]) -> str:
    """The English sentence with placeholders: the docstring on one line; it is the catalogue's key."""
    return " ".join((kind.__doc__ or "").split())


def every() -> Iterator[type[TunesmithError]]:
    """Each concrete error class, parents before children."""
    pending: list[type[TunesmithError]] = [TunesmithError]
    while pending:
        kind = pending.pop(0)
        yield kind
        pending.extend(kind.__subclasses__())


class NotFound(TunesmithError):
    """This does not exist, or you may not see it."""

    status = "not_found"


class Denied(TunesmithError):
    """You are not allowed to do this: it needs the permission “{permission}”."""

    status = "denied"


class NotSignedIn(TunesmithError):
    """Please sign in."""

    status = "unauthenticated"


class Invalid(TunesmithError):
    """The input is not valid."""

    status = "invalid"


class Conflict(TunesmithError):
    """This is not possible in the present state."""

    status = "conflict"


class Unavailable(TunesmithError):
    """This is not available at the moment; please try again."""

    status = "unavailable"


class TooMany(TunesmithError):
    """Too many requests at once; please try again in a moment."""

    status = "too_many"


class Slowed(TooMany):
    """There were several wrong passwords in a row; please try again in {seconds} seconds."""
