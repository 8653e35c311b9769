"""What a connector is: a plug-in that looks at a place where data lies and fetches a file of it.

A package offers one by an entry point of the group `tunesmith.connectors`; Tunesmith's own come the same way. The entry
point names an object like `Connector`, and its name is the connector's. Importing the module must be cheap and reach
for nothing: the control plane does it to draw the form. What is large is imported inside `describe` and `fetch`, which
run in a process of their own (`control_plane/connectors/__main__.py`) that knows neither database nor keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

GROUP = "tunesmith.connectors"

Texts = Mapping[str, str]  # by language; English is there


class Doing(StrEnum):
    """What a connector is asked to do."""

    DESCRIBE = "describe"
    FETCH = "fetch"


@dataclass(frozen=True)
class Manifest:
    """What there is to say about a connector before it does anything."""

    display: Texts
    description: Texts
    parameters: Mapping[str, Any]  # JSON Schema of an object, its titles and descriptions by language; no secret
    label: str  # the parameter that says best what is fetched
    secrets: Mapping[str, Mapping[str, Texts]] = field(default_factory=dict)  # name → title and description
    # parameters that say to whom the secrets are told: with others, secrets that were stored have to be given again
    secrets_for: Sequence[str] = ()


@dataclass(frozen=True)
class Opened:
    """What administrators have opened to connectors; the settings of these names say what each is."""

    folders: list[str] = field(default_factory=list)
    networks: str = ""  # private addresses: networks with commas between
    hub: str = ""


@dataclass(frozen=True)
class Bounds:
    """What a connector may take."""

    bytes: int  # of the file
    seconds: int
    silence_seconds: float = 60.0  # without a byte from the other side
    memory_bytes: int = 0  # of the process; 0: any


@dataclass(frozen=True)
class Errand:
    """What the process is told on its way; the secrets come by its standard input."""

    doing: Doing
    connector: str
    parameters: dict[str, Any]
    bounds: Bounds
    opened: Opened = field(default_factory=Opened)
    mark: str = ""  # that the last fetch gave; empty: fetch in any case


@dataclass(frozen=True)
class Wanted:
    """What a connector is handed: an errand of its own, its parameters complete, and the secrets by their names."""

    parameters: Mapping[str, Any]
    secrets: Mapping[str, str]
    opened: Opened
    bounds: Bounds
    mark: str = ""


@dataclass(frozen=True)
class Item:
    """Something that could be fetched: the parameters that fetch it, over those that were given."""

    name: str
    parameters: dict[str, Any]
    size: int = -1  # bytes; -1: not known


@dataclass(frozen=True)
class Described:
    """What is there: the first so many."""

    items: list[Item]
    is_cut: bool = False


@dataclass(frozen=True)
class Fetched:
    """A file that was fetched, or that is as it was (`unchanged`): then nothing was written."""

    name: str = ""  # as the place calls it; its ending is a hint, no more
    mark: str = ""  # of its content, as an ETag: by it the next fetch knows an unchanged one; empty: there is none
    unchanged: bool = False


class Sink(Protocol):
    """Where a connector writes the file. It counts, tells how far it is, and refuses more than the bounds say."""

    def expect(self, size: int) -> None:
        """Say how many bytes are about to come; a connector that does not know leaves it. Raises SourceTooLarge."""
        ...

    def write(self, data: bytes) -> None:
        """Add bytes to the file. Raises SourceTooLarge."""
        ...


class Connector(Protocol):
    """A connector. Both verbs raise errors of `domain/errors.py` for what goes wrong, those of sources above all."""

    manifest: Manifest

    def describe(self, wanted: Wanted) -> Described:
        """What is there, by name and size. A parameter that names one thing may be missing still."""
        ...

    def fetch(self, wanted: Wanted, into: Sink) -> Fetched:
        """Write one file's bytes, whole or not at all."""
        ...
