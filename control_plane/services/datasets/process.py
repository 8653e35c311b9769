"""The process that reads or fetches a stranger's file: started with little, watched for time and disk, ended whole.

It binds its own memory and computing time, as its order says (`control_plane/apart.py`).
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control_plane import apart
from control_plane.context import ControlPlane
from control_plane.domain import errors
from control_plane.domain.connectors import Errand
from control_plane.domain.errors import (
    PreparationBroke,
    PreparationTooSlow,
    RewardDryRunBroke,
    RewardTooSlow,
    SourceBroke,
    SourceTooSlow,
    TunesmithError,
)
from control_plane.domain.masking import masked, masked_in
from control_plane.domain.preparation import Order, told
from control_plane.domain.rewards.scoring import Scoring
from control_plane.services.watching import Stopped

log = logging.getLogger(__name__)

Tell = Callable[[int, int], None]  # bytes that are done, of how many

PROGRAM = ("-m", "control_plane.preparation")
CONNECTORS_PROGRAM = ("-m", "control_plane.connectors")
SCORING_PROGRAM = ("-m", "control_plane.scoring")

_LOOK_SECONDS = 0.25  # between two looks at whether to stop
_END_SECONDS = 10.0  # from the end of its output to its own
_KILLED_SECONDS = 10.0  # from its killing to its end
_PRIVATE = 0o077
_NICENESS = 10  # whoever waits for a page goes first
_LONGEST_LINE = 65_536  # bytes of progress
_SHOWN = 2_000  # bytes of what it complained about


@dataclass(frozen=True)
class Fault:
    """Why it came to nothing: an error of ours."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


def raised(fault: Fault) -> TunesmithError:
    """The error that a fault says."""
    kind = next(kind for kind in errors.every() if errors.code_of(kind) == fault.code)
    return kind(**fault.params)


def run(
    cp: ControlPlane,
    order: Order | Errand | Scoring,
    folder: Path,
    stop: threading.Event,
    tell: Tell,
    secrets: Mapping[str, str] | None = None,
) -> Fault | None:
    """Carry out an order; blocks until its results lie in the folder, or until it is known why not.

    It takes at most the seconds that the order allows. Secrets are handed over by the standard input alone.

    Raises Stopped, PreparationTooSlow, SourceTooSlow, RewardTooSlow, DiskFull.
    """
    program, too_slow, broke = _kind(order)
    given = secrets or {}
    seconds = order.bounds.seconds if isinstance(order, Errand) else order.limits.seconds
    (folder / "order.json").write_text(json.dumps(told(order)), "utf-8")
    with (folder / "complaints").open("wb") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-P", *program, str(folder)],
            cwd=folder,
            env=apart.environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
            umask=_PRIVATE,
        )
    try:
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        _hand_over(process, given)
        _follow(cp, process, stop, tell, seconds, too_slow)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
    finally:
        _end(process)
    if process.returncode == 0:
        return None
    return _fault(folder, process.returncode, list(given.values()), broke)


def _kind(order: Order | Errand | Scoring) -> tuple[tuple[str, str], type[TunesmithError], type[TunesmithError]]:
    """The program that carries out an order, and what it is that takes too long or breaks."""
    if isinstance(order, Errand):
        return CONNECTORS_PROGRAM, SourceTooSlow, SourceBroke
    if isinstance(order, Scoring):
        return SCORING_PROGRAM, RewardTooSlow, RewardDryRunBroke
    return PROGRAM, PreparationTooSlow, PreparationBroke


def carried_out(what: str, step: Callable[[], Fault | None], room: Path, broke: type[TunesmithError]) -> Fault | None:
    """Carry out a step in a folder, which is removed afterwards; why it failed, None where it did not or was stopped.

    A fault of ours is logged under `what` and is `broke`: it would come again and again.
    """
    try:
        return step()
    except Stopped:
        return None
    except TunesmithError as problem:
        return Fault(problem.code, problem.storable())
    except Exception:
        log.exception("%s could not be carried out", what)
        return Fault(broke().code)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _hand_over(process: subprocess.Popen[bytes], secrets: Mapping[str, str]) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as pipe:  # it may have ended already, and its status says why
        pipe.write(json.dumps(dict(secrets)).encode())


def _follow(
    cp: ControlPlane,
    process: subprocess.Popen[bytes],
    stop: threading.Event,
    tell: Tell,
    seconds: float,
    too_slow: type[TunesmithError],
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
                raise too_slow(allowed=seconds)
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
    """With all that it has started.

    One that waits for a dead network drive stays, killed or not, for as long as that is dead: the kernel keeps it, and
    it holds up nobody else.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.wait(_KILLED_SECONDS)
    except subprocess.TimeoutExpired:
        log.error("process %s was killed and has not ended, as where a network drive hangs", process.pid)
    if process.stdout is not None:
        process.stdout.close()


def _fault(folder: Path, status: int | None, secrets: list[str], broke: type[TunesmithError]) -> Fault:
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads((folder / "failure.json").read_bytes())
        if said["code"] in {errors.code_of(kind) for kind in errors.every()}:
            return Fault(said["code"], masked_in(dict(said["params"]), secrets))
    complaint = masked((folder / "complaints").read_bytes().decode("utf-8", "replace"), secrets)[-_SHOWN:]
    log.error("a process that stands apart ended with %s: %s", status, complaint)
    return Fault(broke().code)
