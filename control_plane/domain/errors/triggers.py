"""What starts workflows by itself: why it cannot be set."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict


class TriggersTooMany(Conflict):
    """At most {most} things may start a workflow by themselves. Remove one that nobody needs any more."""
