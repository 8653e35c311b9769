"""Learning which of two answers is preferred (DPO) with mlx-lm's loop: batches of pairs, the loss, what is measured.

R. Rafailov et al., "Direct preference optimization: your language model is secretly a reward model", 2023. The
reference is the model before it has learned, asked once about each pair.
"""

from collections.abc import Callable, Iterator
from typing import Any

import mlx.core as mx
from kit import signals
from kit.apple import batches
from kit.preferences import Pairs
from kit.training.held_out import ACCURACY, LOSS, MARGIN, Sums
from kit.training.lessons import IGNORED
from mlx import nn

REFERENCE = "reference"  # log-probabilities of the chosen and the rejected answer, beside a pair's tokens


def of(pairs: Pairs, pad: int) -> tuple[Any, Any]:
    """Token ids and labels, both [2 × pairs, length]: the chosen answers' rows, then the rejected ones'."""
    rows = [(pair["prompt_ids"], pair[answer]) for answer in ("chosen_ids", "rejected_ids") for pair in pairs]
    examples = [
        {"input_ids": [*prompt, *answer], "labels": [*[IGNORED] * len(prompt), *answer]} for prompt, answer in rows
    ]
    return batches.of(examples, pad)


def log_probs(model: Any, ids: Any, labels: Any) -> Any:
    """How likely the model finds each row's labelled tokens together, [rows]."""
    each, counts = batches.log_probs(model, ids, labels)
    return (each * counts).sum(axis=1)


def margins(model: Any, ids: Any, labels: Any, reference: Any, beta: float) -> Any:
    """Reward of each chosen answer above that of the rejected one, [pairs]; `reference` is [2 × pairs]."""
    rewards = beta * (log_probs(model, ids, labels) - reference)
    half = len(rewards) // 2
    return rewards[:half] - rewards[half:]


def loss(beta: float) -> Callable[..., tuple[Any, Any]]:
    """The loss function that mlx-lm's loop calls: (mean over the pairs, how many tokens of answers)."""

    def mean(model: Any, ids: Any, labels: Any, reference: Any) -> tuple[Any, Any]:
        found = margins(model, ids, labels, reference, beta)
        return -nn.log_sigmoid(found).mean(), (labels[:, 1:] != IGNORED).sum()

    return mean


def remember(model: Any, pairs: Pairs, size: int, pad: int, stop: signals.Stop) -> None:
    """Ask the model, which has learned nothing yet, about each pair once; exits with 143 where SIGTERM asks for it."""
    unknown = list({id(pair): pair for pair in pairs if REFERENCE not in pair}.values())
    for start in range(0, len(unknown), size):
        stop.leave_if_requested()
        some = unknown[start : start + size]
        found = log_probs(model, *of(some, pad)).tolist()
        for number, pair in enumerate(some):
            pair[REFERENCE] = [found[number], found[len(some) + number]]


def in_turn(pairs: Pairs, size: int, pad: int, done: int) -> Iterator[tuple[Any, Any, Any, int]]:
    """Batches of `size` one after the other, without the first `done`; with their tokens' number."""
    for start in range(done * size, len(pairs), size):
        some = pairs[start : start + size]
        tokens = sum(2 * len(one["prompt_ids"]) + len(one["chosen_ids"]) + len(one["rejected_ids"]) for one in some)
        yield *of(some, pad), _reference(some), tokens


def measure(model: Any, pad: int, beta: float) -> Callable[[Pairs], Sums]:
    """What measures loss, share of pairs told apart rightly and margin of pairs that are not learned from."""

    def sums(pairs: Pairs) -> Sums:
        found = margins(model, *of(pairs, pad), _reference(pairs), beta)
        told = {LOSS: -nn.log_sigmoid(found), ACCURACY: found > 0, MARGIN: found}
        return {name: (float(values.sum()), len(pairs)) for name, values in told.items()}

    return sums


def _reference(pairs: Pairs) -> Any:
    return mx.array([pair[REFERENCE][answer] for answer in (0, 1) for pair in pairs])
