"""The building of one environment: venv, then uv and pip, then its lock; each process in the sandbox of builds.

uv installs where it can be told what pip is told; pip has the last word, and does it all where uv cannot. torch's base
is pip's alone.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent import pip_configuration, uv
from agent.isolation import Sandbox
from agent.settings import Installer, Settings, folders, inherited
from agent.storage.files import write_private

MARK = "complete.json"  # its modification time is the last use
BASE = "tunesmith_base.pth"
_INSTALLED = "installed"  # all but what `finish` does
_TEMPORARY = "tmp"  # of a build, in its environment
_LOCAL_VERSION = re.compile(r"(==[^+\s]+)\+\S+")
_QUIET = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
# bytecode: in a sandbox nobody can compile later. Copies: by a link one environment's code could alter another's
_UV = ["--no-progress", "--color", "never", "--no-python-downloads", "--compile-bytecode", "--link-mode", "copy"]


class BuildFailed(Exception):
    """pip, uv or venv ended badly; the log has its words."""


@dataclass(frozen=True)
class Environment:
    """A complete environment: its interpreter, and the lock (public versions) that makes the like of it elsewhere."""

    python: Path
    lock: str


@dataclass(frozen=True)
class Build:
    """One environment in the making. `tick` is called several times a second and may raise to interrupt."""

    folder: Path
    log: Path
    tick: Callable[[], None]
    settings: Settings
    sandbox: Sandbox

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    def run(self, make: Callable[[Build], None]) -> Environment:
        """Build anew with `make`; what only could not be written down is not installed again. Raises BuildFailed."""
        installed = self.folder / _INSTALLED
        if not installed.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            (self.folder / _TEMPORARY).mkdir(parents=True)
            make(self)
            installed.touch()
        try:
            return self._finish()
        except BuildFailed:  # nothing will come of this one
            installed.unlink()
            raise

    def base(self, torch: list[str]) -> None:
        """torch alone, with what it needs. By pip, whose configuration says which build suits the machine."""
        self._venv(None)
        self._pip(torch, [], [])

    def method(self, requirements: list[str], torch: list[str], base: Path | None, pins: list[str]) -> None:
        """The method's requirements on top of the base, with a lock's pins as constraints: it came from a machine."""
        self._venv(base)
        said = ["--quiet"]  # that nearly all is there
        try:
            if requirements:
                self._uv(requirements, torch, pins)
        except (uv.Untranslatable, BuildFailed) as why:
            with self.log.open("a") as log:
                log.write(f"[tunesmith] pip installs, not uv: {why}\n")
            if isinstance(why, BuildFailed):  # it may have left half of it
                self._venv(base)
            said = []
        # torch again, so that nothing else asks for another version than the base has
        if requirements or torch:
            self._pip([*requirements, *torch], pins, said)

    def _finish(self) -> Environment:
        """Record the lock and mark the environment as complete. Raises BuildFailed."""
        frozen = self.folder / "freeze.txt"
        self._run([str(self.python), "-Pm", "pip", "freeze", "--disable-pip-version-check"], output=frozen)
        lock = public(frozen.read_text())
        shutil.rmtree(self.folder / _TEMPORARY, ignore_errors=True)
        write_private(self.folder / MARK, json.dumps({"lock": lock, "bytes": size(self.folder)}).encode())
        return Environment(self.python, lock)

    def _venv(self, base: Path | None) -> None:
        """Nothing but pip, and what is in the base."""
        self._run([sys.executable, "-Pm", "venv", "--clear", str(self.folder)])
        (self.folder / _TEMPORARY).mkdir(exist_ok=True)
        if base is not None:
            packages = next((base / "lib").glob("python*/site-packages"))
            target = next((self.folder / "lib").glob("python*/site-packages"))
            (target / BASE).write_text(f"{packages}\n")

    def _pip(self, requirements: list[str], pins: list[str], options: list[str]) -> None:
        own = shlex.split(self.settings.pip_options)
        given = [*options, *own, *self._constraints(pins), "-r", self._list("requirements.txt", requirements)]
        self._run([str(self.python), "-Pm", "pip", "install", *_QUIET, *given])

    def _uv(self, requirements: list[str], torch: list[str], pins: list[str]) -> None:
        """Install as pip would, except for torch: uv does not see the base.

        Raises Untranslatable, when nothing is installed, and BuildFailed.
        """
        program = self._wanted_uv(requirements)
        with self._private() as private:
            configured, toml = private / "pip", private / "uv.toml"
            configured.touch(mode=0o600)
            self._run([str(self.python), "-Pm", "pip", "config", "list"], output=configured)
            said = uv.configuration(configured.read_text(), inherited())
            write_private(toml, said.toml.encode())
            # in pip's: not in uv's own, from which the user's environments are linked
            cache = pip_configuration.cache(inherited()) / "tunesmith-uv"
            places = ["--python", str(self.python), "--config-file", str(toml), "--cache-dir", str(cache)]
            given = ["-r", self._list("requirements.txt", requirements), *self._constraints(pins)]
            given += [word for file in said.constraints for word in ("-c", file)]
            if torch:
                names = [re.split(r"[^\w-]", line)[0] for line in torch]
                given += ["--excludes", self._list("excludes.txt", names)]
            command = [program, "pip", "install", *places, *_UV, *given]
            self._run(command, variables=said.variables, readable=[toml])

    def _wanted_uv(self, requirements: list[str]) -> str:
        if self.settings.installer is not Installer.UV:
            raise uv.Untranslatable("a setting says so")
        if self.settings.pip_options or any(one[0] == "-" for one in requirements):
            raise uv.Untranslatable("there are options of pip install")
        program = uv.binary()
        if program is None:
            raise uv.Untranslatable("it is not there")
        return program

    @contextmanager
    def _private(self) -> Iterator[Path]:
        """A folder for what may hold passwords, while it is needed: trainers see environments, this they do not."""
        folder = self.settings.data / f"build-{self.folder.name}"
        shutil.rmtree(folder, ignore_errors=True)  # of an agent that was killed
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _constraints(self, pins: list[str]) -> list[str]:
        return ["-c", self._list("constraints.txt", pins)] if pins else []

    def _list(self, name: str, lines: list[str]) -> str:
        listed = self.folder / name
        listed.write_text("\n".join(lines) + "\n")
        return str(listed)

    def _run(
        self,
        command: list[str],
        output: Path | None = None,
        variables: Mapping[str, str] | None = None,
        readable: Iterable[Path] = (),
    ) -> None:
        """Run to the end with the output in a file or the log; whatever interrupts the wait ends the process too."""
        with self.log.open("ab") as log, (output or Path(os.devnull)).open("wb") as file:
            try:
                process = subprocess.Popen(
                    self._isolated(command, readable),
                    stdin=subprocess.DEVNULL,
                    stdout=file if output else log,
                    stderr=log,
                    env=self._environment() | dict(variables or {}),
                    start_new_session=True,
                )
            except OSError as problem:
                raise BuildFailed(f"{command[0]} does not start: {problem}") from problem
        try:
            while process.poll() is None:
                self.tick()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(self.settings.tail_seconds)
        finally:
            _end(process)
        if process.returncode:
            words = " ".join([Path(command[0]).name, *(word for word in command[1:4] if word[:2] != "--")])
            raise BuildFailed(f"{words} ended with status {process.returncode}")

    def _isolated(self, command: list[str], readable: Iterable[Path]) -> list[str]:
        """Building runs code of whoever made a package, and so does starting a Python that has it installed."""
        source = inherited()
        downloads = pip_configuration.cache(source)
        downloads.mkdir(parents=True, exist_ok=True)
        options = f"{self.settings.pip_options} {self.settings.engine_wheels}"
        shown = [self.folder.parent, *folders(self.settings.readable_paths), *readable]
        shown += pip_configuration.places(source, options)
        return self.sandbox.wrap(command, readable=shown, writable=[self.folder, downloads], network=True)

    def _environment(self) -> dict[str, str]:
        """The agent's own environment without what would lead pip and uv into other packages than this folder's."""
        left_out = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
        kept = {name: value for name, value in inherited().items() if name not in left_out and name[:3] != "UV_"}
        return kept | {"TMPDIR": str(self.folder / _TEMPORARY)}  # on the disk: a torch is unpacked there


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    found = 0
    for inner, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                found += Path(inner, name).lstat().st_size
    return found


def public(frozen: str) -> str:
    """A freeze with public versions: `torch==2.13.0+cpu` is `torch==2.13.0` on any other machine."""
    lines = [_LOCAL_VERSION.sub(r"\1", line) for line in sorted(frozen.splitlines()) if "==" in line]
    return "".join(f"{line}\n" for line in lines)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what runs still, with what it started: it leads a session of its own."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
