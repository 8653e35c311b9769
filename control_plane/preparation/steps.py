"""What the process can be ordered to do: one function a step, each of which writes its results into the folder.

A step loads what it needs itself: a look takes neither numpy nor a tokenizer, which cost more time than it does.
`tell(done, of)` takes the progress in bytes of the files. Raises FileUnfit, DatasetEmpty and other domain errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from control_plane.domain.preparation import Order, told
from control_plane.preparation import reading

Tell = Callable[[int, int], None]


def look(order: Order, folder: Path, tell: Tell) -> None:
    """Find out what kind of file it is and what would be made of it: `look.json`."""
    found = reading.look(order.train, order.limits)
    found = replace(found, source=replace(found.source, path=""))  # a place of ours, which concerns nobody
    (folder / "look.json").write_text(json.dumps(told(found), ensure_ascii=False), encoding="utf-8")


def check(order: Order, folder: Path, tell: Tell) -> None:
    """Read every record and judge it: `report.json`.

    Raises FormatUnknown where no mapping is given and none suggests itself.
    """
    from control_plane.preparation import checking

    checking.check(order, folder, tell)


def save(order: Order, folder: Path, tell: Tell) -> None:
    """The same with the choices carried out: `report.json`, `train`, `test`, `left_out`, `marks`.

    Raises also DatasetEmpty where no row of a file is kept.
    """
    from control_plane.preparation import checking

    checking.save(order, folder, tell)


def edit(order: Order, folder: Path, tell: Tell) -> None:
    """Carry out the edits of the rows in `order.train` and `order.test`: `train`, `test`, `edited.json`.

    Raises RowsInvalid, DatasetEmpty, HeldOutLeak.
    """
    from control_plane.preparation import editing

    editing.edit(order, folder, tell)


def measure(order: Order, folder: Path, tell: Tell) -> None:
    """Count the tokens of the rows in `order.train`, which are in the mapping's format: `lengths.json`.

    Raises TokenizerUnreadable, ChatTemplateFailed.
    """
    import numpy as np

    from control_plane.preparation.facts import histogram
    from control_plane.preparation.tokens import Tokens

    tokens = Tokens(Path(order.tokenizer), order.mapping.format if order.mapping else "")
    with Path(order.train.path).open("rb") as file:
        rows = [json.loads(line) for line in file]
    lengths = np.array(tokens.count(rows), np.uint32)
    found = histogram(lengths, "tokens", order.context)
    (folder / "lengths.json").write_text(json.dumps(found), encoding="utf-8")


def see(order: Order, folder: Path, tell: Tell) -> None:
    """Show a row as the model with `order.tokenizer` sees it: `seen.json`.

    Raises TokenizerUnreadable, ChatTemplateFailed, ChatTemplateEndless.
    """
    from control_plane.preparation import examples
    from control_plane.preparation.tokens import Tokens

    tokens = Tokens(Path(order.tokenizer), order.mapping.format if order.mapping else "")
    seen = examples.seen(tokens, order.row, order.learn_from, order.context)
    (folder / "seen.json").write_text(json.dumps(told(seen), ensure_ascii=False), encoding="utf-8")
