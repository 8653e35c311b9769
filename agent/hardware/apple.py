"""Apple hardware by macOS's own programs, without root and without torch: `sysctl`, `system_profiler`, `ioreg`."""

from __future__ import annotations

import json
import plistlib
import subprocess
from functools import cache
from typing import Any

from tunesmith.v1 import fleet_pb2 as pb


def devices(memory_free: int) -> list[pb.Device]:
    """The Apple GPU, which shares the main memory (`memory_free` bytes of it are free)."""
    return metal(
        _sysctl(), _displays(), _run("/usr/sbin/ioreg", "-r", "-d", "1", "-a", "-c", "IOAccelerator"), memory_free
    )


def chip() -> str:
    """The chip's name, e.g. "Apple M3 Pro"."""
    return sysctl_values(_sysctl()).get("machdep.cpu.brand_string", "")


def metal(sysctl: bytes, displays: bytes, ioreg: bytes, memory_free: int) -> list[pb.Device]:
    """Parse the three programs' output; no device on a Mac without an Apple GPU that has Metal."""
    values = sysctl_values(sysctl)
    gpus = [gpu for gpu in _items(displays) if str(gpu.get("sppci_model", "")).startswith("Apple")]
    if not gpus or "spdisplays_mtlgpufamilysupport" not in gpus[0]:
        return []
    total = int(values.get("hw.memsize", 0))
    return [
        pb.Device(
            uuid="metal:0",
            kind="metal",
            name=str(gpus[0]["sppci_model"]),
            memory_total=total,
            memory_free=min(memory_free, total),
            utilisation=_utilisation(ioreg),
            healthy=True,
        )
    ]


def sysctl_values(output: bytes) -> dict[str, str]:
    """`name: value` lines."""
    pairs = (line.partition(": ") for line in output.decode(errors="replace").splitlines())
    return {name: value.strip() for name, _, value in pairs if value}


def _items(displays: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(displays or b"{}").get("SPDisplaysDataType", [])
    except ValueError:
        return []
    return [item for item in found if isinstance(item, dict)]


def _utilisation(ioreg: bytes) -> float:
    """0..1 by the accelerator's own statistics; 0 when it does not tell."""
    try:
        entries = plistlib.loads(ioreg) if ioreg.strip() else []
    except (plistlib.InvalidFileException, ValueError):
        return 0.0
    statistics = [entry.get("PerformanceStatistics", {}) for entry in entries if isinstance(entry, dict)]
    return max((float(one.get("Device Utilization %", 0)) / 100 for one in statistics), default=0.0)


@cache
def _sysctl() -> bytes:
    return _run("/usr/sbin/sysctl", "hw.memsize", "machdep.cpu.brand_string")


@cache  # a second of work, and it does not change
def _displays() -> bytes:
    return _run("/usr/sbin/system_profiler", "-json", "SPDisplaysDataType")


def _run(*command: str) -> bytes:
    """The output of a program; nothing when it is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return b""
