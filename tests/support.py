"""What many tests need: a clock to turn by hand, and a control plane on a temporary folder."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import pytest

from control_plane.blobs import Blobs
from control_plane.context import Answer, ControlPlane
from control_plane.domain.errors import NothingServes
from control_plane.domain.leases import Steadiness
from control_plane.fleet import Fleet
from control_plane.settings import Settings
from control_plane.signals import LocalSignals
from control_plane.store.database import database, open_database
from control_plane.throttle import Throttle

START = 1_800_000_000.0  # seconds since the epoch; tests start here


class FakeClock:
    """Seconds since the epoch that move only when a test says so."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class NoInference:
    """The inference port of a fleet that serves nothing."""

    def ask(self, machine_id: str, replica_id: int, path: str, body: bytes, deadline_seconds: float) -> Answer:
        raise NothingServes(deployment=replica_id)


def make_control_plane(folder: Path, clock: FakeClock, **settings: object) -> ControlPlane:
    """A control plane on its own SQLite file, or on the setting `database`; its records' until `close_database`."""
    values = replace(Settings(data=folder, min_free_disk_bytes=0), **settings).resolved()
    file = values.data / "tunesmith.db"
    if not values.database and not file.exists():
        values.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_bytes(_with_the_newest_schema())
    open_database(values.data, values.database, values.database_connections, values.database_stale_seconds)
    return ControlPlane(
        settings=values,
        blobs=Blobs(values.data / "blobs"),
        clock=clock,
        signals=LocalSignals(),
        inference=NoInference(),
        steadiness=Steadiness(clock),
        throttle=Throttle(clock),
        fleet=Fleet(),
    )


@cache
def _with_the_newest_schema() -> bytes:
    """An empty SQLite database. To make it anew by migrations would cost more than many a test does."""
    with TemporaryDirectory() as folder:
        open_database(Path(folder), "")
        close_database()
        return (Path(folder) / "tunesmith.db").read_bytes()


def close_database() -> None:
    """Close this thread's connection, so that a temporary folder can go."""
    if database.obj is not None and not database.is_closed():
        database.close()


def missing(what: str) -> NoReturn:
    """Something this machine lacks: a skip with its reason, or a failure where everything is required (CI)."""
    if os.environ.get("TUNESMITH_TEST_REQUIRE") == "all":
        pytest.fail(f"required here, but missing: {what}")
    pytest.skip(what)
