"""The attempts that this machine holds: one thread each, from the offer to the last report.

Each step first writes down what it is about to be, so that after `kill -9` the next agent goes on where this one was:
OFFERED accepts again, PREPARING prepares again, RUNNING adopts the living runner or reads its exit record, UPLOADING
uploads what is missing.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from agent import memory
from agent.attempts import artifacts, trainer, workspace
from agent.attempts.artifacts import OutputMissing, OutputUnreadable
from agent.attempts.checkpoints import Checkpoints
from agent.attempts.masking import Mask, secrets_of
from agent.attempts.outbox import Outbox, last_lines
from agent.attempts.outcome import Failure, judge
from agent.clock import boot_id
from agent.context import Agent
from agent.environment import BuildFailed
from agent.link.calls import Fenced, Gone, LinkClosed, Refused
from agent.settings import inherited
from agent.storage import blobs
from agent.storage.blobs import DiskFull
from agent.storage.files import PathUnsafe
from agent.storage.state import AttemptRow
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Somebody asked for the attempt to end."""


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
        try:
            workspace.check(offer)
        except PathUnsafe as problem:
            params = json.dumps({"path": str(problem)})
            self._agent.link.ask(
                pb.DeclineRequest(attempt_id=offer.attempt_id, fence=offer.fence, reason="path_refused", params=params)
            )
            return
        if self._agent.store.add_attempt(offer.attempt_id, offer.fence, offer.SerializeToString()):
            row = self._agent.store.attempt(offer.attempt_id)
            assert row is not None
            self._begin(row)

    def cancel(self, attempt_id: int, fence: int) -> None:
        """Ask an attempt to end as CANCELLED; the request survives a restart of the agent."""
        attempt = self._find(attempt_id)
        if attempt is not None and attempt.row.fence == fence:
            self._agent.store.set_cancelled(attempt_id)
            attempt.cancelled.set()

    def follow(self, verdict: pb.AttemptVerdict) -> None:
        """Obey a verdict of the control plane: stop what somebody else has taken over."""
        attempt = self._find(verdict.attempt_id)
        if verdict.verdict == "stop" and attempt is not None:
            attempt.fenced.set()

    def held(self) -> list[pb.HeldAttempt]:
        """The attempts whose leases this machine wants."""
        return [
            pb.HeldAttempt(attempt_id=row.attempt_id, fence=row.fence, state=row.state)
            for row in self._agent.store.attempts()
        ]

    def _find(self, attempt_id: int) -> Attempt | None:
        with self._lock:
            return self._held.get(attempt_id)

    def _begin(self, row: AttemptRow) -> None:
        attempt = Attempt(self._agent, row, self.folder / str(row.attempt_id))
        with self._lock:
            older = self._held.get(row.attempt_id)
            self._held[row.attempt_id] = attempt
        if older is not None:
            older.fenced.set()
        threading.Thread(
            target=self._live, args=(attempt, older), name=f"attempt-{row.attempt_id}", daemon=True
        ).start()

    def _live(self, attempt: Attempt, older: Attempt | None) -> None:
        if older is not None:
            older.ended.wait()
        try:
            attempt.live()
        except LinkClosed:
            pass  # the agent ends; the runner lives on
        except Exception:  # the loop's top of this attempt: the others and the heartbeat must go on
            log.exception("attempt %d stopped on an error of the agent", attempt.row.attempt_id)
        finally:
            memory.give_back()
            attempt.ended.set()
            with self._lock:
                if self._held.get(attempt.row.attempt_id) is attempt:
                    del self._held[attempt.row.attempt_id]

    def _sweep(self, kept: set[str]) -> None:
        oldest = time.time() - self._agent.settings.keep_seconds
        for folder in self.folder.iterdir():
            if folder.name not in kept and folder.stat().st_mtime < oldest:
                trainer.reap(folder)
                shutil.rmtree(folder, ignore_errors=True)


class Attempt:
    """One attempt's thread of life."""

    def __init__(self, agent: Agent, row: AttemptRow, folder: Path) -> None:
        self._agent = agent
        self.row = row
        self.offer = pb.Offer.FromString(row.offer)
        self.folder = folder
        self.cancelled = threading.Event()
        self.fenced = threading.Event()
        self.ended = threading.Event()
        mask = Mask(secrets_of(inherited(), str(agent.settings.data / "machine.key")))
        self._outbox = Outbox(agent.link, agent.store, self.offer, folder, mask)
        self._checkpoints = Checkpoints(agent, self.offer, folder)
        if row.cancelled:
            self.cancelled.set()

    def live(self) -> None:
        """From where the store says it is to its end."""
        steps: dict[str, Callable[[], None]] = {
            "OFFERED": self._accept,
            "PREPARING": self._prepare,
            "RUNNING": self._watch,
            "UPLOADING": self._upload,
        }
        try:
            self._outbox.send_reports()
            while step := steps.get(self._state()):
                self._step(step)
            self._settle()
        except (Fenced, Gone) as refusal:
            self._abandon(str(refusal))
        except _TakenOver:
            self._abandon("somebody else has it")

    def _state(self) -> str:
        row = self._agent.store.attempt(self.row.attempt_id)
        return row.state if row is not None else ""

    def _step(self, step: Callable[[], None]) -> None:
        """One step; whatever ends the attempt badly is reported as its reason."""
        try:
            step()
        except Cancelled:
            self._checkpoints.drop()
            self._stop_trainer()
            self._end("CANCELLED", Failure(""))
        except Failure as failure:
            self._end("FAILED", failure)
        except DiskFull as problem:
            self._end("FAILED", Failure("disk_full", problem.params))
        except (Fenced, Gone):
            raise
        except Refused as refusal:
            self._stop_trainer()
            self._end("FAILED", Failure(refusal.code, refusal.params))

    # ---- the steps

    def _accept(self) -> None:
        request = pb.AcceptRequest(attempt_id=self.row.attempt_id, fence=self.row.fence)
        try:
            self._agent.link.ask(request)
        except Refused as refusal:  # withdrawn, expired or given to another machine: nothing has begun
            log.info("offer %d: %s", self.row.attempt_id, refusal)
            self._agent.store.forget_attempt(self.row.attempt_id)
            return
        self._outbox.report("PREPARING", stage="blobs")

    def _prepare(self) -> None:
        (self.folder / "log").mkdir(parents=True, exist_ok=True)
        blobs.fetch(self._agent.link, self._agent.cache, workspace.files(self.offer), self._tick)
        if not trainer.has_begun(self.folder):  # else the agent died between starting the runner and saying so
            workspace.lay_out(self.folder, self.offer, self._agent.cache, workspace.threads_of(self.offer))
        self._outbox.report("PREPARING", stage="environment")
        build_log = self.folder / "log" / "agent"
        try:
            environment = self._agent.environments.ensure(
                self.offer.requirements, self.offer.environment_lock, build_log, self._tick
            )
        except BuildFailed as problem:
            raise Failure("environment_failed", {"lines": last_lines(build_log) or str(problem)}) from problem
        self._tick()
        self._agent.store.set_boot(self.row.attempt_id, boot_id())
        trainer.start(self.folder, self.offer, environment.python, self._agent.settings)
        self._outbox.report("RUNNING", lock=environment.lock)

    def _watch(self) -> None:
        """Tail a runner, this agent's or an adopted one, to its end; before a bad one the last checkpoint is sent."""
        failure = self._follow()
        if failure is not None:
            self._checkpoints.finish(self._tick)
            raise failure
        self._checkpoints.drop()
        self._outbox.report("UPLOADING")

    def _follow(self) -> Failure | None:
        """Until there is an exit record or nobody to write one; None for a good end. Raises Cancelled."""
        vanished_looks = 0
        while (end := trainer.exit_record(self.folder)) is None:
            self._tick()
            self._checkpoints.look()
            # a runner that was just started needs a moment until it holds its lock
            vanished_looks = 0 if trainer.is_running(self.folder) else vanished_looks + 1
            if vanished_looks * self._agent.settings.tail_seconds > 2 and trainer.exit_record(self.folder) is None:
                return self._vanished()
            self._agent.stopping.wait(self._agent.settings.tail_seconds)
        self._tell()
        if self.cancelled.is_set():
            raise Cancelled
        return judge(self.folder, end)

    def _upload(self) -> None:
        for output in self.offer.outputs:
            try:
                files = artifacts.upload(
                    self._agent.link, self.offer, output.name, self.folder / "out", output.path, self._tick
                )
            except OutputMissing as problem:
                raise Failure("output_missing", {"output": output.name}) from problem
            except OutputUnreadable as problem:
                params = {"output": output.name, "problem": str(problem)}
                raise Failure("output_unreadable", params) from problem
            for path, sha256 in files:  # the next job on this machine may read them
                self._agent.cache.adopt(path, sha256)
        self._tell()
        self._outbox.seal_logs()
        self._outbox.report("SUCCEEDED")

    # ---- the ends

    def _end(self, state: str, failure: Failure) -> None:
        """Tell everything there is, seal it, and report the end."""
        self._tell()
        self._outbox.seal_logs()
        self._outbox.report(state, reason=failure.code, params=json.dumps(failure.params))

    def _settle(self) -> None:
        """All is told and acknowledged: the folder goes, then the memory of it; an offer not taken has neither."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._agent.store.forget_attempt(self.row.attempt_id)

    def _abandon(self, why: str) -> None:
        """Somebody else has the attempt: stop the trainer, keep the spool for a while."""
        log.warning("attempt %d is given up: %s", self.row.attempt_id, why)
        self._checkpoints.drop()
        self._stop_trainer()
        self._agent.store.forget_attempt(self.row.attempt_id)

    def _vanished(self) -> Failure:
        row = self._agent.store.attempt(self.row.attempt_id)
        if row is not None and row.boot_id != boot_id():
            return Failure("agent_restarted")
        trainer.reap(self.folder)
        return Failure("runner_vanished")

    def _stop_trainer(self) -> None:
        """Ask the trainer to end and wait for it, telling its last words as they come."""
        trainer.ask_to_end(self.folder)
        while trainer.is_running(self.folder) and not self._agent.stopping.wait(self._agent.settings.tail_seconds):
            pass
        if self._agent.stopping.is_set():
            raise LinkClosed
        trainer.reap(self.folder)

    # ---- in between

    def _tick(self) -> None:
        """Tell what is new; let go when the attempt or the agent is to end."""
        if self._agent.stopping.is_set():
            raise LinkClosed
        if self.fenced.is_set():
            raise _TakenOver
        if self.cancelled.is_set():
            raise Cancelled
        self._tell()

    def _tell(self) -> None:
        self._outbox.send_events()
        self._outbox.send_logs()


class _TakenOver(Exception):
    """The control plane's verdict was to stop."""
