"""The same numbers for less work: LoRA in the base model's precision, and a beginning that all rows share done once."""

import types
from typing import Any

import torch
from kit.training import norms
from peft.tuners import lora
from torch.nn import functional
from transformers.cache_utils import DynamicCache, DynamicLayer

SHORT = 256  # tokens up to which plain attention takes less time than flash attention, above all backwards on a CPU
WORTHWHILE = 8  # tokens of a shared beginning from which on a second pass costs less than it saves


def lighten(model: Any) -> None:
    """Let each LoRA layer of `model` compute in its input's precision; its weights stay what they are (float32).

    PEFT casts the input to the adapter's precision, multiplies there, scales and adds the result to the base layer's:
    four passes over a [rows × length, width] tensor in float32 where one in bfloat16 does the same work. Norms that are
    not learned take fewer passes, too.
    """
    for module in model.modules():
        if isinstance(module, lora.Linear) and _is_plain(module):
            module.forward = types.MethodType(_forward, module)
        elif type(module).__name__.endswith("RMSNorm") and norms.is_known(module):
            module.forward = types.MethodType(norms.forward, module)


def _is_plain(layer: Any) -> bool:
    """Whether a layer is W + A·B and nothing else: no dropout, no variant such as DoRA."""
    return not layer.lora_variant and all(isinstance(one, torch.nn.Identity) for one in layer.lora_dropout.values())


def _forward(layer: Any, x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    """x W + (x A) B·scaling; [rows, length, in] → [rows, length, out]. No dropout, one adapter, which may be off."""
    if layer.disable_adapters:
        return layer.base_layer(x)
    (name,) = layer.active_adapters
    narrow = layer.lora_A[name].weight.to(x.dtype)
    wide = (layer.lora_B[name].weight * layer.scaling[name]).to(x.dtype)
    base = layer.base_layer(x)
    inner = functional.linear(x, narrow)
    return torch.addmm(base.flatten(0, -2), inner.flatten(0, -2), wide.t()).view_as(base)


def choose_attention(longest: int) -> None:
    """Plain attention where no row has more than `SHORT` tokens."""
    if longest <= SHORT:
        torch.backends.cuda.enable_flash_sdp(enabled=False)  # despite its name this switch is the CPU's, too


def shared_beginning(ids: torch.Tensor, labels: torch.Tensor) -> int:
    """How many first tokens all rows have in common, so that what follows still predicts every label; often a template.

    `ids` and `labels` are [rows, length]; 0 where it is not worthwhile.
    """
    if len(ids) < 2:
        return 0
    differs = ((ids != ids[0]).any(dim=0) | (labels != -100).any(dim=0)).nonzero()
    # the last shared token stays with the rest: it predicts the first token that differs
    length = int(differs[0]) - 1 if len(differs) else 0
    return length if length >= WORTHWHILE else 0


@torch.no_grad()
def can_share(model: Any) -> bool:
    """Whether the model keeps plain keys and values, which can be repeated for many rows, and nothing else."""
    learning = model.training
    model.eval()  # one that learns with gradient checkpointing keeps nothing
    begun = model(input_ids=torch.zeros((1, 2), dtype=torch.long, device=model.device), use_cache=True)
    model.train(learning)
    cache = getattr(begun, "past_key_values", None)
    return type(cache) is DynamicCache and all(type(layer) is DynamicLayer for layer in cache.layers)
