"""For monitoring: /healthz, /readyz and /metrics on a loopback port of the agent, where the setting names one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agent.attempts.attempts import Attempts
from agent.link.session import Session
from agent.serving.replicas import Serving

_TEXT = "text/plain; charset=utf-8"
Answer = tuple[int, str, bytes]  # status, content type, body


def start(port: int, session: Session, attempts: Attempts, serving: Serving) -> ThreadingHTTPServer:
    """Serve on 127.0.0.1 from a thread of its own; 0 takes a free port. Raises OSError where the port is in use."""
    metrics = _metrics(session, attempts, serving)
    answers: dict[str, Callable[[], Answer]] = {
        "/healthz": lambda: (200, _TEXT, b"ok"),
        "/readyz": lambda: _ready(session),
        "/metrics": metrics,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            status, content_type, body = answer() if answer else (404, _TEXT, b"not found")
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """A probe every few seconds is no news."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="monitoring", daemon=True).start()
    return server


def _ready(session: Session) -> Answer:
    if session.silence() <= 3 * session.heartbeat_seconds:
        return 200, _TEXT, b"ok"
    return 503, _TEXT, b"the control plane does not answer"


def _metrics(session: Session, attempts: Attempts, serving: Serving) -> Callable[[], Answer]:
    # costs memory, so only an agent that is watched has it
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector

    class Held(Collector):
        def collect(self) -> Iterator[GaugeMetricFamily]:
            counted = (
                ("attempts", "Attempts that this machine holds", [one.state for one in attempts.held()]),
                ("replicas", "Replicas of served models on this machine", [one.state for one in serving.statuses()]),
            )
            for noun, words, states in counted:
                family = GaugeMetricFamily(f"tunesmith_agent_{noun}", words, labels=["state"])
                for state, count in Counter(states).items():
                    family.add_metric([state], count)
                yield family
            words = "Since the control plane last answered a heartbeat"
            yield GaugeMetricFamily("tunesmith_agent_silence_seconds", words, value=session.silence())

    registry = CollectorRegistry()
    registry.register(Held())
    ProcessCollector(registry=registry)
    return lambda: (200, CONTENT_TYPE_LATEST, generate_latest(registry))
