"""The process: `python -P -m control_plane.preparation FOLDER` carries out the order in `FOLDER/order.json`.

Its progress is one JSON object a line on stdout, {"done", "of"} in bytes. Exit status 0: the step's results lie in the
folder. 2: `failure.json` there says why not, as code and parameters of a domain error. Any other: a fault of ours.
"""

from __future__ import annotations

import errno
import json
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from control_plane.domain.errors import DiskFull, FileTooDemanding, FileTooSlow, TunesmithError
from control_plane.domain.preparation import Limits, Order, Step, read
from control_plane.preparation import steps

FAILED = 2
_PIECE = 1 << 20  # bytes that are written at once
_BETWEEN_REPORTS = 0.2  # seconds
_AT_MOST = 0.0005  # seconds that one thread keeps another from beginning its next bit of numpy
_TO_SAY_SO = 10  # seconds of computing that are left to write down that it takes too long

_STEPS = {Step.LOOK: steps.look, Step.CHECK: steps.check, Step.SAVE: steps.save, Step.SEE: steps.see}


class Reports:
    """Writes progress to stdout, a few times a second at most."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, done_bytes: int, of_bytes: int) -> None:
        now = time.monotonic()
        if now - self._last >= _BETWEEN_REPORTS:
            self._last = now
            sys.stdout.write(json.dumps({"done": done_bytes, "of": of_bytes}) + "\n")
            sys.stdout.flush()


def main(folder: Path) -> int:
    """Carry out the folder's order; the exit status."""
    order = read(Order, json.loads((folder / "order.json").read_bytes()))
    sys.setswitchinterval(_AT_MOST)
    tempfile.tempdir = str(folder)  # what is unpacked goes when the folder goes
    bound(order.limits, order.train.name)
    try:
        _STEPS[order.step](order, folder, Reports())
    except TunesmithError as problem:
        return _failed(folder, problem)
    except MemoryError:
        return _failed(folder, FileTooDemanding(file=order.train.name, limit=order.limits.memory_bytes))
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _failed(folder, DiskFull(needed=_PIECE, free=shutil.disk_usage(folder).free))
    return 0


def bound(limits: Limits, file: str) -> None:
    """Let this process take no more memory and computing time than it may; 0 is no limit."""

    def too_slow(number: int, frame: FrameType | None) -> NoReturn:
        raise FileTooSlow(file=file, allowed=limits.seconds)

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what a stranger's file breaks leaves no copy of its rows behind
    if limits.memory_bytes and sys.platform != "darwin":  # which has the name of this limit alone
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    if limits.seconds:
        signal.signal(signal.SIGXCPU, too_slow)
        resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + _TO_SAY_SO))


def _failed(folder: Path, problem: TunesmithError) -> int:
    written = {"code": problem.code, "params": problem.storable()}
    (folder / "failure.json").write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")
    return FAILED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
