"""Many who sign in at once: few hashes at a time, and few guesses from one address."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Slowed, TooMany, WrongPassword
from control_plane.domain.permissions import SYSTEM
from control_plane.services.access import passwords, people
from control_plane.store.database import database, release

AT_ONCE = 60
HOME = "192.0.2.7"
PASSWORD = "a long enough sentence"


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


def guess(cp: ControlPlane, name: str, address: str) -> None:
    with pytest.raises(WrongPassword):
        people.sign_in(cp, name, "a guess of a password", address)


@pytest.fixture
def ada(cp: ControlPlane) -> str:
    """A user who set her password at home; her name."""
    link = people.invite(SYSTEM, cp, "ada", "", administrator=False)
    people.redeem_link(cp, link.rsplit("/", 1)[1], PASSWORD, HOME)
    return "ada"


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_guesses_at_one_account_from_many_addresses_are_slowed(cp: ControlPlane, ada: str, name: str) -> None:
    """… whether there is such an account or not."""
    for number in range(5):
        guess(cp, name, f"10.0.0.{number}")
    with pytest.raises(Slowed) as refusal:
        people.sign_in(cp, name, PASSWORD, "10.0.0.9")
    assert refusal.value.params == {"seconds": 2}
    cp.clock.advance(2)  # type: ignore[attr-defined]
    guess(cp, name, "10.0.0.10")
    with pytest.raises(Slowed) as refusal:
        people.sign_in(cp, name, PASSWORD, "10.0.0.9")
    assert refusal.value.params == {"seconds": 4}


def test_what_strangers_guess_does_not_lock_the_owner_out(cp: ControlPlane, ada: str) -> None:
    for number in range(5):
        guess(cp, ada, f"10.0.0.{number}")
    assert people.sign_in(cp, ada, PASSWORD, HOME)
    guess(cp, ada, "10.0.0.9")  # a success ended the row of failures


def test_what_others_guess_behind_the_same_address_does_not_lock_the_owner_out(cp: ControlPlane, ada: str) -> None:
    for number in range(10):
        guess(cp, f"user-{number}", HOME)
    with pytest.raises(TooMany):
        people.sign_in(cp, "user-11", PASSWORD, HOME)
    assert people.sign_in(cp, ada, PASSWORD, HOME)


def test_even_from_a_known_address_only_so_many_guesses_are_checked(cp: ControlPlane, ada: str) -> None:
    for _ in range(10):
        guess(cp, ada, HOME)
    with pytest.raises(TooMany):
        people.sign_in(cp, ada, PASSWORD, HOME)


def test_whoever_finds_no_place_to_hash_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_WAIT_SECONDS", 0.01)
    with passwords._place(), passwords._place(), passwords._place():
        for use in (lambda: passwords.hashed("a sentence"), lambda: passwords.matches("", "a sentence")):
            with pytest.raises(TooMany):
                use()
    assert passwords.matches(passwords.hashed("a sentence"), "a sentence")
    assert not passwords.matches("", "a sentence")
    assert not passwords.matches("no hash", "a sentence")
