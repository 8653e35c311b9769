"""Optuna's samplers and pruners, asked anew each time."""

from __future__ import annotations

import math

import pytest

from control_plane.domain.sweeps import Choices, Range, Trial
from control_plane.services.sweeps import sampler

LOSS = "held_out_loss"
RATE = {"rate": Range(1e-5, 1e-1, log=True)}


def trial(
    number: int, value: float | None, course: tuple[float, ...] = (), over: bool = True, **values: object
) -> Trial:
    return Trial(number, values, over, value, tuple(enumerate(course)))


def test_lists_are_gone_through_in_order_and_end() -> None:
    space = {"rank": Choices((4, 8)), "shape": Choices(("cosine", "linear"))}
    tried: list[Trial] = []
    while values := sampler.suggest(space, tried, LOSS, 42):
        tried.append(trial(len(tried), None, over=False, **values))
    assert [one.values for one in tried] == [
        {"rank": rank, "shape": shape} for rank in (4, 8) for shape in ("cosine", "linear")
    ]


def test_a_range_is_drawn_from_alike_for_the_same_seed_and_history() -> None:
    tried = [trial(1, 0.5, rate=1e-3)]
    drawn = sampler.suggest(RATE, tried, LOSS, 42)
    assert drawn and 1e-5 <= drawn["rate"] <= 1e-1
    assert sampler.suggest(RATE, tried, LOSS, 42) == drawn
    assert sampler.suggest(RATE, tried, LOSS, 43) != drawn
    whole = sampler.suggest({"rank": Range(1, 64, whole=True)}, [], LOSS, 42)
    assert whole and isinstance(whole["rank"], int)


@pytest.mark.parametrize(("objective", "sign"), [(LOSS, 1), ("reward", -1)])
def test_what_is_drawn_comes_closer_to_the_best(objective: str, sign: int) -> None:
    """The loss is lowest at a rate of 1e-3: of the last draws of forty most are within a power of ten of it."""
    tried: list[Trial] = []
    for number in range(40):
        values = sampler.suggest(RATE, tried, objective, 7)
        assert values is not None
        tried.append(trial(number, sign * (math.log10(values["rate"]) + 3) ** 2, **values))
    close = [one for one in tried[-10:] if abs(math.log10(one.values["rate"]) + 3) < 1]
    assert len(close) >= 7


def test_what_is_worse_than_half_the_others_at_the_same_step_is_behind() -> None:
    tried = [trial(number, 0.2, (1.0, 0.5, 0.2), rate=10 ** -(number + 1)) for number in range(4)]
    behind = trial(9, None, (1.0, 0.9), over=False, rate=0.05)
    level = trial(9, None, (1.0, 0.4), over=False, rate=0.05)
    assert sampler.is_behind(RATE, [*tried, behind], behind, LOSS, 42)
    assert not sampler.is_behind(RATE, [*tried, level], level, LOSS, 42)
    assert not sampler.is_behind(RATE, [*tried[:3], behind], behind, LOSS, 42)  # too few to say
    silent = trial(9, None, (), over=False, rate=0.05)
    assert not sampler.is_behind(RATE, [*tried, silent], silent, LOSS, 42)
    worse = trial(9, None, (1.0, 1.0), over=False, rate=0.05)
    assert not sampler.is_behind(RATE, [*tried, worse], worse, "reward", 42)  # more of a reward is better
