"""One replica's serving engine where xllamacpp cannot be had: llama-cpp-python's server, behind a door of ours.

    python llama_cpp_engine.py <replica folder>

The same contract as `engine.py`: `engine.json`, `engine.lock`, `ready.json`, HTTP on loopback with a key, and it knows
nothing of the agent. One request is answered at a time, the others wait; the door makes requests and answers those of
the other engine, as far as this server can.
"""

import asyncio
import fcntl
import hmac
import json
import os
import signal
import socket
import sys
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import llama_cpp
import uvicorn
from fastapi import HTTPException
from llama_cpp.llama_grammar import json_schema_to_gbnf
from llama_cpp.server.app import create_app
from llama_cpp.server.settings import ModelSettings, ServerSettings

_departed: ContextVar[asyncio.Event] = ContextVar("departed")  # set when whoever asked has gone away


def main(folder: Path) -> None:
    """Serve until SIGTERM. Exits with 3 when another engine has this replica."""
    lock = os.open(folder / "engine.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(3)
    wanted = json.loads((folder / "engine.json").read_text())
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # like SIGTERM it ends at once, also a load: there is nothing to save
    llama_cpp.Llama = _Model  # what create_app loads
    served = create_app(
        server_settings=ServerSettings(interrupt_requests=False, disable_ping_events=True),
        model_settings=[parameters(wanted)],
    )
    door = Door(served, wanted["name"], wanted["api_key"])
    config = uvicorn.Config(door, lifespan="off", access_log=False, log_level="warning")
    _Server(config, folder).run(sockets=[socket.create_server(("127.0.0.1", 0))])


def parameters(wanted: dict[str, Any]) -> ModelSettings:
    """How the model is loaded: one conversation of `context_length` tokens at a time, on the GPU where it knows one."""
    return ModelSettings(
        model=wanted["model"],
        model_alias=wanted["name"],
        n_ctx=wanted["context_length"],
        n_threads=wanted["threads"],
        n_threads_batch=wanted["threads"],
        n_gpu_layers=-1,
        logits_all=False,  # else a row of the vocabulary's size is kept for each token of context
        use_mlock=False,
    )


class _Model(llama_cpp.Llama):
    """A model that stops for whoever went away, and takes ChatML where the file has no chat template."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "tokenizer.chat_template" not in self.metadata:
            self.chat_format = "chatml"

    def eval(self, tokens: list[int]) -> None:
        """Compute in batches, for as long as somebody waits. Raises HTTPException."""
        for begin in range(0, len(tokens), self.n_batch):
            if _departed.get().is_set():
                raise HTTPException(499, "the client went away")  # of all errors the one that the server logs not
            super().eval(tokens[begin : begin + self.n_batch])

    def generate(self, tokens: list[int], *given: Any, grammar: Any = None, **options: Any) -> Any:
        """The tokens that follow. Raises HTTPException: a grammar that llama.cpp cannot read would end the process."""
        if grammar is not None:
            text, root = grammar._grammar.encode(), grammar._root.encode()
            made = llama_cpp.llama_sampler_init_grammar(self._model.vocab, text, root)
            if not made:
                raise HTTPException(400, "the grammar cannot be read")
            llama_cpp.llama_sampler_free(made)
        return super().generate(tokens, *given, grammar=grammar, **options)


class _Server(uvicorn.Server):
    """Writes `ready.json` as soon as the port answers, and leaves signals as they are: they end the process at once."""

    def __init__(self, config: uvicorn.Config, folder: Path) -> None:
        super().__init__(config)
        self._folder = folder

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        host, port = sockets[0].getsockname()
        ready = self._folder / "ready.partial"
        ready.write_text(json.dumps({"address": f"http://{host}:{port}", "pid": os.getpid()}))
        ready.replace(self._folder / "ready.json")


class Refused(Exception):
    """A request that this engine cannot answer as it was meant."""


class Door:
    """What stands before the server (an ASGI application): the key, /health, and the other engine's manners."""

    def __init__(self, app: Any, name: str, key: str) -> None:
        self._app, self._name, self._key = app, name, f"Bearer {key}".encode()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        answer = _Answer(send)
        if scope["path"] == "/health":
            await answer.say(200, {"status": "ok"})
        elif not hmac.compare_digest(dict(scope["headers"]).get(b"authorization", b""), self._key):
            await answer.fail(401, "invalid API key")
        else:
            try:
                body = await _body(receive)
                if scope["method"] == "POST":
                    body = await asyncio.to_thread(translated, body, self._name)
                await self._pass_on(scope, body, receive, answer)
            except Refused as problem:
                await answer.fail(400, str(problem))

    async def _pass_on(self, scope: dict[str, Any], body: bytes, receive: Any, answer: "_Answer") -> None:
        departed = asyncio.Event()
        _departed.set(departed)
        watching = asyncio.create_task(_watch(receive, departed))
        length = str(len(body)).encode()
        headers = [(name, length if name == b"content-length" else value) for name, value in scope["headers"]]
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def read() -> dict[str, Any]:
            if (message := next(given, None)) is not None:
                return message
            await departed.wait()
            return {"type": "http.disconnect"}

        try:
            await self._app({**scope, "headers": headers}, read, answer.pass_on)
            await answer.finish()
        except Exception as problem:  # an interceptor: the server raises what ends a stream, also its beginning
            if answer.begun:
                raise
            await answer.fail(*_said(problem))
        finally:
            watching.cancel()


class _Answer:
    """The way back. The head of an answer waits for its first piece: until then it can still become an error."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._head: dict[str, Any] | None = None
        self.begun = False

    async def pass_on(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._head = message
            return
        if not message.get("body") and (message.get("more_body") or not self.begun):
            return  # a ping, or the end of a stream that broke before its first piece
        await self._begin()
        await self._send(message)

    async def finish(self) -> None:
        """Send the head of an answer that had no piece."""
        if self._head is not None:
            await self._begin()
            await self._send({"type": "http.response.body", "body": b""})

    async def _begin(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self.begun = True
            await self._send(head)

    async def fail(self, status: int, message: str) -> None:
        kind = "invalid_request_error" if status < 500 else "server_error"
        await self.say(status, {"error": {"message": message, "type": kind, "code": status}})

    async def say(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        self.begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def translated(body: bytes, name: str) -> bytes:
    """A request to the other engine as this one's. Raises Refused."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise Refused("the body is not JSON") from problem
    if not isinstance(asked, dict):
        raise Refused("the body is not a JSON object")
    if asked.get("logprobs") not in (None, False):
        raise Refused("Field 'logprobs': this engine gives no log probabilities")
    if asked.get("n") not in (None, 1):
        raise Refused("Field 'n': this engine gives one answer")
    prompt = asked.get("prompt")
    if isinstance(prompt, list) and not (len(prompt) == 1 and isinstance(prompt[0], str)):
        raise Refused("Field 'prompt': this engine continues one text")
    asked["model"] = name  # as the answer calls it
    asked.setdefault("repeat_penalty", 1.0)  # this server's own default changes what a model says
    if "max_completion_tokens" in asked:
        asked.setdefault("max_tokens", asked["max_completion_tokens"])
    schema = _schema(asked.get("response_format"))
    if schema is not None:
        # as a grammar: this server takes a schema that it does not understand for any JSON, without a word
        asked["grammar"] = _grammar(schema)
        del asked["response_format"]
    return json.dumps(asked).encode()


def _schema(wished: Any) -> Any:
    """The JSON Schema of a `response_format`, in OpenAI's form or llama.cpp's own; None without one."""
    if not isinstance(wished, dict):
        return None
    if wished.get("type") == "json_schema":
        inner = wished.get("json_schema")
        if not isinstance(inner, dict) or inner.get("schema") is None:
            raise Refused("response_format has no json_schema.schema")
        return inner["schema"]
    return wished.get("schema") if wished.get("type") == "json_object" else None


def _grammar(schema: Any) -> str:
    """llama.cpp's grammar of a JSON Schema. Raises Refused."""
    try:
        return json_schema_to_gbnf(json.dumps(schema))
    except Exception as problem:  # it says with whatever exception comes up what it does not understand
        raise Refused(f"the JSON Schema is not understood: {type(problem).__name__}: {problem}") from problem


def _said(problem: BaseException) -> tuple[int, str]:
    """Status and words of what the server raised."""
    if isinstance(problem, RuntimeError) and problem.__cause__ is not None:
        problem = problem.__cause__  # a status that came when the head, as the server saw it, was gone
    if isinstance(problem, HTTPException):
        return problem.status_code, str(problem.detail)
    # what llama.cpp's Python side cannot do with a request (a prompt beyond the context, say) is a ValueError
    return 400 if isinstance(problem, ValueError) else 500, str(problem)


async def _body(receive: Any) -> bytes:
    """The whole body of a request. Raises Refused where its sender went away."""
    gathered = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("the client went away")
        gathered += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(gathered)


async def _watch(receive: Any, departed: asyncio.Event) -> None:
    """Notice when whoever asks goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    departed.set()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
