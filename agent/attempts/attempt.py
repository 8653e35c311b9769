"""One attempt's thread of life, from the offer to the last report.

Each step first writes down what it is about to be, so that after `kill -9` the next agent goes on where this one was:
OFFERED accepts again, PREPARING prepares again, RUNNING adopts the living runner or reads its exit record, UPLOADING
uploads what is missing.

What goes wrong and was foreseen has its reason. What nobody foresaw is tried again after growing waits, and then ends
the attempt with a reason as well (`faults.py`): no attempt is held that nobody brings to an end.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from agent.attempts import artifacts, trainer, workspace
from agent.attempts.artifacts import OutputMissing, OutputUnreadable
from agent.attempts.checkpoints import Checkpoints
from agent.attempts.faults import END, OVER, Cancelled, Ending, Faults, blame, foreseen
from agent.attempts.masking import Mask, secrets_of
from agent.attempts.outbox import NoPlainFile, Outbox, last_lines
from agent.attempts.outcome import Failure, judge
from agent.build import BuildFailed
from agent.clock import boot_id
from agent.context import Agent
from agent.link.calls import Fenced, Gone, LinkClosed, Refused
from agent.settings import inherited
from agent.storage import blobs
from agent.storage.state import AttemptRow
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)

_ENDS = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})  # written down: what is left is tried for ever
_CLEARINGS = 5  # a runner that finds no spec leaves its lock in the folder, perhaps just now
_UNREADABLE = {"problem": "The offer that was kept in state.db cannot be read."}


class Attempt:
    """One attempt. `cancelled` and `fenced` are set from other threads, `ended` when its thread has ended."""

    def __init__(self, agent: Agent, row: AttemptRow, folder: Path) -> None:
        self._agent = agent
        self.row = row
        offer = workspace.kept(row.offer, row.attempt_id, row.fence)
        self.offer = offer or pb.Offer(attempt_id=row.attempt_id, fence=row.fence)
        self.folder = folder
        self.cancelled = threading.Event()
        self.fenced = threading.Event()
        self.ended = threading.Event()
        self._mask = Mask(secrets_of(inherited(), str(agent.settings.data / "machine.key")))
        self._outbox = Outbox(agent.link, agent.store, self.offer, folder, self._mask, self._let_go)
        self._checkpoints = Checkpoints(agent, self.offer, folder)
        self._faults = Faults(agent.settings, agent.store, row)
        # decided; what is left is to tell it
        self._ending: Ending | None = None if offer else Ending("FAILED", Failure("agent_error", _UNREADABLE))
        self._told = False  # the control plane knows the end
        self._given_up = ""  # why: somebody else has the attempt
        self._over = False
        self._peak_bytes = 0  # of memory, once the trainer has ended
        self._last_state = row.state  # as the store last said: it may be the store that fails
        if row.cancelled:
            self.cancelled.set()

    def live(self) -> None:
        """From where the store says it is to its end. Raises LinkClosed when the agent ends before."""
        while not self._over:
            try:
                self._advance()
            except LinkClosed:
                raise
            except (Fenced, Gone, _TakenOver) as why:
                self._given_up = str(why)
            except Exception as problem:  # noqa: BLE001 — the top of an attempt's life: whatever was raised, it comes to an end
                self._meet(problem)

    def is_held(self) -> bool:
        """Whether its lease is wanted: the control plane does not know its end yet."""
        return not (self._told or self._given_up)

    def _advance(self) -> None:
        self._let_go()
        if self._given_up:
            self._abandon()
        elif self._ending is not None and not self._told:
            self._tell_end(self._ending)
        else:
            self._outbox.send_reports()
            steps: dict[str, Callable[[], None]] = {
                "OFFERED": self._accept,
                "PREPARING": self._prepare,
                "RUNNING": self._watch,
                "UPLOADING": self._upload,
            }
            steps.get("" if self._told else self._state(), self._settle)()

    def _meet(self, problem: Exception) -> None:
        """What was foreseen ends the attempt; anything else is tried again, and then does so too."""
        if self._ending is None and (ending := foreseen(problem)):
            self._ending = ending
            return
        where = OVER if self._told or self._given_up else END if self._ending else self._last_state
        self._faults.count(where)
        log.warning("attempt %d: a fault in %s", self.row.attempt_id, where, exc_info=problem)
        if self._faults.exhausted(where) and self._ending is None and where not in _ENDS:
            self._ending = Ending("FAILED", blame(problem, self._agent.settings.data, self._mask))
            return
        if self._faults.exhausted(where) and isinstance(problem, Refused):  # it would refuse the end for ever
            self._given_up = str(problem)
        self._rest(self._faults.wait())

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._is_called_off():
            if self._agent.stopping.wait(self._agent.settings.tail_seconds):
                raise LinkClosed

    def _state(self) -> str:
        row = self._agent.store.attempt(self.row.attempt_id)
        self._last_state = row.state if row is not None else ""
        return self._last_state

    # ---- the steps

    def _accept(self) -> None:
        request = pb.AcceptRequest(attempt_id=self.row.attempt_id, fence=self.row.fence)
        try:
            self._agent.link.ask(request, tick=self._let_go)
        except Refused as refusal:  # withdrawn, expired or given to another machine: nothing has begun
            log.info("offer %d: %s", self.row.attempt_id, refusal)
            self._agent.store.forget_attempt(self.row.attempt_id)
            return
        self._outbox.report("PREPARING", stage="blobs")

    def _prepare(self) -> None:
        (self.folder / "log").mkdir(parents=True, exist_ok=True)
        blobs.fetch(self._agent.link, self._agent.cache, workspace.files(self.offer), self._let_go)
        if not trainer.has_begun(self.folder):  # else the agent died between starting the runner and saying so
            workspace.lay_out(self.folder, self.offer, self._agent.cache, workspace.threads_of(self.offer))
        self._outbox.report("PREPARING", stage="environment")
        build_log = self.folder / "log" / "agent"
        try:
            environment = self._agent.environments.ensure(
                self.offer.requirements, self.offer.environment_lock, build_log, self._tick
            )
        except BuildFailed as problem:
            lines = last_lines(build_log) or str(problem)
            if os.strerror(errno.ENOSPC) in lines:  # as pip says it: there may be room at the next try
                raise OSError(errno.ENOSPC, "the environment cannot be built") from problem
            raise Failure("environment_failed", {"lines": lines}) from problem
        self._tick()
        self._agent.store.set_boot(self.row.attempt_id, boot_id())
        trainer.start(self.folder, self.offer, environment.python, self._agent)
        self._outbox.report("RUNNING", lock=environment.lock)

    def _watch(self) -> None:
        """Tail a runner, this agent's or an adopted one, to its end; before a bad one the last checkpoint is sent."""
        failure = self._follow()
        if failure is not None:
            self._checkpoints.finish(self._tick)
            raise failure
        self._checkpoints.drop()
        self._outbox.report("UPLOADING", peak_bytes=self._peak_bytes)

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
            self._faults.calm()
            self._agent.stopping.wait(self._agent.settings.tail_seconds)
        self._peak_bytes = end.peak_bytes
        self._tell()
        if self.cancelled.is_set():
            raise Cancelled
        return judge(self.folder, end)

    def _upload(self) -> None:
        for output in self.offer.outputs:
            try:
                files = artifacts.upload(
                    self._agent.link, self.offer, output.name, self.folder / "out", output.path, self._let_go
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

    def _tell_end(self, ending: Ending) -> None:
        """Stop the trainer, tell and seal all there is, as far as that can be done, and report the end."""
        self._stop_trainer()
        hopeless = self._faults.exhausted(END)
        if not hopeless:
            with suppress(Cancelled):
                self._unless_cancelled()
                self._checkpoints.finish(self._unless_cancelled)
            self._checkpoints.drop()
            for tell in (self._outbox.send_events, self._outbox.send_logs, self._outbox.seal_logs):
                with suppress(NoPlainFile):
                    tell()
        if ending.failure.code == "disk_full":
            shutil.rmtree(self.folder / "out", ignore_errors=True)  # room for the report of it
        try:
            self._report_end(ending)
        except OSError:
            if not hopeless:
                raise
            self._outbox.report_unwritten(ending.state, ending.failure.code, json.dumps(ending.failure.params))
        self._told = True

    def _report_end(self, ending: Ending) -> None:
        if self._state() == ending.state and self._agent.store.reports(self.row.attempt_id):
            self._outbox.send_reports()  # written down at an earlier try
        else:
            params = json.dumps(ending.failure.params)
            self._outbox.report(ending.state, reason=ending.failure.code, params=params)

    def _settle(self) -> None:
        """All is told and acknowledged: the folder goes, then the memory of it; an offer not taken has neither."""
        for _ in range(_CLEARINGS):
            self._agent.cache.clear(self.folder)
            if not self.folder.exists():
                break
            self._agent.stopping.wait(self._agent.settings.tail_seconds)
        self._agent.store.forget_attempt(self.row.attempt_id)
        self._over = True

    def _abandon(self) -> None:
        """Somebody else has the attempt: stop the trainer, keep the spool for a while."""
        log.warning("attempt %d is given up: %s", self.row.attempt_id, self._given_up)
        self._checkpoints.drop()
        self._stop_trainer()
        self._agent.store.forget_attempt(self.row.attempt_id)
        self._over = True

    def _stop_trainer(self) -> None:
        """Ask the trainer to end and wait for it; none starts any more."""
        while not trainer.bar(self.folder):
            trainer.ask_to_end(self.folder)
            if self._agent.stopping.wait(self._agent.settings.tail_seconds):
                raise LinkClosed
        trainer.reap(self.folder)

    def _vanished(self) -> Failure:
        row = self._agent.store.attempt(self.row.attempt_id)
        if row is not None and row.boot_id != boot_id():
            return Failure("agent_restarted")
        trainer.reap(self.folder)
        return Failure("runner_vanished")

    # ---- in between

    def _is_called_off(self) -> bool:
        return not self._given_up and (self.fenced.is_set() or (self.cancelled.is_set() and self._ending is None))

    def _let_go(self) -> None:
        """Raises what ends the attempt from outside. Called from several threads."""
        if self._agent.stopping.is_set():
            raise LinkClosed
        if self._is_called_off():
            raise _TakenOver("somebody else has it") if self.fenced.is_set() else Cancelled

    def _unless_cancelled(self) -> None:
        """Nobody resumes a cancelled job, also where the request comes after another end was decided."""
        self._let_go()
        if self.cancelled.is_set():
            raise Cancelled

    def _tick(self) -> None:
        """Tell what is new; let go when the attempt or the agent is to end."""
        self._let_go()
        self._tell()

    def _tell(self) -> None:
        self._outbox.send_events()
        self._outbox.send_logs()


class _TakenOver(Exception):
    """The control plane's verdict was to stop."""
