"""Checkpoints on their way: while the trainer goes on, the newest that it reported travels, for whoever resumes.

A checkpoint is set aside by hard links first, so that the trainer may delete its own while a slow link still sends it.
One is under way at a time; of those reported meanwhile only the newest follows. After a restart of the agent the newest
is offered again, and nothing travels that has arrived already.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agent import memory
from agent.attempts import artifacts
from agent.attempts.artifacts import OutputMissing, OutputUnreadable
from agent.context import Agent
from agent.link.calls import Faulty, Fenced, Gone, LinkClosed, Refused
from agent.storage.files import inside, is_plain, link_plain, open_plain
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)

_LONGEST_LINE = 64 << 10  # bytes; no report of a checkpoint comes near it
_HIGHEST_STEP = 10**12 - 1  # what the control plane takes


class Reported(NamedTuple):
    """What the trainer said: the step, and the folder relative to its output folder."""

    step: int
    path: str


class Checkpoints:
    """The checkpoints of one attempt. Called from the attempt's own thread only."""

    def __init__(self, agent: Agent, offer: pb.Offer, folder: Path) -> None:
        self._agent = agent
        self._offer = offer
        self._folder = folder
        self._position = 0  # bytes of events.jsonl that were looked at
        self._newest: Reported | None = None
        self._sender: threading.Thread | None = None
        self._dropped = threading.Event()

    def look(self) -> bool:
        """Send the newest checkpoint unless one is under way; whether one is."""
        self._newest = self._read() or self._newest
        if self._sender is not None and self._sender.is_alive():
            return True
        reported, self._newest = self._newest, None
        if reported is None or not self._set_aside(reported):
            return False
        name = f"checkpoint-{self._offer.attempt_id}-{reported.step}"
        self._sender = threading.Thread(target=self._send, args=(reported.step,), name=name, daemon=True)
        self._sender.start()
        return True

    def finish(self, tick: Callable[[], None]) -> None:
        """Return when the newest has arrived or was refused. `tick` is called meanwhile and may raise to interrupt."""
        while self.look():
            tick()
            assert self._sender is not None
            self._sender.join(self._agent.settings.tail_seconds)

    def drop(self) -> None:
        """Send no more: nobody will resume."""
        self._dropped.set()

    def _read(self) -> Reported | None:
        """The newest checkpoint in the lines of events.jsonl that are new."""
        events, found = self._folder / "out" / "events.jsonl", None
        if not is_plain(events) or events.stat().st_size <= self._position:
            return None
        with open_plain(events) as file:
            file.seek(self._position)
            for line in iter(lambda: file.readline(_LONGEST_LINE), b""):
                if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                    break
                self._position += len(line)
                found = _reported(line) or found
        return found

    def _set_aside(self, reported: Reported) -> bool:
        """Link its files to a folder that the trainer does not touch; False when that cannot be done."""
        aside = self._folder / "checkpoint"
        shutil.rmtree(aside, ignore_errors=True)
        try:
            inside(self._folder, reported.path)
            out = self._folder / "out"
            for name, path in artifacts.plain_files(out, reported.path):
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                link_plain(out, path.relative_to(out).as_posix(), aside / name)
        except (OSError, OutputUnreadable, ValueError) as problem:  # PathUnsafe, and names that are no text, among them
            log.warning("attempt %d: checkpoint %d is not sent: %s", self._offer.attempt_id, reported.step, problem)
            return False
        return True

    def _send(self, step: int) -> None:
        try:
            artifacts.upload(
                self._agent.link, self._offer, f"checkpoint:{step}", self._folder, "checkpoint", self._tick
            )
        except (_Dropped, Fenced, Gone, LinkClosed) as end:
            log.debug("attempt %d: checkpoint %d goes no further: %r", self._offer.attempt_id, step, end)
        except (Refused, Faulty, OutputMissing, OutputUnreadable, OSError) as problem:  # the training is worth more
            log.warning("attempt %d: checkpoint %d has not arrived: %s", self._offer.attempt_id, step, problem)
        finally:
            memory.give_back()

    def _tick(self) -> None:
        if self._dropped.is_set() or self._agent.stopping.is_set():
            raise _Dropped


class _Dropped(Exception):
    """Nobody wants the checkpoint any more."""


def _reported(line: bytes) -> Reported | None:
    if b'"checkpoint"' not in line:
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or event.get("kind") != "checkpoint":
        return None
    step, path = event.get("step"), event.get("path")
    if not isinstance(step, int) or not 0 <= step <= _HIGHEST_STEP or not isinstance(path, str):
        return None
    return Reported(step, path)
