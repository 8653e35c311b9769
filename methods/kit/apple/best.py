"""The weights that did best on held-out rows, for a model of mlx-lm."""

from typing import Any

import mlx.core as mx
from kit.training import best
from mlx.utils import tree_flatten


class Best(best.Best):
    """See `kit/training/best.py`; only reading and writing the weights differs."""

    def _read(self, model: Any) -> None:
        model.load_weights(str(self._folder / best.WEIGHTS), strict=False)

    def _keep(self, model: Any) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        new = self._folder / f"new-{best.WEIGHTS}"
        mx.save_safetensors(str(new), dict(tree_flatten(model.trainable_parameters())))
        new.replace(self._folder / best.WEIGHTS)
