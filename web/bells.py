"""How many notifications each reader has not read, kept until something is signalled that may change it."""

from __future__ import annotations

from flask import current_app

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services import notifications

_SECONDS = 60.0  # what is kept longer is looked at again: notifications grow old
_MOST = 1_000

_Seen = tuple[int, ...]


class Bells:
    """One for an application. Two threads that miss at once both look: the answer is the same."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, _Seen, int]] = {}

    def unread(self, actor: Actor, cp: ControlPlane) -> int:
        """As `notifications.unread` says."""
        topics = (f"notifications:{actor.id}", f"user:{actor.id}", "fleet", "people")
        now, seen = cp.clock(), tuple(cp.signals.version(topic) for topic in topics)  # read before the rows are
        until, known, count = self._kept.get(actor.id, (0.0, (), 0))
        if now < until and known == seen:
            return count
        count = notifications.unread(actor, cp)
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[actor.id] = (now + _SECONDS, seen, count)
        return count


def unread(actor: Actor, cp: ControlPlane) -> int:
    """How many the reader's bell shows."""
    bells: Bells = current_app.extensions["tunesmith_bells"]
    return bells.unread(actor, cp)
