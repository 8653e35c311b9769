"""HTTP as connectors speak it: to addresses that were checked, with redirects checked again, bounded in every way.

No library that is at hand connects to an address of one's own choice while it verifies the certificate for the name;
the standard library's connection does, with its one method `connect` replaced.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from control_plane.connectors.guard import allowed_addresses, connected
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

_PIECE = 1 << 18  # bytes
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
_LONGEST_TEXT = 8 << 20  # bytes of an answer that is read into memory
_LONGEST_ADDRESS = 4_000  # characters
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
    origin = _origin(parts)
    for _ in range(_MOST_REDIRECTS + 1):
        with _answered(wanted, parts, method, sent) as answer:
            target = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not target:
                _refuse(answer)
                yield answer
                return
        following = split(urljoin(parts.geturl(), target))
        if parts.scheme == "https" and following.scheme != "https":
            raise SourceInsecureRedirect(place=place_of(parts))
        parts = following
        if _origin(parts) != origin:
            sent = dict(headers or {})
    raise SourceRedirectsEndless(place=place_of(split(address)))


def split(address: str) -> SplitResult:
    """The parts of an address. Raises SourceAddressInvalid."""
    shown = address.partition("?")[0].rpartition("@")[2][:200]  # a password in it is not said again
    try:
        parts = urlsplit(address.strip().replace(" ", "%20"))
        is_whole = bool(parts.hostname and parts.hostname.encode("idna")) and parts.port != 0
    except (ValueError, UnicodeError) as problem:
        raise SourceAddressInvalid(place=shown) from problem
    is_printable = address.isprintable() and len(address) <= _LONGEST_ADDRESS
    if parts.scheme not in _PORTS or parts.username is not None or not is_whole or not is_printable:
        raise SourceAddressInvalid(place=shown)
    return parts


def place_of(parts: SplitResult) -> str:
    """An address as people are told it."""
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:200]


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    host = (parts.hostname or "").encode("idna").decode("ascii")
    return parts.scheme, host, parts.port or _PORTS[parts.scheme]


@contextmanager
def _answered(wanted: Wanted, parts: SplitResult, method: str, headers: Mapping[str, str]) -> Iterator[Answer]:
    scheme, host, port = _origin(parts)
    place, silence = place_of(parts), wanted.bounds.silence_seconds
    pinned = allowed_addresses(wanted, host, port)
    connection = _Pinned(host, port, pinned, silence, ssl.create_default_context() if scheme == "https" else None)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        try:
            connection.request(method, _ascii(path), headers={"Accept-Encoding": "identity", **headers})
            response = connection.getresponse()
        except TimeoutError as problem:
            raise SourceSilent(place=place, allowed=silence) from problem
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise SourceUnreachable(place=place, problem=str(problem)[:200] or type(problem).__name__) from problem
        lower = {name.lower(): value for name, value in response.getheaders()}
        yield Answer(response.status, lower, parts.geturl(), place, response, silence)
    finally:
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to one of these addresses, whatever the name says by now; a certificate is held to the name."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[str], seconds: float, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port, timeout=seconds)
        self.default_port = 443 if tls else 80  # by which the port is left out of the header Host
        self._addresses, self._seconds, self._tls = addresses, seconds, tls

    def connect(self) -> None:
        self.sock = connected(self._addresses, self.port, self._seconds)
        with suppress(OSError):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def _ascii(path: str) -> str:
    """A path as it can be sent: letters of other scripts as their bytes in UTF-8."""
    return "".join(
        letter if letter.isascii() else "".join(f"%{byte:02X}" for byte in letter.encode()) for letter in path
    )


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
