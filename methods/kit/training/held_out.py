"""The loss on rows that are kept from learning, measured now and then on the way: does it learn, or learn by heart?"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from kit import datasets
from kit.job import Dataset

LOSS = "held_out_loss"
ACCURACY, MARGIN = "held_out_accuracy", "held_out_margin"  # of pairs: is the preferred answer ahead, and how far
SELDOM, TIMES = 10, 10  # at most every tenth step, and about ten times on the way

Sums = dict[str, tuple[float, float]]  # metric → (sum over what was measured, how much that was)


class HeldOut:
    """Held-out examples, and what measures a batch of them, every so many steps (0: about ten times on the way).

    Nothing random is drawn and the model's mode is put back, so the training's own numbers are the same without it.
    """

    def __init__(
        self, examples: list[Any], size: int, steps: int, measure: Callable[[list[Any]], Sums], every: int = 0
    ) -> None:
        self._batches = [examples[start : start + size] for start in range(0, len(examples), size)]
        self._every = every or max(SELDOM, -(-steps // TIMES))
        self._steps = steps
        self._measure = measure

    def is_due(self, step: int) -> bool:
        """Whether to measure after this step; 0 is the untrained model."""
        return bool(self._batches) and (step == self._steps or step % self._every == 0)

    def measured(self, model: Any) -> dict[str, float]:
        """Each metric's mean over all examples."""
        import torch

        learning = model.training
        model.eval()
        with torch.no_grad():
            means = self.means()
        model.train(learning)
        return means

    def means(self) -> dict[str, float]:
        """As ``measured``, for a model that is not torch's, or is prepared for it."""
        sums: defaultdict[str, float] = defaultdict(float)
        counts: defaultdict[str, float] = defaultdict(float)
        for batch in self._batches:
            for name, (total, count) in self._measure(batch).items():
                sums[name] += total
                counts[name] += count
        return {name: sums[name] / counts[name] for name in sums if counts[name]}


def examples(dataset: Dataset, tokenizer: Any, max_length: int, most: int) -> list[dict[str, list[int]]]:
    """The first held-out rows in tokens, at most `most`, without those that are longer than is learned from."""
    if dataset.test is None or most == 0:
        return []
    rows = datasets.read(dataset.test, dataset.format, "test")[:most]
    whole = datasets.tokenize(rows, tokenizer, max_length=10**9)
    return [one for one in whole if len(one["input_ids"]) <= max_length]
