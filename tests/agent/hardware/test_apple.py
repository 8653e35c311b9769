"""Apple hardware from output in the form that macOS's programs give."""

from __future__ import annotations

from pathlib import Path

from agent.hardware import apple

RECORDED = Path(__file__).with_name("recorded")
SYSCTL = (RECORDED / "sysctl.txt").read_bytes()
DISPLAYS = (RECORDED / "displays.json").read_bytes()
IOREG = (RECORDED / "ioreg.plist").read_bytes()


def test_an_apple_gpu_shares_the_memory() -> None:
    (device,) = apple.metal(SYSCTL, DISPLAYS, IOREG, 20 << 30)
    assert (device.uuid, device.kind, device.name) == ("metal:0", "metal", "Apple M3 Pro")
    assert (device.memory_total, device.memory_free) == (36 << 30, 20 << 30)
    assert (device.utilisation, device.healthy) == (0.37, True)


def test_an_intel_mac_has_no_device() -> None:
    assert apple.metal(SYSCTL, DISPLAYS.replace(b'"sppci_model" : "Apple', b'"sppci_model" : "Intel'), IOREG, 1) == []


def test_programs_that_say_nothing_useful() -> None:
    assert apple.metal(b"", b"", b"", 1) == []
    assert apple.metal(SYSCTL, b"not json", IOREG, 1) == []
    assert apple.metal(SYSCTL, DISPLAYS, b"garbage", 1)[0].utilisation == 0.0
