"""What a method reports while it runs: one JSON object a line in ``events.jsonl``, flushed at once."""

import json
import math
import time
from pathlib import Path
from typing import Any, NoReturn

from kit.own import Listeners


class Refusal(Exception):
    """The method cannot work on what it was given; ``code`` and ``params`` become a sentence for the reader."""

    def __init__(self, code: str, text: str, params: dict[str, Any]) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.params = params


def fail(code: str, text: str, **params: Any) -> NoReturn:
    """Refuse the input: ends the method with one error message and exit status 2 (see ``entry.run``).

    ``text`` is the English fallback; ``params`` are the values a translation needs (JSON types).
    """
    raise Refusal(code, text, params)


def check_loss(loss: float, step: int) -> None:
    """Refuse to go on with ``training_diverged`` when the loss is no longer a number."""
    if not math.isfinite(loss):
        text = f"The loss is no longer a number at step {step}; a lower learning rate helps."
        fail("training_diverged", text, step=step)


class Events:
    """Appends to ``events.jsonl`` in the output folder."""

    def __init__(self, out: Path) -> None:
        self._path = out / "events.jsonl"
        self._listeners = Listeners()

    def _append(self, kind: str, **fields: Any) -> None:
        event = {"kind": kind, "time": time.time(), **fields}
        heard = self._listeners.hear(event)
        if kind == "metric":
            event["values"] = {**heard, **event["values"]}
        line = json.dumps(event, ensure_ascii=False, allow_nan=False)
        # Opened for each line: another process of the method may append too, and no line waits in a buffer.
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def progress(self, step: int, steps: int, stage: str) -> None:
        """Report that ``step`` of ``steps`` of a named stage is done."""
        self._append("progress", step=step, steps=steps, stage=stage)

    def metric(self, step: int, values: dict[str, float]) -> None:
        """Report numbers at a step; a value that is not finite is left out, since JSON has no word for it."""
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        self._append("metric", step=step, values=finite)

    def checkpoint(self, step: int, path: str) -> None:
        """Report a complete checkpoint folder, relative to the output folder."""
        self._append("checkpoint", step=step, path=path)

    def message(self, level: str, code: str, text: str, **params: Any) -> None:
        """Report a sentence: ``level`` is info, warning or error; ``text`` is English."""
        self._append("message", level=level, code=code, params=params, text=text)
