"""A whole model that mlx-lm has learned, in the names of its base's files: what loads the base loads it."""

import shutil
from pathlib import Path
from typing import Any

import mlx.core as mx
from kit import models
from kit.apple.models import Loaded
from mlx.utils import tree_flatten

_KEPT = (".json", ".jinja", ".txt", ".model")  # configuration and tokenizer


def save(loaded: Loaded, base: Path, folder: Path, facts: dict[str, Any], method: str) -> None:
    """Write the model in its base's number format, with what lies beside the base's weights, and its ``model.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = facts.get("dtype") or "float32"
    learned = tree_flatten(loaded.model.parameters())
    weights = {loaded.origin[name]: weight.astype(getattr(mx, stored)) for name, weight in learned}
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "pt"})
    for path in base.iterdir():
        if path.suffix in _KEPT and path.name not in ("model.json", "model.safetensors.index.json"):
            shutil.copyfile(path, folder / path.name)
    source = {"kind": "method", "reference": method, "sha256": None}
    models.write_card(folder, facts, form="merged", dtype=stored, source=source)
