"""Those who read answers of the web: how slowly they may, and how their connections end.

What counts is what their machine has acknowledged, where the system tells that: a send itself goes on only once a
third of the kernel's buffer (megabytes) is free again, so to us a slow reader looks like a silent one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

_PIECE = 65_536  # bytes that are handed to the kernel at a time
_ACKNOWLEDGED = struct.Struct("@Q")  # tcpi_bytes_acked of struct tcp_info, in linux/tcp.h
_ACKNOWLEDGED_AT = 120
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 65_536
_RESET = struct.pack("ii", 1, 0)  # a close drops what was not taken, instead of keeping it in the kernel


class Patience:
    """What is left of the seconds that a thread waits for one reader.

    Waiting uses them up and taken bytes give some back: whoever takes nothing is given up after `seconds`, whoever
    takes less than `rate` bytes a second later, and who takes more never.
    """

    def __init__(self, seconds: float, rate: float) -> None:
        self.left = self._most = seconds
        self._rate = rate

    def wait(self, seconds: float, taken: int) -> None:
        self.left = min(self._most, self.left - seconds + taken / self._rate)


class AnswerSocket:
    """A connection as far as an answer is written to it. While a thread sends, it is one of `sending`."""

    def __init__(self, inner: socket.socket, patience: Patience, sending: set[AnswerSocket]) -> None:
        self.inner, self._patience, self._sending = inner, patience, sending
        self._handed = 0
        self._looked, self._taken = time.monotonic(), self._count()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def sendall(self, data: bytes) -> None:
        with self._waiting():
            view = memoryview(data)
            while view:
                sent = self.inner.send(view[:_PIECE])
                self._handed += sent
                view = view[sent:]

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        with self._waiting():
            end = os.fstat(file.fileno()).st_size if count is None else offset + count
            at = offset
            while at < end and (sent := self.inner.sendfile(file, at, min(_PIECE, end - at))):
                self._handed += sent
                at += sent
        return at - offset

    def is_overdue(self) -> bool:
        """Whether its reader has been too slow for too long. Called by another thread than the one that sends."""
        now, taken = time.monotonic(), self._count()
        self._patience.wait(now - self._looked, taken - self._taken)
        self._looked, self._taken = now, taken
        return self._patience.left <= 0

    def cut(self) -> None:
        """The thread that sends fails at once; what the reader did not take is dropped."""
        with contextlib.suppress(OSError):
            self.inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.inner, socket.SHUT_RDWR)  # past TLS, whose state is its thread's

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        self._looked, self._taken = time.monotonic(), self._count()
        self._sending.add(self)
        try:
            yield
        finally:
            self._sending.discard(self)

    def _count(self) -> int:
        if sys.platform == "linux":
            with contextlib.suppress(OSError, struct.error):
                told = self.inner.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
                return int(_ACKNOWLEDGED.unpack_from(told, _ACKNOWLEDGED_AT)[0])
        return self._handed


class Lingering:
    """A connection that we have ended and the other side has not: what it still sends is thrown away for a while.

    Closed at once, the kernel would answer such bytes with a reset, which takes the end of the answer with it. gunicorn
    waits for this in its only loop, for two seconds each.
    """

    def __init__(self, sock: socket.socket, closed: Callable[[], None]) -> None:
        self._sock, self._closed = sock, closed
        self._until = time.monotonic() + _LINGER_SECONDS
        self._rest = _LINGER_BYTES

    def begin(self) -> bool:
        """Say that nothing more comes from here; whether there is still something to wait for."""
        try:
            self._sock.setblocking(False)
            socket.socket.shutdown(self._sock, socket.SHUT_WR)  # past TLS
        except OSError:
            self.end()
            return False
        return not self.is_over()

    def is_over(self) -> bool:
        """Take what has come; whether that was the end, by either side. Blocks nobody."""
        try:
            while self._rest > 0 and (data := socket.socket.recv(self._sock, min(4096, self._rest))):
                self._rest -= len(data)
        except BlockingIOError:
            if time.monotonic() < self._until:
                return False
        except OSError:
            pass  # it is gone
        self.end()
        return True

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.close()
        self._closed()
