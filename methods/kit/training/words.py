"""How likely the output layer finds given tokens, without keeping the logits of all of them.

With a large vocabulary the logits of a batch, a copy of them in float32, their softmax and its gradient are most of the
memory that a small model's step goes through. Here some positions are done at a time, in place, and what a position's
hidden state should change by is known as soon as its softmax is.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

Pick = Callable[[torch.Tensor], torch.Tensor]

AT_ONCE = 256  # positions; each time the layer's weights are read once for the logits and once for the gradient


class _LogProbs(torch.autograd.Function):
    """[positions, width] and token ids [positions] → log-probabilities [positions], in float32."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor,
        temperature: float,
    ) -> torch.Tensor:  # fmt: skip
        found = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        slopes = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(hidden), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            own = targets[part, None]
            logits = functional.linear(hidden[part], weight, bias).float()
            logits = logits if temperature == 1 else logits.div_(temperature)
            highest = logits.amax(dim=1, keepdim=True)
            said = logits.gather(1, own) - highest
            shares = logits.sub_(highest).exp_()
            total = shares.sum(dim=1, keepdim=True)
            found[part] = (said - total.log())[:, 0]
            if slopes is not None:  # of a logarithm of a softmax: 1 at the token itself, less each token's share
                shares.div_(-total * temperature)
                shares.scatter_(1, own, shares.gather(1, own) + 1 / temperature)
                slopes[part] = shares.to(weight.dtype) @ weight
        ctx.slopes = slopes
        return found

    @staticmethod
    def backward(ctx: Any, above: torch.Tensor) -> Any:
        """Only the hidden states' gradient; the layer is not learned."""
        return (ctx.slopes * above[:, None]).to(ctx.slopes.dtype), None, None, None, None


class OutputLayer:
    """A causal model's output layer, asked only how likely given tokens are.

    Where the layer itself is learned, or the model changes logits behind it, that comes from the tokens' logits.
    """

    def __init__(self, plain: Any) -> None:
        self._wanted: tuple[Pick, torch.Tensor | None, float] | None = None
        self._found: torch.Tensor | None = None
        layer = plain.get_output_embeddings()
        self._is_end = type(layer) is torch.nn.Linear and not layer.weight.requires_grad and _ends(plain, layer)
        layer.register_forward_pre_hook(self._before)

    def log_probs(
        self, call: Callable[[], Any], pick: Pick, targets: torch.Tensor, temperature: float = 1.0
    ) -> torch.Tensor:
        """The log-probability of each of `targets` [tokens], float32.

        ``call`` runs the model; ``pick`` takes from hidden states [rows, length, width] those that predict the targets,
        [tokens, width].
        """
        logits = self._run(call, pick, targets, temperature).logits[0]
        if self._found is None:
            return -functional.cross_entropy(logits.float() / temperature, targets, reduction="none")
        found, self._found = self._found, None
        return found

    def silent(self, call: Callable[[], Any]) -> Any:
        """What ``call`` to the model gives, without any logits."""
        given = self._run(call, lambda hidden: hidden[0, :0], None, 1.0)
        self._found = None
        return given

    def _run(self, call: Callable[[], Any], pick: Pick, targets: torch.Tensor | None, temperature: float) -> Any:
        self._wanted = (pick, targets, temperature)
        try:
            return call()
        finally:
            self._wanted = None

    def _before(self, layer: Any, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        """Before the layer: give it the positions that are wanted, or, where that is answered here, none."""
        if self._wanted is None:
            return None
        pick, targets, temperature = self._wanted
        hidden = pick(given[0])
        if self._is_end and targets is not None:
            self._found = _LogProbs.apply(hidden, layer.weight, layer.bias, targets, temperature)
            hidden = hidden[:0]
        return (hidden.unsqueeze(0), *given[1:])


@torch.no_grad()
def _ends(plain: Any, layer: Any) -> bool:
    """Whether the model's logits are what its output layer gives."""
    given: list[torch.Tensor] = []
    hook = layer.register_forward_hook(lambda _layer, _arguments, logits: given.append(logits))
    try:
        logits = plain(input_ids=torch.zeros((1, 2), dtype=torch.long, device=plain.device), use_cache=False).logits
    finally:
        hook.remove()
    return len(given) == 1 and torch.equal(given[0], logits)
