"""What the process can be ordered to do: one function a step, each of which writes its results into the folder.

`tell(done, of)` takes the progress in bytes of the files. Raises FileUnfit, DatasetEmpty and other domain errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson

from control_plane.domain.errors import DatasetEmpty
from control_plane.domain.preparation import Order, Report, told
from control_plane.preparation import reading
from control_plane.preparation.comparing import Comparing
from control_plane.preparation.pipeline import Pipeline
from control_plane.preparation.saving import Aside, report, write_rows
from control_plane.preparation.tokens import Tokens

Tell = Callable[[int, int], None]


def look(order: Order, folder: Path, tell: Tell) -> None:
    """Find out what kind of file it is and what would be made of it: `look.json`."""
    found = reading.look(order.train, order.limits)
    (folder / "look.json").write_text(json.dumps(told(found), ensure_ascii=False), encoding="utf-8")


def check(order: Order, folder: Path, tell: Tell) -> None:
    """Read every record and judge it: `report.json`.

    Raises FormatUnknown where no mapping is given and none suggests itself.
    """
    with closing(Pipeline(order, folder, lambda *_: None)) as pipeline:
        pipeline.read(tell)
        _write(folder, report(pipeline, Comparing(pipeline).run()))


def save(order: Order, folder: Path, tell: Tell) -> None:
    """The same with the choices carried out: `report.json`, `train`, `test`, `left_out`, `marks`.

    Raises also DatasetEmpty where no row of a file is kept.
    """
    with closing(Aside(folder)) as aside, closing(Pipeline(order, folder, aside)) as pipeline:
        pipeline.read(tell)
        test = Comparing(pipeline).run()
        made = report(pipeline, test)
        for rows, source in ((made.train_rows, order.train), (made.test_rows, order.test)):
            if source and not rows:
                raise DatasetEmpty(file=source.name)
        write_rows(pipeline, folder, test, aside)
        _write(folder, made)


def see(order: Order, folder: Path, tell: Tell) -> None:
    """Show a row as the model with `order.tokenizer` sees it: `seen.json`.

    Raises TokenizerUnreadable, ChatTemplateFailed, ChatTemplateEndless.
    """
    seen = Tokens(Path(order.tokenizer), order.mapping.format if order.mapping else "").see(order.row)
    (folder / "seen.json").write_bytes(orjson.dumps(told(seen)))


def _write(folder: Path, made: Report) -> None:
    (folder / "report.json").write_bytes(orjson.dumps(told(made)))
