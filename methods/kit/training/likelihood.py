"""How likely a model finds answers: the output layer sees only their tokens, and the prompt of a pair is computed once.

TRL's trainers for preferences ask a model for the log-probability of each labelled token, and for a few numbers beside
it; the layers here stand in the model's place and compute nothing else.
"""

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from kit.training import lean, words
from torch.nn import functional


@dataclass(frozen=True)
class Likelihood:
    """What TRL reads of a model's answer, [rows, length - 1] each; only `log_probs` is computed, the others are 0."""

    log_probs: torch.Tensor
    entropy: torch.Tensor
    mean_logits: torch.Tensor
    is_top1: torch.Tensor


@dataclass(frozen=True)
class _Beside:
    """Both answers of each pair behind their one prompt, in one row: prompt, preferred answer, other answer."""

    ids: torch.Tensor  # [pairs, width]
    positions: torch.Tensor  # [pairs, width]: the other answer's go on behind the prompt, too
    allowed: torch.Tensor  # [pairs, width, width]: which token sees which; the answers do not see each other
    places: torch.Tensor  # [tokens]: where each answer's token is predicted, in the flat [pairs × width]
    wanted: torch.Tensor  # [tokens]: where it stands in the flat [2 pairs × (length - 1)]
    shared: int  # how many first tokens are the same in all rows and may be computed once, most often a template's


class Asked:
    """A causal language model, asked for the log-probabilities of labelled tokens as TRL asks it.

    ``pairs`` says that the rows are the preferred answers and then the others, in the order of their prompts. What a
    model with memory of another kind than plain keys and values is asked is the same, row by row. ``begins`` says that
    what all prompts of a batch begin with may be computed once, for which the model must keep its keys and values.
    """

    def __init__(self, plain: Any, pairs: bool, begins: bool) -> None:
        inner = plain.get_base_model() if hasattr(plain, "get_base_model") else plain
        takes_positions = "position_ids" in inspect.signature(inner.forward).parameters
        masked = inner.config._attn_implementation in ("sdpa", "eager")
        self.shares = pairs and takes_positions and masked and lean.can_share(plain)
        self.begins = begins
        self._output = words.OutputLayer(plain)

    def __call__(
        self, model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor, **_: Any
    ) -> Likelihood:
        """The log-probability of each token with a label (0 elsewhere); all three are [rows, length]."""
        if self.shares and len(input_ids) > 1 and bool((labels[:, 0] == -100).all()):
            found = self._beside(model, input_ids, attention_mask, labels)
        else:
            found = self._row_by_row(model, input_ids, attention_mask, labels)
        nothing = torch.zeros_like(found, requires_grad=False)
        return Likelihood(found, nothing, nothing, nothing.bool())

    def _row_by_row(self, model: Any, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        counts = functional.pad(labels[:, 1:] != -100, (0, 1))  # where the next token counts
        places = counts.flatten().nonzero()[:, 0]
        found = self._at(
            model, places, labels[:, 1:][counts[:, :-1]], input_ids=ids, attention_mask=mask, use_cache=False
        )
        return found.new_zeros(counts[:, :-1].shape).masked_scatter(counts[:, :-1], found)

    def _beside(self, model: Any, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        rows = beside(ids, mask, labels)
        dtype = model.get_input_embeddings().weight.dtype
        unseen = torch.zeros(rows.allowed.shape, dtype=dtype, device=ids.device)
        unseen.masked_fill_(~rows.allowed, torch.finfo(dtype).min)
        done, width = rows.shared if self.begins else 0, rows.ids.shape[1]
        given = {"input_ids": rows.ids[:, done:], "position_ids": rows.positions[:, done:]}
        if done:
            given["past_key_values"] = self._begun(model, rows.ids[:1, :done], len(rows.ids))
        # the beginning is no longer in the rows: [pairs × width] → [pairs × (width - done)]
        places = rows.places - done * (rows.places // width + 1)
        targets = labels[:, 1:].flatten()[rows.wanted]
        found = self._at(model, places, targets, attention_mask=unseen[:, None, done:], use_cache=done > 0, **given)
        empty = found.new_zeros(labels[:, 1:].numel())
        return empty.index_put((rows.wanted,), found).view(labels[:, 1:].shape)

    def _begun(self, model: Any, ids: torch.Tensor, rows: int) -> Any:
        """The keys and values of a beginning, [1, length], for so many rows that go on from it."""
        kept = self._output.silent(lambda: model(input_ids=ids, use_cache=True)).past_key_values
        kept.batch_repeat_interleave(rows)
        return kept

    def _at(self, model: Any, places: torch.Tensor, targets: torch.Tensor, **given: Any) -> torch.Tensor:
        """The log-probabilities of `targets`, each predicted at its place in the flat [rows × width]."""
        return self._output.log_probs(lambda: model(**given), lambda hidden: hidden.flatten(0, 1)[places], targets)


def beside(ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> _Beside:
    """Lay out preferred answers and then the others, [2 pairs, length] each, padded on the right, prompt by prompt.

    A label (not -100) stands at each of an answer's tokens and nowhere else; a pair's prompts are the same.
    """
    pairs, length = len(ids) // 2, ids.shape[1]
    begins = (labels != -100).int().argmax(dim=1).tolist()[:pairs]
    ends = mask.sum(dim=1).tolist()
    sizes = [(begin, ends[row], ends[pairs + row] - begin) for row, begin in enumerate(begins)]
    width = max(end + other for _, end, other in sizes)
    packed = ids.new_zeros((pairs, width))
    part = ids.new_full((pairs, width), -1)  # 0 prompt, 1 preferred answer, 2 the other, -1 nothing
    positions = torch.zeros_like(packed)
    count = torch.arange(width + length, device=ids.device)
    places, wanted = [], []
    for row, (begin, end, other) in enumerate(sizes):
        packed[row, :end] = ids[row, :end]
        packed[row, end : end + other] = ids[pairs + row, begin : begin + other]
        part[row, :begin], part[row, begin:end], part[row, end : end + other] = 0, 1, 2
        positions[row, :end] = count[:end]
        positions[row, end : end + other] = count[begin : begin + other]
        # the prompt's last token predicts the first one of both answers
        last = row * width + begin - 1
        places += [last + count[: end - begin], last + count[:1], row * width + end + count[: other - 1]]
        first = begin - 1 + row * (length - 1)
        wanted += [first + count[: end - begin], first + pairs * (length - 1) + count[:other]]
    before = count[:width, None] >= count[:width]
    allowed = before & ((part[:, None] == 0) | (part[:, None] == part[:, :, None]))
    shared = lean.shared_beginning(packed, torch.where(part > 0, packed, -100))
    return _Beside(packed, positions, allowed, torch.cat(places), torch.cat(wanted), shared)
