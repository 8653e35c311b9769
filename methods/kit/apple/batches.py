"""Batches for mlx-lm's loop: each is known by the seed and its number, so a training may begin in the middle."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import mlx.core as mx
import numpy as np
from kit.training.held_out import LOSS, Sums
from kit.training.lessons import IGNORED, Example
from mlx import nn

MULTIPLE = 32  # of this the length of a padded batch is one: fewer shapes to compile


def of(examples: list[Example], pad: int) -> tuple[Any, Any]:
    """Token ids and labels, both [rows, length] and padded."""
    longest = max(len(one["input_ids"]) for one in examples)
    shape = (len(examples), -(-longest // MULTIPLE) * MULTIPLE)
    ids, labels = np.full(shape, pad, np.int32), np.full(shape, IGNORED, np.int32)
    for row, one in enumerate(examples):
        ids[row, : len(one["input_ids"])] = one["input_ids"]
        labels[row, : len(one["labels"])] = one["labels"]
    return mx.array(ids), mx.array(labels)


def loss(model: Any, ids: Any, labels: Any) -> tuple[Any, Any]:
    """(mean cross entropy over the labelled tokens, how many they are), as the other methods count.

    mlx-lm's own loss knows one stretch of each row, and with its own batches teaches each answer one token of padding.
    """
    each, counts = log_probs(model, ids, labels)
    count = counts.sum()
    return -(each * counts).sum() / mx.maximum(count, 1), count


def log_probs(model: Any, ids: Any, labels: Any) -> tuple[Any, Any]:
    """(log-probability of each next token, whether it is labelled), both [rows, length - 1]."""
    targets = labels[:, 1:]
    counts = targets != IGNORED
    return -nn.losses.cross_entropy(model(ids[:, :-1]).astype(mx.float32), mx.where(counts, targets, 0)), counts


def endless(examples: list[Example], size: int, pad: int, seed: int, done: int) -> Iterator[tuple[Any, Any, int]]:
    """Batches of `size` in a new random order each time round, without the first `done`; with their tokens' number."""
    size = min(size, len(examples))
    per_round = len(examples) // size
    while True:
        number, place = divmod(done, per_round)
        order = list(range(len(examples)))
        random.Random(f"{seed} {number}").shuffle(order)
        chosen = [examples[index] for index in order[place * size : (place + 1) * size]]
        yield *of(chosen, pad), sum(len(one["input_ids"]) for one in chosen)
        done += 1


def measure(model: Any, pad: int) -> Callable[[list[Any]], Sums]:
    """What measures the loss over a batch of examples that are not learned from (see `HeldOut`)."""

    def sums(examples: list[Any]) -> Sums:
        mean, count = loss(model, *of(examples, pad))
        return {LOSS: (float(mean * count), int(count))}

    return sums
