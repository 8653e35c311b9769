"""The steps that judge every row: a check says what it found, a save carries out what was chosen about it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson

from control_plane.domain.errors import DatasetEmpty
from control_plane.domain.preparation import Order, Report, told
from control_plane.preparation.comparing import Comparing
from control_plane.preparation.pipeline import Pipeline
from control_plane.preparation.saving import Aside, report, write_rows

Tell = Callable[[int, int], None]


def check(order: Order, folder: Path, tell: Tell) -> None:
    """As `steps.check`."""
    with closing(Pipeline(order, folder, lambda *_: None)) as pipeline:
        pipeline.read(tell)
        _write(folder, report(pipeline, Comparing(pipeline).run()))


def save(order: Order, folder: Path, tell: Tell) -> None:
    """As `steps.save`."""
    with closing(Aside(folder)) as aside, closing(Pipeline(order, folder, aside)) as pipeline:
        pipeline.read(tell)
        test = Comparing(pipeline).run()
        made = report(pipeline, test)
        for rows, source in ((made.train_rows, order.train), (made.test_rows, order.test)):
            if source and not rows:
                raise DatasetEmpty(file=source.name)
        write_rows(pipeline, folder, test, aside)
        _write(folder, made)


def _write(folder: Path, made: Report) -> None:
    (folder / "report.json").write_bytes(orjson.dumps(told(made)))
