"""The host by psutil: processor, memory, disk, power, and the processor as a device."""

from __future__ import annotations

import platform
import socket
import sys
from functools import cache
from pathlib import Path

import psutil

from tunesmith.v1 import fleet_pb2 as pb


def describe(data: Path, reserve: int) -> pb.Inventory:
    """The inventory without accelerators; `reserve` bytes of memory are not counted as free."""
    memory, disk, battery = psutil.virtual_memory(), psutil.disk_usage(str(data)), _battery()
    free = max(0, int(memory.available) - reserve)
    load = psutil.cpu_percent() / 100
    return pb.Inventory(
        hostname=socket.gethostname(),
        system=sys.platform,
        release=release(),
        architecture=platform.machine(),
        cpu_name=cpu_name(),
        cpu_count=psutil.cpu_count() or 1,
        memory_total=memory.total,
        memory_free=free,
        disk_total=disk.total,
        disk_free=disk.free,
        cpu_utilisation=load,
        on_mains=battery is None or battery[1],
        battery=-1.0 if battery is None else battery[0],
        devices=[
            pb.Device(
                uuid="cpu:0",
                kind="cpu",
                name=cpu_name(),
                memory_total=memory.total,
                memory_free=free,
                utilisation=load,
                healthy=True,
            )
        ],
        platforms=["cpu"],
    )


def _battery() -> tuple[float, bool] | None:
    """Charge 0..1 and whether it is plugged in; None without a battery."""
    read = getattr(psutil, "sensors_battery", lambda: None)()
    return None if read is None else (read.percent / 100, read.power_plugged is not False)


@cache
def release() -> str:
    """The system as its users call it, e.g. "Ubuntu 24.04" or "macOS 15.5"."""
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        facts = platform.freedesktop_os_release()
    except OSError:
        return f"{platform.system()} {platform.release()}"
    return f"{facts.get('NAME', 'Linux')} {facts.get('VERSION_ID', '')}".strip()


@cache
def cpu_name() -> str:
    """The processor's name; on a Mac the chip's, which `apple` knows better."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
