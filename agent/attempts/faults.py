"""What goes wrong in an attempt's life: whose fault it is, and how often it is tried again.

Three classes: the method's or its user's (a reason of its own, the job fails), this machine's (`agent_error`, the job
goes to another one), the control plane's (`control_plane_error`, which another machine would meet again).
"""

from __future__ import annotations

import errno
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from agent.attempts.masking import Mask
from agent.attempts.outbox import NoPlainFile
from agent.attempts.outcome import Failure
from agent.link.calls import Faulty, Refused
from agent.settings import Settings
from agent.storage.blobs import SPARE, DiskFull
from agent.storage.state import AttemptRow, Store

END, OVER = AFTER = ("its end", "what is left of it")  # where faults are counted, beside the steps
_LONGEST_PROBLEM = 500  # characters of an error's last line


class Cancelled(Exception):
    """Somebody asked for the attempt to end."""


class Ending(NamedTuple):
    """FAILED with a reason, or CANCELLED with an empty one."""

    state: str
    failure: Failure


class Faults:
    """How often in a row something went wrong at one place that nobody foresaw, and how long to wait then.

    The count of a step is kept in state.db as well: an agent that is started again and again ends the attempt, too.
    """

    def __init__(self, settings: Settings, store: Store, row: AttemptRow) -> None:
        self._settings, self._store, self._attempt = settings, store, row.attempt_id
        self._where, self._tries, self._last = row.fault_where, row.fault_tries, time.monotonic()

    def count(self, where: str) -> None:
        """Something went wrong at `where`; what went wrong elsewhere before is forgotten."""
        self._tries = self._tries + 1 if where == self._where else 1
        self._where, self._last = where, time.monotonic()
        if where not in AFTER:
            self._keep()

    def exhausted(self, where: str) -> bool:
        """Whether `where` was tried often enough."""
        return self._where == where and self._tries >= self._settings.fault_tries

    def wait(self) -> float:
        """Seconds before the next try."""
        wait = self._settings.fault_first_seconds * 2.0 ** min(self._tries - 1, 30)
        return min(wait, self._settings.fault_max_seconds)

    def calm(self) -> None:
        """All is well: after a while the faults of a long training are forgotten."""
        if self._tries and time.monotonic() - self._last > self._settings.fault_max_seconds:
            self._tries = 0
            self._keep()

    def _keep(self) -> None:
        with suppress(OSError):  # it may be the store that fails; then this agent alone counts
            self._store.set_faults(self._attempt, self._where, self._tries)


def foreseen(problem: Exception) -> Ending | None:
    """The end that belongs to what has a reason of its own; None for all else."""
    if isinstance(problem, Cancelled):
        return Ending("CANCELLED", Failure(""))
    failure = None
    match problem:
        case Failure():
            failure = problem
        case NoPlainFile():
            failure = Failure("output_unreadable", {"output": str(problem), "problem": "it is not a plain file"})
        case Faulty():
            failure = Failure("control_plane_error")
        case Refused():
            failure = Failure(problem.code, problem.params)
    return Ending("FAILED", failure) if failure else None


def blame(problem: Exception, folder: Path, mask: Mask | None = None) -> Failure:
    """The reason for what is this machine's fault; `folder` lies on the disk that may be full."""
    if isinstance(problem, DiskFull):
        return Failure("disk_full", problem.params)
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        free = 0
        with suppress(OSError):  # a disk that fails may not even say how full it is
            free = shutil.disk_usage(folder).free
        return Failure("disk_full", {"needed": SPARE, "free": free})
    return Failure("agent_error", {"problem": last_line(problem, mask)})


def last_line(problem: Exception, mask: Mask | None = None) -> str:
    """What an error says last, short and without secrets."""
    text = f"{type(problem).__name__}: {problem}".strip().splitlines()[-1].encode(errors="backslashreplace")
    return (mask.cover(text) if mask else text).decode(errors="replace")[:_LONGEST_PROBLEM]
