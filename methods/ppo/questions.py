"""The questions of each step: known by the seed and the step alone, so a training may begin in the middle."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from kit import datasets
from kit.events import fail


class Questions:
    """An endless loader of batches ``{"input_ids": [rows, length]}``, padded on the left.

    `current` are the rows of the batch that was given last. With each batch torch and numpy begin a new series of
    random numbers: what is drawn in a step depends on nothing before it.
    """

    def __init__(self, read: list[datasets.Row], tokenizer: Any, longest: int, size: int, seed: int) -> None:
        """Refuses a question that leaves no room for an answer with ``prompt_too_long``."""
        self.rows, self._size, self._seed = read, size, seed
        texts = [datasets.render_prompt(row, tokenizer) for row in read]
        self._ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
        for number, ids in enumerate(self._ids, 1):
            if len(ids) > longest:
                said = f"The question of row {number} has {len(ids)} tokens; it may have {longest}."
                fail("prompt_too_long", said, row=number, tokens=len(ids), maximum=longest)
        self.padding = _unused(tokenizer, self._ids)
        self.done = 0
        self.current: list[datasets.Row] = []
        self.width = 0

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        while True:
            yield self._next()

    def _next(self) -> dict[str, torch.Tensor]:
        start, count = self.done * self._size, len(self.rows)
        chosen = [self._order(place // count)[place % count] for place in range(start, start + self._size)]
        self.current, ids = [self.rows[one] for one in chosen], [self._ids[one] for one in chosen]
        self.width = max(map(len, ids))
        drawn = random.Random(f"{self._seed} step {self.done}").getrandbits(32)
        torch.manual_seed(drawn)
        np.random.seed(drawn)
        self.done += 1
        return {"input_ids": torch.tensor([[self.padding] * (self.width - len(one)) + one for one in ids])}

    def _order(self, turn: int) -> list[int]:
        order = list(range(len(self.rows)))
        random.Random(f"{self._seed} round {turn}").shuffle(order)
        return order


def _unused(tokenizer: Any, prompts: list[list[int]]) -> int:
    """A token that neither ends an answer nor stands in a question.

    PPOTrainer takes every padding token for nothing, wherever it stands; many models pad with the token that ends a
    turn, which their templates have in every question. Refuses with ``padding_missing``.
    """
    taken = {token for ids in prompts for token in ids} | {tokenizer.eos_token_id}
    named = [tokenizer.pad_token_id, *tokenizer.all_special_ids, *sorted(tokenizer.added_tokens_decoder)]
    for token in [*named, *range(len(tokenizer) - 1, -1, -1)]:
        if token is not None and token not in taken:
            return int(token)
    fail("padding_missing", "The model's vocabulary has no token that is left for padding.")
