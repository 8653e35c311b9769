"""What nobody has used for long, or what is too much, goes: environments and cached files.

An environment stays while a process runs from it, a build runs anywhere, or another environment needs it as its base.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.build import BASE, MARK, size
from agent.context import Agent
from agent.environment import folder_of
from agent.settings import Settings
from agent.storage.files import is_locked, try_lock, unlocking

log = logging.getLogger(__name__)

_GIB = 1 << 30
_FRESH_SECONDS = 3_600.0  # between the use of an environment and a process that shows it
_GONE = ".gone-"  # before the name of what is being deleted


@dataclass(frozen=True)
class Found:
    """An environment, complete or half-built, as it lies on the disk."""

    folder: Path
    used: float
    bytes: int
    base: str  # the name of the environment that it sees torch in


def run(agent: Agent) -> None:
    """Look from time to time, until the agent ends."""
    while not agent.stopping.wait(agent.settings.garbage_seconds):
        try:
            collect(agent, time.time())
        except OSError as problem:  # the disk may be full or slow: trainings matter more
            log.warning("what is no longer used cannot be removed: %s", problem)


def collect(agent: Agent, now: float) -> None:
    """Remove what can go, and say so once."""
    gone = collect_environments(agent.settings, now)
    if gone:
        names = ", ".join(found.folder.name for found in gone)
        log.info("environments removed, %.1f GiB: %s", sum(found.bytes for found in gone) / _GIB, names)
    freed = agent.cache.shrink(now - agent.settings.cache_keep_seconds)
    if freed:
        log.info("cached files removed, %.1f GiB", freed / _GIB)


def collect_environments(settings: Settings, now: float) -> list[Found]:
    """Remove environments without a use for long, then the ones used longest ago until the rest is within its limit."""
    folder = folder_of(settings)
    for left in folder.glob(f"{_GONE}*"):  # an earlier agent ended while it deleted
        shutil.rmtree(left, ignore_errors=True)
    if any(is_locked(lock) for lock in folder.glob("*.lock")):
        return []
    found, gone = list(environments(folder)), []
    total = sum(one.bytes for one in found)
    commands = _commands()
    for one in sorted(found, key=lambda one: (one.folder.name.startswith("base-"), one.used)):
        old = one.used < now - settings.environments_keep_seconds
        needed = any(other.base == one.folder.name for other in found if other not in gone)
        busy = needed or one.used > now - _FRESH_SECONDS or f"{one.folder}/" in commands
        if (old or total > settings.environments_bytes) and not busy and _remove(one):
            gone.append(one)
            total -= one.bytes
    return gone


def environments(folder: Path) -> Iterator[Found]:
    """All environments in a folder."""
    for one in [*folder.glob("env-*"), *folder.glob("base-*")]:
        if not one.is_dir():
            continue
        mark = one / MARK
        recorded = json.loads(mark.read_text()).get("bytes") if mark.exists() else None
        points = [path.read_text().strip() for path in one.glob(f"lib/python*/site-packages/{BASE}")]
        base = Path(points[0]).parents[2].name if points else ""
        yield Found(one, _last_use(one), size(one) if recorded is None else recorded, base)


def _last_use(folder: Path) -> float:
    mark = folder / MARK
    return (mark if mark.exists() else folder).stat().st_mtime


def _remove(found: Found) -> bool:
    """False where somebody else has it, or has just used it."""
    descriptor = try_lock(found.folder.with_suffix(".lock"))
    if descriptor is None:
        return False
    aside = found.folder.with_name(_GONE + found.folder.name)
    with unlocking(descriptor):
        if _last_use(found.folder) != found.used:
            return False
        found.folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)
    return True


def _commands() -> str:
    """The command lines of all processes: an interpreter is started by its path in its environment."""
    lines = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            lines.append(" ".join(process.cmdline()))
    return "\n".join(lines)
