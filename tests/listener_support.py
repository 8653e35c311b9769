"""What tests of listeners need: a project with one, and receivers that answer as they are told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as with_default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Thread
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.listeners.events import CHOICES
from control_plane.domain.permissions import OWNER, SYSTEM, Actor
from control_plane.services.access import identity, people, projects
from control_plane.services.listeners import delivering, listening
from control_plane.store.listeners import DeliveryRecord, ListenerRecord
from control_plane.store.people import UserRecord

HERE = "127.0.0.0/8, ::1/128"  # what a test opens to reach its own receivers
PROJECT = "pumps"


@dataclass
class Receiver:
    """A web server that keeps what it is sent, and answers with what `statuses` hold, then with 200."""

    port: int
    statuses: list[int]
    heads: list[dict[str, str]] = with_default(default_factory=list)
    bodies: list[bytes] = with_default(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/a-secret-path"

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]


@contextmanager
def receiving(statuses: Iterable[int] = (), tls: SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            receiver.heads.append(dict(self.headers.items()))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        receiver = Receiver(server.server_address[1], list(statuses))
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


def owner(cp: ControlPlane, project: str = PROJECT) -> Actor:
    """Who owns a fresh project."""
    projects.create(SYSTEM, cp, project, project.title())
    people.invite(SYSTEM, cp, f"{project}-owner", "Olga", False)
    projects.set_member(SYSTEM, cp, project, f"{project}-owner", OWNER.name)
    return identity.actor_of(UserRecord.get(UserRecord.name == f"{project}-owner"), "")


def listens(
    actor: Actor, cp: ControlPlane, address: str, *events: str, way: str = "webhook", project: str = PROJECT
) -> tuple[ListenerRecord, str]:
    """A listener of these events, or of all; with the key of its signature."""
    return listening.add(actor, cp, project, way, address, events or CHOICES, "en")


def deliver(cp: ControlPlane) -> None:
    """Tell all that is due."""
    while delivering.advance(cp):
        cp.deliveries.join()


def rows() -> list[DeliveryRecord]:
    """All deliveries, the oldest first."""
    return list(DeliveryRecord.select().order_by(DeliveryRecord.id))
