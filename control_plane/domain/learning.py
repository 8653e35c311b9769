"""Is it learning? What a training's loss or reward says so far: a rule over its curve, for a page and a program alike.

The beginning and the end of a curve are means over a tenth of it, as single steps of stochastic gradient descent are
noisy. Rewards are noisier still, since each step asks other questions: there a change counts where the first third and
the last differ by more than twice the standard error of that difference, and a fall by more than four times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

FALLING, FLAT, DIVERGED, OVER_LEARNING = "falling", "flat", "diverged", "over_learning"
RISING, CONSTANT = "rising", "constant"  # of a reward, which may be flat or diverged as well
NOT_LEARNT = (DIVERGED, FLAT, CONSTANT)

# what a method calls these curves; KL is per token, in nats
LOSS, HELD_OUT_LOSS, REWARD, KL = "loss", "held_out_loss", "reward", "kl"

_FEWEST = 8  # points before anything is said
_FLAT = 0.03  # a loss that fell by less than this share has not fallen
_RISEN = 1.2  # times its beginning, or …
_LOST = 1.5  # … times the best mean on the way: what was learnt is gone
_WORSE_ON_HELD_OUT = 1.05  # times the best loss on held-out rows
_CONSTANT = 5  # steps of the very same mean reward; the methods warn after as many
_RISEN_BY = 2.0  # standard errors of the difference of two means of rewards
_FALLEN_BY = 4.0  # … where the consequence is not to use the model, and one mean was picked out as the highest
_FAR = 10.0  # KL per token: the base model would have said each token once in 20,000 times


@dataclass(frozen=True)
class Learning:
    """What the curve says, and the numbers that it says it by."""

    verdict: str
    first: float  # mean of the first tenth
    last: float  # mean of the last tenth
    best: float  # the lowest such mean of a loss, the highest of a reward
    measure: str = LOSS  # or REWARD


def judge(loss: Sequence[float], held_out: Sequence[float] = ()) -> Learning | None:
    """What the training losses say, in the order of their steps, with those on held-out rows if there are any.

    None while there are too few to say anything.
    """
    if len(loss) < _FEWEST:
        return None
    means = _means([value if math.isfinite(value) else math.inf for value in loss], max(2, len(loss) // 10))
    first, last, best = means[0], means[-1], min(means)
    return Learning(_verdict(first, last, best, list(held_out)), first, last, best)


def judge_reward(rewards: Sequence[float], kl: Sequence[float] = ()) -> Learning | None:
    """What the mean rewards of the steps say, with how far the model is from its base (KL per token) where it is told.

    None while there are too few to say anything: fewer than that are needed to see that all are the same.
    """
    is_constant = len(rewards) >= _CONSTANT and len(set(rewards)) == 1 and math.isfinite(rewards[0])
    if len(rewards) < _FEWEST and not is_constant:
        return None
    means = _means([value if math.isfinite(value) else -math.inf for value in rewards], max(2, len(rewards) // 10))
    verdict = CONSTANT if is_constant else DIVERGED if _is_lost(rewards, kl) else _rise(rewards)
    return Learning(verdict, means[0], means[-1], max(means), REWARD)


def _means(values: Sequence[float], width: int) -> list[float]:
    """Of each `width` values that follow one another."""
    return [fmean(values[at : at + width]) for at in range(len(values) - width + 1)]


def _is_lost(rewards: Sequence[float], kl: Sequence[float]) -> bool:
    """Whether the end is no number, far from all that the base model says, or below what had been reached before."""
    newest = list(kl[-max(2, len(kl) // 10) :])
    if not all(map(math.isfinite, newest)) or (newest and fmean(newest) > _FAR):
        return True
    third = len(rewards) // 3 + 1
    if not all(map(math.isfinite, rewards[-third:])):
        return True
    thirds = [rewards[at : at + third] for at in range(len(rewards) - third + 1)]
    best = max(thirds, key=lambda one: fmean(one) if all(map(math.isfinite, one)) else -math.inf)
    first, last = thirds[0], thirds[-1]
    fell = _differ(last, first, _FALLEN_BY) or _differ(last, best, _FALLEN_BY)
    return fell and not _differ(first, last, _RISEN_BY)


def _rise(rewards: Sequence[float]) -> str:
    third = len(rewards) // 3 + 1
    return RISING if _differ(rewards[:third], rewards[-third:], _RISEN_BY) else FLAT


def _differ(lower: Sequence[float], higher: Sequence[float], sure: float) -> bool:
    """Whether the mean of `higher` is above that of `lower` by so many standard errors (Welch's t)."""
    rise = fmean(higher) - fmean(lower)
    return rise > sure * math.sqrt(variance(lower) / len(lower) + variance(higher) / len(higher))


def _verdict(first: float, last: float, best: float, held_out: list[float]) -> str:
    if not math.isfinite(last) or last > _RISEN * first or (last > _LOST * best and last > (1 - _FLAT) * first):
        return DIVERGED
    if last > (1 - _FLAT) * first:
        return FLAT
    if len(held_out) > 2 and held_out[-1] > _WORSE_ON_HELD_OUT * min(held_out):
        return OVER_LEARNING
    return FALLING
