"""A listener is told by calling a package's own function, in a process that has a deadline and knows no secrets."""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from control_plane.apart import environment
from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    ListenerSilent,
    PythonListenerBroke,
    PythonListenerClosed,
    PythonListenerMissing,
)
from control_plane.hearing import MISSING
from control_plane.store.listeners import ListenerRecord

log = logging.getLogger(__name__)

PROGRAM = ("-m", "control_plane.hearing")
_LONGER = 6.0  # times the deadline of the others: it has a program to start
_SHOWN = 2_000  # bytes of what it complained about


def named(cp: ControlPlane) -> list[str]:
    """The Python listeners that an administrator named."""
    return [one.strip() for one in cp.settings.python_listeners.split(",") if one.strip()]


def require_named(cp: ControlPlane, name: str) -> None:
    """Raises PythonListenerClosed."""
    if name not in named(cp):
        raise PythonListenerClosed(name=name[:64])


def python(cp: ControlPlane, listener: ListenerRecord, told: Mapping[str, Any], known: Mapping[str, str]) -> int:
    """Hand the event over and wait for the end. Answers with 0; raises ListenerFault, PythonListenerClosed."""
    name = str(listener.label)
    require_named(cp, name)
    seconds = cp.settings.delivery_seconds * _LONGER
    with tempfile.TemporaryDirectory(prefix="run-", dir=cp.blobs.staging("listeners")) as room:
        complaints = Path(room) / "complaints"
        with complaints.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-P", *PROGRAM, name, str(math.ceil(seconds) + 1)],
                cwd=room,
                env=environment(Path(room)),
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        try:
            with suppress(BrokenPipeError):
                process.communicate(json.dumps(told).encode(), timeout=seconds)
        except subprocess.TimeoutExpired as problem:
            raise ListenerSilent(place=name, allowed=seconds) from problem
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode == MISSING:
            raise PythonListenerMissing(name=name)
        if process.returncode:
            with complaints.open("rb") as said:
                said.seek(max(0, complaints.stat().st_size - _SHOWN))
                log.error("Python listener %s failed: %s", name, said.read().decode("utf-8", "replace"))
            raise PythonListenerBroke(name=name)
    return 0
