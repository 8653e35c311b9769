"""From the desired state to what is observed: a thread and an engine process per replica.

A Serve instruction is written down before it is followed: after a restart of the agent its engine is adopted, or
started again, without the control plane.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from google.protobuf.message import DecodeError

from agent import memory
from agent.attempts.faults import last_line
from agent.attempts.outbox import last_lines
from agent.build import BuildFailed
from agent.context import Agent
from agent.link.calls import Faulty, LinkClosed, Refused, Superseded
from agent.link.session import Session
from agent.serving import engines
from agent.serving.engine_process import Endpoint, Engine
from agent.serving.engines import Kind
from agent.storage import blobs
from agent.storage.cache import Cache
from agent.storage.files import PathUnsafe, inside
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)

_PATIENCE = 3  # failed health checks in a row after which a living engine is replaced
_HOPELESS = 5  # starts in a row without serving after which the replica counts as failed; it is still retried


class Serving:
    """All replicas of this machine. Methods may be called from any thread."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = threading.Lock()
        self._replicas: dict[int, Replica] = {}
        self._session: Session | None = None
        self._folder = agent.settings.data / "replicas"
        self._folder.mkdir(parents=True, exist_ok=True)
        self.wanted = threading.Event()  # set while there is anything to serve: then the serving channel is open

    def resume(self, session: Session) -> None:
        """Take up the instructions that stood when the agent ended, and end engines that nobody wants any more."""
        self._session = session
        instructions = [one for body in self._agent.store.replicas() if (one := _read(body)) is not None]
        for folder in self._folder.iterdir():
            if folder.name not in {str(instruction.replica_id) for instruction in instructions}:
                Engine(folder, self._agent.settings).stop()
                self._agent.cache.clear(folder)
        for instruction in instructions:
            self._begin(instruction)

    def serve(self, instruction: pb.Serve) -> None:
        """Serve what the instruction says; a newer generation for the same replica replaces the older."""
        with self._lock:
            current = self._replicas.get(instruction.replica_id)
        newest = current is not None and current.instruction.generation >= instruction.generation
        if current is not None and newest and current.is_living():
            self.tell(current.status())  # it asks because it does not know
            return
        self._agent.store.keep_replica(instruction.replica_id, instruction.SerializeToString())
        self._begin(instruction)

    def stop(self, replica_id: int, generation: int) -> None:
        """Stop serving and say so."""
        with self._lock:
            replica = self._replicas.pop(replica_id, None)
            if not self._replicas:
                self.wanted.clear()
        if replica is not None:
            replica.leave()
            self._agent.cache.clear(replica.engine.folder)
        self._agent.store.drop_replica(replica_id)  # last: the engine ends also where this cannot be written down
        self.tell(pb.ReplicaStatus(replica_id=replica_id, generation=generation, state="STOPPED"))

    def endpoint(self, replica_id: int) -> Endpoint | None:
        """Where a replica's engine answers, or None when it does not."""
        with self._lock:
            replica = self._replicas.get(replica_id)
        return replica.engine.endpoint() if replica is not None and replica.serving else None

    def statuses(self) -> list[pb.ReplicaStatus]:
        """What is observed, for the heartbeat."""
        with self._lock:
            return [replica.status() for replica in self._replicas.values()]

    def close(self) -> None:
        """End all engines; the instructions stand."""
        with self._lock:
            replicas, self._replicas = list(self._replicas.values()), {}
        for replica in replicas:
            replica.leave()

    def tell(self, status: pb.ReplicaStatus, tick: Callable[[], None] = lambda: None) -> None:
        """Report a replica at once; what does not get through the next heartbeat carries. Raises link.LinkClosed.

        `tick` is called while it waits for its next try and may raise to give it up.
        """
        if self._session is None:
            return
        try:
            self._report(self._session, status, tick)
        except (Refused, Faulty, OSError) as problem:  # of Hello too, which the session may have to say first
            log.warning("replica %d: %s", status.replica_id, problem)

    def _report(self, session: Session, status: pb.ReplicaStatus, tick: Callable[[], None]) -> None:
        epoch = session.epoch()
        try:
            self._agent.link.ask(pb.ReportReplicaRequest(epoch=epoch, status=status), tick=tick)
        except Superseded:
            session.superseded(epoch)

    def _begin(self, instruction: pb.Serve) -> None:
        replica = Replica(self._agent, self, instruction, self._folder / str(instruction.replica_id))
        with self._lock:
            older = self._replicas.get(instruction.replica_id)
            self._replicas[instruction.replica_id] = replica
            self.wanted.set()
        replica.begin(older)


def _read(body: bytes) -> pb.Serve | None:
    """An instruction that was kept; None where the disk or a hand has damaged it: the control plane gives it again."""
    try:
        return pb.Serve.FromString(body)
    except (DecodeError, TypeError) as problem:
        log.error("an instruction to serve cannot be read: %s", problem)
        return None


class Replica:
    """One instruction being followed: prepare, start, watch, restart with back-off."""

    def __init__(self, agent: Agent, serving: Serving, instruction: pb.Serve, folder: Path) -> None:
        self._agent = agent
        self._serving = serving
        self.instruction = instruction
        self.engine = Engine(folder, agent.settings)
        self.serving = False
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"replica-{instruction.replica_id}", daemon=True)
        self._older: Replica | None = None
        self._state, self._reason, self._params, self._restarts = "STARTING", "", "{}", 0

    def begin(self, older: Replica | None) -> None:
        """Start following, once the thread of an older generation has let go."""
        self._older = older
        self._thread.start()

    def is_living(self) -> bool:
        """Whether its thread follows the instruction."""
        return self._thread.is_alive()

    def leave(self) -> None:
        """Let go and end the engine; returns when both are done."""
        self._left.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def status(self) -> pb.ReplicaStatus:
        """What is observed of this generation."""
        return pb.ReplicaStatus(
            replica_id=self.instruction.replica_id, generation=self.instruction.generation,
            state="STARTING" if self._state == "SERVING" and not self.serving else self._state,  # its engine has ended
            reason=self._reason, params=self._params, restarts=self._restarts,
            memory=self.engine.memory() if self.serving else 0,
        )  # fmt: skip

    def _live(self) -> None:
        if self._older is not None:
            self._older.leave()
            self._older = None
        try:
            self._follow()
        except (LinkClosed, _Left):
            pass
        finally:
            self.serving = False
            self.engine.stop()

    def _follow(self) -> None:
        wait, failures = self._agent.settings.engine_retry_first_seconds, 0
        while True:
            try:
                problem, reason = self._serve_once(), "engine_failed"
                served, self.serving = self.serving, False
                self.engine.stop()
            except (LinkClosed, _Left):
                raise
            except Exception as unforeseen:  # the loop's top of this replica: it is tried again, and FAILED meanwhile
                log.exception("replica %d: an error of the agent", self.instruction.replica_id)
                problem, reason, served, self.serving = last_line(unforeseen), "agent_error", self.serving, False
            failures = 1 if served else failures + 1
            if served:
                wait = self._agent.settings.engine_retry_first_seconds
            self._restarts += 1
            hopeless = failures >= _HOPELESS or reason == "agent_error"
            self._observe("FAILED" if hopeless else "STARTING", reason, {"problem": problem})
            self._pause(wait)
            wait = min(wait * 2, self._agent.settings.engine_retry_max_seconds)

    def _serve_once(self) -> str:
        """Have an engine serve as long as it is healthy; why it no longer is."""
        try:
            if not self.engine.serves(self.instruction.generation):
                self._start()
        except (Refused, Faulty, BuildFailed, blobs.DiskFull, PathUnsafe, OSError) as problem:
            return f"{problem}\n{last_lines(self.engine.folder / 'build.log', 1000)}".strip()
        if not self._becomes_ready():
            return last_lines(self.engine.log, 1000) or "the engine did not start"
        self.serving = True
        self._observe("SERVING", self.engine.meaning(), {})
        return self._watch()

    def _start(self) -> None:
        self.engine.stop()
        self._observe("STARTING", self._reason, json.loads(self._params))
        folder = self.engine.folder
        folder.mkdir(parents=True, exist_ok=True)
        blobs.fetch(self._agent.link, self._agent.cache, self.instruction.model.files, self._tick)
        memory.give_back()
        model = _lay_out(folder / "model", self.instruction.model, self._agent.cache)
        kind, python = self._installed(folder / "build.log")
        self.engine.start(kind, python, model, self.instruction)

    def _installed(self, build_log: Path) -> tuple[Kind, Path]:
        """The engine and its interpreter; the first time on a machine takes minutes, so that is said."""
        begun: list[str] = []

        def say(code: str) -> None:
            begun.append(code)
            self._observe("STARTING", code, {})

        chosen = engines.choose(self._agent.environments, self._agent.settings, build_log, self._tick, say)
        if begun:
            self._observe("STARTING", "", {})
        return chosen

    def _becomes_ready(self) -> bool:
        left = self._agent.settings.engine_start_seconds
        while self.engine.is_alive():
            if self.engine.is_healthy():
                return True
            self._pause(0.05)
            left -= 0.05
            if left < 0:
                return False
        return False

    def _watch(self) -> str:
        """Ask for its health until it fails; a busy engine may be slow to answer, so once is not enough."""
        failed = 0
        while self.engine.is_alive():
            failed = 0 if self.engine.is_healthy() else failed + 1
            if failed == _PATIENCE:
                return "the engine no longer answers"
            self._pause(self._agent.settings.engine_health_seconds)
        return last_lines(self.engine.log, 1000) or "the engine ended"

    def _observe(self, state: str, reason: str, params: dict[str, str]) -> None:
        changed = (state, reason) != (self._state, self._reason) or state == "STARTING"
        self._state, self._reason, self._params = state, reason, json.dumps(params)
        if changed:
            self._serving.tell(self.status(), self._tick)

    def _pause(self, seconds: float) -> None:
        if self._left.wait(seconds):
            raise _Left

    def _tick(self) -> None:
        if self._left.is_set() or self._agent.stopping.is_set():
            raise _Left


class _Left(Exception):
    """The instruction is no longer to be followed."""


def _lay_out(folder: Path, model: pb.Input, cache: Cache) -> Path:
    """Link the model's files from the cache; the path of its .gguf file. Raises PathUnsafe."""
    paths = [inside(folder, file.path) for file in model.files]
    cache.give({path: file.sha256 for file, path in zip(model.files, paths, strict=True)})
    found = sorted(path for path in paths if path.suffix == ".gguf")
    if not found:
        raise PathUnsafe("there is no .gguf file in the model")
    return found[0]
