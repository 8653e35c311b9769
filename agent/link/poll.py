"""The poll loop: a call that is always open and brings instructions at once; others carry them out."""

from __future__ import annotations

import logging
from collections import deque

from agent.attempts.attempts import Attempts
from agent.context import Agent
from agent.link.calls import LinkClosed, Refused, Superseded
from agent.link.session import Session
from agent.serving.replicas import Serving
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)

_REFUSED_SECONDS = 60.0
_MARGIN = 15.0  # seconds that an answer may be late before the call counts as lost
_REMEMBERED = 256  # keys of instructions; those of settled ones are asked for no more


def run(agent: Agent, session: Session, attempts: Attempts, serving: Serving) -> None:
    """Poll until the agent ends."""
    known: deque[str] = deque(maxlen=_REMEMBERED)
    while not agent.stopping.is_set():
        try:
            _once(agent, session, known, attempts, serving)
        except LinkClosed:
            return
        except Superseded:
            known.clear()
        except Refused as refusal:
            log.error("the control plane refuses instructions: %s", refusal)
            agent.stopping.wait(_REFUSED_SECONDS)


def _once(agent: Agent, session: Session, known: deque[str], attempts: Attempts, serving: Serving) -> None:
    epoch = session.epoch()
    request = pb.PollRequest(epoch=epoch, known=known, wait_seconds=session.poll_seconds)
    try:
        reply: pb.PollReply = agent.link.ask(request, deadline=session.poll_seconds + _MARGIN)
    except Superseded:
        session.superseded(epoch)
        raise
    session.heard()
    left = 0
    for instruction in reply.instructions:
        try:
            obey(instruction, attempts, serving)
        except (LinkClosed, Superseded):
            raise
        except Exception:  # the loop's top of an instruction: it stands and is obeyed again, the others must go on
            log.exception("instruction %s cannot be obeyed now", instruction.key)
            left += 1
        else:
            known.append(instruction.key)
    if left:
        agent.stopping.wait(agent.settings.fault_first_seconds)


def obey(instruction: pb.Instruction, attempts: Attempts, serving: Serving) -> None:
    """Hand an instruction to whom it concerns; doing so twice changes nothing."""
    match instruction.WhichOneof("what"):
        case "offer":
            attempts.offer(instruction.offer)
        case "cancel":
            attempts.cancel(instruction.cancel.attempt_id, instruction.cancel.fence)
        case "serve":
            serving.serve(instruction.serve)
        case "stop_serving":
            serving.stop(instruction.stop_serving.replica_id, instruction.stop_serving.generation)
        case other:
            log.info("instruction %s (%s) needs nothing here", instruction.key, other)
