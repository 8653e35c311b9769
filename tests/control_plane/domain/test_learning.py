"""What a curve of losses says."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from control_plane.domain.learning import judge, judge_reward

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


RISE = [0.1 + 0.5 * step / 40 + NOISE[step % 5] for step in range(40)]


@pytest.mark.parametrize(
    ("rewards", "kl", "verdict"),
    [
        (RISE, [], "rising"),
        (RISE, [0.1] * 40, "rising"),
        ([0.1 + min(step, 9) * 0.08 + NOISE[step % 5] for step in range(40)], [], "rising"),  # … and level since
        ([0.4 + NOISE[step % 5] for step in range(40)], [], "flat"),
        ([-3.0 + step + NOISE[step % 5] for step in range(40)], [], "rising"),  # a reward model's scores have no bounds
        (RISE[::-1], [], "diverged"),
        ([*RISE, *(0.1 + one for one in NOISE * 4)], [], "diverged"),  # it had learnt, and all of it is gone
        ([*RISE, *(0.45 + one for one in NOISE * 4)], [], "rising"),  # … and some of it
        ([*RISE[:20], *([math.nan] * 4)], [], "diverged"),
        (RISE, [*[0.1] * 36, *[60.0] * 4], "diverged"),  # what it says now, its base would never have said
        (RISE, [*[0.1] * 39, math.nan], "diverged"),
        ([0.0] * 40, [], "constant"),
        ([1.0] * 5, [], "constant"),
    ],
)  # fmt: skip
def test_the_verdict_on_rewards(rewards: list[float], kl: list[float], verdict: str) -> None:
    found = judge_reward(rewards, kl)
    assert found is not None
    assert (found.verdict, found.measure) == (verdict, "reward")


def test_the_best_reward_is_the_highest_and_too_few_say_nothing() -> None:
    found = judge_reward([*RISE, *(0.45 + one for one in NOISE * 4)])
    assert found is not None
    assert found.first < found.last < found.best
    assert judge_reward(RISE[:7]) is None
    assert judge_reward([0.0] * 4) is None
    assert judge_reward([]) is None


def test_noise_is_seldom_taken_for_a_change() -> None:
    chance = random.Random(7)
    verdicts = [judge_reward([chance.gauss(0.4, 0.1) for _ in range(30)]).verdict for _ in range(400)]  # type: ignore[union-attr]
    assert verdicts.count("flat") >= 360
    assert verdicts.count("diverged") <= 4


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
