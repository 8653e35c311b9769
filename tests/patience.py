"""How long a test waits for what must happen: far longer than it takes, and never as a statement about speed."""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE = 180.0  # seconds
LONG = 10 * PATIENCE  # of what a test must not have to wait for: a setting by which nothing would happen in time


def wait_until(holds: Callable[[], object]) -> None:
    """Look every few milliseconds, for what sends no signal when it happens."""
    pause, looks = threading.Event(), int(PATIENCE / 0.005)
    for _ in range(looks):
        if holds():
            return
        pause.wait(0.005)
    raise AssertionError("it never held")
