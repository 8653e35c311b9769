"""Rows of a batch without padding: what all begin with stands once, then each row's own tokens, one after the other.

Every layer but attention sees each token by itself, so to it a batch is one row of real tokens. Attention alone lays
them out as rows again. What flows back into the beginning is the sum of what the rows need of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from kit.training.lean import SHORT
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface

NAME = "rows_behind_one_beginning"
ALTERING = ("sliding_window", "softcap", "s_aux")  # what models ask of attention that is not done here

_layouts: list["Layout"] = []  # of the batch that is being computed; transformers has no way to hand it through


class Unsuited(Exception):
    """The model asks something else of attention than a softmax over all earlier tokens."""


@dataclass(frozen=True)
class Layout:
    """Which token of a flat batch, [shared + own tokens], belongs where in [rows, longest]."""

    shared: int  # tokens that all rows begin with
    rows: int
    longest: int  # own tokens of the longest row
    places: torch.Tensor  # [own]: where each own token stands in the flat [rows × longest]
    tokens: torch.Tensor  # [rows × longest]: the own token at each place; any, where there is none
    seen: torch.Tensor  # [rows, longest, shared + longest]: which token sees which
    _unseen: dict[Any, torch.Tensor] = field(default_factory=dict)

    def unseen(self, groups: int, heads: int, dtype: torch.dtype) -> torch.Tensor:
        """What is added to scores, [rows × groups, heads × longest, shared + longest]; made once for all layers."""
        key = groups, heads, dtype
        if key not in self._unseen:
            self._unseen[key] = _penalty(self.seen, groups, heads, dtype)
        return self._unseen[key]


def lay_out(mask: torch.Tensor, shared: int) -> Layout:
    """The layout of rows that are padded on the right, by their attention mask [rows, length]."""
    own = mask[:, shared:].bool()
    rows, longest = own.shape
    places = own.flatten().nonzero()[:, 0]
    tokens = places.new_zeros(rows * longest)
    tokens[places] = torch.arange(len(places), device=mask.device)
    count = torch.arange(shared + longest, device=mask.device)
    seen = (count <= count[shared:, None]) & mask[:, None].bool()
    return Layout(shared, rows, longest, places, tokens, seen)


def flatten(ids: torch.Tensor, layout: Layout) -> dict[str, torch.Tensor]:
    """What the model is called with for padded rows [rows, length]: ids and positions, [1, shared + own] each."""
    positions = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    done = layout.shared
    return {
        name: torch.cat((one[0, :done], one[:, done:].flatten()[layout.places]))[None]
        for name, one in (("input_ids", ids), ("position_ids", positions))
    }


@contextmanager
def attending(model: Any, layout: Layout) -> Iterator[None]:
    """Within it the model's attention takes a flat batch of this layout."""
    before = model.config._attn_implementation
    model.config._attn_implementation = NAME
    _layouts.append(layout)
    try:
        yield
    finally:
        _layouts.pop()
        model.config._attn_implementation = before


@torch.no_grad()
def suits(model: Any) -> bool:
    """Whether the model says the same of flat and of padded rows, tried on two."""
    if getattr(model.config, "_attn_implementation", "") not in ("sdpa", "eager"):
        return False
    ids = torch.tensor([[1, 2, 3, 4, 5], [1, 2, 5, 0, 0]], device=model.device)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], device=model.device)
    learning = model.training
    model.eval()
    try:
        padded = model(input_ids=ids, attention_mask=mask, use_cache=False).logits.float()
        layout = lay_out(mask, 2)
        with attending(model, layout):
            flat = model(**flatten(ids, layout), use_cache=False).logits[0].float()
    except (Unsuited, TypeError, ValueError):
        return False
    finally:
        model.train(learning)
    wanted = torch.cat((padded[0, :2], padded[:, 2:].flatten(0, 1)[layout.places]))
    close = 16 * torch.finfo(model.dtype).eps  # some tens of layers round differently
    return flat.shape == wanted.shape and bool((flat - wanted).abs().max() <= close * wanted.abs().max())


class _Rows(torch.autograd.Function):
    """Own tokens [own, …] → [rows × longest, …]; each gradient comes back from the token's place."""

    @staticmethod
    def forward(ctx: Any, flat: torch.Tensor, layout: Layout) -> torch.Tensor:
        ctx.layout = layout
        return flat[layout.tokens]

    @staticmethod
    def backward(ctx: Any, above: torch.Tensor) -> Any:
        return above[ctx.layout.places], None


class _Flat(torch.autograd.Function):
    """[rows × longest, …] → own tokens [own, …]; nothing comes back to a place without a token."""

    @staticmethod
    def forward(ctx: Any, padded: torch.Tensor, layout: Layout) -> torch.Tensor:
        ctx.layout = layout
        return padded[layout.places]

    @staticmethod
    def backward(ctx: Any, above: torch.Tensor) -> Any:
        layout = ctx.layout
        empty = above.new_zeros((len(layout.tokens), *above.shape[1:]))
        return empty.index_copy_(0, layout.places, above), None


def _attend(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any, dropout: float = 0.0,
    scaling: float | None = None, **given: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """[1, heads, tokens, size] → [1, tokens, heads, size], as transformers calls attention."""
    if any(given.get(name) is not None for name in ALTERING):
        raise Unsuited
    layout = _layouts[-1]
    done, scaling = layout.shared, query.shape[-1] ** -0.5 if scaling is None else scaling
    begun = [one[0].transpose(0, 1) for one in (query, key, value)]  # [tokens, heads, size]
    own = [_Rows.apply(one[done:], layout).unflatten(0, (layout.rows, layout.longest)) for one in begun]
    begun = [one[None, :done] for one in begun]
    own[1:] = [torch.cat((a.expand(layout.rows, -1, -1, -1), b), 1) for a, b in zip(begun[1:], own[1:], strict=True)]
    found = _Flat.apply(_softmax(*own, layout, scaling, dropout).flatten(0, 1), layout)
    if done:
        found = torch.cat((_softmax(*begun, None, scaling, dropout)[0], found))
    return found[None], None


def _softmax(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: Layout | None, scaling: float, dropout: float
) -> torch.Tensor:
    """Attention of [rows, length, heads, size]; without a layout, each token sees itself and those before it."""
    rows, length, heads, size = query.shape
    groups = key.shape[2]
    each = heads // groups
    if key.shape[1] > SHORT:  # keeps no scores, which are what is large then
        query, key, value = (
            one.transpose(1, 2) for one in (query, key.repeat_interleave(each, 2), value.repeat_interleave(each, 2))
        )
        seen = None if layout is None else layout.seen[:, None]
        found = functional.scaled_dot_product_attention(
            query, key, value, seen, dropout, is_causal=seen is None, scale=scaling
        )
        return found.transpose(1, 2)
    if layout is None:
        causal = torch.ones((1, length, length), dtype=torch.bool, device=query.device).tril()
        unseen = _penalty(causal, groups, each, query.dtype)
    else:
        unseen = layout.unseen(groups, each, query.dtype)
    # the heads that share keys and values are one longer list of queries to them
    query = query.unflatten(2, (groups, each)).permute(0, 2, 3, 1, 4).reshape(rows * groups, -1, size)
    key, value = (one.transpose(1, 2).reshape(rows * groups, -1, size) for one in (key, value))
    shares = torch.baddbmm(unseen, query, key.transpose(1, 2), alpha=scaling).softmax(-1)
    found = torch.bmm(functional.dropout(shares, dropout) if dropout else shares, value)
    return found.view(rows, groups, each, length, size).permute(0, 3, 1, 2, 4).flatten(2, 3)


def _penalty(seen: torch.Tensor, groups: int, heads: int, dtype: torch.dtype) -> torch.Tensor:
    """[rows, length, seen] → [rows × groups, heads × length, seen]: 0 where a token is seen, else very low."""
    unseen = torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, torch.finfo(dtype).min)
    return unseen[:, None, None].expand(-1, groups, heads, -1, -1).reshape(len(seen) * groups, -1, seen.shape[-1])


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, lambda *_, **__: None)
