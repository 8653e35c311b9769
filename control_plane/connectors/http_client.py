"""HTTP as connectors speak it: to addresses that were checked, with redirects checked again, bounded in every way."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin

from control_plane.connectors.guard import allowed_addresses
from control_plane.domain.connectors import Sink, Wanted
from control_plane.domain.errors import (
    SourceAccessDenied,
    SourceAddressInvalid,
    SourceCut,
    SourceGone,
    SourceInsecureRedirect,
    SourceRedirectsEndless,
    SourceRefused,
    SourceSilent,
    SourceUnreachable,
)
from control_plane.outward import pinned
from control_plane.outward.pinned import PinnedConnection, origin, target

_PIECE = 1 << 18  # bytes
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_TEXT = 8 << 20  # bytes of an answer that is read into memory
UNCHANGED = 304


@dataclass(frozen=True)
class Answer:
    """The head of an answer, and its body on its way."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    address: str  # that it came from, behind all redirects
    place: str  # the same as people are told it: without what a query may hold
    _body: http.client.HTTPResponse
    _silence: float

    @property
    def size(self) -> int:
        """What the body is said to have; -1: nothing is said."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1

    def pieces(self) -> Iterator[bytes]:
        """The body. Raises SourceCut where it ends before it is whole, SourceSilent."""
        arrived = 0
        while True:
            try:
                piece = self._body.read(_PIECE)
            except TimeoutError as problem:
                raise SourceSilent(place=self.place, allowed=self._silence) from problem
            except (OSError, http.client.HTTPException) as problem:
                raise SourceCut(place=self.place, arrived=arrived, size=max(self.size, 0) or "?") from problem
            if not piece:
                break
            arrived += len(piece)
            yield piece
        if arrived < self.size:
            raise SourceCut(place=self.place, arrived=arrived, size=self.size)

    def save(self, into: Sink) -> None:
        """Write the body. Raises also SourceTooLarge, before a byte is read where the head tells."""
        into.expect(self.size)
        for piece in self.pieces():
            into.write(piece)

    def text(self) -> bytes:
        """A short body. Raises SourceRefused for one that is not."""
        held = b""
        for piece in self.pieces():
            held += piece
            if len(held) > _LONGEST_TEXT:
                raise SourceRefused(place=self.place, problem=f"> {_LONGEST_TEXT} B")
        return held


@contextmanager
def asked(
    wanted: Wanted,
    address: str,
    headers: Mapping[str, str] | None = None,
    private: Mapping[str, str] | None = None,
    method: str = "GET",
) -> Iterator[Answer]:
    """Ask for an address, following redirects; the answer is one of success, or UNCHANGED.

    `private` headers, which hold secrets, go to the origin that is asked and to no other. Raises what can go wrong
    with a source.
    """
    parts, sent = split(address), {**(headers or {}), **(private or {})}
    first = origin(parts)
    for _ in range(_MOST_REDIRECTS + 1):
        with _answered(wanted, parts, method, sent) as answer:
            leads_to = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not leads_to:
                _refuse(answer)
                yield answer
                return
        following = split(urljoin(parts.geturl(), leads_to))
        if parts.scheme == "https" and following.scheme != "https":
            raise SourceInsecureRedirect(place=place_of(parts))
        parts = following
        if origin(parts) != first:
            sent = dict(headers or {})
    raise SourceRedirectsEndless(place=place_of(split(address)))


def split(address: str) -> SplitResult:
    """The parts of an address. Raises SourceAddressInvalid."""
    try:
        return pinned.split(address)
    except pinned.AddressInvalid as problem:
        raise SourceAddressInvalid(place=str(problem)) from problem


def place_of(parts: SplitResult) -> str:
    """An address as people are told it."""
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:200]


@contextmanager
def _answered(wanted: Wanted, parts: SplitResult, method: str, headers: Mapping[str, str]) -> Iterator[Answer]:
    scheme, host, port = origin(parts)
    place, silence = place_of(parts), wanted.bounds.silence_seconds
    addresses = allowed_addresses(wanted, host, port)
    connection = PinnedConnection(
        host, port, addresses, silence, ssl.create_default_context() if scheme == "https" else None
    )
    try:
        try:
            connection.request(method, target(parts), headers={"Accept-Encoding": "identity", **headers})
            response = connection.getresponse()
        except TimeoutError as problem:
            raise SourceSilent(place=place, allowed=silence) from problem
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise SourceUnreachable(place=place, problem=str(problem)[:200] or type(problem).__name__) from problem
        lower = {name.lower(): value for name, value in response.getheaders()}
        yield Answer(response.status, lower, parts.geturl(), place, response, silence)
    finally:
        connection.close()


def _refuse(answer: Answer) -> None:
    """Raises what a status says."""
    if 200 <= answer.status < 300 or answer.status == UNCHANGED:
        return
    said = f"HTTP {answer.status} {http.client.responses.get(answer.status, '')}".strip()
    if answer.status in (401, 403, 407):
        raise SourceAccessDenied(place=answer.place, problem=said)
    if answer.status in (404, 410):
        raise SourceGone(place=answer.place)
    raise SourceRefused(place=answer.place, problem=said)
