"""SIGTERM asks for an orderly end: at once, or, while training, after the step with a checkpoint."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATED = 143  # 128 + SIGTERM, the exit status of an orderly end that was asked for


class Stop:
    """Whether somebody asked this process to end."""

    requested = False

    def leave_if_requested(self) -> None:
        """End with status 143 if somebody asked for it, where there is nothing to save yet."""
        if self.requested:
            raise SystemExit(TERMINATED)


def install() -> None:
    """From now on SIGTERM ends the process with status 143, running every ``finally`` on the way."""
    signal.signal(signal.SIGTERM, _exit)


@contextmanager
def deferred() -> Iterator[Stop]:
    """Inside the block SIGTERM only sets ``requested``; the caller saves its work and then exits with 143."""
    stop = Stop()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.requested = True

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)
