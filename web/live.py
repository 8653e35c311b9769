"""GET /events: a stream of hints (topic, version). Whoever shows a topic then asks for the truth by itself.

A hint holds nothing of what changed, so a missed one costs nothing, and what may be seen is decided at each reading.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, current_app, g, request
from prometheus_client import Gauge

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, NotFound
from control_plane.domain.permissions import Actor
from control_plane.services import deployments, jobs
from control_plane.services.datasets import drafts, sources
from control_plane.services.labelling import making
from web.access import signed_in, the_actor, the_control_plane

_HEARTBEAT_SECONDS = 15.0
_STREAM_SECONDS = 300.0  # then the browser comes again, and what it may see is looked up again
_GATHER_SECONDS = 0.1  # many changes within it become one hint
_MAX_TOPICS = 64

Find = Callable[[Actor, ControlPlane, int], object]  # raises NotFound or Denied

blueprint = Blueprint("live", __name__)


class Slots:
    """How many streams are held at once: each holds a thread. `held` shows how many are."""

    def __init__(self, count: int, held: Gauge) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._held = held

    def take(self) -> Callable[[], None] | None:
        """A function that gives the slot back (the first time it is called), None if none is free."""
        if not self._free.acquire(blocking=False):
            return None
        self._held.inc()
        given_back = threading.Lock()

        def give_back() -> None:
            if given_back.acquire(blocking=False):
                self._held.dec()
                self._free.release()

        return give_back


def begin() -> None:
    """Before anything is read: what changes from here on is not yet in the page that is about to be drawn."""
    g.begun_at = the_control_plane().signals.moment()


@blueprint.get("/events")
@signed_in
def events() -> Response:
    """204 where no stream is free or nothing may be watched: the page then polls.

    `since` is the moment at which the page was begun: what has changed after it is hinted at once, and nothing else.
    """
    cp = the_control_plane()
    topics = visible(the_actor(), cp, request.args.get("topics", "").split(","))
    slots: Slots = current_app.extensions["tunesmith_live_slots"]
    give_back = slots.take() if topics else None
    if give_back is None:
        return Response(status=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    since = request.args.get("since") or cp.signals.moment()
    hints = _Hints(cp, topics, since, f"user:{the_actor().id}", give_back)
    return Response(hints, headers=headers, content_type="text/event-stream")


def visible(actor: Actor, cp: ControlPlane, topics: list[str]) -> frozenset[str]:
    """Those of the topics that the actor may watch."""
    return frozenset(topic for topic in topics[:_MAX_TOPICS] if _may_watch(actor, cp, topic))


def _may_watch(actor: Actor, cp: ControlPlane, topic: str) -> bool:
    noun, _, key = topic.partition(":")
    if noun in ("fleet", "figures") or (noun == "machine" and key):
        return actor.may("machine.see")
    if noun == "notifications":
        return actor.kind == "user" and key == actor.id
    if not key.isdecimal() or len(key) > 15:
        return False
    return _may_watch_number(actor, cp, noun, int(key))


def _may_watch_number(actor: Actor, cp: ControlPlane, noun: str, number: int) -> bool:
    if noun == "project":
        return actor.may("project.see", number)
    known: dict[str, Find] = {
        "job": jobs.get,
        "deployment": deployments.get,
        "draft": drafts.get,
        "source": sources.get,
        "labelling": making.get,
    }
    find = known.get(noun)
    if find is None:
        return False
    try:
        find(actor, cp, number)
    except (NotFound, Denied):
        return False
    return True


class _Hints:
    """The stream's body; the WSGI server closes it when the browser is gone, even before the first byte.

    It ends when what its reader may do has changed (topic `reader`): the browser comes again, and is looked at again.
    """

    def __init__(
        self, cp: ControlPlane, topics: frozenset[str], since: str, reader: str, give_back: Callable[[], None]
    ) -> None:
        self._cp, self._topics, self._reader, self.close = cp, topics, reader, give_back
        # from before the body is begun: what changes in between is not missed
        self._seen = {**cp.signals.seen_at(since, topics), reader: cp.signals.version(reader)}

    def __iter__(self) -> Iterator[bytes]:
        signals, seen = self._cp.signals, self._seen
        watched = self._topics | {self._reader}
        ends = time.monotonic() + _STREAM_SECONDS
        yield b"retry: 2000\n\n"
        while time.monotonic() < ends:
            now = signals.wait(watched, seen, _HEARTBEAT_SECONDS)
            if now[self._reader] != seen[self._reader]:
                return
            changed = sorted(topic for topic in self._topics if now[topic] != seen[topic])
            yield b"".join(_hint(topic, now[topic]) for topic in changed) or b": still here\n\n"
            seen = now
            if changed:
                time.sleep(_GATHER_SECONDS)


def _hint(topic: str, version: int) -> bytes:
    return b"data: " + json.dumps({"topic": topic, "version": version}).encode() + b"\n\n"
