"""A method's own Python environment: built once per requirements (or lock), platform and Python, then reused.

Torch and its companions live in a base environment per torch pin, which the others see through a `.pth` file; pip
counts it as installed. Builds keep the machine's own pip configuration: indexes, wheel folders, proxies. An environment
without its `complete.json` is half-built and is built anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent import pip_configuration
from agent.isolation import OPEN, Sandbox
from agent.settings import Settings, folders, inherited
from agent.storage.files import try_lock, unlocking, write_private

_TORCH = re.compile(r"(torch|torchvision|torchaudio)\b(?!-)", re.IGNORECASE)
_LOCAL_VERSION = re.compile(r"(==[^+\s]+)\+\S+")
_PIN = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!-]+")
_TEMPORARY = "tmp"  # of a build, in its environment
_QUIET = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]

MARK = "complete.json"  # its modification time is the last use
BASE = "tunesmith_base.pth"


class BuildFailed(Exception):
    """pip or venv ended badly; the log has its words."""


@dataclass(frozen=True)
class Environment:
    """A complete environment: its interpreter, and the lock (public versions) that makes the like of it elsewhere."""

    python: Path
    lock: str


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

    def _once(self, folder: Path, log: Path, tick: Callable[[], None], make: Callable[[_Build], None]) -> Environment:
        """Build `folder` unless it is complete; of several who want it, in any process, one builds."""
        with self._alone(folder, tick):
            done = _complete(folder)
            if done is None:
                shutil.rmtree(folder, ignore_errors=True)
                (folder / _TEMPORARY).mkdir(parents=True)
                build = _Build(folder, log, tick, self._settings, self._sandbox)
                make(build)
                done = build.finish()
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


@dataclass(frozen=True)
class _Build:
    folder: Path
    log: Path
    tick: Callable[[], None]
    settings: Settings
    sandbox: Sandbox

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def base(self, torch: list[str]) -> None:
        """torch alone, with what it needs."""
        self._venv()
        self._install(torch)

    def method(self, requirements: list[str], torch: list[str], base: Path | None, pins: list[str]) -> None:
        """The method's requirements on top of the base, with a lock's pins as constraints: it came from a machine."""
        self._venv()
        if base is not None:
            packages = next((base / "lib").glob("python*/site-packages"))
            target = next((self.folder / "lib").glob("python*/site-packages"))
            (target / BASE).write_text(f"{packages}\n")
        # torch again, so that nothing else asks for another version than the base has
        constraints = self.folder / "constraints.txt"
        constraints.write_text("".join(f"{pin}\n" for pin in pins))
        self._install([*requirements, *torch], *(["-c", str(constraints)] if pins else []))

    def finish(self) -> Environment:
        """Record the lock and mark the environment as complete. Raises BuildFailed."""
        command = [str(self.python), "-m", "pip", "freeze", "--disable-pip-version-check"]
        frozen = subprocess.run(
            self._isolated(command), capture_output=True, text=True, check=False, env=self._environment()
        )
        if frozen.returncode:
            with self.log.open("a") as log:
                log.write(frozen.stderr)
            raise BuildFailed(f"pip freeze ended with status {frozen.returncode}")
        lock = public(frozen.stdout)
        shutil.rmtree(self.folder / _TEMPORARY, ignore_errors=True)
        write_private(self.folder / MARK, json.dumps({"lock": lock, "bytes": size(self.folder)}).encode())
        return Environment(self.python, lock)

    def _venv(self) -> None:
        self._run([sys.executable, "-m", "venv", str(self.folder)])

    def _install(self, requirements: list[str], *options: str) -> None:
        if not requirements:
            return
        listed = self.folder / "requirements.txt"
        listed.write_text("\n".join(requirements) + "\n")
        own = shlex.split(self.settings.pip_options)
        self._run([str(self.python), "-m", "pip", "install", *_QUIET, *own, *options, "-r", str(listed)])

    def _run(self, command: list[str]) -> None:
        """Run to the end with the output in the log; whatever interrupts the wait ends the process as well."""
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                self._isolated(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )
        try:
            while process.poll() is None:
                self.tick()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(self.settings.tail_seconds)
        finally:
            _end(process)
        if process.returncode:
            raise BuildFailed(f"{command[2:4]} ended with status {process.returncode}")

    def _isolated(self, command: list[str]) -> list[str]:
        """Building runs code of whoever made a package, and so does starting a Python that has it installed."""
        source = inherited()
        downloads = pip_configuration.cache(source)
        downloads.mkdir(parents=True, exist_ok=True)
        options = f"{self.settings.pip_options} {self.settings.engine_wheels}"
        readable = [self.folder.parent, *folders(self.settings.readable_paths)]
        readable += pip_configuration.places(source, options)
        return self.sandbox.wrap(command, readable=readable, writable=[self.folder, downloads], network=True)

    def _environment(self) -> dict[str, str]:
        """The agent's own environment without what would lead pip into the agent's packages."""
        left_out = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
        kept = {name: value for name, value in inherited().items() if name not in left_out}
        return kept | {"TMPDIR": str(self.folder / _TEMPORARY)}  # on the disk: a torch is unpacked there


def folder_of(settings: Settings) -> Path:
    """The folder of all environments."""
    return Path(settings.environments or settings.data / "environments").expanduser().resolve()


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    found = 0
    for inner, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                found += Path(inner, name).lstat().st_size
    return found


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


def public(frozen: str) -> str:
    """A freeze with public versions: `torch==2.13.0+cpu` is `torch==2.13.0` on any other machine."""
    lines = [_LOCAL_VERSION.sub(r"\1", line) for line in sorted(frozen.splitlines()) if "==" in line]
    return "".join(f"{line}\n" for line in lines)


def _name(prefix: str, lines: list[str]) -> str:
    made_from = json.dumps([lines, sys.platform, platform.machine(), sys.version_info[:2]])
    return f"{prefix}-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}"


def _complete(folder: Path) -> Environment | None:
    mark = folder / MARK
    return Environment(folder / "bin" / "python", json.loads(mark.read_text())["lock"]) if mark.exists() else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what runs still, with what it started: it leads a session of its own."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
