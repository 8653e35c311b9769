"""What the process can be ordered to do: one function a step, each of which writes its results into the folder.

`tell(done, of)` takes the progress in bytes of the files. Raises FileUnfit, DatasetEmpty and other domain errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from control_plane.domain.preparation import Order, told
from control_plane.preparation import reading

Tell = Callable[[int, int], None]


def look(order: Order, folder: Path, tell: Tell) -> None:
    """Find out what kind of file it is and what would be made of it: `look.json`."""
    found = reading.look(order.train, order.limits)
    (folder / "look.json").write_text(json.dumps(told(found), ensure_ascii=False), encoding="utf-8")


def check(order: Order, folder: Path, tell: Tell) -> None:
    """Read every record and judge it: `report.json`."""
    raise NotImplementedError


def save(order: Order, folder: Path, tell: Tell) -> None:
    """The same with the choices carried out: `report.json`, `train`, `test`, `left_out`, `marks`."""
    raise NotImplementedError
