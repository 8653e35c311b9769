"""A server that stands in for a model of others: it speaks OpenAI's chat completions as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HERE = "127.0.0.0/8"  # what a test opens to reach it

Said = tuple[int, Any, Mapping[str, str]]  # status, body (bytes as they are, else JSON), headers


@dataclass
class Model:
    """What was asked, with the path and the key; `answers` says what comes."""

    address: str
    answers: Callable[[dict[str, Any]], Said]
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def completion(text: Any, finish: str = "stop", **message: Any) -> Said:
    choice = {"message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    return 200, {"choices": [choice]}, {}


def refusal(status: int, message: str, code: str = "", **headers: str) -> Said:
    return (
        status,
        {"error": {"message": message, "code": code}},
        {name.replace("_", "-"): headers[name] for name in headers},
    )


@contextmanager
def serving(answers: Callable[[dict[str, Any]], Said]) -> Iterator[Model]:
    """A model on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked.append({"path": self.path, **asked})
            model.keys.append(self.headers.get("Authorization", ""))
            status, body, headers = model.answers(asked)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model = Model(f"http://127.0.0.1:{server.server_address[1]}/v1", answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
