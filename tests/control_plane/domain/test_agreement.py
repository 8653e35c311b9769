"""Agreement of two people, against worked examples of the literature and against resampling."""

from __future__ import annotations

import random
from statistics import quantiles

import pytest

from control_plane.domain.agreement import agreement


def table(*counts: tuple[str, str, int]) -> list[tuple[str, str]]:
    return [(one, other) for one, other, count in counts for _ in range(count)]


# 50 proposals that two people read: kappa 0.4, the example of many a text book
PROPOSALS = table(("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15))


def test_kappa_is_that_of_the_text_book() -> None:
    found = agreement(PROPOSALS)
    assert found is not None and found.kappa is not None
    assert (found.n, found.share.value) == (50, 0.7)
    assert found.kappa.value == pytest.approx(0.4)


def test_the_interval_is_that_of_resampling() -> None:
    found = agreement(PROPOSALS * 8)
    source = random.Random(1)
    drawn = [agreement(source.choices(PROPOSALS * 8, k=400)) for _ in range(800)]
    kappas = [one.kappa.value for one in drawn if one is not None and one.kappa is not None]
    low, high = quantiles(kappas, n=40)[0], quantiles(kappas, n=40)[-1]
    assert found is not None and found.kappa is not None
    assert (found.kappa.low, found.kappa.high) == (pytest.approx(low, abs=0.02), pytest.approx(high, abs=0.02))


def test_whoever_agrees_by_chance_alone_has_a_kappa_of_none() -> None:
    found = agreement(table(("a", "a", 25), ("a", "b", 25), ("b", "a", 25), ("b", "b", 25)))
    assert found is not None and found.kappa is not None
    assert found.kappa.value == pytest.approx(0)
    assert found.kappa.low < 0 < found.kappa.high


@pytest.mark.parametrize(
    ("pairs", "is_telling"),
    [
        (table(("a", "a", 40), ("b", "b", 40)), True),
        (table(("a", "a", 5), ("b", "b", 5)), False),  # too few
        (table(("a", "a", 60)), False),  # both said the same of everything: chance agrees, too
        (table(("a", "a", 20), ("b", "b", 10), ("a", "b", 5), ("b", "a", 5)), True),
        (table(("a", "a", 25), ("a", "b", 1), ("b", "a", 1)), False),  # one answer is too rare
    ],
)
def test_what_says_too_little_says_so(pairs: list[tuple[str, str]], is_telling: bool) -> None:
    found = agreement(pairs)
    assert found is not None and found.is_telling == is_telling


def test_full_agreement_and_full_disagreement() -> None:
    full, none = agreement(table(("a", "a", 9), ("b", "b", 9))), agreement(table(("a", "b", 9), ("b", "a", 9)))
    assert full and full.kappa and (full.kappa.value, full.kappa.high) == (1, 1)
    assert none and none.kappa and none.kappa.value == pytest.approx(-1)
    assert agreement([]) is None
    same = agreement(table(("a", "a", 3)))
    assert same and same.kappa is None and same.share.value == 1
