"""Starting, finding and ending a trainer through its runner: all of it works again after the agent's restart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from agent import pip_configuration
from agent.attempts import runner
from agent.attempts.workspace import threads_of
from agent.context import Agent
from agent.hardware.nvidia import gpus
from agent.settings import Settings, folders, inherited
from agent.storage.files import is_locked, write_private
from tunesmith.v1 import fleet_pb2 as pb

_SLACK = 4  # times the estimate
_MOST_MEMORY = 0.9  # of all
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ")
_NETWORK = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE",
            "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HF_ENDPOINT")  # fmt: skip


@dataclass(frozen=True)
class Exit:
    """How the trainer ended: a status, or the number of a signal; `error` when it could not be started."""

    status: int
    signal: int
    error: str
    over: str = ""  # the limit for which it was ended: time_limit | memory_limit
    limits: Mapping[str, float] = field(default_factory=dict)  # seconds, memory_bytes, data_bytes; those that it had
    peak_bytes: int = 0  # of main memory that it held at most; 0: not known


def start(folder: Path, offer: pb.Offer, python: Path, agent: Agent) -> None:
    """Start the runner of the attempt, unless one lives or has ended already."""
    if is_running(folder) or exit_record(folder) is not None:
        return
    write_private(folder / "spec.json", json.dumps(_spec(folder, offer, python, agent)).encode())
    # -I -S: the runner sees neither PYTHONPATH nor site-packages, it needs the standard library alone
    subprocess.Popen(
        [sys.executable, "-I", "-S", runner.__file__, str(folder)], cwd=folder, env={"PATH": os.defpath},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def is_running(folder: Path) -> bool:
    """Whether the attempt's runner lives."""
    return is_locked(folder / "runner.lock")


def has_begun(folder: Path) -> bool:
    """Whether a runner has ever written itself down here."""
    return (folder / "runner.json").exists()


def exit_record(folder: Path) -> Exit | None:
    """What the runner wrote at the end, or None."""
    record = _read(folder / "exit.json")
    if not record:
        return None
    # a runner of an earlier version knows no limits and no peak
    limits, peak = record.get("limits", {}), int(record.get("peak_bytes", 0))
    return Exit(record["status"], record["signal"], record["error"], record.get("over", ""), limits, peak)


def bar(folder: Path) -> bool:
    """See to it that no trainer starts here any more; False while a runner lives, which may have started it.

    A runner that was started a moment ago and has no lock yet finds no spec, and ends.
    """
    with suppress(OSError):  # on a disk that takes no writes the runner does not start either
        (folder / "spec.json").unlink(missing_ok=True)
    return not is_running(folder)


def ask_to_end(folder: Path) -> None:
    """SIGTERM to the runner, which hands it on and kills after the grace."""
    record = _read(folder / "runner.json")
    if record and is_running(folder):
        with suppress(ProcessLookupError):
            os.kill(record["pid"], signal.SIGTERM)


def reap(folder: Path) -> None:
    """Kill what a vanished runner left behind: the trainer's process group, if its leader or members are ours."""
    record = _read(folder / "trainer.json")
    if not record:
        return
    for process in psutil.process_iter(["pid", "create_time"]):
        with suppress(ProcessLookupError, psutil.Error):
            # clock adjustments move psutil's start times by a little
            if os.getpgid(process.pid) == record["pid"] and process.create_time() >= record["began"] - 60:
                process.kill()


def variables(folder: Path, offer: pb.Offer, settings: Settings) -> dict[str, str]:
    """The trainer's whole environment: an allow-list, its own places, its own devices."""
    source = inherited()
    chosen = {name: source[name] for name in _KEPT if name in source} | {
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": str(folder / "code"),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads_of(offer)),
        "CUDA_VISIBLE_DEVICES": ",".join(gpus(offer.devices)),
    }
    if _brings_in(offer):
        chosen["TUNESMITH_IMPORT_ROOTS"] = settings.import_roots
    if not offer.network:
        return chosen | {"HF_HUB_OFFLINE": "1"}
    chosen |= {name: value for name, value in source.items() if name in _NETWORK or name.startswith("PIP_")}
    found = pip_configuration.own_file(source)  # HOME is another one for the trainer
    return chosen if found is None else {"PIP_CONFIG_FILE": str(found)} | chosen


def _spec(folder: Path, offer: pb.Offer, python: Path, agent: Agent) -> dict[str, Any]:
    settings, environment = agent.settings, variables(folder, offer, agent.settings)
    entry = folder / "code" / offer.method / offer.entry
    command = [str(python), str(entry), "--job", str(folder / "job.json"), "--out", str(folder / "out")]
    readable = [folder, agent.environments.folder, *folders(settings.readable_paths)]
    if _brings_in(offer):
        readable += folders(settings.import_roots)
    if offer.network:
        readable += pip_configuration.places(environment)
    argv = agent.sandbox.wrap(
        command,
        readable=readable,
        writable=[folder / "out", folder / "tmp"],
        network=offer.network,
        gpus=bool(environment["CUDA_VISIBLE_DEVICES"]),
    )
    return {
        "argv": argv,
        "sandboxed": argv != command,
        "cwd": str(folder),
        "env": environment,
        "stdout": str(folder / "log" / "stdout"),
        "stderr": str(folder / "log" / "stderr"),
        "grace_seconds": settings.cancel_grace_seconds,
        "limits": limits_of(offer, settings, psutil.virtual_memory().total),
    }


def limits_of(offer: pb.Offer, settings: Settings, total: int) -> dict[str, float]:
    """What the trainer may take: `seconds`, `memory_bytes` of main memory, and `data_bytes` that it may allocate.

    `total` is the machine's main memory. An estimate is no measurement, so four times as much is allowed, and always
    the share of the memory that the machine's owner allows; what is left is for the machine itself.
    """
    limits: dict[str, float] = {"seconds": offer.time_limit} if offer.time_limit > 0 else {}
    if offer.memory_bytes > 0:
        wanted = max(_SLACK * offer.memory_bytes, settings.memory_share * total)
        limits["memory_bytes"] = int(min(wanted, _MOST_MEMORY * total))
        if not gpus(offer.devices):  # CUDA allocates addresses that it never uses
            limits["data_bytes"] = limits["memory_bytes"]
    return limits


def _brings_in(offer: pb.Offer) -> bool:
    """Whether the attempt is given nothing, and so has to bring in what it makes something of."""
    return not offer.inputs


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return value
