"""A model in mlx-lm: loading it, small additions beside its layers, and where each of its weights came from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
from kit import job as jobs
from kit import models
from kit.events import fail
from mlx import nn
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm.tuner.dora import DoRALinear
from mlx_lm.tuner.lora import LoRALinear
from mlx_lm.utils import load_model

Adapted = dict[str, Any]  # the name of a layer in the model's own files → what is trained beside it
ADDITIONS: dict[str, Any] = {"lora": LoRALinear, "dora": DoRALinear}


@dataclass(frozen=True)
class Loaded:
    """A model, its tokenizer, and ``origin``: mlx-lm's name of a weight → its name in the model's own files.

    A weight that mlx-lm takes over only after changing it (transposed, stacked, split) has no origin.
    """

    model: Any
    tokenizer: Any
    origin: dict[str, str]


def load(model: jobs.Model, precision: str) -> Loaded:
    """Load a base or merged model; `precision` is auto (as it is stored), bfloat16 or float32.

    Refuses as ``models.check_folder`` does, and with ``model_not_for_mlx`` what mlx-lm does not know.
    """
    config = models.check_folder(model.path)
    if {"model_file", "quantization", "quantization_config"} & set(config):
        _refuse("its weights are quantized, or it brings a program of its own")
    tokenizer = models.load_tokenizer(model.path)
    try:
        loaded, _ = load_model(model.path, model_config=_positions(config))
        origin = _origin(loaded, model.path)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 — mlx-lm has a module for each architecture, which may fail in any way
        _refuse((str(error).splitlines() or [type(error).__name__])[0])
    if precision != "auto":
        loaded.set_dtype(getattr(mx, precision))
    return Loaded(loaded, tokenizer, origin)


def _positions(config: dict[str, Any]) -> dict[str, Any]:
    """Rotary positions under the names of older configurations.

    transformers 5 writes them as ``rope_parameters``, of which mlx-lm takes no notice in most of its architectures: it
    would compute with its defaults and say nothing.
    """
    told = config.get("rope_parameters") or {}
    if "rope_theta" not in told:  # none, or one for each type of layer, which only architectures have that read them
        return {}
    part, base = told.get("partial_rotary_factor", 1.0), told["rope_theta"]
    older = {"rope_theta": base, "rotary_emb_base": base, "rotary_pct": part, "partial_rotary_factor": part}
    if told.get("rope_type", "default") != "default":
        older["rope_scaling"] = told
    return {name: value for name, value in older.items() if name not in config}


def _refuse(reason: str) -> Any:
    fail("model_not_for_mlx", f"This model cannot be trained with MLX: {reason}", reason=reason)


def _origin(model: Any, folder: Path) -> dict[str, str]:
    """Run mlx-lm's renaming over the files' weights, which are not read for it, and see which come out unchanged."""
    stored: dict[str, Any] = {}
    for path in sorted(folder.glob("model*.safetensors")):
        stored.update(mx.load(str(path)))
    names = {id(weight): name for name, weight in stored.items()}
    taken = model.sanitize(dict(stored)) if hasattr(model, "sanitize") else stored
    return {name: names[id(weight)] for name, weight in taken.items() if id(weight) in names}


def adapt(loaded: Loaded, kind: str, rank: int, alpha: int) -> Adapted:
    """Freeze the model and put a `kind` of ADDITIONS beside each linear layer of its blocks.

    The same layers as PEFT's "all-linear" has, the output layer left out. Refuses with ``model_not_for_mlx`` where no
    layer has an origin, since nothing else could then use what is learned.
    """
    model = loaded.model
    model.freeze()
    inside = {id(module) for block in model.layers for _, module in block.named_modules()}
    found = [
        (name, ADDITIONS[kind].from_base(module, r=rank, scale=alpha / rank))
        for name, module in sorted(model.named_modules(), key=lambda named: named[0])
        if type(module) is nn.Linear and id(module) in inside and f"{name}.weight" in loaded.origin
    ]
    if not found:
        _refuse("none of its layers is stored as MLX computes it")
    model.update_modules(tree_unflatten(found))
    return {loaded.origin[f"{name}.weight"].removesuffix(".weight"): addition for name, addition in found}


def unfreeze(loaded: Loaded) -> None:
    """Let all weights be trained; refuses with ``model_not_for_mlx`` where one is not stored as it is computed."""
    loaded.model.unfreeze()
    for name, _ in tree_flatten(loaded.model.trainable_parameters()):
        if name not in loaded.origin:
            _refuse(f"its weight {name} is not stored as MLX computes it")
