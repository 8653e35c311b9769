"""Checkpoints that may travel: optimizer, scheduler and random state as safetensors and JSON instead of pickles.

Trainers write these with ``torch.save``. ``seal`` rewrites what this process has just saved; ``restore`` turns a
sealed checkpoint, perhaps from another machine, back into what the trainer reads. Only files that this machine wrote
itself are ever unpickled, and those with ``weights_only``.
"""

import json
import shutil
from pathlib import Path
from typing import Any, NoReturn

from kit.events import fail
from kit.models import PICKLES

_MARK = "$"  # a JSON object with this key stands for something that JSON has no word for


def seal(folder: Path, target: Path) -> None:
    """Replace each pickled state in a trainer's checkpoint by safetensors + JSON and move it to ``target`` at once.

    The trainer's arguments (``training_args.bin``) are dropped: a job pins them itself.
    """
    import torch
    from safetensors.torch import save_file
    from transformers.trainer_pt_utils import safe_globals

    (folder / "training_args.bin").unlink(missing_ok=True)
    for path in [path for path in folder.iterdir() if path.suffix in PICKLES]:
        tensors: dict[str, Any] = {}
        with safe_globals():
            tree = pack(torch.load(path, map_location="cpu", weights_only=True), tensors)
        save_file(tensors, folder / f"{path.name}.safetensors")
        (folder / f"{path.name}.json").write_text(json.dumps(tree), encoding="utf-8")
        path.unlink()
    shutil.rmtree(target, ignore_errors=True)
    folder.replace(target)


def keep_newest(folder: Path, count: int) -> None:
    """Delete all but the newest checkpoints in a folder of checkpoints named by their step."""
    steps = sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())
    for step in steps[:-count]:
        shutil.rmtree(folder / str(step))


def restore(sealed: Path, target: Path) -> Path:
    """Copy a sealed checkpoint to ``target`` and write the trainer's own files there; returns ``target``.

    Refuses with ``checkpoint_unreadable`` when a state is damaged, or when the checkpoint holds a pickle.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    refuse_pickles(sealed)
    shutil.copytree(sealed, target)
    for path in sorted(target.glob("*.safetensors")):
        tree = path.with_suffix(".json")
        if path.with_suffix("").suffix not in PICKLES:
            continue
        try:
            state = unpack(json.loads(tree.read_text(encoding="utf-8")), load_file(path))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            unreadable(path.name, str(error))
        torch.save(state, path.with_suffix(""))
        path.unlink()
        tree.unlink()
    return target


def refuse_pickles(sealed: Path) -> None:
    """Refuse a checkpoint that holds a pickle with ``checkpoint_unreadable``."""
    pickles = sorted(path.name for path in sealed.iterdir() if path.suffix in PICKLES)
    if pickles:
        unreadable(pickles[0], "it can run code (pickle)")


def unreadable(file: str, reason: str) -> NoReturn:
    """Refuse a checkpoint with ``checkpoint_unreadable``."""
    text = f"The checkpoint's {file} cannot be used: {reason}"
    fail("checkpoint_unreadable", text, file=file, reason=reason)


def pack(value: Any, tensors: dict[str, Any]) -> Any:
    """Turn nested dicts, lists, tuples, numbers, text, arrays and tensors into JSON values.

    Tensors go into ``tensors`` under running numbers. Raises TypeError for anything else.
    """
    import numpy
    import torch

    if isinstance(value, torch.Tensor | numpy.ndarray):
        name = str(len(tensors))
        tensors[name] = torch.as_tensor(value).clone().contiguous()  # clone: two names must not share memory
        return {_MARK: "tensor" if isinstance(value, torch.Tensor) else "array", "name": name}
    if isinstance(value, dict):
        return {_MARK: "dict", "items": [[pack(key, tensors), pack(item, tensors)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {_MARK: "tuple", "items": [pack(item, tensors) for item in value]}
    if isinstance(value, list):
        return [pack(item, tensors) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint cannot hold a {type(value).__name__}")


def unpack(tree: Any, tensors: dict[str, Any]) -> Any:
    """The inverse of ``pack``; raises KeyError or ValueError on a tree that ``pack`` did not write."""
    if isinstance(tree, list):
        return [unpack(item, tensors) for item in tree]
    if not isinstance(tree, dict):
        return tree
    kind = tree[_MARK]
    if kind == "tensor":
        return tensors[tree["name"]]
    if kind == "array":
        return tensors[tree["name"]].numpy()
    if kind == "tuple":
        return tuple(unpack(item, tensors) for item in tree["items"])
    if kind == "dict":
        return {unpack(key, tensors): unpack(item, tensors) for key, item in tree["items"]}
    raise ValueError(f"unknown mark {kind}")
