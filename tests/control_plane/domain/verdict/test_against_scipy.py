"""Tests, quantiles and intervals against scipy; coverage and power by chance with a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from scipy import stats

from control_plane.domain import verdict
from control_plane.domain.verdict import distributions, intervals


@pytest.mark.parametrize("freedom", [1, 2, 5, 30, 1000, 99_999])
def test_student(freedom: int) -> None:
    assert distributions.student_limit(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)
    for t in (0.0, 0.3, 1.9, 4.0, 12.0):
        assert distributions.student_p(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-8, abs=1e-14)


@pytest.mark.parametrize(
    ("first", "second"), [(0, 0), (1, 0), (5, 0), (6, 0), (2, 11), (7, 7), (40, 61), (900, 1100), (60_000, 40_000)]
)
def test_mcnemar(first: int, second: int) -> None:
    expected = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert verdict.mcnemar(first, second) == pytest.approx(expected, rel=1e-7, abs=1e-14)


@pytest.mark.parametrize(("right", "n"), [(0, 9), (1, 9), (9, 9), (13, 64), (99_990, 100_000)])
def test_wilson(right: int, n: int) -> None:
    expected = stats.binomtest(right, n).proportion_ci(method="wilson")
    found = verdict.wilson(right, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def drawn(seed: int, n: int) -> list[float]:
    chance = random.Random(seed)
    return [round(chance.gauss(0.1, 0.4), 2) for _ in range(n)]


@pytest.mark.parametrize("n", [3, 7, 12])
def test_sign_flips_of_few_rows_are_all_of_them(n: int) -> None:
    given = drawn(n, n)
    expected = stats.permutation_test((given,), lambda one, axis: one.mean(axis=axis), permutation_type="samples",
                                      vectorized=True, n_resamples=10_000)  # fmt: skip
    assert verdict.sign_flip(given) == pytest.approx(expected.pvalue, abs=1e-12)


@pytest.mark.parametrize("n", [15, 80, 3000])
def test_sign_flips_of_many_rows_are_the_paired_t_test(n: int) -> None:
    given = [one or 0.01 for one in drawn(n, n)]
    assert verdict.sign_flip(given) == pytest.approx(stats.ttest_1samp(given, 0).pvalue, rel=1e-8)


def test_many_rows_that_differ_by_the_same_are_told_by_their_signs() -> None:
    assert verdict.sign_flip([0.25] * 20) == pytest.approx(2 * 0.5**20)


def test_the_mean_of_many_rows_takes_students_interval() -> None:
    given = [0.3 + (at % 7) / 10 for at in range(400)]
    expected = stats.ttest_1samp(given, 0).confidence_interval()
    found = verdict.score(given)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("n", [1, 5, 40])
def test_rows_all_alike_at_an_end_have_the_exact_interval_of_a_share(n: int) -> None:
    exact = stats.binomtest(n, n).proportion_ci(method="exact")
    assert intervals.mean([1.0] * n, 0, 1).low == pytest.approx(exact.low)


def test_holm() -> None:
    # by hand: 4 · 0.005, 3 · 0.01, 2 · 0.03, and 0.04, which may not be less than the one before
    assert verdict.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert verdict.holm([0.5, 0.9]) == pytest.approx([1.0, 1.0]) and verdict.holm([]) == []
    chance = random.Random(3)
    given = [chance.random() / 20 for _ in range(50)]
    found = verdict.holm(given)
    assert all(p >= one for p, one in zip(found, given, strict=True))
    assert all(one <= two for (_, one), (_, two) in pairwise(sorted(zip(given, found, strict=True))))


def rarely_nothing(chance: random.Random) -> float:
    """Mostly a good partial score, sometimes none: what checks with partial credit give."""
    return 0.0 if chance.random() < 0.06 else 0.95


def partial(chance: random.Random) -> float:
    return chance.choice([0.0, 0.25, 0.5, 1.0])


@pytest.mark.parametrize(("draw", "truth"), [(rarely_nothing, 0.94 * 0.95), (partial, 1.75 / 4)])
@pytest.mark.parametrize("n", [5, 12, 40])
def test_the_interval_covers_the_truth_as_often_as_it_says(
    draw: Callable[[random.Random], float], truth: float, n: int
) -> None:
    chance, covered = random.Random(11), 0
    for _ in range(1000):
        found = intervals.mean([draw(chance) for _ in range(n)], 0.0, 1.0)
        covered += found.low <= truth <= found.high
    assert covered >= 935, "95 %, less what 1,000 draws are off by"


def test_alike_models_are_rarely_called_different() -> None:
    chance, wrong = random.Random(5), 0
    for _ in range(600):
        pairs = [(partial(chance), partial(chance)) for _ in range(20)]
        wrong += verdict.of(verdict.difference(*map(list, zip(*pairs, strict=True)))) != "unclear"
    assert wrong <= 45, "5 %, more what 600 draws are off by"


@pytest.mark.parametrize("gain", [0.1, 0.3])
def test_as_many_rows_as_are_needed_tell_it_four_times_in_five(gain: float) -> None:
    """Shares: 0.1 of the rows the baseline alone has right, 0.1 + gain the candidate alone."""
    chance, n = random.Random(7), 400
    seen = ([1] * int(n * (0.1 + gain)) + [0] * (n - int(n * (0.1 + gain))), [0] * int(n * 0.9) + [1] * int(n * 0.1))
    needed, told = verdict.needed(*seen), 0
    for _ in range(400):
        draws = [chance.random() for _ in range(needed)]
        one, two = sum(x < 0.1 + gain for x in draws), sum(x > 0.9 for x in draws)
        told += verdict.mcnemar(one, two) <= 0.05
    assert 0.68 <= told / 400 <= 0.92
    means = [0.5 * one for one in seen[0]], [0.5 * one for one in seen[1]]
    assert verdict.needed(*means) == pytest.approx(needed, rel=0.6)


def test_without_a_difference_no_number_of_rows_tells_one() -> None:
    assert verdict.needed([1, 0], [0, 1]) == 0 == verdict.needed([0.5], [0.5])


def test_scores_without_end_are_compared_too() -> None:
    gain = verdict.difference([1000.0 + at for at in range(40)], [10.0] * 40)
    assert gain.low > 900 and gain.p < 0.001 and gain.needed >= 6
