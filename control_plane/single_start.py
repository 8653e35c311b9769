"""One control plane per data folder: a lock that dies with its process, and where the running one can be found."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Running:
    """A control plane that is ready: its outermost process and its addresses."""

    pid: int
    web_url: str
    api_address: str


class AlreadyRunning(Exception):
    """Another control plane holds the data folder."""


class SingleStart:
    """The lock on `<data>/lock`. It holds until the process ends; the file's content says who holds it."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self, patience_seconds: float) -> None:
        """Wait so long for a holder that is about to end. Raises AlreadyRunning."""
        until = time.monotonic() + patience_seconds
        while not _try_lock(self._descriptor):
            if time.monotonic() >= until:
                raise AlreadyRunning
            time.sleep(0.1)
        os.ftruncate(self._descriptor, 0)

    def announce(self, running: Running) -> None:
        """Say that the control plane is ready."""
        os.pwrite(self._descriptor, json.dumps(asdict(running)).encode(), 0)

    def withdraw(self) -> None:
        """Say that it is about to end."""
        os.ftruncate(self._descriptor, 0)

    def release(self) -> None:
        """Give the lock back before the process ends."""
        os.close(self._descriptor)


def running(data: Path) -> Running | None:
    """The control plane that is ready on this folder, if there is one. An orphan that is about to end is none."""
    content = _held_content(data)
    found = Running(**json.loads(content)) if content else None
    return found if found and _is_alive(found.pid) else None


def _held_content(data: Path) -> bytes | None:
    try:
        descriptor = os.open(data / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _try_lock(descriptor) else os.pread(descriptor, 4096, 0)
    finally:
        os.close(descriptor)  # which also gives the lock back


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
