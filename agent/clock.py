"""Time as the agent needs it: seconds that go on while the machine sleeps, and which start of the machine this is."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cache
from pathlib import Path


def awake_or_asleep() -> float:
    """Seconds from some fixed point, counting sleep; `time.monotonic` stops during it on macOS.

    CLOCK_BOOTTIME on Linux; CLOCK_MONOTONIC by `clock_gettime` counts sleep on macOS.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@cache
def boot_id() -> str:
    """What changes with each start of the machine: a pid is only worth something together with it."""
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
