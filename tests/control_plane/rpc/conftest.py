"""The real gRPC ports on loopback, and a machine that speaks to them as an agent does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from control_plane.rpc.server import Server
from control_plane.rpc.serving import ServingChannels
from link_support import Link
from patience import LONG
from support import FakeClock, close_database, make_control_plane


@pytest.fixture
def clock() -> FakeClock:
    """TLS looks at the real time, so a test that moves this clock moves it away from there."""
    return FakeClock(time.time())


@pytest.fixture
def link(tmp_path: Path, clock: FakeClock) -> Iterator[Link]:
    channels = ServingChannels()
    cp: ControlPlane = replace(
        make_control_plane(tmp_path / "data", clock, api_port=0, fleet_port=0, poll_seconds=LONG), inference=channels
    )
    server = Server(cp, channels)
    server.start()
    yield Link(cp, server)
    server.stop(grace_seconds=0.2)
    close_database()
