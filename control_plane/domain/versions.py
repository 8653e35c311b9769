"""Which agents a control plane works with: up to three minor versions older, never newer."""

from __future__ import annotations

import re

from control_plane.domain.errors import VersionRefused

MINORS_OLDER = 3


def check(agent: str, control_plane: str) -> None:
    """Raises VersionRefused for an agent that is newer, too old, or does not say what it is."""
    theirs, ours = _numbers(agent), _numbers(control_plane)
    fits = theirs is not None and ours is not None and theirs <= ours and theirs[0] == ours[0]
    if not fits or theirs is None or ours is None or ours[1] - theirs[1] > MINORS_OLDER:
        raise VersionRefused(agent=agent[:40], control_plane=control_plane)


def _numbers(version: str) -> tuple[int, int, int] | None:
    match = re.match(r"(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", version)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None
