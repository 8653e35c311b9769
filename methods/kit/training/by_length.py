"""Batches of examples of like length: little of a batch is padding, and the order stays a matter of chance."""

import random
from collections.abc import Iterator

WITHIN = 32  # batches among which examples are sorted: more pad less, fewer mix better


class ByLength:
    """The order of examples in each round, by its number and the seed alone, so that a checkpoint finds it again.

    A sampler, as torch calls it.
    """

    def __init__(self, lengths: list[int], size: int, seed: int) -> None:
        self._lengths, self._size, self._seed, self._epoch = lengths, size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each round through the examples."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self._seed}/{self._epoch}")
        order = list(range(len(self._lengths)))
        chance.shuffle(order)
        batches: list[list[int]] = []
        for start in range(0, len(order), WITHIN * self._size):
            near = sorted(order[start : start + WITHIN * self._size], key=self._lengths.__getitem__)
            batches += [near[at : at + self._size] for at in range(0, len(near), self._size)]
        # a batch that is not full has to stay last: the trainer cuts batches out of this order by their size
        last = [batches.pop()] if batches and len(batches[-1]) < self._size else []
        chance.shuffle(batches)
        return iter([one for batch in [*batches, *last] for one in batch])
