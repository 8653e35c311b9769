"""Checkpoints of mlx-lm's loop: what is trained and the optimizer's state, as safetensors and JSON.

On the way nothing random is drawn: the order of the rows follows from the seed and the step alone.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import mlx.core as mx
from kit import checkpoints
from kit.training.best import Best
from mlx.utils import tree_flatten, tree_unflatten

WEIGHTS, OPTIMIZER, STATE = "weights.safetensors", "optimizer.safetensors", "state.json"


def save(folder: Path, step: int, model: Any, optimizer: Any, best: Best | None) -> None:
    """Write a checkpoint of the weights that are trained, the optimizer's state and what did best: all or nothing."""
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    mx.save_safetensors(str(draft / WEIGHTS), dict(tree_flatten(model.trainable_parameters())))
    mx.save_safetensors(str(draft / OPTIMIZER), dict(tree_flatten(optimizer.state)))
    (draft / STATE).write_text(json.dumps({"step": step}), encoding="utf-8")
    if best is not None:
        best.write(draft)
    shutil.rmtree(folder, ignore_errors=True)
    draft.replace(folder)


def restore(folder: Path | None, model: Any, optimizer: Any) -> int:
    """Put a checkpoint's state into a model and an optimizer; the steps that are done, 0 without a checkpoint.

    Refuses with ``checkpoint_unreadable`` when a part is damaged or belongs to another training, or is a pickle.
    """
    optimizer.init(model.trainable_parameters())
    if folder is None:
        return 0
    checkpoints.refuse_pickles(folder)
    trained = dict(tree_flatten(model.trainable_parameters()))
    kept = dict(tree_flatten(optimizer.state))
    weights, states = _arrays(folder / WEIGHTS, trained), _arrays(folder / OPTIMIZER, kept)
    try:
        step = int(json.loads((folder / STATE).read_text(encoding="utf-8"))["step"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        checkpoints.unreadable(STATE, str(error))
    model.load_weights(list(weights.items()), strict=False)
    optimizer.state = tree_unflatten(list(states.items()))
    return step


def _arrays(path: Path, expected: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a file, which must have the names and shapes of those that they replace."""
    try:
        found: dict[str, Any] = mx.load(str(path))
        mx.eval(found)
    except (OSError, RuntimeError, ValueError) as error:
        checkpoints.unreadable(path.name, str(error))
    shapes = [{name: array.shape for name, array in one.items()} for one in (found, expected)]
    if shapes[0] != shapes[1]:
        checkpoints.unreadable(path.name, "it belongs to a training with other parameters")
    return found
