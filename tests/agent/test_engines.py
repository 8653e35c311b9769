"""Both serving engines for real, on a tiny model: what the agent and whoever asks may rely on."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from engine_environments import engine_python, write_tiny_gguf

from agent.serving import engines
from agent.serving.engine_process import Engine
from agent.serving.engines import Kind
from agent.settings import Settings
from control_plane.domain.prompts import answer_schema
from patience import PATIENCE
from tunesmith.v1 import fleet_pb2 as pb

pytestmark = pytest.mark.torch

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
HI = [{"role": "user", "content": "The red door is open."}]
SCHEMA = {"type": "object", "properties": {"thing": {"enum": ["door", "lamp"]}}, "required": ["thing"]}
ENDLESS = 'root ::= "a" root'
CONTEXT = 16384


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module", params=[engines.XLLAMACPP, engines.LLAMA_CPP], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    engine_python(request.param)
    return request.param


@pytest.fixture(scope="module")
def engine(kind: Kind, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = started(kind, model, tmp_path_factory.mktemp("replica"))
    yield made
    made.stop()


def started(kind: Kind, model: Path, folder: Path) -> Engine:
    engine = Engine(folder, Settings(data=folder))
    serve = pb.Serve(replica_id=1, generation=1, name="demo", context_length=CONTEXT, slots=1)
    engine.start(kind, engine_python(kind), model, serve)
    pause = threading.Event()
    while not engine.is_healthy():
        assert engine.is_alive(), engine.log.read_text()
        pause.wait(0.02)
    return engine


def connect(engine: Engine, seconds: float = PATIENCE) -> http.client.HTTPConnection:
    endpoint = engine.endpoint()
    assert endpoint is not None
    return http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=seconds)


def send(connection: http.client.HTTPConnection, engine: Engine, path: str, body: Any, key: str = "") -> None:
    endpoint = engine.endpoint()
    assert endpoint is not None
    headers = {"Authorization": f"Bearer {key or endpoint.key}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)


def post(engine: Engine, path: str, body: Any, key: str = "") -> tuple[int, str]:
    connection = connect(engine)
    send(connection, engine, path, body, key)
    answer = connection.getresponse()
    status, text = answer.status, answer.read().decode()
    connection.close()
    return status, text


def content(text: str) -> str:
    return str(json.loads(text)["choices"][0]["message"]["content"])


def pieces(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_it_answers_whole_and_in_pieces_under_its_name(engine: Engine) -> None:
    asked = {"messages": HI, "max_tokens": 12, "temperature": 0}
    status, whole = post(engine, CHAT, asked)
    assert status == 200
    assert json.loads(whole)["model"] == "demo"
    status, streamed = post(engine, CHAT, asked | {"stream": True, "model": "lab/faults"})
    assert status == 200
    said = [piece["choices"][0]["delta"].get("content") for piece in pieces(streamed)]
    assert "".join(text for text in said if text) == content(whole)
    status, continued = post(engine, COMPLETIONS, {"prompt": "The red door", "max_tokens": 4})
    assert status == 200 and json.loads(continued)["choices"][0]["text"]


def test_both_engines_say_the_same_without_chance(model: Path, tmp_path: Path) -> None:
    """The same prompt, and no penalty or sampling of one's own: who deploys a model need not know the engine."""
    said = []
    for kind in (engines.XLLAMACPP, engines.LLAMA_CPP):
        engine_python(kind)
        folder = tmp_path / kind.name
        folder.mkdir()
        engine = started(kind, model, folder)
        status, text = post(engine, CHAT, {"messages": HI, "max_tokens": 24, "temperature": 0})
        engine.stop()
        assert status == 200
        said.append(content(text).replace("\N{REPLACEMENT CHARACTER}", ""))  # half a letter: one shows it, one drops it
    assert said[0] == said[1]


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_keeps_to_a_json_schema(engine: Engine, streamed: bool) -> None:
    wished = {"type": "json_schema", "json_schema": {"name": "thing", "strict": True, "schema": SCHEMA}}
    asked = {"messages": HI, "max_tokens": 200, "response_format": wished, "stream": streamed}
    status, text = post(engine, CHAT, asked)
    assert status == 200
    if streamed:
        deltas = [piece["choices"][0]["delta"].get("content") for piece in pieces(text)]
        said = "".join(one for one in deltas if one)
    else:
        said = content(text)
    assert json.loads(said)["thing"] in ("door", "lamp")


@pytest.mark.parametrize(
    "one",
    [
        {"enum": ["billing", "fault"]},
        {"type": "integer", "minimum": 1, "maximum": 5},
        {"type": ["null", "boolean"]},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
        {"type": "array", "prefixItems": [{"const": 1}, {"const": "b"}]},
        {"anyOf": [{"const": 7}, {"const": "none"}]},
        {"oneOf": [{"const": 7}, {"const": "none"}]},
        {"type": "string", "minLength": 1, "maxLength": 3},
        {"$ref": "#/$defs/part"},
    ],
    ids=lambda one: " ".join(one),
)
def test_what_a_carried_schema_may_say_is_kept_to(engine: Engine, one: dict[str, Any]) -> None:
    """A tiny model with random weights obeys each key that a deployment's schema is allowed."""
    schema = {
        "type": "object", "properties": {"a": one}, "required": ["a"], "additionalProperties": False,
        "$defs": {"part": {"type": "boolean"}},
    }  # fmt: skip
    assert answer_schema.checked(schema) == schema
    wished = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    for seed in range(6):
        asked = {"messages": HI, "max_tokens": 400, "response_format": wished, "seed": seed, "temperature": 1.0}
        status, text = post(engine, CHAT, asked)
        assert status == 200, text
        jsonschema.validate(json.loads(content(text)), schema)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "user", "content": "abc " * CONTEXT}]},
        {"grammar": "garbage ((("},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#/nowhere"}}}},
    ],
    ids=["too long", "no grammar", "no schema"],
)
def test_what_it_cannot_do_is_a_bad_request_and_it_lives_on(
    engine: Engine, change: dict[str, Any], streamed: bool
) -> None:
    status, text = post(engine, CHAT, {"messages": HI, "max_tokens": 4, "stream": streamed} | change)
    assert status == 400, text
    assert post(engine, CHAT, {"messages": HI, "max_tokens": 4})[0] == 200
    assert engine.is_alive()


def test_it_says_whether_its_template_knows_tools(kind: Kind, engine: Engine) -> None:
    """What the control plane reads before it lets a tool be required; the other engine says nothing."""
    endpoint, connection = engine.endpoint(), connect(engine)
    assert endpoint is not None
    connection.request("GET", "/props", headers={"Authorization": f"Bearer {endpoint.key}"})
    answer = connection.getresponse()
    text = answer.read()
    if kind.name == engines.XLLAMACPP.name:
        assert {"supports_tools", "supports_tool_calls"} <= set(json.loads(text)["chat_template_caps"])
    else:
        assert answer.status == 404


@pytest.mark.parametrize("change", [{"n": 2}, {"prompt": ["a", "b"]}, {"prompt": [3, 4]}], ids=str)
def test_what_the_second_engine_would_leave_out_it_refuses(kind: Kind, engine: Engine, change: dict[str, Any]) -> None:
    status, text = post(engine, COMPLETIONS, {"prompt": "The red door", "max_tokens": 2} | change)
    able = kind.name == engines.XLLAMACPP.name and "prompt" in change  # of its one slot it gives one answer
    assert status == (200 if able else 400), text


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS, "/v1/models", "/docs", "/openapi.json"])
def test_without_the_key_it_says_nothing(engine: Engine, path: str) -> None:
    assert post(engine, path, {"messages": HI, "prompt": "x"}, key="another")[0] in (401, 404)


@pytest.mark.parametrize("streamed", [False, True])
def test_it_stops_for_whoever_went_away_and_answers_the_next(kind: Kind, engine: Engine, streamed: bool) -> None:
    """The long answer would take minutes; with one turn at a time, the short one would wait for it."""
    if kind.name == engines.XLLAMACPP.name:
        pytest.skip("it ends at the length that the model was trained on, which takes no time to wait for")
    connection = connect(engine)
    asked = {"messages": HI, "max_tokens": CONTEXT - 100, "grammar": ENDLESS, "stream": streamed}
    send(connection, engine, CHAT, asked)
    if streamed:
        answer = connection.getresponse()
        assert answer.read(2_000)
        answer.close()
    else:
        connection.sock.settimeout(1)
        with pytest.raises(TimeoutError):
            connection.getresponse()
    connection.close()
    following = connect(engine, seconds=30)
    send(following, engine, CHAT, {"messages": HI, "max_tokens": 2})
    assert following.getresponse().status == 200


def test_it_is_healthy_while_it_answers(engine: Engine) -> None:
    connection = connect(engine)
    send(connection, engine, CHAT, {"messages": HI, "max_tokens": CONTEXT - 100, "grammar": ENDLESS, "stream": True})
    assert connection.getresponse().read(10)
    assert engine.is_healthy()
    connection.close()


def test_it_ends_at_once_and_a_second_one_finds_the_replica_taken(kind: Kind, model: Path, tmp_path: Path) -> None:
    engine = started(kind, model, tmp_path)
    second = [str(engine_python(kind)), "-I", str(kind.script), str(tmp_path)]
    assert subprocess.run(second, check=False, timeout=PATIENCE).returncode == 3
    process = engine._process
    assert process is not None and engine.endpoint() and engine._pid() == process.pid
    process.terminate()
    process.wait(PATIENCE)
    assert not engine.is_alive()


def test_a_file_that_is_no_model_ends_it_with_the_reason(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(os.urandom(1000))
    engine = Engine(tmp_path, Settings(data=tmp_path))
    serve = pb.Serve(replica_id=1, generation=1, name="demo", context_length=64, slots=1)
    engine.start(kind, engine_python(kind), tmp_path / "broken.gguf", serve)
    assert engine._process is not None and engine._process.wait(PATIENCE) != 0
    assert "model" in engine.log.read_text()
    assert not (tmp_path / "ready.json").exists()
