"""Counting what is limited."""

import pytest

from control_plane import throttle
from control_plane.domain.errors import Slowed, TooMany
from control_plane.domain.limits import Brake, Limit
from control_plane.throttle import Throttle
from support import FakeClock

THREE = Limit("three", 3, 60)


def test_a_window_holds_so_many_for_each_key_and_ends(clock: FakeClock) -> None:
    counted = Throttle(clock)
    for _ in range(3):
        counted.take(THREE, "10.0.0.1")
    with pytest.raises(TooMany):
        counted.take(THREE, "10.0.0.1")
    counted.take(THREE, "10.0.0.2")
    counted.take(Limit("another", 3, 60), "10.0.0.1")
    clock.advance(59.9)
    with pytest.raises(TooMany):
        counted.check(THREE, "10.0.0.1")
    clock.advance(0.1)
    counted.take(THREE, "10.0.0.1")


def test_checking_counts_nothing_and_what_is_given_back_is_not_counted(clock: FakeClock) -> None:
    counted = Throttle(clock)
    counted.give_back(THREE, "a")
    for _ in range(9):
        counted.check(THREE, "a")
        counted.take(THREE, "a")
        counted.give_back(THREE, "a")
    for _ in range(3):
        counted.take(THREE, "a")
    with pytest.raises(TooMany):
        counted.check(THREE, "a")


def test_each_failure_in_a_row_doubles_the_wait_and_a_success_ends_it(clock: FakeClock) -> None:
    counted, brake = Throttle(clock), Brake("brake", 3, 2.0, 60.0)
    waits = []
    for _ in range(9):
        counted.slow(brake, "ada")
        try:
            counted.slow(brake, "ada")
        except Slowed as refusal:
            waits.append(refusal.params["seconds"])
            clock.advance(refusal.params["seconds"])
        else:
            waits.append(0)
    assert waits == [0, 2, 4, 8, 16, 32, 60, 60, 60]
    counted.slow(brake, "bob")
    counted.release(brake, "ada")
    counted.slow(brake, "ada")
    counted.slow(brake, "ada")


def test_a_flood_of_names_frees_none_that_is_under_attack(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_MOST_KEYS", 6)
    counted, brake = Throttle(clock), Brake("brake", 3, 2.0, 60.0)
    for _ in range(3):
        counted.slow(brake, "ada")
    for number in range(100):
        counted.slow(brake, str(number))
    assert len(counted._failures) <= 6
    with pytest.raises(Slowed):
        counted.slow(brake, "ada")


def test_a_flood_of_keys_is_forgotten(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_MOST_KEYS", 5)
    counted = Throttle(clock)
    for number in range(100):
        counted.take(THREE, str(number))
    assert len(counted._counts._kept) <= 5
