"""The machine that the test runs on."""

from __future__ import annotations

from pathlib import Path

import psutil

from agent.hardware import host


def test_this_machine(tmp_path: Path) -> None:
    found = host.describe(tmp_path, reserve=0)
    (processor,) = found.devices
    assert (processor.uuid, processor.kind, processor.healthy) == ("cpu:0", "cpu", True)
    assert processor.memory_total == found.memory_total == psutil.virtual_memory().total
    assert 0 < processor.memory_free <= processor.memory_total
    assert 0 < found.disk_free <= found.disk_total
    assert found.battery == -1 or 0 <= found.battery <= 1
    assert found.platforms == ["cpu"]
    assert found.cpu_name and found.release and found.cpu_count


def test_memory_that_is_kept_for_others_is_not_free(tmp_path: Path) -> None:
    assert host.describe(tmp_path, reserve=1 << 60).devices[0].memory_free == 0
