"""The attempts that this machine holds: one thread each (`attempt.py`), from the offer to the last report."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

from agent import approval, memory
from agent.attempts import trainer, workspace
from agent.attempts.attempt import Attempt
from agent.attempts.faults import blame
from agent.context import Agent
from agent.link.calls import LinkClosed
from agent.storage.files import PathUnsafe
from agent.storage.state import AttemptRow, Unwritable
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)


class Attempts:
    """Starts, finds and ends attempts. All methods may be called from any thread."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._held: dict[int, Attempt] = {}
        self._lock = threading.Lock()
        self.folder = agent.settings.data / "attempts"
        self.folder.mkdir(parents=True, exist_ok=True)

    def resume(self) -> None:
        """Take up what an earlier agent left, and delete the folders that nobody needs any more."""
        rows = self._agent.store.attempts()
        self._sweep({str(row.attempt_id) for row in rows})
        for row in rows:
            self._begin(row)

    def offer(self, offer: pb.Offer) -> None:
        """Take an offer up; one that is held already is left alone."""
        if not approval.is_approved(offer, self._agent.settings.approved_methods):
            self._decline(offer, "method_unapproved", {"method": offer.method, "hash": offer.method_hash[:12]})
            return
        try:
            workspace.check(offer)
            added = self._agent.store.add_attempt(offer.attempt_id, offer.fence, offer.SerializeToString())
        except PathUnsafe as problem:
            self._decline(offer, "path_refused", {"path": str(problem)})
            return
        except Unwritable as problem:  # what cannot be written down is not taken up
            reason = blame(problem, self.folder)
            self._decline(offer, reason.code, reason.params)
            return
        if added:
            row = self._agent.store.attempt(offer.attempt_id)
            assert row is not None
            self._begin(row)

    def cancel(self, attempt_id: int, fence: int) -> None:
        """Ask an attempt to end as CANCELLED; the request survives a restart of the agent."""
        attempt = self._find(attempt_id)
        if attempt is not None and attempt.row.fence == fence:
            attempt.cancelled.set()
            self._agent.store.set_cancelled(attempt_id)

    def follow(self, verdict: pb.AttemptVerdict) -> None:
        """Obey a verdict of the control plane: stop what somebody else has taken over."""
        attempt = self._find(verdict.attempt_id)
        if verdict.verdict == "stop" and attempt is not None:
            attempt.fenced.set()

    def held(self) -> list[pb.HeldAttempt]:
        """The attempts whose leases this machine wants: those that a thread brings to an end."""
        with self._lock:
            held = {number for number, attempt in self._held.items() if attempt.is_held()}
        return [
            pb.HeldAttempt(attempt_id=row.attempt_id, fence=row.fence, state=row.state)
            for row in self._agent.store.attempts()
            if row.attempt_id in held
        ]

    def _decline(self, offer: pb.Offer, reason: str, params: dict[str, Any]) -> None:
        request = pb.DeclineRequest(
            attempt_id=offer.attempt_id, fence=offer.fence, reason=reason, params=json.dumps(params)
        )
        self._agent.link.ask(request)

    def _find(self, attempt_id: int) -> Attempt | None:
        """The attempt; one that was written down and that nobody brings to an end begins to live again."""
        with self._lock:
            attempt = self._held.get(attempt_id)
        if attempt is None and (row := self._agent.store.attempt(attempt_id)) is not None:
            attempt = self._begin(row)
        return attempt

    def _begin(self, row: AttemptRow) -> Attempt:
        attempt = Attempt(self._agent, row, self.folder / str(row.attempt_id))
        with self._lock:
            older = self._held.get(row.attempt_id)
            self._held[row.attempt_id] = attempt
        if older is not None:
            older.fenced.set()
        thread = threading.Thread(
            target=self._live, args=(attempt, older), name=f"attempt-{row.attempt_id}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as problem:  # this machine has no thread to give: nobody holds it, whoever asks tries again
            log.error("attempt %d cannot begin: %s", row.attempt_id, problem)
            self._let_go(attempt)
        return attempt

    def _live(self, attempt: Attempt, older: Attempt | None) -> None:
        if older is not None:
            older.ended.wait()
        try:
            attempt.live()
        except LinkClosed:
            pass  # the agent ends; the runner lives on
        except Exception:  # the thread's top: it is held no longer, so its lease ends and the job goes elsewhere
            log.exception("attempt %d stopped on an error of the agent", attempt.row.attempt_id)
        finally:
            memory.give_back()
            self._let_go(attempt)

    def _let_go(self, attempt: Attempt) -> None:
        attempt.ended.set()
        with self._lock:
            if self._held.get(attempt.row.attempt_id) is attempt:
                del self._held[attempt.row.attempt_id]

    def _sweep(self, kept: set[str]) -> None:
        oldest = time.time() - self._agent.settings.keep_seconds
        for folder in self.folder.iterdir():
            if folder.name not in kept and folder.stat().st_mtime < oldest:
                trainer.reap(folder)
                self._agent.cache.clear(folder)
