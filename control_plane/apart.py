"""What the processes that stand apart have in common: bounds from within, progress, and why they came to nothing.

Three do so: the one that reads strangers' files (`control_plane.preparation`), the one that fetches them from
strangers' servers (`control_plane.connectors`), both described in docs/developers/data.md, and the one that calls a
package's function for a listener (`control_plane.hearing`), which takes no more of this than its environment.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import control_plane
from control_plane.domain.errors import DiskFull, TunesmithError
from control_plane.domain.masking import masked_in

FAILED = 2
_CODE = Path(control_plane.__file__).parents[1]  # where the program was found, installed or not
_PIECE = 1 << 20  # bytes that are written at once
_BETWEEN_REPORTS = 0.2  # seconds
_TO_SAY_SO = 10  # seconds of computing that are left to write down that it takes too long


def environment(folder: Path) -> dict[str, str]:
    """All that it is told of the world: programs, its folder, whose certificates hold; nothing that opens a door."""
    # a driver's own OpenSSL would look for them where it was built
    places = ssl.get_default_verify_paths()
    authorities = {places.openssl_cafile_env: places.cafile, places.openssl_capath_env: places.capath}
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(_CODE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        **{name: place for name, place in authorities.items() if place},
    }


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


def bound(memory_bytes: int, seconds: int, too_slow: TunesmithError) -> None:
    """Let this process take no more memory and computing time than it may; 0 is no limit."""

    def out_of_time(number: int, frame: FrameType | None) -> NoReturn:
        raise too_slow

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what a stranger's file breaks leaves no copy of its rows behind
    if memory_bytes and sys.platform != "darwin":  # which has the name of this limit alone
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if seconds:
        signal.signal(signal.SIGXCPU, out_of_time)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + _TO_SAY_SO))


def carried_out(
    folder: Path, errand: Callable[[], None], too_demanding: TunesmithError, secrets: Sequence[str] = ()
) -> int:
    """Do what the process is for; its exit status. Where it failed the reason is in the folder, without the secrets."""
    try:
        errand()
    except TunesmithError as problem:
        return _failed(folder, problem, secrets)
    except MemoryError:
        return _failed(folder, too_demanding, secrets)
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _failed(folder, DiskFull(needed=_PIECE, free=shutil.disk_usage(folder).free), secrets)
    return 0


def _failed(folder: Path, problem: TunesmithError, secrets: Sequence[str]) -> int:
    written = {"code": problem.code, "params": masked_in(problem.storable(), secrets)}
    (folder / "failure.json").write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")
    return FAILED
