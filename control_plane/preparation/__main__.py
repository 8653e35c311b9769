"""The process: `python -P -m control_plane.preparation FOLDER` carries out the order in `FOLDER/order.json`.

Its progress is one JSON object a line on stdout, {"done", "of"} in bytes. Exit status 0: the step's results lie in the
folder. 2: `failure.json` there says why not, as code and parameters of a domain error. Any other: a fault of ours.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from control_plane import apart
from control_plane.domain.errors import FileTooDemanding, FileTooSlow
from control_plane.domain.preparation import Order, Step, read
from control_plane.preparation import steps

_AT_MOST = 0.0005  # seconds that one thread keeps another from beginning its next bit of numpy
_STEPS = {
    Step.LOOK: steps.look,
    Step.CHECK: steps.check,
    Step.SAVE: steps.save,
    Step.EDIT: steps.edit,
    Step.MEASURE: steps.measure,
    Step.SEE: steps.see,
}


def main(folder: Path) -> int:
    """Carry out the folder's order; the exit status."""
    order = read(Order, json.loads((folder / "order.json").read_bytes()))
    sys.setswitchinterval(_AT_MOST)
    tempfile.tempdir = str(folder)  # what is unpacked goes when the folder goes
    file, limits = order.train.name, order.limits
    apart.bound(limits.memory_bytes, limits.seconds, FileTooSlow(file=file, allowed=limits.seconds))
    too_demanding = FileTooDemanding(file=file, limit=limits.memory_bytes)
    return apart.carried_out(folder, lambda: _STEPS[order.step](order, folder, apart.Reports()), too_demanding)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
