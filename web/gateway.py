"""The OpenAI-compatible endpoints: a deployment's engine answers, its bytes are passed on as they come.

The body is looked at (`control_plane/domain/completions.py`) and goes to the engine untouched, unless a tool is forced
or what the deployment carries is asked for (`control_plane/domain/prompts/carried.py`;
`response_format` with a JSON schema goes untouched too). What an engine refuses is said in words of ours. Closing the
response closes the answer, which ends the generation on the machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask_babel import gettext

from control_plane.context import Answer
from control_plane.domain import completions as requests
from control_plane.domain.errors import (
    EmbeddingsUnsupported,
    FieldInvalid,
    FileTooLarge,
    NotFound,
    ParameterUnsupported,
    TooMany,
    TunesmithError,
)
from control_plane.domain.lifecycle import SERVING
from control_plane.domain.permissions import Actor
from control_plane.domain.prompts import carried
from control_plane.domain.refusals import refusal
from control_plane.services import deployments
from control_plane.services.access import projects
from control_plane.services.prompts import carrying
from control_plane.statuses import STATUS
from control_plane.store.database import release
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.wording import say
from web.access import by_token, the_actor, the_control_plane
from web.failures import openai_error
from web.languages import locale
from web.live import Slots

MAX_BODY_BYTES = 16_777_216
CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
_PROPERTIES = "/props"
_CHECKS = {CHAT: requests.check_chat, COMPLETIONS: requests.check_text}

blueprint = Blueprint("gateway", __name__, url_prefix="/v1")


@blueprint.before_request
def _begin() -> None:
    g.begun = time.perf_counter()


@blueprint.post("/chat/completions")
@by_token
def chat_completions() -> Response:
    """An answer to a conversation, streamed where the body says `"stream": true`."""
    return _complete(CHAT)


@blueprint.post("/completions")
@by_token
def completions() -> Response:
    """The continuation of a text."""
    return _complete(COMPLETIONS)


@blueprint.post("/embeddings")
@by_token
def embeddings() -> Response:
    """Nothing that is served here gives embeddings: said in words. Raises EmbeddingsUnsupported."""
    the_actor()
    raise EmbeddingsUnsupported(parameter="model")


@blueprint.get("/models")
@by_token
def models() -> Response:
    """The deployments that the caller may use, each as "project/deployment"."""
    return jsonify(object="list", data=_models())


@blueprint.get("/models/<path:name>")
@by_token
def model(name: str) -> Response:
    """One of them. Raises NotFound."""
    found = next((one for one in _models() if one["id"] == name), None)
    if found is None:
        raise NotFound
    return jsonify(found)


def _models() -> list[dict[str, Any]]:
    actor, cp = the_actor(), the_control_plane()
    return [
        {
            "id": f"{project.name}/{found.name}{suffix}",
            "object": "model",
            "created": int(found.created_at),
            "owned_by": project.name,
        }
        for project in projects.list_projects(actor, cp)
        for found in deployments.list_deployments(actor, cp, project.name)
        if found.desired_state == SERVING
        for suffix in _ways(found)
    ]


def _ways(found: DeploymentRecord) -> list[str]:
    """What may stand behind a deployment's name: nothing, and what it carries."""
    prompt, schema = bool(found.prompt_version_id), bool(found.answer_schema)
    ways = [
        "",
        carried.PROMPT * prompt,
        carried.SCHEMA * schema,
        (carried.PROMPT + carried.SCHEMA) * (prompt and schema),
    ]
    return list(dict.fromkeys(ways))


def relay(
    actor: Actor, project: str | None, deployment: str, path: str, body: bytes, asked: dict[str, Any]
) -> Response:
    """Ask the replica that serves `deployment` and pass its answer on; `asked` is the parsed body.

    With `+prompt` or `+schema` behind the name it is asked with what the deployment carries. With no project the name
    must be unique. Raises NotFound, ParameterInvalid, NothingServes, EngineFailed,
    DeadlineExceeded, TooMany, and whatever the engine's refusal means.
    """
    cp = the_control_plane()
    deployment, wanted = carried.split(deployment)
    replica = deployments.serving_replica(actor, cp, project, deployment)
    _CHECKS[path](asked, replica.deployment.slots)
    if wanted:
        if path != CHAT:  # nothing can be said before a text that is only continued
            raise ParameterUnsupported(parameter="model")
        asked = carrying.applied(replica.deployment, asked, wanted)
        body = json.dumps(asked).encode()
    slots: Slots = current_app.extensions["tunesmith_chat_slots"]
    give_back = slots.take()
    if give_back is None:
        raise TooMany
    cp.metrics.chats.labels("http").inc()
    cp.requests.count(replica.deployment_id, cp.clock())
    release()  # an answer may take minutes
    asked_at = time.perf_counter()
    try:
        if path == CHAT and requests.forces_tool(asked):
            body = json.dumps(requests.with_forced_tool(asked, _properties(replica))).encode()
        answer = cp.inference.ask(replica.machine_id, replica.id, path, body, cp.settings.chat_seconds)
    except BaseException:
        give_back()
        raise
    passing = _Passing(answer, give_back)
    if answer.status >= 400:
        raise refusal(answer.status, _all(answer, passing))
    response = _stream(answer, passing) if asked.get("stream") is True else _whole(answer, passing)
    response.headers["Server-Timing"] = _timing(g.get("begun", asked_at), asked_at, time.perf_counter(), answer)
    return response


def _properties(replica: ReplicaRecord) -> bytes:
    """What the replica's engine says of itself."""
    cp = the_control_plane()
    answer = cp.inference.ask(replica.machine_id, replica.id, _PROPERTIES, b"", cp.settings.chat_seconds)
    try:
        return b"".join(answer)
    finally:
        answer.close()


def _timing(begun: float, asked: float, answered: float, answer: Answer) -> str:
    """Where the time to the first byte went, in milliseconds: here, on the way to and from the machine, its engine.

    The header is https://www.w3.org/TR/server-timing/.
    """
    link = answered - asked - answer.engine_seconds
    parts = (("gateway", asked - begun), ("link", max(0.0, link)), ("engine", answer.engine_seconds))
    return ", ".join(f"{name};dur={1000 * seconds:.2f}" for name, seconds in parts)


def _complete(path: str) -> Response:
    body, asked = read_request()
    name = asked.get("model")
    if not isinstance(name, str) or not name:
        raise FieldInvalid(field="model", problem=gettext("the name of a deployment is missing"))
    project, _, deployment = name.rpartition("/")
    return relay(the_actor(), project or None, deployment, path, body, asked)


def read_request() -> tuple[bytes, dict[str, Any]]:
    """The body as it came, and parsed. Raises FileTooLarge, FieldInvalid."""
    request.max_content_length = MAX_BODY_BYTES
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise FileTooLarge(file=gettext("The request"), limit=MAX_BODY_BYTES)
    body = request.get_data(cache=False)
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise FieldInvalid(field="body", problem=gettext("not a JSON object")) from problem
    if not isinstance(asked, dict):
        raise FieldInvalid(field="body", problem=gettext("not a JSON object"))
    return body, asked


class _Passing:
    """The engine's bytes on their way. The WSGI server closes it at the end or when the client is gone."""

    def __init__(self, answer: Answer, give_back: Callable[[], None]) -> None:
        self._answer, self._give_back = answer, give_back
        self._locale = locale()  # the stream outlives the request
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer
        except TunesmithError as problem:
            words = say(problem.code, problem.params, self._locale)
            error = openai_error(STATUS[problem.status].http, problem.code, words)
            yield b"data: " + json.dumps({"error": error}).encode() + b"\n\n"

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._answer.close()
        finally:
            self._give_back()


def _whole(answer: Answer, passing: _Passing) -> Response:
    return Response(_all(answer, passing), status=answer.status, content_type=answer.content_type)


def _all(answer: Answer, passing: _Passing) -> bytes:
    try:
        return b"".join(answer)
    finally:
        passing.close()


def _stream(answer: Answer, passing: _Passing) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(passing, status=answer.status, content_type=answer.content_type, headers=headers)
