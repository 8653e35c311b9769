"""`tunesmith doctor`: looks at the machine as the agent would, and says what is found and what to do."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from agent import garbage, isolation
from agent.build import size
from agent.environment import folder_of
from agent.hardware import read
from agent.isolation import Isolation
from agent.link import identity
from agent.link.identity import Identity
from agent.settings import Settings
from agent.storage.files import is_locked
from agent.storage.state import Store

_GIB = 1 << 30
_ROOM = 15 * _GIB  # a method environment with torch, a model and its exports


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and what to do about it (empty: nothing)."""

    what: str
    found: str
    to_do: str = ""


def report(settings: Settings) -> int:
    """Print all findings; 1 when there is something to do."""
    findings = list(examine(settings))
    for finding in findings:
        click.echo(f"{'✗' if finding.to_do else '✓'} {finding.what:<14} {finding.found}")
        if finding.to_do:
            click.echo(f"{'':17}→ {finding.to_do}")
    return int(any(finding.to_do for finding in findings))


def examine(settings: Settings) -> Iterator[Finding]:
    """All checks in the order of a newcomer's problems."""
    yield _python()
    yield _pip()
    yield _disk(settings)
    yield _kept(settings)
    yield from _devices(settings)
    yield _isolation(settings)
    mine = _identity(settings)
    yield _clock(mine)
    yield from _membership(settings, mine)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    to_do = "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer."
    return Finding("Python", f"{version} at {sys.executable}", to_do)


def _pip() -> Finding:
    """Whether an environment with pip can be made, as each method needs one."""
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([sys.executable, "-Pm", "venv", folder], capture_output=True, text=True, check=False)
        if made.returncode:
            return Finding(
                "pip", "environments cannot be made", "Install the venv module (Ubuntu: apt install python3-venv)."
            )
        python = Path(folder) / "bin" / "python"
        asked = subprocess.run([python, "-Pm", "pip", "--version"], capture_output=True, text=True, check=False)
    return Finding(
        "pip", asked.stdout.split(" from ")[0].strip() or "does not start", "" if asked.stdout else "Repair pip."
    )


def _disk(settings: Settings) -> Finding:
    place = next(folder for folder in [settings.data, *settings.data.parents] if folder.exists())
    free = shutil.disk_usage(place).free
    to_do = (
        ""
        if free > _ROOM
        else f"Make room, or set TUNESMITH_AGENT_DATA to a larger disk: {_ROOM // _GIB} GiB are needed."
    )
    return Finding("disk", f"{free / _GIB:.0f} GiB free at {place}", to_do)


def _kept(settings: Settings) -> Finding:
    """What the agent keeps to be quick, and lets go by itself."""
    found = list(garbage.environments(folder_of(settings)))
    cached = size(settings.data / "cache")
    environments = f"{len(found)} environments of {sum(one.bytes for one in found) / _GIB:.1f} GiB"
    return Finding("kept", f"{environments}, cached files of {cached / _GIB:.1f} GiB")


def _devices(settings: Settings) -> Iterator[Finding]:
    place = next(folder for folder in [settings.data, *settings.data.parents] if folder.exists())
    found = read.inventory_of(place, settings.memory_reserve_bytes)
    free, total = found.memory_free / _GIB, found.memory_total / _GIB
    yield Finding(
        "memory", f"{free:.1f} of {total:.1f} GiB free", "" if free > 4 else "Close other programs: 4 GiB are needed."
    )
    for device in found.devices:
        text = f"{device.uuid}: {device.name}, {device.memory_total / _GIB:.0f} GiB"
        to_do = "" if device.healthy else "Look at the driver (nvidia-smi); the machine may need a restart."
        yield Finding("device", text if device.healthy else f"{text}, {device.reason}", to_do)
    if found.driver:
        yield Finding("driver", found.driver)
    elif Path("/proc/driver/nvidia").exists():
        yield Finding("driver", "NVML cannot be loaded", "Install the driver's utilities (libnvidia-ml.so.1).")


def _isolation(settings: Settings) -> Finding:
    """What keeps the code of methods from the agent's key, its state and other attempts."""
    try:
        sandbox = isolation.find(settings)
    except isolation.IsolationMissing as problem:
        return Finding("method code", "refused", str(problem))
    found = {
        Isolation.SANDBOX: "runs in a sandbox (bubblewrap)",
        Isolation.SHARED_NETWORK: "runs in a sandbox that shares the machine's network",
        Isolation.NONE: "runs as the agent's user and can read all that the agent can",
    }[sandbox.kind]
    return Finding("method code", found, sandbox.problem and f"Run only methods that you trust: {sandbox.problem}.")


def _identity(settings: Settings) -> Identity | None:
    path = settings.data / "state.db"
    return identity.load(Store(path)) if path.exists() else None


def _clock(mine: Identity | None) -> Finding:
    """Certificates fail on a clock that is far off."""
    now = time.time()
    text = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now))
    early = now < (mine.not_before if mine else 1_750_000_000)
    return Finding("clock", text, "Set the clock: it is behind. Certificates are refused." if early else "")


def _membership(settings: Settings, mine: Identity | None) -> Iterator[Finding]:
    if mine is None:
        yield Finding(
            "fleet", "not joined", "Make a join token on the dashboard, then run `tunesmith agent join ADDRESS`."
        )
        return
    yield Finding("fleet", f"joined as {mine.machine_id}")
    left = mine.not_after - time.time()
    expired = "It is renewed at the next `tunesmith agent run`; if that is refused, join again."
    yield Finding("certificate", f"{left / 3600:.1f} hours left", "" if left > 0 else expired)
    yield _reached(settings, mine)
    running = is_locked(settings.data / "agent.lock")
    yield Finding("agent", "running" if running else "not running", "" if running else "Run `tunesmith agent run`.")


def _reached(settings: Settings, mine: Identity) -> Finding:
    """A TLS greeting as this machine at the fleet port."""
    host, _, port = mine.fleet_address.rpartition(":")
    context = ssl.create_default_context(cadata=mine.authority)
    context.set_alpn_protocols(["h2"])
    problem = _problem(lambda: _greet(settings, mine, context, host.strip("[]"), int(port)))
    to_do = "Is the control plane running, and the port open from here?" if problem else ""
    return Finding("control plane", f"{mine.fleet_address} {problem or 'answers'}", to_do)


def _greet(settings: Settings, mine: Identity, context: ssl.SSLContext, host: str, port: int) -> None:
    with tempfile.NamedTemporaryFile(suffix=".pem") as chain:  # the ssl module takes certificates from files only
        chain.write(mine.certificate.encode())
        chain.flush()
        context.load_cert_chain(chain.name, settings.data / "machine.key")
    with socket.create_connection((host, port), timeout=5) as plain, context.wrap_socket(plain, server_hostname=host):
        pass


def _problem(check: Callable[[], None]) -> str:
    try:
        check()
    except (OSError, ValueError) as problem:  # ssl's errors are OSErrors
        return str(problem)
    return ""
