"""What tests of connectors need: one asked as its process asks it, and servers that answer as they are told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control_plane.connectors.sink import File
from control_plane.domain.connectors import Bounds, Connector, Fetched, Opened, Wanted
from control_plane.domain.manifest import in_language
from control_plane.services import schemas

HERE = "127.0.0.0/8, ::1/128"  # what a test opens to reach its own servers
LIMIT = 1 << 20  # bytes
OPENED, BOUNDS = Opened(networks=HERE), Bounds(LIMIT, 60, 30.0)


def wanted(
    connector: Connector,
    parameters: Mapping[str, Any],
    secrets: Mapping[str, str] | None = None,
    opened: Opened = OPENED,
    bounds: Bounds = BOUNDS,
    mark: str = "",
) -> Wanted:
    """What a connector is handed, with the defaults of its parameters."""
    schema = {**in_language(connector.manifest.parameters, "en"), "required": []}
    return Wanted(schemas.complete(schema, parameters), secrets or {}, opened, bounds, mark)


def fetch(connector: Connector, asked: Wanted, folder: Path) -> tuple[Fetched, bytes]:
    """What a connector says of a file, and the file."""
    path = folder / "content"
    with File(path, asked.bounds.bytes, lambda done, of: None) as file:
        fetched = connector.fetch(asked, file)
    return fetched, path.read_bytes()


@dataclass
class Server:
    """A server on loopback that gives each connection to `answer`; `asked` are the heads of the requests."""

    port: int
    asked: list[str] = field(default_factory=list)

    def address(self, path: str = "/data.csv") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


Answering = Callable[[socket.socket, str], None]


@contextmanager
def serving(answer: Answering, host: str = "127.0.0.1") -> Iterator[Server]:
    """A server of bytes, for what no library of servers would send; each connection has a thread and one request."""
    with socket.create_server((host, 0)) as listening:
        server = Server(listening.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection: socket.socket) -> None:
            with connection:
                head = b""
                try:
                    while b"\r\n\r\n" not in head and (more := connection.recv(65_536)):
                        head += more
                    server.asked.append(head.decode("latin-1"))
                    answer(connection, head.decode("latin-1"))
                except OSError:  # whoever asked has gone
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def saying(head: str, body: bytes = b"") -> Answering:
    """An answer of these lines and this body, whatever is asked."""
    text = head.strip().replace("\n", "\r\n").encode() + b"\r\n\r\n"
    return lambda connection, _: connection.sendall(text + body)
