"""The OpenAI-compatible endpoints, over a fake of the inference port: what a machine would do is not tested here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from control_plane.context import Answer, ControlPlane
from control_plane.domain.errors import CarriedBy, EngineFailed, TunesmithError
from control_plane.domain.permissions import SYSTEM
from control_plane.domain.prompts.prompt import parse
from control_plane.services.access import accounts, people, projects
from control_plane.services.prompts import carrying, kept
from control_plane.services.things import trash
from control_plane.store.deployments import DeploymentRecord
from served import serve, token_of
from web import create_app, gateway

SSE = "text/event-stream"
CHUNKS = [b'data: {"choices":[{"delta":{"content":"Hel', b'lo"}}]}\n\n', b"data: [DONE]\n\n"]
QUESTION = {"model": "lab/faults", "messages": [{"role": "user", "content": "Hi"}]}
TEXT = {"model": "lab/faults", "prompt": "Hi"}


@dataclass
class FakeAnswer:
    """An engine's answer that remembers whether it was closed."""

    chunks: list[bytes]
    status: int = 200
    content_type: str = SSE
    engine_seconds: float = 0.25
    breaks: TunesmithError | None = None
    given: int = 0
    closed: int = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.given += 1
            yield chunk
        if self.breaks:
            raise self.breaks

    def close(self) -> None:
        self.closed += 1


@dataclass
class FakeInference:
    """The inference port: hands out prepared answers and remembers what was asked."""

    answers: list[FakeAnswer] = field(default_factory=list)
    asked: list[tuple[str, int, str, bytes]] = field(default_factory=list)

    def ask(self, machine_id: str, replica_id: int, path: str, body: bytes, deadline_seconds: float) -> Answer:
        self.asked.append((machine_id, replica_id, path, body))
        return self.answers.pop(0)


@pytest.fixture
def inference() -> FakeInference:
    return FakeInference()


@pytest.fixture
def app(cp: ControlPlane, inference: FakeInference) -> Flask:
    return create_app(replace(cp, inference=inference, settings=replace(cp.settings, chat_streams=2)))


@pytest.fixture
def token(cp: ControlPlane, invite: Callable[..., str]) -> str:
    """The API token of a viewer of the project "lab", where "faults" is served."""
    invite("ada", "Viewer", "lab")
    serve(cp, "lab", "faults")
    return token_of(cp, "ada")


def ask(client: FlaskClient, token: str | None, body: object = None, path: str = gateway.CHAT, **kwargs: object):  # type: ignore[no-untyped-def]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.post(path, json=QUESTION if body is None else body, headers=headers, **kwargs)


def test_a_stream_passes_on_the_engine_bytes_as_they_came(
    app: Flask, cp: ControlPlane, inference: FakeInference, token: str
) -> None:
    answer = FakeAnswer(list(CHUNKS))
    inference.answers = [answer]
    body = QUESTION | {"stream": True, "response_format": {"type": "json_schema", "json_schema": {"schema": {"a": 1}}}}
    raw = json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    got = app.test_client().post(gateway.CHAT, data=raw, headers=headers)
    assert (got.status_code, got.data, got.mimetype) == (200, b"".join(CHUNKS), SSE)
    assert "Content-Encoding" not in got.headers
    assert got.headers["X-Accel-Buffering"] == "no"
    assert re.fullmatch(r"gateway;dur=[\d.]+, link;dur=[\d.]+, engine;dur=250\.00", got.headers["Server-Timing"])
    assert inference.asked[0][2:] == (gateway.CHAT, raw)
    got.close()  # as a WSGI server does at the end
    assert answer.closed == 1
    assert sum(cp.requests.take().values()) == 1


def test_a_whole_answer_is_not_compressed_and_closes(app: Flask, inference: FakeInference, token: str) -> None:
    answer = FakeAnswer([b'{"choices"', b":[]}"], content_type="application/json")
    inference.answers = [answer]
    got = app.test_client().post(
        gateway.COMPLETIONS, json=TEXT, headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    )
    assert got.json == {"choices": []}
    assert "Content-Encoding" not in got.headers
    assert answer.closed == 1
    assert inference.asked[0][2] == gateway.COMPLETIONS


def test_a_client_that_goes_away_ends_the_generation(app: Flask, inference: FakeInference, token: str) -> None:
    answer = FakeAnswer([b"data: 1\n\n"] * 100)
    inference.answers = [answer]
    got = ask(app.test_client(), token, QUESTION | {"stream": True}, buffered=False)
    assert next(iter(got.response)) == b"data: 1\n\n"
    got.close()
    assert answer.closed == 1
    assert answer.given < 100


def test_beyond_the_cap_the_answer_is_429_and_a_closed_stream_frees_its_place(
    app: Flask, inference: FakeInference, token: str
) -> None:
    inference.answers = [FakeAnswer([b"data: 1\n\n"]) for _ in range(3)]
    streaming = QUESTION | {"stream": True}
    held = [ask(app.test_client(), token, streaming, buffered=False) for _ in range(2)]
    refused = ask(app.test_client(), token, streaming)
    assert refused.status_code == 429
    assert refused.json["error"]["type"] == "rate_limit_error"
    held[0].close()  # not a byte of it was read
    assert ask(app.test_client(), token, streaming).status_code == 200
    held[1].close()


def test_a_failing_engine_gives_its_place_back(app: Flask, inference: FakeInference, token: str) -> None:
    for _ in range(3):
        inference.answers = [FakeAnswer([], breaks=EngineFailed(problem="out of memory"))]
        got = ask(app.test_client(), token)
        assert got.status_code == 503
        assert "out of memory" in got.json["error"]["message"]


def test_an_engine_that_breaks_in_mid_stream_says_so_in_the_stream(
    app: Flask, inference: FakeInference, token: str
) -> None:
    inference.answers = [FakeAnswer([b"data: 1\n\n"], breaks=EngineFailed(problem="gone"))]
    got = ask(app.test_client(), token, QUESTION | {"stream": True})
    last = json.loads(got.data.split(b"data: ")[-1])
    assert got.status_code == 200
    assert last["error"]["code"] == "engine_failed"


@pytest.mark.parametrize("path", [gateway.CHAT, gateway.COMPLETIONS])
@pytest.mark.parametrize("wrong", [None, "", "tsk_wrong", "x" * 5000, "ä"])
def test_without_a_valid_token_nothing_is_asked(
    app: Flask, inference: FakeInference, token: str, path: str, wrong: str | None
) -> None:
    got = ask(app.test_client(), wrong, path=path)
    assert got.status_code == 401
    assert got.json["error"]["type"] == "authentication_error"
    assert inference.asked == []


def test_a_cookie_is_no_token(
    app: Flask, token: str, invite: Callable[..., str], browser: Callable[[str], FlaskClient]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    assert browser(invite("bob", "Owner")).post(gateway.CHAT, json=QUESTION).status_code == 401


def revoke(cp: ControlPlane, token: str) -> None:
    actor = people.actor_of_token(cp, token, "")
    people.revoke_token(actor, cp, people.list_tokens(actor, cp)[0].id)


def switch_off(cp: ControlPlane, token: str) -> None:
    accounts.deactivate(SYSTEM, cp, people.actor_of_token(cp, token, "").name)


@pytest.mark.parametrize("end", [revoke, switch_off])
def test_a_token_that_is_void_is_refused_at_the_next_call(
    app: Flask, cp: ControlPlane, inference: FakeInference, token: str, end: Callable[[ControlPlane, str], None]
) -> None:
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    for _ in range(2):
        assert client.get("/v1/models", headers=headers).status_code == 200
    end(cp, token)
    assert client.get("/v1/models", headers=headers).status_code == 401


def test_whoever_leaves_a_project_calls_its_deployments_no_more(
    app: Flask, cp: ControlPlane, inference: FakeInference, token: str
) -> None:
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    assert "lab/" in client.get("/v1/models", headers=headers).text
    projects.remove_member(SYSTEM, cp, "lab", people.actor_of_token(cp, token, "").name)
    assert "lab/" not in client.get("/v1/models", headers=headers).text


def test_another_projects_deployment_does_not_exist(
    app: Flask, cp: ControlPlane, inference: FakeInference, token: str, invite: Callable[..., str]
) -> None:
    invite("eve", "Owner", "other")
    serve(cp, "other", "secret")
    for name in ("other/secret", "secret", "other/nothing", "nothing"):
        got = ask(app.test_client(), token, QUESTION | {"model": name})
        assert (got.status_code, got.json["error"]["code"]) == (404, "not_found"), name
    assert inference.asked == []


def test_a_bare_name_works_while_it_is_the_only_one(
    app: Flask, cp: ControlPlane, inference: FakeInference, token: str, invite: Callable[..., str]
) -> None:
    inference.answers = [FakeAnswer([b"{}"])]
    assert ask(app.test_client(), token, QUESTION | {"model": "faults"}).status_code == 200
    projects.create(SYSTEM, cp, "second", "")
    projects.set_member(SYSTEM, cp, "second", "ada", "Viewer")
    serve(cp, "second", "faults")
    fresh = token_of(cp, "ada")  # another token: the first one's roles are remembered for some seconds
    assert ask(app.test_client(), fresh, QUESTION | {"model": "faults"}).status_code == 400


def test_nothing_serves_while_the_replica_starts(
    app: Flask, cp: ControlPlane, inference: FakeInference, token: str
) -> None:
    serve(cp, "lab", "early", state="STARTING")
    got = ask(app.test_client(), token, QUESTION | {"model": "lab/early"})
    assert (got.status_code, got.json["error"]["type"]) == (503, "server_error")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"nul", b'"text"', b"{}", b'{"model": 3}', b"[" * 100_000, b"\xff\xfe"]
)
def test_a_body_that_is_not_a_request_is_refused(app: Flask, inference: FakeInference, token: str, body: bytes) -> None:
    got = app.test_client().post(gateway.CHAT, data=body, headers={"Authorization": f"Bearer {token}"})
    assert (got.status_code, got.json["error"]["type"]) == (400, "invalid_request_error")
    assert inference.asked == []


def test_a_body_beyond_the_limit_is_refused(app: Flask, inference: FakeInference, token: str) -> None:
    body = QUESTION | {"messages": "x" * gateway.MAX_BODY_BYTES}
    assert ask(app.test_client(), token, body).status_code in (400, 413)
    assert inference.asked == []


def test_models_lists_what_the_caller_may_use(
    app: Flask, cp: ControlPlane, token: str, invite: Callable[..., str]
) -> None:
    invite("eve", "Owner", "other")
    serve(cp, "other", "secret")
    got = app.test_client().get("/v1/models", headers={"Authorization": f"Bearer {token}"})
    assert got.json == {
        "object": "list",
        "data": [{"id": "lab/faults", "object": "model", "created": 7, "owned_by": "lab"}],
    }


def test_an_unknown_endpoint_answers_in_json(app: Flask, token: str) -> None:
    got = app.test_client().post("/v1/images/generations", headers={"Authorization": f"Bearer {token}"})
    assert (got.status_code, got.json["error"]["code"]) == (404, "not_found")


def test_what_a_deployment_carries_is_asked_for_by_the_name(
    app: Flask, cp: ControlPlane, inference: FakeInference, token: str
) -> None:
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    deployment = DeploymentRecord.get(DeploymentRecord.name == "faults")
    assert ask(client, token, QUESTION | {"model": "lab/faults+prompt"}).status_code == 400
    saved, _ = kept.save(SYSTEM, cp, "lab", "short", parse('{"system": "Be short.", "decoding": {"max_tokens": 9}}'))
    carrying.carry(SYSTEM, cp, deployment.id, "short@1", {"type": "object"})
    kept.save(SYSTEM, cp, "lab", "short", parse('{"system": "Be shorter."}'))  # what is carried stays
    names = [one["id"] for one in client.get("/v1/models", headers=headers).json["data"]]
    assert names == ["lab/faults", "lab/faults+prompt", "lab/faults+schema", "lab/faults+prompt+schema"]
    inference.answers = [FakeAnswer([b"{}"], content_type="application/json") for _ in range(2)]
    assert ask(client, token, QUESTION | {"model": "lab/faults+schema+prompt", "temperature": 0.1}).status_code == 200
    asked = json.loads(inference.asked[0][3])
    assert [one["role"] for one in asked["messages"]] == ["system", "user"]
    assert asked["messages"][0]["content"] == "Be short."
    assert (asked["temperature"], asked["max_tokens"]) == (0.1, 9)
    assert asked["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert ask(client, token).status_code == 200
    assert json.loads(inference.asked[1][3]) == QUESTION  # who asks for nothing gets nothing
    for model, path in (("lab/faults+promt", gateway.CHAT), ("lab/faults+prompt", gateway.COMPLETIONS)):
        got = ask(client, token, QUESTION | TEXT | {"model": model}, path)
        assert got.status_code == 400 and got.json["error"]["param"] == "model", got.json
    assert len(inference.asked) == 2
    with pytest.raises(CarriedBy):
        trash.delete(SYSTEM, cp, "prompt", saved.prompt.id)
