"""The process: `python -P -m control_plane.connectors FOLDER` does the errand in `FOLDER/order.json` with a connector.

The secrets come as one JSON object on the standard input, so that they are in no file, argument or environment.
Progress and exit status are those of `control_plane.preparation`. Of a description `described.json` lies in the folder
then; of a fetch `fetched.json`, and unless nothing has changed the file as `content`.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from types import TracebackType

from control_plane import apart
from control_plane.connectors.sink import File
from control_plane.domain.connectors import GROUP, Connector, Doing, Errand, Wanted
from control_plane.domain.errors import ConnectorUnknown, SourceTooLarge, SourceTooSlow
from control_plane.domain.masking import masked
from control_plane.domain.preparation import read, told

CONTENT, FETCHED, DESCRIBED = "content", "fetched.json", "described.json"


def main(folder: Path) -> int:
    """Do the folder's errand; the exit status."""
    errand = read(Errand, json.loads((folder / "order.json").read_bytes()))
    secrets: dict[str, str] = json.loads(sys.stdin.read() or "{}")
    sys.excepthook = _complaining(list(secrets.values()))
    bounds = errand.bounds
    apart.bound(bounds.memory_bytes, bounds.seconds, SourceTooSlow(allowed=bounds.seconds))
    wanted = Wanted(errand.parameters, secrets, errand.opened, bounds, errand.mark)

    def work() -> None:
        connector = _connector(errand.connector)
        _WORK[errand.doing](connector, wanted, folder)

    too_demanding = SourceTooLarge(limit=bounds.memory_bytes)
    return apart.carried_out(folder, work, too_demanding, list(secrets.values()))


def _connector(name: str) -> Connector:
    found = entry_points(group=GROUP, name=name)
    if not found:
        known = sorted(entry_points(group=GROUP).names)
        raise ConnectorUnknown(connector=name, known=known)
    connector: Connector = next(iter(found)).load()
    return connector


def _describe(connector: Connector, wanted: Wanted, folder: Path) -> None:
    _write(folder / DESCRIBED, told(connector.describe(wanted)))


def _fetch(connector: Connector, wanted: Wanted, folder: Path) -> None:
    with File(folder / CONTENT, wanted.bounds.bytes, apart.Reports()) as file:
        fetched = connector.fetch(wanted, file)
    _write(folder / FETCHED, told(fetched))


_WORK: dict[Doing, Callable[[Connector, Wanted, Path], None]] = {Doing.DESCRIBE: _describe, Doing.FETCH: _fetch}


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _complaining(secrets: list[str]) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Says what nobody foresaw, as Python does, without the secrets that a library may have put into it."""

    def complain(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(masked("".join(traceback.format_exception(kind, problem, trace)), secrets))

    return complain


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
