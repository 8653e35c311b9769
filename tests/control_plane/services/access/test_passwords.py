"""Many who sign in at once: few hashes at a time, and few guesses from one address."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import TooMany, WrongPassword
from control_plane.services.access import passwords, people
from control_plane.store.database import database, release

AT_ONCE = 60


class Hasher:
    """The real one; counts how many hash, and how many do at once."""

    def __init__(self) -> None:
        self._real, self._lock = passwords._HASHER, threading.Lock()
        self.checked = self.now = self.most = 0

    def verify(self, stored: str, password: str) -> bool:
        with self._lock:
            self.checked += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return self._real.verify(stored, password)
        finally:
            with self._lock:
                self.now -= 1


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hasher]:
    hasher = Hasher()
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    yield hasher


def all_at_once(call: Callable[[int], object]) -> Counter[type]:
    """Call it from many threads; how often each kind of error was raised."""
    together, ends = threading.Barrier(AT_ONCE), []

    def run(number: int) -> None:
        together.wait()
        try:
            call(number)
        except (TooMany, WrongPassword) as problem:
            ends.append(type(problem))
        finally:
            if database.obj is not None:
                release()
                database.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(ends)


def test_of_many_guesses_from_one_address_ten_are_checked(cp: ControlPlane, hasher: Hasher) -> None:
    ends = all_at_once(lambda number: people.sign_in(cp, f"user-{number}", "a guess of a password", "10.0.0.9"))
    assert ends == {WrongPassword: 10, TooMany: AT_ONCE - 10}
    assert hasher.checked == 10
    assert hasher.most <= passwords._AT_ONCE


def test_guesses_from_many_addresses_are_hashed_a_few_at_a_time(cp: ControlPlane, hasher: Hasher) -> None:
    ends = all_at_once(lambda number: people.sign_in(cp, "admin", "a guess of a password", f"10.0.0.{number}"))
    assert ends.total() == AT_ONCE
    assert 0 < hasher.most <= passwords._AT_ONCE <= 4


def test_whoever_finds_no_place_to_hash_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_WAIT_SECONDS", 0.01)
    with passwords._place(), passwords._place(), passwords._place():
        for use in (lambda: passwords.hashed("a sentence"), lambda: passwords.matches("", "a sentence")):
            with pytest.raises(TooMany):
                use()
    assert passwords.matches(passwords.hashed("a sentence"), "a sentence")
    assert not passwords.matches("", "a sentence")
    assert not passwords.matches("no hash", "a sentence")
