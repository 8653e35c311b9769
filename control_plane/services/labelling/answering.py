"""Asking for one answer as the gateway does it, read to its end and within bounds.

Who is asked is a labelling's `asked`, by its kind: another kind than a deployment is another `Asker`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from control_plane.context import ControlPlane
from control_plane.domain import completions
from control_plane.domain.errors import (
    AnswerCut,
    AnswerEmpty,
    AnswerEndless,
    EndpointGone,
    EngineFailed,
    LabellingModelChanged,
    NotFound,
    NothingServes,
)
from control_plane.domain.labelling import LONGEST_ANSWER
from control_plane.domain.lifecycle import SERVING
from control_plane.domain.permissions import Actor
from control_plane.domain.refusals import refusal
from control_plane.services import deployments
from control_plane.services.access import projects
from control_plane.services.endpoints import asking, keeping
from control_plane.services.endpoints.asking import MOST_TOKENS
from control_plane.services.watching import Stopped
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.endpoints import EndpointRecord
from control_plane.store.models import ModelRecord

DEPLOYMENT, ENDPOINT = "deployment", "endpoint"

_PATH = "/v1/chat/completions"
_MOST_BYTES = 4 << 20  # of an answer with all that stands around its pieces
_MOST_AT_ONCE = 4


class Asker(Protocol):
    """Somebody who answers."""

    @property
    def at_once(self) -> int:
        """How many requests."""
        ...

    def ask(self, asked: dict[str, Any], stop: threading.Event) -> str:
        """The answer to a chat completion's messages and what else it says (`temperature`, `seed` …).

        Raises Stopped; an Invalid where this question has no usable answer, an Unavailable where it may have one
        later, NothingServes or MachineWentAway where none has just now, a Conflict where none will have.
        """
        ...


def asked_of(deployment: DeploymentRecord) -> dict[str, Any]:
    """A deployment as what a labelling asks, with the model that it has now."""
    model = ModelRecord.get_by_id(deployment.model_id)
    return {"kind": DEPLOYMENT, "id": deployment.id, "name": deployment.name, "model": model.hash}


def asked_of_endpoint(endpoint: EndpointRecord) -> dict[str, Any]:
    """An endpoint as what a labelling asks, with the model and the server that it has now."""
    told = {"kind": ENDPOINT, "id": endpoint.id, "name": endpoint.name, "model": endpoint.model}
    return told | {"place": keeping.place(endpoint.address)}


def chosen(actor: Actor, cp: ControlPlane, project: str, deployment: str = "", endpoint: str = "") -> dict[str, Any]:
    """Who of a project is asked, by name; empty where nobody is.

    Raises NotFound, Denied, NothingServes where it is not to be served at all.
    """
    if endpoint:
        return asked_of_endpoint(keeping.named(actor, cp, project, endpoint))
    if not deployment:
        return {}
    place = projects.get(actor, cp, project, "deployment.use")
    found = [one for one in deployments.list_deployments(actor, cp, str(place.name)) if one.name == deployment]
    if not found:
        raise NotFound
    refuse_silent(found[0])
    return asked_of(found[0])


def asker(actor: Actor, cp: ControlPlane, project_id: int, asked: dict[str, Any]) -> Asker:
    """Who answers now for what a labelling asks.

    Raises NotFound, InTrash, Denied, NothingServes, EndpointGone, LabellingModelChanged.
    """
    return _ASKERS[asked["kind"]](actor, cp, project_id, asked)


def permission(asked: dict[str, Any]) -> str:
    """What whoever began a labelling has to be allowed, for it to go on."""
    return _PERMISSIONS[asked["kind"]]


def _deployment(actor: Actor, cp: ControlPlane, project_id: int, asked: dict[str, Any]) -> Asker:
    deployment = deployments.get(actor, cp, asked["id"], "deployment.use")
    if asked_of(deployment)["model"] != asked["model"]:
        raise LabellingModelChanged(name=deployment.name)
    place = projects.of_id(actor, cp, project_id, "deployment.use")
    replica = deployments.serving_replica(actor, cp, str(place.name), str(deployment.name))
    return _Replica(cp, replica, max(1, min(deployment.slots - 1, _MOST_AT_ONCE)))  # one is left for people


def _endpoint(actor: Actor, cp: ControlPlane, project_id: int, asked: dict[str, Any]) -> Asker:
    try:
        endpoint = keeping.get(actor, cp, asked["id"])
    except NotFound as problem:
        raise EndpointGone(name=asked["name"]) from problem
    if asked_of_endpoint(endpoint) != asked:
        raise LabellingModelChanged(name=endpoint.name)
    return _Endpoint(asking.Client(cp, endpoint, cp.settings.labelling_answer_seconds))


_ASKERS = {DEPLOYMENT: _deployment, ENDPOINT: _endpoint}
_PERMISSIONS = {DEPLOYMENT: "deployment.use", ENDPOINT: "endpoint.use"}


@dataclass(frozen=True)
class _Endpoint:
    """A model of others."""

    client: asking.Client
    at_once: int = _MOST_AT_ONCE

    def ask(self, asked: dict[str, Any], stop: threading.Event) -> str:
        def pause(seconds: float) -> None:
            if stop.wait(seconds):
                raise Stopped

        pause(0.0)
        return self.client.answer(asked, pause)


@dataclass(frozen=True)
class _Replica:
    """What serves a deployment."""

    cp: ControlPlane
    replica: ReplicaRecord
    at_once: int

    def ask(self, asked: dict[str, Any], stop: threading.Event) -> str:
        seconds, replica = self.cp.settings.labelling_answer_seconds, self.replica
        asked = {"stream": True, "max_tokens": MOST_TOKENS, **asked}
        completions.check_chat(asked, replica.deployment.slots)
        self.cp.metrics.chats.labels("labelling").inc()
        until, endless = time.monotonic() + seconds, AnswerEndless(most=LONGEST_ANSWER, seconds=round(seconds))
        body = json.dumps(asked).encode()
        answer = self.cp.inference.ask(replica.machine_id, replica.id, _PATH, body, seconds)
        try:
            pieces = _bounded(iter(answer), stop, until, endless)
            if answer.status >= 400:
                raise refusal(answer.status, b"".join(pieces))
            return _text(pieces, endless)
        finally:
            answer.close()


def _bounded(pieces: Iterator[bytes], stop: threading.Event, until: float, endless: AnswerEndless) -> Iterator[bytes]:
    room = _MOST_BYTES
    for piece in pieces:
        room -= len(piece)
        if stop.is_set():
            raise Stopped
        if room < 0 or time.monotonic() > until:
            raise endless
        yield piece


def _text(pieces: Iterator[bytes], endless: AnswerEndless) -> str:
    """What the events of a streamed chat completion say."""
    said: list[str] = []
    finish = ""
    for event in _events(pieces):
        try:
            choice = event["choices"][0] if event.get("choices") else {}
            said.append((choice.get("delta") or {}).get("content") or "")
            finish = choice.get("finish_reason") or finish
        except (AttributeError, LookupError, TypeError) as problem:
            raise EngineFailed(problem="no chat completion") from problem
    text = "".join(said).encode("utf-8", "replace").decode()
    if finish == "length":
        raise AnswerCut(most=MOST_TOKENS)
    if not finish:
        raise EngineFailed(problem="the answer broke off")
    if not text.strip():
        raise AnswerEmpty
    if len(text) > LONGEST_ANSWER:
        raise endless
    return text


def _events(pieces: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """Raises EngineFailed for what is none."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            name, _, data = line.strip().partition(b":")
            if name != b"data" or data.strip() == b"[DONE]":
                continue
            try:
                event = json.loads(data)
            except ValueError as problem:
                raise EngineFailed(problem="no JSON") from problem
            if not isinstance(event, dict) or "error" in event:
                raise EngineFailed(problem=str(event)[:200])
            yield event


def refuse_silent(deployment: DeploymentRecord) -> None:
    """Let pass a deployment that is to be served. Raises NothingServes."""
    if deployment.desired_state != SERVING:
        raise NothingServes(deployment=deployment.name)
