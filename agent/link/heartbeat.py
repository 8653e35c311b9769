"""The heartbeat loop: what this machine is and holds, every few seconds; the reply renews leases."""

from __future__ import annotations

import logging
import random

from agent.attempts.attempts import Attempts
from agent.context import Agent
from agent.hardware import read
from agent.link.calls import LinkClosed, Refused, Superseded
from agent.link.session import Session
from agent.serving.replicas import Serving
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)

_REFUSED_SECONDS = 60.0  # what a control plane refuses outright is asked again seldom


def run(agent: Agent, session: Session, attempts: Attempts, serving: Serving) -> None:
    """Beat until the agent ends."""
    wait = 0.0
    while not agent.stopping.wait(wait):
        try:
            wait = beat(agent, session, attempts, serving)
        except LinkClosed:
            return
        except Superseded:
            wait = 0.0
        except Refused as refusal:
            log.error("the control plane refuses this machine: %s", refusal)
            wait = _REFUSED_SECONDS


def beat(agent: Agent, session: Session, attempts: Attempts, serving: Serving) -> float:
    """One heartbeat; the seconds until the next. Raises link.Refused and link.LinkClosed."""
    epoch = session.epoch()
    request = pb.HeartbeatRequest(
        epoch=epoch,
        inventory=read.inventory(agent.settings, agent.sandbox),
        attempts=attempts.held(),
        replicas=serving.statuses(),
    )
    try:
        reply: pb.HeartbeatReply = agent.link.ask(request)
    except Superseded:
        session.superseded(epoch)
        raise
    session.heard()
    for verdict in reply.verdicts:
        attempts.follow(verdict)
    if reply.instructions_waiting:
        agent.link.retry_now()  # a Poll that waits before its retry need not
    session.heartbeat_seconds = reply.heartbeat_seconds or session.heartbeat_seconds
    return session.heartbeat_seconds * random.uniform(0.95, 1.05)  # so that a fleet does not beat in step
