"""Pages of a list: which one the address asks for, and where it begins; whole numbers as people and pages send them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from flask import request

from control_plane.domain.errors import NotFound


@dataclass(frozen=True)
class Page:
    """One page of a list of `total` entries, `size` on each page; `number` counts from 1."""

    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        """How many entries come before this page."""
        return (self.number - 1) * self.size


def asked_page(total: int, size: int) -> Page:
    """The page that `?page=` names; the nearest one that exists if it does not."""
    page = Page(1, size, total)
    return Page(min(max(1, asked_number("page", 1)), page.pages), size, total)


def asked_number(name: str, otherwise: int) -> int:
    """A whole number of the query, `otherwise` where there is none."""
    return whole_number(request.args.get(name, ""), otherwise)


def whole_number(text: str, otherwise: int = 0) -> int:
    """A number of a form or an address, an id for example; `otherwise` for what is none."""
    return int(text) if text.isdecimal() and len(text) < 16 else otherwise


class Numbered(Protocol):
    """One of a thing's versions."""

    number: Any  # an int, as records have it


Version = TypeVar("Version", bound=Numbered)


def asked_version(versions: Sequence[Version], field: str, otherwise: Version) -> Version:
    """The version whose number a form or an address names, `otherwise` where none is. Raises NotFound."""
    number = whole_number(request.values.get(field, ""))
    if not number:
        return otherwise
    chosen = next((one for one in versions if one.number == number), None)
    if chosen is None:
        raise NotFound
    return chosen
