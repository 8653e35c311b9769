"""Environments and cached files that nobody uses go, by age and by size; those in use, or needed by others, stay."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent import garbage
from agent.doctor import examine
from agent.environment import Environments, folder_of
from agent.settings import Settings
from agent.storage.cache import Cache
from agent.storage.files import try_lock
from agent.storage.state import Store
from patience import wait_until
from tests.agent.conftest import Machine
from tests.agent.fake_fleet import FakeFleet

DAY = 86_400.0
NOW = 1_900_000_000.0


class Place:
    """A folder of environments that were used some days before NOW."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data=folder, environments_keep_seconds=30 * DAY, environments_bytes=10_000)
        self.folder = folder_of(self.settings)
        self.folder.mkdir(parents=True)

    def make(self, name: str, days: float, kilobytes: int = 1, base: str = "") -> Path:
        made = self.folder / name
        packages = made / "lib" / "python3.11" / "site-packages"
        packages.mkdir(parents=True)
        (packages / "weight").write_bytes(bytes(kilobytes * 1000))
        (made / "bin").mkdir()
        (made / "bin" / "python").symlink_to(sys.executable)
        if base:
            (packages / "tunesmith_base.pth").write_text(f"{self.folder / base}/lib/python3.11/site-packages\n")
        mark = made / "complete.json"
        mark.write_text(json.dumps({"lock": "", "bytes": kilobytes * 1000}))
        os.utime(mark, (NOW - days * DAY, NOW - days * DAY))
        return made

    def collect(self, now: float = NOW) -> list[str]:
        return [found.folder.name for found in garbage.collect_environments(self.settings, now)]

    def left(self) -> set[str]:
        return {path.name for path in self.folder.iterdir() if path.is_dir()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@contextmanager
def running(python: Path) -> Iterator[None]:
    """A process of an environment, as a trainer or an engine is one."""
    process = subprocess.Popen([python, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        yield
    finally:
        process.communicate()


def test_by_age(place: Place) -> None:
    place.make("env-old", 31)
    place.make("env-young", 29)
    assert place.collect() == ["env-old"]
    assert place.left() == {"env-young"}
    assert place.collect() == []


def test_by_size_the_ones_used_longest_ago_go_first(place: Place) -> None:
    for name, days in (("env-3", 3), ("env-1", 1), ("env-2", 2), ("env-4", 4)):
        place.make(name, days, kilobytes=4)
    assert place.collect() == ["env-4", "env-3"]


def test_what_was_just_used_stays_whatever_its_size(place: Place) -> None:
    place.make("env-huge", 0.01, kilobytes=50)
    assert place.collect() == []
    assert place.collect(NOW + DAY) == ["env-huge"]


def test_a_base_stays_while_another_needs_it_and_goes_with_the_last(place: Place) -> None:
    place.make("base-torch", 90, kilobytes=20)
    place.make("env-young", 0.01, base="base-torch")
    assert place.collect() == []  # old, and too much as well
    assert place.collect(NOW + 40 * DAY) == ["env-young", "base-torch"]
    assert place.left() == set()


def test_one_that_a_process_runs_from_stays(place: Place) -> None:
    old = place.make("env-old", 90)
    with running(old / "bin" / "python"):
        assert place.collect() == []
    assert place.collect() == ["env-old"]


def test_nothing_goes_while_a_build_runs(place: Place) -> None:
    place.make("env-old", 90)
    descriptor = try_lock(place.folder / "env-other.lock")
    assert descriptor is not None
    assert place.collect() == []
    os.close(descriptor)
    assert place.collect() == ["env-old"]


def test_half_built_and_half_deleted_ones_go(place: Place) -> None:
    half = place.make("env-half", 90)
    (half / "complete.json").unlink()
    os.utime(half, (NOW - 90 * DAY, NOW - 90 * DAY))
    place.make(".gone-env-other", 90)
    assert place.collect() == ["env-half"]
    assert place.left() == set()


def test_a_use_counts(place: Place) -> None:
    environments = Environments(replace(place.settings, tail_seconds=0.01))
    name = environments._place([], ["library"], "").name
    made = place.make(name, 90)
    assert environments.ensure("library\n", "", place.folder / "log", lambda: None).python == made / "bin" / "python"
    assert place.collect(time.time() + DAY) == []
    assert place.collect(time.time() + 31 * DAY) == [name]


def test_cached_files_go_by_age_but_not_from_a_workspace(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 1 << 30, Store(tmp_path / "state.db"))
    kept: dict[bytes, str] = {}
    for content in (b"in use", b"unused"):
        kept[content] = hashlib.sha256(content).hexdigest()
        cache.partial(kept[content]).write_bytes(content)
        cache.take(kept[content], lambda: None)
    cache.give({tmp_path / "workspace" / "file": kept[b"in use"]})
    assert cache.shrink(time.time() - DAY) == 0
    assert cache.shrink(time.time() + DAY) == len(b"unused")
    assert cache.has(kept[b"in use"]) and not cache.has(kept[b"unused"])


def test_doctor_says_what_is_kept(place: Place) -> None:
    (place.make("env-1", 1) / "complete.json").write_text(json.dumps({"lock": "", "bytes": 3 << 29}))
    found = {finding.what: finding for finding in examine(place.settings)}
    assert found["kept"].found == "1 environments of 1.5 GiB, cached files of 0.0 GiB"


def test_the_agent_looks_by_itself_and_says_so_once(fleet: FakeFleet, machine: Machine, tmp_path: Path) -> None:
    place = Place(tmp_path / "elsewhere")
    old = place.make("env-old", 30_000)
    machine.start(TUNESMITH_AGENT_ENVIRONMENTS=str(place.folder), TUNESMITH_AGENT_GARBAGE_SECONDS="0.05")
    wait_until(lambda: "environments removed" in machine.said())
    assert not old.exists()
    assert machine.stop() == 0
    assert machine.said().count("environments removed") == 1
