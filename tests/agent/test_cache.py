"""Cached files are verified when they are given out: what an attempt did to its inputs no other attempt reads."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from agent.storage import cache as cache_module
from agent.storage.cache import Cache
from agent.storage.state import Store
from tests.agent.conftest import Machine
from tests.agent.fake_fleet import FakeFleet
from tests.agent.trainings import GOOD, make_offer, over

DATA = b"{}\n" * 4
ALTERING = """
path = pathlib.Path(job["inputs"]["dataset"]["train"])
before = path.stat()
path.chmod(0o644)
path.write_bytes(b"evil" * 3)
path.chmod(0o444)
os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
"""
READING = "print('read', pathlib.Path(job['inputs']['dataset']['train']).read_bytes(), flush=True)\n"


def test_what_an_attempt_wrote_into_its_input_the_next_does_not_read(fleet: FakeFleet, machine: Machine) -> None:
    machine.start(TUNESMITH_AGENT_ISOLATION="off")  # in a sandbox it could not be written to
    fleet.offer(make_offer(fleet, ALTERING + GOOD))
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED"
    fleet.offer(make_offer(fleet, READING + GOOD, attempt_id=13))
    fleet.wait_for(lambda: over(fleet, 13))
    assert f"read {DATA!r}".encode() in fleet.logs[13, "stdout"]
    assert fleet.last_state(13) == "SUCCEEDED"


class House:
    """A cache with one blob, and what is written down about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "state.db")
        self.cache = Cache(folder / "cache", 1 << 30, self.store)
        self.content = b"weights" * 1000
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        self.cache.partial(self.sha256).write_bytes(self.content)
        self.cache.take(self.sha256, lambda: None)

    @property
    def blob(self) -> Path:
        return self.cache.path(self.sha256)

    def verify(self) -> bool:
        self.cache.verify(self.sha256, lambda: None)
        return self.cache.has(self.sha256)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def alter(path: Path) -> None:
    before = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(b"W")
    path.chmod(0o444)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def truncate(path: Path) -> None:
    os.truncate(path, 3)


def replace_by_link(path: Path) -> None:
    path.rename(path.with_suffix(".aside"))
    path.symlink_to(path.with_suffix(".aside"))


def touch(path: Path) -> None:
    os.utime(path)


@pytest.mark.parametrize("harm", [alter, truncate, replace_by_link])
def test_a_blob_that_is_not_what_it_was_is_dropped(house: House, harm) -> None:  # type: ignore[no-untyped-def]
    harm(house.blob)
    assert not house.cache.has(house.sha256)
    with pytest.raises(FileNotFoundError):
        house.cache.give({house.folder / "workspace" / "model": house.sha256})
    assert not (house.folder / "workspace" / "model").exists()
    assert not house.verify()
    assert not os.path.lexists(house.blob)


def test_a_harm_that_came_while_no_agent_ran_is_found(house: House) -> None:
    alter(house.blob)
    house.cache = Cache(house.folder / "cache", 1 << 30, house.store)
    assert not house.cache.has(house.sha256) and not house.verify()


def test_a_blob_that_was_only_touched_is_hashed_and_stays(house: House) -> None:
    touch(house.blob)
    assert not house.cache.has(house.sha256)
    assert house.verify()
    assert house.blob.stat().st_mode & 0o777 == 0o444


def test_what_the_cache_itself_does_costs_no_hash(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def hashed(*_: object) -> str:
        raise AssertionError("the blob was hashed again")

    monkeypatch.setattr(cache_module, "digest", hashed)
    for number in range(3):
        workspace = house.folder / f"workspace-{number}"
        for _ in range(2):  # an interrupted preparation lays out again
            house.cache.give({workspace / "model": house.sha256, workspace / "again": house.sha256})
        assert (workspace / "model").read_bytes() == house.content
        house.cache.clear(workspace)
        assert not workspace.exists()
        assert house.verify()
    after_restart = Cache(house.folder / "cache", 1 << 30, house.store)
    after_restart.verify(house.sha256, lambda: None)
    assert after_restart.has(house.sha256)


def test_clearing_a_workspace_hides_no_harm(house: House) -> None:
    workspace = house.folder / "workspace"
    house.cache.give({workspace / "model": house.sha256})
    alter(workspace / "model")
    house.cache.clear(workspace)
    assert not house.cache.has(house.sha256)


def test_a_download_of_the_wrong_content_does_not_enter(house: House) -> None:
    wanted = hashlib.sha256(b"other").hexdigest()
    house.cache.partial(wanted).write_bytes(b"wrong")
    house.cache.take(wanted, lambda: None)
    assert not house.cache.has(wanted) and not house.cache.path(wanted).exists()
    assert not house.cache.partial(wanted).exists()


def test_an_output_is_hashed_before_it_is_given_to_the_next(house: House) -> None:
    output, wanted = house.folder / "adapter", hashlib.sha256(b"as uploaded").hexdigest()
    output.write_bytes(b"as altered after its upload")
    house.cache.adopt(output, wanted)
    assert not house.cache.has(wanted)
    house.cache.verify(wanted, lambda: None)
    assert not house.cache.path(wanted).exists()


def test_hashing_can_be_interrupted(house: House) -> None:
    class Interrupted(Exception):
        pass

    def tick() -> None:
        raise Interrupted

    touch(house.blob)
    with pytest.raises(Interrupted):
        house.cache.verify(house.sha256, tick)
    assert house.verify()
