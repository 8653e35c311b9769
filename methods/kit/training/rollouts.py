"""Answers of a model that is being trained, sampled many at a time without what a general generator brings along.

A prompt that several answers share is read once; while answers are written, LoRA's addition lies in a working copy of
the weights, so that each layer multiplies once; keys and values are written into room that is there from the start;
answers that have ended leave the batch.
"""

import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from peft.tuners import lora
from torch.nn import functional
from transformers.cache_utils import DynamicCache, DynamicLayer


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn: at most `longest` tokens; `top_p` 1 takes all tokens."""

    longest: int
    temperature: float
    top_p: float
    padding: int


@torch.no_grad()
def sample(model: Any, prompts: list[list[int]], how: Sampling, ends: list[int]) -> list[list[int]]:
    """One answer for each of `prompts` (token ids), with the token of `ends` that ended it; a prompt may come again."""
    learning = model.training
    model.eval()
    try:
        with merged(model):
            return _Batch(model, prompts, how, ends).written()
    finally:
        model.train(learning)


class _Batch:
    """Answers on their way. Rows that are still open are [open], their tokens one at a time."""

    def __init__(self, model: Any, prompts: list[list[int]], how: Sampling, ends: list[int]) -> None:
        self._model, self._how = model, how
        distinct = list(dict.fromkeys(map(tuple, prompts)))
        ids, self._mask = padded_left(distinct, how.padding, model.device)
        rows = torch.tensor([distinct.index(tuple(one)) for one in prompts], device=model.device)
        self._cache = DynamicCache(config=model.config)
        self._last = torch.tensor([-1], device=model.device)  # by index: a slice's logits would copy the whole layer
        self._next = self._step(ids, (self._mask.cumsum(1) - 1).clamp(min=0))[rows]
        self._keep(rows)
        self._cache.layers = [_Roomy(layer, how.longest) for layer in self._cache.layers]
        self._open = torch.arange(len(prompts))
        self._answers: list[list[int]] = [[] for _ in prompts]
        self._ends = torch.tensor(ends, device=model.device)

    def written(self) -> list[list[int]]:
        """Write to the end of each answer."""
        while True:
            drawn = draw(self._next, self._how)
            for row, token in zip(self._open.tolist(), drawn.tolist(), strict=True):
                self._answers[row].append(token)
            going = (~torch.isin(drawn, self._ends)).nonzero()[:, 0]
            if len(going) == 0 or len(self._answers[int(self._open[going[0]])]) == self._how.longest:
                return self._answers
            if len(going) < len(drawn):
                self._keep(going)
                self._open, drawn = self._open[going.cpu()], drawn[going]
            self._mask = functional.pad(self._mask, (0, 1), value=1)
            self._next = self._step(drawn[:, None], self._mask.sum(1, keepdim=True) - 1)

    def _step(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Read [rows, length] more tokens; the logits [rows, words] of what comes next."""
        given = {"input_ids": ids, "attention_mask": self._mask, "position_ids": positions}
        logits = self._model(**given, past_key_values=self._cache, use_cache=True, logits_to_keep=self._last).logits
        return logits[:, -1]  # type: ignore[no-any-return]

    def _keep(self, rows: torch.Tensor) -> None:
        self._cache.batch_select_indices(rows)
        self._mask = self._mask[rows]


class _Roomy(DynamicLayer):
    """Keys and values [rows, heads, length, width] that grow without being copied each time."""

    def __init__(self, begun: DynamicLayer, more: int) -> None:
        """What a layer has `begun`, with room for so many `more` tokens."""
        super().__init__()
        self.lazy_initialization(begun.keys, begun.values)
        self.keys, self.values = begun.keys, begun.values
        self._room = [
            torch.cat((one, one.new_empty((*one.shape[:2], more, one.shape[3]))), dim=2)
            for one in (begun.keys, begun.values)
        ]

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> Any:
        """Write the new ones behind the others; all of them."""
        start = self.keys.shape[2]
        end = start + key_states.shape[2]
        for room, new in zip(self._room, (key_states, value_states), strict=True):
            room[:, :, start:end] = new
        self.keys, self.values = (room[:, :, :end] for room in self._room)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only those rows."""
        length = self.keys.shape[2]
        self._room = [room[indices] for room in self._room]
        self.keys, self.values = (room[:, :, :length] for room in self._room)


def padded_left(rows: Any, padding: int, device: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask [rows, longest], padded in front."""
    width = max(map(len, rows))
    ids = torch.tensor([[padding] * (width - len(row)) + list(row) for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return ids, mask


def draw(logits: torch.Tensor, how: Sampling) -> torch.Tensor:
    """One token for each row of logits [rows, words]; [rows]."""
    logits = logits.float() / how.temperature
    if how.top_p < 1:
        ordered, places = logits.sort(dim=-1, descending=True)
        before = ordered.softmax(dim=-1).cumsum(dim=-1) - ordered.softmax(dim=-1)
        logits = logits.scatter(1, places, ordered.masked_fill(before >= how.top_p, -torch.inf))
    # one random number a row; torch.multinomial draws one for each word of the vocabulary
    below = logits.softmax(dim=-1).cumsum(dim=-1)
    height = torch.rand((len(logits), 1), device=logits.device) * below[:, -1:]  # below the top: rand never gives 1
    return torch.searchsorted(below, height, right=True)[:, 0]


@contextmanager
def merged(model: Any) -> Iterator[None]:
    """Within, each LoRA layer multiplies once, by a copy of its base layer's weights with the addition in it."""
    layers = [one for one in model.modules() if isinstance(one, lora.Linear) and not one.merged]
    before = [layer.__dict__.get("forward") for layer in layers]
    for layer in layers:
        layer.forward = types.MethodType(_plain(_sum(layer), layer.base_layer.bias), layer)
    try:
        yield
    finally:
        for layer, forward in zip(layers, before, strict=True):
            del layer.forward
            if forward is not None:
                layer.forward = forward


def _sum(layer: Any) -> torch.Tensor:
    """W + B A · scaling in W's precision, [out, in]."""
    (name,) = layer.active_adapters
    weight = layer.base_layer.weight
    addition = (layer.lora_B[name].weight * layer.scaling[name]) @ layer.lora_A[name].weight
    return (weight.float() + addition.float()).to(weight.dtype)


def _plain(weight: torch.Tensor, bias: torch.Tensor | None) -> Any:
    return lambda _layer, x, *_, **__: functional.linear(x, weight, bias)
