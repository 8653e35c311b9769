"""The process that reads a stranger's file: started with little, watched for time and disk, and ended whole.

It binds its own memory and computing time, as its order says (`preparation/__main__.py`).
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import control_plane
from control_plane.context import ControlPlane
from control_plane.domain import errors
from control_plane.domain.errors import PreparationBroke, PreparationTooSlow, TunesmithError
from control_plane.domain.preparation import Order, told

log = logging.getLogger(__name__)

Tell = Callable[[int, int], None]  # bytes that are done, of how many

PROGRAM = ("-m", "control_plane.preparation")

_CODE = Path(control_plane.__file__).parents[1]  # where the program was found, installed or not
_LOOK_SECONDS = 0.25  # between two looks at whether to stop
_END_SECONDS = 10.0  # from the end of its output to its own
_PRIVATE = 0o077
_NICENESS = 10  # whoever waits for a page goes first
_LONGEST_LINE = 65_536  # bytes of progress
_SHOWN = 2_000  # bytes of what it complained about


class Stopped(Exception):
    """Somebody wished the process to end."""


@dataclass(frozen=True)
class Fault:
    """Why it came to nothing: an error of ours."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


def raised(fault: Fault) -> TunesmithError:
    """The error that a fault says."""
    kind = next(kind for kind in errors.every() if errors.code_of(kind) == fault.code)
    return kind(**fault.params)


def run(cp: ControlPlane, order: Order, folder: Path, stop: threading.Event, tell: Tell) -> Fault | None:
    """Carry out an order; blocks until its results lie in the folder, or until it is known why not.

    It takes at most the seconds that the order allows it to compute.

    Raises Stopped, PreparationTooSlow, DiskFull.
    """
    (folder / "order.json").write_text(json.dumps(told(order)), "utf-8")
    with (folder / "complaints").open("wb") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-P", *PROGRAM, str(folder)],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
            umask=_PRIVATE,
        )
    try:
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        _follow(cp, process, order.limits.seconds, stop, tell)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
    finally:
        _end(process)
    return None if process.returncode == 0 else _fault(folder, process.returncode)


def _environment(folder: Path) -> dict[str, str]:
    """All that it is told of the world: where programs are, its own folder, and nothing that opens a door."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(_CODE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
    }


def _follow(
    cp: ControlPlane, process: subprocess.Popen[bytes], seconds: int, stop: threading.Event, tell: Tell
) -> None:
    """Pass its progress on until it closes its output."""
    assert process.stdout is not None
    until, rest = time.monotonic() + seconds, b""
    with selectors.DefaultSelector() as output:
        output.register(process.stdout, selectors.EVENT_READ)
        while True:
            if stop.is_set():
                raise Stopped
            if time.monotonic() > until:
                raise PreparationTooSlow(allowed=seconds)
            cp.blobs.require_space(0)
            if not output.select(_LOOK_SECONDS):
                continue
            data = os.read(process.stdout.fileno(), _LONGEST_LINE)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[-_LONGEST_LINE:]
            if lines:
                _pass_on(lines[-1], tell)


def _pass_on(line: bytes, tell: Tell) -> None:
    try:
        said = json.loads(line)
        done, of = int(said["done"]), int(said["of"])
    except (ValueError, TypeError, KeyError):
        log.warning("a preparation said %r", line[:200])
        return
    tell(done, of)


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _fault(folder: Path, status: int) -> Fault:
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads((folder / "failure.json").read_bytes())
        if said["code"] in {errors.code_of(kind) for kind in errors.every()}:
            return Fault(said["code"], dict(said["params"]))
    complaint = (folder / "complaints").read_bytes()[-_SHOWN:]
    log.error("a preparation ended with %s: %s", status, complaint.decode("utf-8", "replace"))
    return Fault(PreparationBroke().code)
