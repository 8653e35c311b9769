"""Silence of one machine, and of most of them at once."""

from control_plane.domain.leases import mass_silence

NOW, QUIET = 10_000.0, 30.0


def test_single_machines_are_no_sign() -> None:
    assert not mass_silence([], NOW, QUIET)
    assert not mass_silence([NOW - 600], NOW, QUIET)
    assert not mass_silence([NOW - 600, NOW - 601], NOW, QUIET)
    assert not mass_silence([NOW - 600, NOW, NOW], NOW, QUIET)


def test_most_of_a_fleet_at_once_is() -> None:
    assert mass_silence([NOW - 600, NOW - 610, NOW - 620, NOW], NOW, QUIET)


def test_one_after_another_is_not() -> None:
    assert not mass_silence([NOW - 600, NOW - 1200, NOW - 1800, NOW], NOW, QUIET)


def test_machines_that_left_long_ago_prove_nothing() -> None:
    assert not mass_silence([1.0, 2.0, 3.0, 4.0, NOW], NOW, QUIET)
