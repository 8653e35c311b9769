"""The whole inventory as the control plane gets it."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from agent.hardware import apple, host
from agent.hardware.nvidia import Nvidia
from agent.isolation import Sandbox
from agent.settings import Settings
from tunesmith.v1 import fleet_pb2 as pb

_NVIDIA = Nvidia()


def inventory(settings: Settings, sandbox: Sandbox) -> pb.Inventory:
    """Everything that is there now; takes some milliseconds."""
    found = inventory_of(settings.data, settings.memory_reserve_bytes)
    found.engine = _engine(found, settings)
    found.isolation, found.isolation_problem = sandbox.kind, sandbox.problem[:500]
    return found


def _engine(found: pb.Inventory, settings: Settings) -> str:
    """The kind of device that a serving engine computes on: the plain wheels know Metal, CUDA is a wheel of its own."""
    kinds = {device.kind for device in found.devices}
    if "metal" in kinds:
        return "metal"
    return "cuda" if settings.engine_wheels and "cuda" in kinds else "cpu"


def inventory_of(data: Path, reserve: int) -> pb.Inventory:
    """The same for a disk by one of its folders, with `reserve` bytes of memory not counted as free."""
    found = host.describe(data, reserve)
    if sys.platform == "darwin" and platform.machine() == "arm64":
        metal = apple.devices(found.memory_free)
        found.cpu_name = apple.chip() or found.cpu_name
        found.devices.extend(metal)
        found.platforms.extend(["mlx"] if metal else [])
        return found
    gpus = _NVIDIA.devices()
    found.devices.extend(gpus)
    found.driver = _NVIDIA.driver()
    found.platforms.extend(["cuda"] if gpus else [])
    return found
