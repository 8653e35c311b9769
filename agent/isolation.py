"""Method code in a sandbox: bubblewrap, where it is installed and the system lets it work.

Inside, the system's own folders and Python can be read, and of the agent's data only what is named: no key, no state,
no cache, no other attempt. No process outside can be seen, and without `network` there is an empty loopback alone.
docs/developers/adr/0019-method-code-runs-in-a-sandbox.md has the reasons.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.settings import IsolationChoice, Settings

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/sys")
# of /etc what libraries ask for: nothing in it is a secret of the machine
_ETC = (
    "alternatives", "ca-certificates", "gai.conf", "group", "host.conf", "hosts", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "nvidia", "OpenCL", "os-release", "passwd", "pip.conf",
    "pki", "protocols", "resolv.conf", "services", "ssl", "timezone", "vulkan",
)  # fmt: skip
_DEVICES = ("dri", "dxg", "nvidia*")  # under /dev
_PROBE_SECONDS = 30
_SEPARATE = ["--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL"]


class Isolation(StrEnum):
    """What keeps method code from the rest of the machine."""

    SANDBOX = "sandbox"
    SHARED_NETWORK = "sandbox_shared_network"  # the system gives a sandbox no network of its own
    NONE = "none"


class IsolationMissing(Exception):
    """The setting `isolation` demands a sandbox that this machine does not have; the message says why."""


@dataclass(frozen=True)
class Sandbox:
    """How this machine isolates method code; `problem` is what stands in the way of more."""

    kind: Isolation
    program: str = ""
    hidden: Path = Path("/nonexistent")  # the agent's data folder
    problem: str = ""

    def wrap(
        self,
        argv: list[str],
        *,
        readable: Iterable[Path] = (),
        writable: Iterable[Path] = (),
        network: bool,
        gpus: bool = False,
    ) -> list[str]:
        """The command that runs `argv` in the sandbox; `argv` itself where there is none.

        `writable` must exist; of `readable` what does not exist is left out. The working folder is kept if it is
        there inside. Signals reach the processes inside, but must not be sent to the command's first process: that is
        bubblewrap, which waits for them and ends with their status, or with 128 + the number of their signal.
        """
        if self.kind is Isolation.NONE:
            return argv
        options = [*_SEPARATE, "--proc", "/proc", "--dev", "/dev"]
        if gpus:
            for device in sorted(str(found) for name in _DEVICES for found in Path("/dev").glob(name)):
                options += ["--dev-bind-try", device, device]
        for path, how in self._mounts(readable, writable):
            options += ["--tmpfs", path] if how == "--tmpfs" else [how, path, path]
        options += ["--remount-ro", "/"]
        if not network and self.kind is Isolation.SANDBOX:
            options += ["--unshare-net"]
        return [self.program, *options, "--", *argv]

    def _mounts(self, readable: Iterable[Path], writable: Iterable[Path]) -> list[tuple[str, str]]:
        """(path, bubblewrap's option), each folder before what lies in it: a later mount covers an earlier one."""
        system = [Path(path) for path in _SYSTEM] + [Path("/etc", name) for name in _ETC]
        python = [Path(sys.base_prefix), Path(sys.prefix), Path(sys.executable).resolve().parents[1]]
        chosen: dict[Path, str] = {path: "--ro-bind-try" for path in [*system, *python, *readable]}
        chosen |= {Path("/tmp"): "--tmpfs", self.hidden: "--tmpfs"}
        chosen |= dict.fromkeys(writable, "--bind")
        return [(str(path), chosen[path]) for path in sorted(chosen, key=lambda path: (len(path.parts), path))]


OPEN = Sandbox(Isolation.NONE, problem="nobody looked")


def find(settings: Settings) -> Sandbox:
    """What this machine can do, tried with real processes. Raises IsolationMissing."""
    if settings.isolation is IsolationChoice.OFF:
        return Sandbox(Isolation.NONE, problem="switched off by TUNESMITH_AGENT_ISOLATION")
    found = _found(settings)
    if settings.isolation is IsolationChoice.REQUIRED and found.kind is not Isolation.SANDBOX:
        raise IsolationMissing(f"TUNESMITH_AGENT_ISOLATION is required, but: {found.problem}")
    return found


def _found(settings: Settings) -> Sandbox:
    program = shutil.which("bwrap")
    if sys.platform != "linux":
        return Sandbox(Isolation.NONE, problem="there is no bubblewrap for this system")
    if program is None:
        return Sandbox(Isolation.NONE, problem="bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)")
    problems: list[str] = []
    for kind in (Isolation.SANDBOX, Isolation.SHARED_NETWORK):
        sandbox = Sandbox(kind, program, settings.data, problem="; ".join(problems))
        if not (problem := _problem(sandbox)):
            return sandbox
        problems.append(problem)
    return Sandbox(Isolation.NONE, problem=problems[-1])


def _problem(sandbox: Sandbox) -> str:
    """Why Python does not start in the sandbox, in bubblewrap's own words; empty when it does."""
    command = sandbox.wrap([sys.executable, "-I", "-S", "-c", ""], network=False)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    return (done.stderr.strip() or f"bubblewrap ended with status {done.returncode}") if done.returncode else ""
