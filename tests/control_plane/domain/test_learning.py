"""What a curve of losses says."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from control_plane.domain.learning import judge

NOISE = (0.05, -0.03, 0.02, -0.04, 0.01)
FALL = [2.5 / (1 + step / 4) + NOISE[step % 5] for step in range(40)]
FROM_THE_REVIEW = [2.1, 3.9, 20.0, 55.0, 40.0, 21.0, 12.0, 8.0, 6.1, 5.2, 4.9, 4.6, 4.5, 4.5]  # learning rate 0.1


@pytest.mark.parametrize(
    ("loss", "verdict"),
    [
        (FALL, "falling"),
        ([2.5 + NOISE[step % 5] for step in range(40)], "flat"),
        (FROM_THE_REVIEW, "diverged"),
        ([*FALL, *([3.5] * 8)], "diverged"),  # above where it began
        ([*FALL, *([2.45] * 8)], "diverged"),  # it had learnt, and all of it is gone
        ([*FALL[:20], *([math.nan] * 4)], "diverged"),
        ([*FALL, 9.0, 0.25, 0.24, 0.25, 0.24], "falling"),  # one spike is none
        ([0.02 + NOISE[step % 5] / 100 for step in range(40)], "flat"),
    ],
)
def test_the_verdict(loss: list[float], verdict: str) -> None:
    found = judge(loss)
    assert found is not None
    assert found.verdict == verdict


def test_it_over_learns_where_held_out_loss_rises_again() -> None:
    found = judge(FALL, held_out=[2.2, 1.4, 1.1, 1.3])
    assert found is not None
    assert found.verdict == "over_learning"
    assert judge(FALL, held_out=[2.2, 1.4, 1.1, 1.12]).verdict == "falling"  # type: ignore[union-attr]


def test_too_few_steps_say_nothing() -> None:
    assert judge(FALL[:7]) is None
    assert judge([]) is None


def test_the_figures_are_means_of_a_tenth() -> None:
    found = judge(FALL)
    assert found is not None
    assert found.first == pytest.approx(sum(FALL[:4]) / 4)
    assert found.last == pytest.approx(sum(FALL[-4:]) / 4)
    assert found.best <= min(found.first, found.last)
    assert all(a >= b - 0.1 for a, b in pairwise([found.first, found.last]))
