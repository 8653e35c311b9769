"""gunicorn's threaded worker, where nobody holds a thread by sending or reading slowly, and one address not all
connections.

A connection gets a thread once a whole head has arrived (with TLS: once something has, for only a thread can read it).
What a thread then waits for has a deadline; the worker's loop shuts down the sockets that are overdue.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from control_plane.settings import Settings
from control_plane.web_readers import AnswerSocket, Lingering, Patience

log = logging.getLogger(__name__)

_DRAIN_SECONDS = 3  # for running requests, before they are cut
_LONGEST_HEAD = 65_536  # bytes; a longer one is for the parser to refuse
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_REFUSAL = b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_WARN_SECONDS = 60.0


class Connection(TConn):  # type: ignore[misc]
    """A connection with what has arrived of its next head, and a deadline while a thread waits for its bytes."""

    sock: Any  # a socket; while an answer is written an AnswerSocket

    def __init__(self, doors: Doors, *of_gunicorn: Any) -> None:
        super().__init__(*of_gunicorn)
        self.overdue = float("inf")  # time.monotonic()
        self._doors = doors
        self._head = bytearray()
        self._silence = self._until = 0.0
        self.closed = False

    def gather(self) -> bool:
        """Take what has arrived; whether a thread can go on with it. Blocks nobody."""
        try:
            data = self.sock.recv(_LONGEST_HEAD)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        begin = max(0, len(self._head) - 3)
        self._head += data
        return not data or len(self._head) >= _LONGEST_HEAD or _END_OF_HEAD.search(self._head, begin) is not None

    def init(self) -> None:
        super().init()
        unreader = getattr(self.parser, "unreader", None)  # HTTP/2 has none
        if unreader is None:
            return
        if not isinstance(unreader, _Watched):
            self.parser.unreader = _Watched(self, unreader.take_buffered())
        self.parser.unreader.unread(bytes(self._head))
        self._head.clear()

    def allow(self, silence: float, seconds: float) -> None:
        """From now on the peer may say nothing for `silence`, and take `seconds` in all."""
        self._silence, self._until = silence, time.monotonic() + seconds

    def await_bytes(self) -> None:
        """A thread begins to wait for bytes of this connection."""
        self.overdue = min(time.monotonic() + self._silence, self._until)
        self._doors.waiting.add(self)

    def go_on(self) -> None:
        """It does not wait any more."""
        self._doors.waiting.discard(self)

    def cut(self) -> None:
        """Whoever waits for its bytes reads its end."""
        sock = self.sock.inner if isinstance(self.sock, AnswerSocket) else self.sock
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # past TLS, whose state is its thread's

    @contextlib.contextmanager
    def answering(self, silence: float, rate: float) -> Iterator[None]:
        """Meanwhile an answer is written, to a reader who may take nothing for `silence` and `rate` bytes a second."""
        plain = self.sock
        self.sock = AnswerSocket(plain, Patience(silence, rate), self._doors.sending)
        try:
            yield
        finally:
            self.sock = plain

    def close(self, graceful: bool = False) -> None:
        if self.closed:
            return
        self.closed = True
        if graceful:
            self._doors.linger(self.sock, self.client)
        else:
            super().close()
            self._doors.leave(self.client)


class _Watched(SocketUnreader):  # type: ignore[misc]
    """Reads of a connection, each with its deadline."""

    def __init__(self, connection: Connection, buffered: bytes) -> None:
        super().__init__(connection.sock)
        self._connection = connection
        self.unread(buffered)

    def chunk(self, *hint: Any) -> bytes:
        self._connection.await_bytes()
        try:
            return bytes(super().chunk(*hint))
        finally:
            self._connection.go_on()


class Doors:
    """How many connections each address has, and whose bytes, reading or end are waited for."""

    def __init__(self, settings: Settings) -> None:
        self.waiting: set[Connection] = set()
        self.sending: set[AnswerSocket] = set()
        self._lingering: list[Lingering] = []
        self._settings = settings
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._warned = -_WARN_SECONDS

    def is_full(self, client: Any) -> bool:
        """Whether this address has as many as one may have. A trusted proxy stands for many."""
        address = _address(client)
        most = self._settings.connections_per_address
        return self._counts[address] >= most and not self._settings.trusted_proxies.hold(address)

    def enter(self, client: Any) -> None:
        with self._lock:
            self._counts[_address(client)] += 1

    def leave(self, client: Any) -> None:
        address = _address(client)
        with self._lock:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def warn(self, client: Any) -> None:
        """Tell of a refusal, once a minute."""
        if time.monotonic() - self._warned >= _WARN_SECONDS:
            self._warned = time.monotonic()
            text = "%s has %d connections, and gets no more. Is it a proxy? TUNESMITH_TRUSTED_PROXIES names those."
            log.warning(text, _address(client), self._settings.connections_per_address)

    def linger(self, sock: socket.socket, client: Any) -> None:
        """Close a connection without a loss to its reader."""
        ending = Lingering(sock, lambda: self.leave(client))
        if ending.begin():
            self._lingering.append(ending)

    def cut_overdue(self) -> None:
        now = time.monotonic()
        for connection in list(self.waiting):
            if connection.overdue <= now:
                connection.cut()
        for answer in list(self.sending):
            if answer.is_overdue():
                answer.cut()
        self._lingering = [ending for ending in self._lingering if not ending.is_over()]


class WebThreads(ThreadWorker):  # type: ignore[misc]
    """Also ends the hanging calls as soon as it is told to stop: web requests that wait for a machine end with them."""

    def init_process(self) -> None:
        self._settings: Settings = self.app.settings
        self._doors = Doors(self._settings)
        super().init_process()

    def accept(self, listener: Any) -> None:
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if self._doors.is_full(client) and not self._close_idle(client):
            self._refuse(sock, client)
            return
        self._doors.enter(client)
        self.nr_conns += 1
        connection = Connection(self._doors, self.cfg, sock, client, listener.getsockname())
        connection.set_timeout()
        self.keepalived_conns.append(connection)  # idle until it says something
        self.poller.register(sock, EVENT_READ, partial(self.on_client_socket_readable, connection))

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """An idle connection begins to say something."""
        if conn.closed:
            return  # it had to make place, after this was noticed
        self.keepalived_conns.remove(conn)
        conn.timeout = time.monotonic() + self._settings.head_seconds
        self.pending_conns.append(conn)
        self.poller.modify(client, EVENT_READ, partial(self.on_pending_socket_readable, conn))
        self.on_pending_socket_readable(conn, client)

    def on_pending_socket_readable(self, conn: Connection, client: Any) -> None:
        if self.cfg.is_ssl or conn.gather():
            super().on_pending_socket_readable(conn, client)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        super().wait_for_and_dispatch_events(timeout)
        self._doors.cut_overdue()

    def handle(self, conn: Connection) -> Any:
        conn.allow(self._settings.head_seconds, self._settings.head_seconds)
        if not self.cfg.is_ssl or conn.initialized:
            return super().handle(conn)
        conn.await_bytes()  # of the handshake
        try:
            return super().handle(conn)
        finally:
            conn.go_on()

    def handle_request(self, req: Any, conn: Connection) -> Any:
        conn.allow(self._settings.body_silence_seconds, self._settings.body_seconds)
        with conn.answering(self._settings.answer_silence_seconds, self._settings.answer_bytes_per_second):
            return super().handle_request(req, conn)

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.alive:
            self.app.stopping = threading.Thread(target=self.app.parts.stop, name="stop")
            self.app.stopping.start()
            self.cfg.set("graceful_timeout", _DRAIN_SECONDS)  # of this process; the arbiter's is longer
        super().handle_exit(sig, frame)

    def _close_idle(self, client: Any) -> bool:
        """Close the oldest connection of this address that nothing is asked on; whether there was one."""
        for connection in self.keepalived_conns:
            if connection.client[0] == client[0]:
                self.keepalived_conns.remove(connection)
                self.poller.unregister(connection.sock)
                self.nr_conns -= 1
                connection.close()
                return True
        return False

    def _refuse(self, sock: socket.socket, client: Any) -> None:
        self._doors.warn(client)
        sock.setblocking(False)
        with contextlib.suppress(OSError), sock:
            if not self.cfg.is_ssl:
                sock.send(_REFUSAL)


def _address(client: Any) -> str:
    return str(client[0]) if client else ""
