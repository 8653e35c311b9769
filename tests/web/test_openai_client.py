"""The real `openai` client at the gateway; the engine says what llama.cpp's server said when it was asked the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from control_plane.context import Answer, ControlPlane
from patience import PATIENCE
from served import serve, token_of
from support import missing
from web import create_app

try:
    import openai
except ImportError:
    openai = None  # type: ignore[assignment]

HI = [{"role": "user", "content": "Hi"}]
USAGE = {"completion_tokens": 1, "prompt_tokens": 1, "total_tokens": 2}
LENGTH = {"type": "object", "properties": {"unit": {"enum": ["m", "cm"]}}, "required": ["unit"]}
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": name, "parameters": LENGTH}} for name in ("length", "width")
]
NAMED = {"type": "function", "function": {"name": "width"}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
TOO_LONG = "request (24019 tokens) exceeds the available context size (4096 tokens), try increasing it"
NO_SCHEMA = "Unable to generate parser for this template. JSON schema error at #: cannot resolve $ref #/nowhere"
TEMPLATE = "Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/..."


@dataclass
class Said:
    status: int
    pieces: list[bytes]
    content_type: str = "application/json"
    engine_seconds: float = 0.0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)

    def close(self) -> None: ...


@dataclass
class LlamaCpp:
    """The inference port before an engine whose template knows tools, or not; `fails` is its next refusal."""

    tools: bool = True
    fails: tuple[int, str] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, machine_id: str, replica_id: int, path: str, body: bytes, deadline_seconds: float) -> Answer:
        if path == "/props":
            assert body == b""  # which makes it a GET
            caps = {"supports_tools": self.tools, "supports_tool_calls": self.tools}
            return Said(200, [json.dumps({"chat_template_caps": caps}).encode()])
        asked = json.loads(body)
        self.asked.append(asked)
        if self.fails:
            status, message = self.fails
            return Said(status, [json.dumps({"error": {"code": status, "message": message}}).encode()])
        if asked.get("stream"):
            return Said(200, self._pieces(), "text/event-stream")
        return Said(200, [json.dumps(self._chat(asked) if "messages" in asked else self._text(asked)).encode()])

    def _chat(self, asked: dict[str, Any]) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "hello"}
        if asked.get("tool_choice") == "required":
            call = {"name": asked["tools"][0]["function"]["name"], "arguments": '{"unit": "m"}'}
            message = {"role": "assistant", "content": None, "tool_calls": [_call(call)]}
        choices = [{"index": n, "finish_reason": "stop", "message": message} for n in range(asked.get("n") or 1)]
        return {"id": "c", "object": "chat.completion", "created": 1, "model": "x", "choices": choices, "usage": USAGE}

    def _text(self, asked: dict[str, Any]) -> dict[str, Any]:
        prompts = asked["prompt"] if isinstance(asked["prompt"], list) else [asked["prompt"]]
        texts = [{"index": n, "finish_reason": "stop", "text": f"{one}!"} for n, one in enumerate(prompts)]
        return {"id": "t", "object": "text_completion", "created": 1, "model": "x", "choices": texts, "usage": USAGE}

    def _pieces(self) -> list[bytes]:
        deltas = [{"role": "assistant", "content": None}, {"content": "hel"}, {"content": "lo"}]
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "x"}
        chunks = [head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        return [*(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks), b"data: [DONE]\n\n"]


def _call(function: dict[str, str]) -> dict[str, Any]:
    return {"id": "1", "type": "function", "function": function}


@pytest.fixture
def engine() -> LlamaCpp:
    return LlamaCpp()


@pytest.fixture
def app(cp: ControlPlane, engine: LlamaCpp) -> Flask:
    return create_app(replace(cp, inference=engine))


@pytest.fixture
def client(app: Flask, cp: ControlPlane, invite: Callable[..., str]) -> Iterator[Any]:
    """The client of a viewer of the project "lab", where "faults" is served with four slots."""
    if openai is None:
        missing("the `openai` client is not installed: it comes with the extra `dev`")
    invite("ada", "Viewer", "lab")
    serve(cp, "lab", "faults")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/v1"
    with openai.OpenAI(base_url=address, api_key=token_of(cp, "ada"), max_retries=0, timeout=PATIENCE) as made:
        yield made
    server.shutdown()
    thread.join()


def refusal(call: Callable[..., Any], **asked: Any) -> Any:
    """How the client tells the caller that a field of theirs is wrong."""
    with pytest.raises(openai.BadRequestError) as refused:
        call(**asked)
    return refused.value


def test_a_chat_and_a_stream_are_answered(client: Any, engine: LlamaCpp) -> None:
    chat = client.chat.completions.create
    assert chat(model="lab/faults", messages=HI, n=2).choices[1].message.content == "hello"
    pieces = chat(model="lab/faults", messages=HI, stream=True)
    assert "".join(one.choices[0].delta.content or "" for one in pieces) == "hello"


def test_a_model_that_is_listed_can_be_retrieved(client: Any) -> None:
    (listed,) = client.models.list().data
    assert client.models.retrieve(listed.id) == listed
    for name in ("lab/nothing", "other/faults", "faults"):
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve(name)


@pytest.mark.parametrize(("choice", "called"), [("required", "length"), (NAMED, "width")])
def test_a_forced_tool_is_called(client: Any, engine: LlamaCpp, choice: Any, called: str) -> None:
    answer = client.chat.completions.create(model="lab/faults", messages=HI, tools=TOOLS, tool_choice=choice)
    assert answer.choices[0].message.tool_calls[0].function.name == called
    assert engine.asked[0]["tool_choice"] == "required"  # of all that llama.cpp knows the one that it holds to


@pytest.mark.parametrize("choice", ["required", NAMED])
def test_a_template_without_tools_is_not_asked_to_call_one(client: Any, engine: LlamaCpp, choice: Any) -> None:
    engine.tools = False
    refused = refusal(client.chat.completions.create, model="lab/faults", messages=HI, tools=TOOLS, tool_choice=choice)
    assert (refused.code, refused.param) == ("tools_unsupported", "tool_choice")
    assert engine.asked == []


def test_tools_that_may_be_called_are_passed_on_as_they_came(client: Any, engine: LlamaCpp) -> None:
    client.chat.completions.create(model="lab/faults", messages=HI, tools=TOOLS, tool_choice="auto")
    assert engine.asked[0]["tools"] == TOOLS


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [*HI, {"role": "wizard", "content": "x"}]}, "messages[1].role"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [PICTURE]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"n": 0}, "n"),
        ({"n": 5}, "n"),
        ({"n": "2"}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_completion_tokens": 2**40}, "max_completion_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 3}, "temperature"),
        ({"logprobs": 3}, "logprobs"),
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tools": "length"}, "tools"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "search"}]}, "tools[0].type"),
        ({"tool_choice": "required"}, "tools"),
        ({"tools": TOOLS, "tool_choice": "always"}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": 3}, "tool_choice"),
        (
            {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "depth"}}},
            "tool_choice.function.name",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_in_a_chat_is_named(client: Any, engine: LlamaCpp, change: dict[str, Any], field: str) -> None:
    """With `extra_body`, which the client does not look at."""
    asked = {"model": "lab/faults", "messages": HI}
    refused = refusal(client.chat.completions.create, **asked, extra_body=change)
    assert (refused.param, refused.type) == (field, "invalid_request_error")
    assert field in refused.body["message"]
    assert engine.asked == []


@pytest.mark.parametrize("prompt", ["Hi", ["Hi", "Ho"], [3, 4], [[3, 4], [5]]])
def test_a_text_is_continued(client: Any, engine: LlamaCpp, prompt: Any) -> None:
    """As lm-evaluation-harness asks for a continuation, with texts or with tokens."""
    client.completions.create(model="lab/faults", prompt=prompt, max_tokens=4, temperature=0, seed=1, stop=["\n"])
    assert engine.asked[0]["prompt"] == prompt


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prompt": []}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": {"text": "x"}}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
        ({"prompt": ["x", 3]}, "prompt"),
        ({"echo": True, "logprobs": 1, "max_tokens": 1}, "echo"),
        ({"logprobs": 500}, "logprobs"),
        ({"logprobs": "1"}, "logprobs"),
        ({"suffix": "end"}, "suffix"),
        ({"best_of": 3}, "best_of"),
    ],
    ids=str,
)
def test_what_is_wrong_in_a_text_is_named(client: Any, engine: LlamaCpp, change: dict[str, Any], field: str) -> None:
    refused = refusal(client.completions.create, model="lab/faults", prompt="Hi", extra_body=change)
    assert refused.param == field
    assert engine.asked == []


def test_scores_of_given_answers_are_refused_in_words(client: Any) -> None:
    """What lm-evaluation-harness asks for a log-likelihood: the engine would leave `echo` out without a word."""
    asked = {"prompt": [[3, 4, 5]], "max_tokens": 1, "logprobs": 1, "echo": True, "temperature": 0}
    refused = refusal(client.completions.create, model="lab/faults", **asked)
    assert refused.code == "echo_unsupported"
    assert "cannot be scored" in refused.body["message"]


def test_there_are_no_embeddings(client: Any) -> None:
    refused = refusal(client.embeddings.create, model="lab/faults", input="Hi")
    assert (refused.code, refused.param) == ("embeddings_unsupported", "model")


@pytest.mark.parametrize(
    ("status", "said", "code", "field"),
    [
        (400, TOO_LONG, "context_exceeded", None),
        (400, "Requested tokens (300) exceed context window of 64", "context_exceeded", None),
        (400, "Failed to initialize samplers: failed to parse grammar", "parameter_unsupported", "grammar"),
        (400, NO_SCHEMA, "parameter_unsupported", "response_format"),
        (400, "Prompt contains invalid tokens", "parameter_unsupported", "prompt"),
        (400, "Field 'min_p': type must be number", "parameter_unsupported", "min_p"),
        (400, "something else", "request_refused", None),
        (500, TEMPLATE, "template_refused", "messages"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_the_engine_refuses_is_said_in_words_of_ours(
    client: Any, engine: LlamaCpp, status: int, said: str, code: str, field: str | None, streamed: bool
) -> None:
    engine.fails = (status, said)
    refused = refusal(client.chat.completions.create, model="lab/faults", messages=HI, stream=streamed)
    assert (refused.code, refused.param) == (code, field)
    assert said[:20] not in refused.body["message"]


def test_an_engine_that_fails_is_a_503_without_its_text(client: Any, engine: LlamaCpp) -> None:
    engine.fails = (500, "Compute error.")
    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model="lab/faults", messages=HI)
    assert failed.value.status_code == 503
    assert "Compute" not in failed.value.body["message"]


def test_a_refusal_speaks_the_callers_language(client: Any) -> None:
    said = [
        refusal(
            client.chat.completions.create,
            model="lab/faults",
            messages=HI,
            max_tokens=0,
            extra_headers={"Accept-Language": language},
        ).body["message"]
        for language in ("en", "de-DE", "zh-CN")
    ]
    assert len(set(said)) == 3
    assert all("max_tokens" in text for text in said)
