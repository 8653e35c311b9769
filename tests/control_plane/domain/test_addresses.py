"""Which addresses anybody reaches."""

from __future__ import annotations

import pytest

from control_plane.domain.addresses import is_public


@pytest.mark.parametrize("address", ["1.1.1.1", "192.0.1.1", "192.88.98.1", "[2a00::1]", "::ffff:1.1.1.1"])
def test_public_ones(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "127.0.0.1", "169.254.1.1", "0.0.0.0", "224.0.0.1", "240.0.0.1", "fd00::1", "fe80::1",
        "fec0::1", "feff::1", "fec0::1%eth0", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.88.99.1",
        "::ffff:192.0.0.8", "64:ff9b::192.88.99.1", "::1", "::", "somewhere.example", "100.64.0.1",
    ],
)  # fmt: skip
def test_those_of_a_house_of_a_machine_and_of_nobody(address: str) -> None:
    assert not is_public(address)
