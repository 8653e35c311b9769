"""The session with the control plane: Hello gives an epoch, and the verdicts on what this machine still holds."""

from __future__ import annotations

import logging
import threading

from agent import __version__
from agent.attempts.attempts import Attempts
from agent.clock import awake_or_asleep, boot_id
from agent.context import Agent
from agent.hardware import read
from agent.link.calls import LinkClosed, Refused, Unreachable
from agent.link.identity import load
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)


class Session:
    """The epoch that heartbeats, polls and replica reports carry. May be used from any thread."""

    def __init__(self, agent: Agent, attempts: Attempts) -> None:
        self._agent = agent
        self._attempts = attempts
        self._lock = threading.Lock()
        self._epoch = 0
        self._heard = 0.0  # when the control plane last answered, on the clock that counts sleep
        self.heartbeat_seconds = 10.0
        self.poll_seconds = 45.0

    def epoch(self) -> int:
        """The session's epoch; says Hello first when there is none, or after a gap (sleep).

        Raises link.Refused (the agent's version, the certificate) and link.LinkClosed.
        """
        with self._lock:
            gap = awake_or_asleep() - self._heard
            if self._epoch == 0 or gap > max(self._agent.settings.gap_seconds, 3 * self.heartbeat_seconds):
                self._hello()
            return self._epoch

    def heard(self) -> None:
        """The control plane has just answered within this session."""
        self._heard = awake_or_asleep()

    def silence(self) -> float:
        """Seconds since the control plane last answered; without a bound before it ever did."""
        return awake_or_asleep() - self._heard if self._heard else float("inf")

    def superseded(self, epoch: int) -> None:
        """This epoch is no longer the newest: the next use says Hello again."""
        with self._lock:
            if self._epoch == epoch:
                self._epoch = 0

    def goodbye(self, reason: str) -> None:
        """Say goodbye, once and briefly; that nobody hears it changes nothing."""
        if self._epoch:
            try:
                self._agent.link.ask_once(pb.GoodbyeRequest(epoch=self._epoch, reason=reason), deadline=2)
            except (Refused, Unreachable, LinkClosed) as problem:
                log.debug("goodbye: %s", problem)

    def _hello(self) -> None:
        identity = load(self._agent.store)
        request = pb.HelloRequest(
            agent_version=__version__,
            boot_id=boot_id(),
            inventory=read.inventory(self._agent.settings, self._agent.sandbox),
            attempts=self._attempts.held(),
            generation=identity.generation if identity else 0,
        )
        reply: pb.HelloReply = self._agent.link.ask(request)
        self._epoch = reply.epoch
        self.heartbeat_seconds = reply.heartbeat_seconds or self.heartbeat_seconds
        self.poll_seconds = reply.poll_seconds or self.poll_seconds
        self.heard()
        log.info("session %d with control plane %s", reply.epoch, reply.control_plane_version)
        for verdict in reply.verdicts:
            self._attempts.follow(verdict)
