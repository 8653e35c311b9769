"""How long a version's rows are in tokens of a model: of a large version, rows from all over it are counted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.domain.preparation import Mapping, Step
from control_plane.services import tokenizers
from control_plane.services.datasets import at_once, row_index, versions
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.models import ModelRecord

_PLACES = 64  # all over the version
_ROWS = 16  # from each of them on
_BYTES = 32 << 20  # of all rows that are counted
_KEPT = 64  # results, each a kilobyte


@dataclass(frozen=True)
class Measured:
    """Lengths in tokens of this model, as `Report.facts` has a histogram; so many of the training rows were counted."""

    model: ModelRecord
    histogram: dict[str, Any]

    @property
    def counted(self) -> int:
        return sum(self.histogram["counts"])


def of_version(actor: Actor, cp: ControlPlane, version_id: int, model_id: int = 0) -> Measured:
    """The lengths of a version's training rows; without a model by the one that suggests itself.

    Raises NotFound, Denied, InTrash, ModelNeeded, and as `at_once.answer` does.
    """
    version = versions.get_version(actor, cp, version_id)
    dataset, _ = versions.of_version(actor, cp, version_id)
    model = tokenizers.chosen(actor, cp, dataset.project_id, model_id)
    known = _known(version, model)
    if known is None:
        order = at_once.order(
            cp, Step.MEASURE, model, mapping=Mapping(version.format), context=tokenizers.context(model)
        )
        known = at_once.answer(cp, model, order, "lengths.json", _some(cp, version))
        _remember(version, model, known)
    return Measured(model, known)


def _some(cp: ControlPlane, version: DatasetVersionRecord) -> Iterator[bytes]:
    """Rows from all over the version: all of them where they are few."""
    rows, room, last = version.train_rows, _BYTES, 0
    places = min(_PLACES, -(-rows // _ROWS))
    for place in range(places):
        first = max(last, place * rows // places)
        for number, line in enumerate(row_index.lines(cp, version.train_sha256, first, _ROWS), first + 1):
            last, room = number, room - len(line)
            if room < 0 and number > 1:
                return
            yield line


# what was counted once stays true: both are named by their content
_results: OrderedDict[tuple[str, str, int], dict[str, Any]] = OrderedDict()
_lock = threading.Lock()


def _known(version: DatasetVersionRecord, model: ModelRecord) -> dict[str, Any] | None:
    with _lock:
        return _results.get((version.hash, model.hash, tokenizers.context(model)))


def _remember(version: DatasetVersionRecord, model: ModelRecord, result: dict[str, Any]) -> None:
    with _lock:
        _results[version.hash, model.hash, tokenizers.context(model)] = result
        if len(_results) > _KEPT:
            _results.popitem(last=False)
