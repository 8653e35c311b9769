"""A deadline for a whole conversation: a timeout of a socket is one for each byte, and begins anew with the next."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_AGAIN = 0.2  # seconds: the socket may only now be there


@contextmanager
def cut_off(the_socket: Callable[[], socket.socket | None], seconds: float) -> Iterator[threading.Event]:
    """Shut the socket down after so many seconds; the event says that this was done. Whoever reads gets an OSError
    or an end."""
    done, was_cut = threading.Event(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            wait = _AGAIN
            was_cut.set()
            found = the_socket()
            if found is not None:
                with suppress(OSError):
                    socket.socket.shutdown(found, socket.SHUT_RDWR)  # below TLS, which would wait for the other side

    watching = threading.Thread(target=watch, name="deadline", daemon=True)
    watching.start()
    try:
        yield was_cut
    finally:
        done.set()
        watching.join()
