"""Intervals against published values."""

import pytest

from control_plane.domain import verdict
from control_plane.domain.verdict import Interval


# R. G. Newcombe, Statistics in Medicine 17 (1998), 857–872, table I, score method without continuity correction
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson(successes: int, n: int, low: float, high: float) -> None:
    interval = verdict.wilson(successes, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_at_all_ends_exactly_at_one() -> None:
    assert verdict.wilson(32, 32) == Interval(1.0, pytest.approx(32 / (32 + verdict.Z**2)), 1.0)


# M. W. Fagerland, S. Lydersen, P. Laake, Statistics in Medicine 33 (2014), 2850–2875: airway hyper-responsiveness
def test_newcombe() -> None:
    interval = verdict.newcombe(both=1, first_only=1, second_only=7, neither=12)
    assert interval.value == pytest.approx(-6 / 21)
    assert (interval.low, interval.high) == pytest.approx((-0.507, -0.026), abs=1e-3)


def test_newcombe_turns_its_sign_with_the_order() -> None:
    one, other = verdict.newcombe(5, 9, 2, 4), verdict.newcombe(5, 2, 9, 4)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


@pytest.mark.parametrize(
    ("candidate", "baseline", "expected"),
    [
        ([1] * 32, [0] * 32, "better"),
        ([0] * 32, [1] * 32, "worse"),
        ([1, 0] * 16, [1, 0] * 16, "unclear"),
        ([1, 1, 0], [1, 0, 0], "unclear"),
        ([1, 1], [0, 0], "unclear"),  # the interval alone would say better; the exact test says 0.5
        ([1] * 5, [0] * 5, "unclear"),
        ([1] * 6, [0] * 6, "better"),
        ([0.9, 0.8, 0.85, 0.95], [0.1, 0.2, 0.15, 0.05], "unclear"),  # of 16 ways to flip, two are as far out
        ([0.9, 0.8, 0.85, 0.95] * 2, [0.1, 0.2, 0.15, 0.05] * 2, "better"),
        ([0.5] * 40, [0.5] * 40, "unclear"),
        ([0.5], [0.4], "unclear"),
    ],
)
def test_verdicts(candidate: list[float], baseline: list[float], expected: str) -> None:
    gain = verdict.difference(candidate, baseline)
    assert verdict.of(gain) == expected
    back = verdict.difference(baseline, candidate)
    assert (back.p, back.needed) == (gain.p, gain.needed)
    assert (back.low, back.high) == pytest.approx((-gain.high, -gain.low))


def test_without_a_baseline_there_is_no_verdict() -> None:
    assert verdict.of(None) == "unpaired"


def test_the_interval_of_shares_ends_where_shares_do() -> None:
    """Student's interval around a mean near 1 reaches beyond it, where no score lies."""
    nearly, nothing = [1.0] * 15 + [0.75], [0.0] * 16
    assert verdict.score(nearly).high == verdict.difference(nearly, nothing).high == 1.0
    assert verdict.score([1 - value for value in nearly]).low == 0.0
    assert verdict.difference(nothing, nearly).low == -1.0
    assert verdict.score([2.0, 2.1]).high > 2.1, "other scores end nowhere"


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0, 7.0, -2.0])
@pytest.mark.parametrize("n", [1, 2, 8, 100])
def test_rows_that_are_all_alike_have_an_interval(value: float, n: int) -> None:
    found = verdict.score([value] * n)
    assert found.low < found.high and found.low <= value <= found.high
    same = verdict.difference([value] * n, [value] * n)
    assert same.low < 0 < same.high and (same.p, same.needed) == (1.0, 0)


def test_more_rows_make_an_interval_smaller() -> None:
    widths = [found.high - found.low for found in (verdict.score([0.8, 0.9] * n) for n in (1, 4, 16, 64, 256))]
    assert widths == sorted(widths, reverse=True)


def test_several_measures_are_corrected_and_the_one_that_decides_stands_alone() -> None:
    gains = {name: verdict.Difference(0.1, 0.01, 0.2, p, 0) for name, p in [("a", 0.04), ("b", 0.03), ("c", 0.02)]}
    found = verdict.adjusted(gains, "a")
    assert found == pytest.approx({"a": 0.04, "b": 0.04, "c": 0.04})
    alone = verdict.adjusted(gains)
    assert alone == pytest.approx({"a": 0.06, "b": 0.06, "c": 0.06})
    assert [verdict.judged(gains["a"], p) for p in (0.04, 0.06)] == ["better", "unclear"]
