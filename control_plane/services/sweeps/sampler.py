"""Which settings a sweep tries next, and which job is too far behind to go on: Optuna's samplers and pruners.

A study is made anew from the jobs for each question, so that no state is kept beside theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from control_plane.domain.sweeps import Choices, Range, Space, Trial, combinations, more_is_better

if TYPE_CHECKING:
    import optuna

_BEFORE_PRUNING = 4  # finished jobs with a course
_TRIES = 20  # to draw settings that no job has had


def suggest(dimensions: Space, trials: Sequence[Trial], objective: str, seed: int) -> dict[str, Any] | None:
    """The settings of the next job; None where every one has been tried.

    Lists alone are gone through in order. With a range among them the tree-structured Parzen estimator draws (Bergstra
    et al. 2011), which learns from the jobs that have ended and keeps away from those that run.
    """
    tried = [dict(one.values) for one in trials]
    if (grid := combinations(dimensions)) is not None:
        return next((one for one in grid if one not in tried), None)
    study = _study(dimensions, trials, objective, seed + len(trials))
    for _ in range(_TRIES):
        found = dict(study.ask(_distributions(dimensions)).params)
        if found not in tried:
            return found
    return None


def is_behind(dimensions: Space, trials: Sequence[Trial], trial: Trial, objective: str, seed: int) -> bool:
    """Whether a running job's best value so far is worse than the median of the others' at the same step."""
    import optuna

    if not trial.course:
        return False
    others = [one for one in trials if one.over and one.value is not None]
    study = _study(dimensions, others, objective, seed)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_BEFORE_PRUNING, n_warmup_steps=0)
    return pruner.prune(study, _frozen(dimensions, trial))


def _study(dimensions: Space, trials: Sequence[Trial], objective: str, seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize" if more_is_better(objective) else "minimize",
        sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
    )
    for one in trials:
        study.add_trial(_frozen(dimensions, one))
    return study


def _frozen(dimensions: Space, trial: Trial) -> optuna.trial.FrozenTrial:
    import optuna

    states = optuna.trial.TrialState
    ended = states.COMPLETE if trial.value is not None else states.FAIL
    return optuna.trial.create_trial(
        state=ended if trial.over else states.RUNNING,
        value=trial.value if trial.over else None,
        params=dict(trial.values),
        distributions=_distributions(dimensions),
        intermediate_values=dict(trial.course),
    )


def _distributions(dimensions: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    import optuna

    made: dict[str, optuna.distributions.BaseDistribution] = {}
    for name, one in dimensions.items():
        if isinstance(one, Choices):
            made[name] = optuna.distributions.CategoricalDistribution(one.values)
        elif isinstance(one, Range) and one.whole:
            made[name] = optuna.distributions.IntDistribution(int(one.low), int(one.high), log=one.log)
        else:
            made[name] = optuna.distributions.FloatDistribution(one.low, one.high, log=one.log)
    return made
