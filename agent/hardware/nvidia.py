"""NVIDIA GPUs by NVML. No library or driver: no GPUs. A GPU that answers with an error is there, and not healthy."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from tunesmith.v1 import fleet_pb2 as pb


def gpus(devices: Iterable[str]) -> list[str]:
    """Those of the uuids that are of NVIDIA GPUs, as CUDA_VISIBLE_DEVICES takes them: a process sees these alone."""
    return [uuid for uuid in devices if uuid.startswith("GPU-")]


class Nvidia:
    """One NVML session, opened again after the driver was reset. A GPU seen once is reported until the agent ends."""

    def __init__(self) -> None:
        self._seen: dict[str, pb.Device] = {}
        self._nvml: Any = None

    def devices(self) -> list[pb.Device]:
        """All GPUs as they are now; those that vanished are unhealthy, with the reason `gpu_vanished`."""
        if not self._opened():
            return [_unhealthy(device, "nvml_unavailable") for device in self._seen.values()]
        found: dict[str, pb.Device] = {}
        try:
            for index in range(self._nvml.nvmlDeviceGetCount()):
                device = self._read(index)
                if device is not None:
                    found[device.uuid] = device
        except self._nvml.NVMLError as problem:
            self._close()
            return [_unhealthy(device, _code(problem)) for device in self._seen.values()]
        vanished = [_unhealthy(device, "gpu_vanished") for uuid, device in self._seen.items() if uuid not in found]
        self._seen |= {uuid: device for uuid, device in found.items() if device.healthy}
        return [*found.values(), *vanished]

    def driver(self) -> str:
        """Driver and CUDA version, e.g. "570.86.15, CUDA 12.8"; empty without NVML."""
        if not self._opened():
            return ""
        try:
            cuda = self._nvml.nvmlSystemGetCudaDriverVersion_v2()
            return f"{self._nvml.nvmlSystemGetDriverVersion()}, CUDA {cuda // 1000}.{cuda % 1000 // 10}"
        except self._nvml.NVMLError:
            return ""

    def _opened(self) -> bool:
        if self._nvml is None:
            try:
                ctypes.CDLL("libnvidia-ml.so.1")
            except OSError:
                return False  # without the driver the binding is not even loaded
            import pynvml

            try:
                pynvml.nvmlInit()
            except pynvml.NVMLError:
                return False
            self._nvml = pynvml
        return True

    def _close(self) -> None:
        """Forget the session: the next look opens a new one."""
        with suppress(self._nvml.NVMLError):  # a driver that was reset does not know the session any more
            self._nvml.nvmlShutdown()
        self._nvml = None

    def _read(self, index: int) -> pb.Device | None:
        """One GPU; None when it cannot even say which it is (then it shows as vanished)."""
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            device = pb.Device(uuid=nvml.nvmlDeviceGetUUID(handle), kind="cuda", name=nvml.nvmlDeviceGetName(handle))
        except nvml.NVMLError:
            return None
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        except nvml.NVMLError as problem:
            return _unhealthy(self._seen.get(device.uuid, device), _code(problem))
        device.memory_total, device.memory_free, device.healthy = memory.total, memory.free, True
        device.utilisation = self._maybe(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100)
        device.temperature = self._maybe(lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        device.power_watts = self._maybe(lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1000)
        return device

    def _maybe(self, read: Any) -> float:
        """A reading that not every GPU has; 0 is unknown."""
        try:
            return float(read())
        except self._nvml.NVMLError:
            return 0.0


def _code(problem: Any) -> str:
    """NVML's word as a reason: NVMLError_GpuIsLost → gpu_is_lost."""
    name = type(problem).__name__.removeprefix("NVMLError_")
    return re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", name).lower()


def _unhealthy(device: pb.Device, reason: str) -> pb.Device:
    copy = pb.Device()
    copy.CopyFrom(device)
    copy.healthy, copy.reason, copy.memory_free, copy.utilisation = False, reason, 0, 0.0
    return copy
