"""A method's own Python environment: built once per requirements (or lock), platform and Python, then reused.

Torch and its companions live in a base environment per torch pin, which the others see through a `.pth` file; pip
counts it as installed. Builds keep the machine's own pip configuration: indexes, wheel folders, proxies (`build.py`).
An environment without its `complete.json` is half-built and is built anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.build import MARK, Build, Environment
from agent.isolation import OPEN, Sandbox
from agent.settings import Settings
from agent.storage.files import try_lock, unlocking

_TORCH = re.compile(r"(torch|torchvision|torchaudio)\b(?!-)", re.IGNORECASE)
_PIN = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!-]+")


class Environments:
    """All environments of this machine, each a folder named after what it was made from."""

    def __init__(self, settings: Settings, sandbox: Sandbox = OPEN) -> None:
        self._settings = settings
        self._sandbox = sandbox
        self.folder = folder_of(settings)
        self.folder.mkdir(parents=True, exist_ok=True)

    def ensure(self, requirements: str, lock: str, log: Path, tick: Callable[[], None]) -> Environment:
        """The environment for a requirements text; a recorded lock chooses versions, and never adds a package.

        The lock that comes back is what is installed. What pip says is appended to `log`. `tick` is called several
        times a second and may raise to interrupt.
        Raises BuildFailed.
        """
        torch, others = split(requirements)
        plain = self._use(self._place(torch, others, ""), tick)
        if plain is not None and plain.lock == lock:
            return plain
        pins = pinned(lock)
        torch = _chosen(torch, pins)
        base = self._ensure_base(torch, log, tick) if torch else None
        folder = self._place(torch, others, lock)
        return self._once(folder, log, tick, lambda build: build.method(others, torch, base, pins))

    def has(self, requirements: str) -> bool:
        """Whether `ensure` would have nothing to build for a requirements text."""
        return _complete(self._place(*split(requirements), "")) is not None

    def _place(self, torch: list[str], others: list[str], mark: str) -> Path:
        return self.folder / _name("env", [*others, *torch, mark])

    def _ensure_base(self, torch: list[str], log: Path, tick: Callable[[], None]) -> Path:
        """The base environment of a torch pin; one that was built for a range serves its exact version too."""
        for folder in sorted(self.folder.glob("base-*")):
            built = _complete(folder)
            if built is not None and set(torch) <= set(built.lock.splitlines()) and self._use(folder, tick):
                return folder
        folder = self.folder / _name("base", torch)
        self._once(folder, log, tick, lambda build: build.base(torch))
        return folder

    def _once(self, folder: Path, log: Path, tick: Callable[[], None], make: Callable[[Build], None]) -> Environment:
        """Build `folder` unless it is complete; of several who want it, in any process, one builds."""
        with self._alone(folder, tick):
            done = _complete(folder)
            if done is None:
                done = Build(folder, log, tick, self._settings, self._sandbox).run(make)
            os.utime(folder / MARK)
        return done

    def _use(self, folder: Path, tick: Callable[[], None]) -> Environment | None:
        """The environment if it is complete, and from now on its last use: it is not removed for a while."""
        if _complete(folder) is None:
            return None
        with self._alone(folder, tick):
            done = _complete(folder)
            if done is not None:
                os.utime(folder / MARK)
        return done

    @contextmanager
    def _alone(self, folder: Path, tick: Callable[[], None]) -> Iterator[None]:
        """Nobody else builds, uses for the first time or removes this environment meanwhile."""
        while (descriptor := try_lock(folder.with_suffix(".lock"))) is None:
            tick()
            time.sleep(self._settings.tail_seconds)
        with unlocking(descriptor):
            yield


def folder_of(settings: Settings) -> Path:
    """The folder of all environments."""
    return Path(settings.environments or settings.data / "environments").expanduser().resolve()


def split(requirements: str) -> tuple[list[str], list[str]]:
    """The lines for the torch base, and the others; comments and empty lines are dropped."""
    lines = [line.split(" #")[0].strip() for line in requirements.splitlines()]
    kept = sorted(line for line in lines if line and not line.startswith("#"))
    torch = [line for line in kept if _TORCH.match(line)]
    return torch, [line for line in kept if line not in torch]


def pinned(lock: str) -> list[str]:
    """The lock's `name==version` lines; whatever else stands in it (options, addresses) is left out."""
    return [line for line in split(lock)[0] + split(lock)[1] if _PIN.fullmatch(line)]


def _chosen(torch: list[str], pins: list[str]) -> list[str]:
    """The base's requirements in the lock's versions; a package that the requirements do not name is not added."""
    versions = {pin.partition("==")[0].lower(): pin for pin in pins}
    return sorted(versions.get(_TORCH.match(line).group(1).lower(), line) for line in torch)  # type: ignore[union-attr]


def _name(prefix: str, lines: list[str]) -> str:
    made_from = json.dumps([lines, sys.platform, platform.machine(), sys.version_info[:2]])
    return f"{prefix}-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}"


def _complete(folder: Path) -> Environment | None:
    mark = folder / MARK
    return Environment(folder / "bin" / "python", json.loads(mark.read_text())["lock"]) if mark.exists() else None
