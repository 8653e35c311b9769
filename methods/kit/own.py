"""What a method brings beside its script: checks in its folder `checks/`, listeners in its folder `listeners/`.

One file each, found by being there. A check's file has ``make(**parameters)``, as those of ``kit/checks``; a listener's
has ``on_event(event)``, which may return further values for a metric.
"""

import importlib.util
import math
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

Listener = Callable[[dict[str, Any]], dict[str, float] | None]


def folder() -> Path | None:
    """The folder of the method that runs; None where no script does."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(script).resolve().parent if script else None


def checks(place: Path | None = None) -> dict[str, Callable[..., Any]]:
    """The makers of the method's own checks by name."""
    return {name: module.make for name, module in _modules(place or folder(), "checks").items()}


class Listeners:
    """The method's own listeners; one that raises is named on stderr and not asked again."""

    def __init__(self, place: Path | None = None) -> None:
        self._asked: dict[str, Listener] = {
            name: module.on_event for name, module in _modules(place or folder(), "listeners").items()
        }

    def hear(self, event: dict[str, Any]) -> dict[str, float]:
        """Tell all of them of an event; the finite numbers that they gave for it."""
        found: dict[str, float] = {}
        for name, listener in list(self._asked.items()):
            try:
                given = listener(event) or {}
                found |= {str(key): float(value) for key, value in given.items()}
            except Exception as error:  # noqa: BLE001 — somebody's program, which must not end a training
                del self._asked[name]
                sys.stderr.write(f"listeners/{name}.py is left out: {type(error).__name__}: {error}\n")
        return {name: value for name, value in found.items() if math.isfinite(value)}


def _modules(place: Path | None, kind: str) -> dict[str, ModuleType]:
    paths = sorted((place / kind).glob("*.py")) if place is not None else []
    return {path.stem: _module(path) for path in paths if not path.stem.startswith("_")}


@cache
def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"own_{path.parent.name}_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
