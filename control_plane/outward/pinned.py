"""HTTP to addresses that were checked before.

No library that is at hand connects to an address of one's own choice while it verifies the certificate for the name;
the standard library's connection does, with its one method `connect` replaced.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from control_plane.outward.guard import connected

PORTS = {"http": 80, "https": 443}
_LONGEST_ADDRESS = 4_000  # characters


class AddressInvalid(ValueError):
    """This is no address of http: or https:, or one that holds a password; the message is what may be shown of it."""


class PinnedConnection(http.client.HTTPConnection):
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
            # the handshake apart: whoever cuts the connection off has its socket meanwhile
            tls = self._tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = tls
            tls.do_handshake()


def split(address: str) -> SplitResult:
    """The parts of an address. Raises AddressInvalid."""
    shown = address.partition("?")[0].rpartition("@")[2][:200]  # a password in it is not said again
    try:
        parts = urlsplit(address.strip().replace(" ", "%20"))
        is_whole = bool(parts.hostname and parts.hostname.encode("idna")) and parts.port != 0
    except (ValueError, UnicodeError) as problem:
        raise AddressInvalid(shown) from problem
    is_printable = address.isprintable() and len(address) <= _LONGEST_ADDRESS
    if parts.scheme not in PORTS or parts.username is not None or not is_whole or not is_printable:
        raise AddressInvalid(shown)
    return parts


def origin(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host as it is asked for, and port."""
    host = (parts.hostname or "").encode("idna").decode("ascii")
    return parts.scheme, host, parts.port or PORTS[parts.scheme]


def target(parts: SplitResult) -> str:
    """What is asked for at the host; letters of other scripts as their bytes in UTF-8."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return "".join(
        letter if letter.isascii() else "".join(f"%{byte:02X}" for byte in letter.encode()) for letter in path
    )
