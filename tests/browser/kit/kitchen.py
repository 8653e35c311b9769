"""Every component of the dashboard on one page, served without the control plane: the design is tested by itself."""

import json
import queue
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.datastructures import MultiDict

from web import assets, formatting, forms, refusals

ROOT = Path(__file__).parents[3]
POLICY = "default-src 'none'; " + "; ".join(
    f"{kind}-src 'self'" + (" data:" if kind == "img" else "") for kind in ("style", "script", "connect", "img", "font")
)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LINES = 3000
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["reference"],
    "properties": {
        "reference": {"type": "string", "title": "Reference", "description": "Where the examples come from."},
        "epochs": {"type": "integer", "title": "Rounds over the data", "default": 2, "minimum": 1, "maximum": 20},
        "shuffle": {"type": "boolean", "title": "Shuffle the examples", "default": True},
        "mode": {"enum": ["lora", "full"], "default": "lora", "title": "What is trained", "x-level": "standard"},
        "learning_rate": {
            "type": "number", "title": "Learning rate", "default": 0.001, "exclusiveMinimum": 0, "maximum": 0.1,
            "description": "How far each step goes.", "x-group": "optimisation", "x-level": "standard",
        },
        "rank": {
            "type": "integer", "title": "Adapter rank", "default": 16, "x-group": "optimisation", "x-level": "expert",
            "x-visible-if": {"mode": "lora"},
        },
        "answer": {"type": ["object", "null"], "default": None, "title": "Answer structure", "x-level": "expert"},
    },
}  # fmt: skip
TITLES = {"basics": "Basics", "optimisation": "Optimisation"}
NAVIGATION = {
    "Work": [
        ("Home", "house", "h"), ("Cases", "book-open", "c"), ("Data", "database", "d"), ("Jobs", "list-checks", "j"),
        ("Models", "boxes", "m"), ("Evaluations", "scale", "e"), ("Deployments", "rocket", "p"),
    ],
    "Fleet": [("Machines", "server", "f"), ("Queue", "list-ordered", "")],
    "Admin": [("People", "users", ""), ("Methods", "puzzle", ""), ("Audit", "scroll-text", "")],
}  # fmt: skip


class State:
    """What the pages show, and the browsers that listen: a test changes it and gives a hint."""

    def __init__(self) -> None:
        self.steps = 40
        self.log = b"".join(_log_line(number) for number in range(1, LINES + 1))
        self.listeners: list[queue.Queue[str]] = []
        self.streams = True

    def hint(self, topic: str) -> None:
        for listener in self.listeners:
            listener.put(json.dumps({"topic": topic, "version": 1}))


def _log_line(number: int) -> bytes:
    level = "\x1b[33mwarning\x1b[0m" if number % 25 == 0 else "\x1b[1minfo\x1b[0m"
    return f"{level} step {number} loss {2 / number:.4f} <b>not markup</b>\n".encode()


def create_kitchen(state: State) -> Flask:
    app = Flask(__name__, template_folder=str(ROOT / "web/templates"), static_folder=None)
    assets.serve(app)
    app.secret_key = "kit"
    app.jinja_loader.searchpath.append(str(Path(__file__).parent / "templates"))  # type: ignore[union-attr]
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(str, lambda one, many, n: one if n == 1 else many, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals["csrf_token"] = lambda: "kit-token"
    app.jinja_env.globals["form_sent"] = refusals.form
    app.jinja_env.globals["api"] = lambda: {
        "login": "tunesmith login forge.example:8421 --authority authority.pem",
        "is_loopback": True,
        "token_url": "#tokens",
        "authority_url": "#authority",
    }
    app.jinja_env.filters.update(formatting.filters(lambda: "en", lambda: NOW))
    app.context_processor(_surroundings)
    app.after_request(_strict)
    _pages(app)
    _streams(app, state)
    return app


def _surroundings() -> dict[str, Any]:
    navigation = [
        {"group": group, "items": [
            {"url": "/", "label": label, "icon": icon, "active": label == "Jobs", "shortcut": key and f"g {key}"}
            for label, icon, key in items
        ]}
        for group, items in NAVIGATION.items()
    ]  # fmt: skip
    return {
        "locale": request.args.get("lang", "en"), "languages": [("en", "English"), ("de", "Deutsch"), ("zh", "中文")],
        "navigation": navigation, "projects": [{"name": "Plant 4", "url": "/"}], "project": {"name": "Plant 4"},
        "viewer": {"name": "Ada"}, "sign_out_url": "/sign-out", "account_url": "/", "events_url": "/events",
        "home_url": "/",
    }  # fmt: skip


def _strict(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _pages(app: Flask) -> None:
    @app.get("/")
    def kitchen() -> str:
        wrong = MultiDict({forms.PREFIX + "epochs": "two"})
        _, errors = forms.read(SCHEMA, wrong)
        return render_template("kitchen.html", groups=forms.layout(SCHEMA, TITLES, forms.texts(SCHEMA, wrong), errors))

    @app.get("/bare")
    def bare() -> str:
        return render_template("kitchen_bare.html", viewer=None)

    @app.get("/error/<int:status>")
    def error(status: int) -> str:
        return render_template("error.html", status=status, message="", reference="4f1c")

    @app.get("/fragment")
    def fragment() -> str:
        return "<strong>fresh</strong>"


def _streams(app: Flask, state: State) -> None:
    @app.get("/chart")
    def chart() -> dict[str, Any]:
        after = int(request.args.get("after", 0))
        steps = range(after + 1, state.steps + 1)
        wave = [[step, 1.1 / step**0.6 + 0.06 * ((step * 7) % 5)] for step in steps]
        higher = [[step, value * 1.3] for step, value in wave]
        curves = [{"name": "loss", "points": wave}, {"name": "baseline", "points": higher}]
        return {"series": curves, "cursor": state.steps}

    @app.get("/log")
    def log() -> Response:
        start, limit = _log_start(state.log, request.args), request.args.get("limit", 65536, int)
        response = Response(state.log[start : start + limit], mimetype="text/plain")
        response.headers["X-Log-Start"] = str(start)
        response.headers["X-Log-Line"] = str(state.log.count(b"\n", 0, start) + 1)
        response.headers["X-Log-Size"] = str(len(state.log))
        return response

    @app.post("/chat")
    def chat() -> Response:
        if request.headers.get("X-CSRFToken") != "kit-token":
            return Response(status=403)
        return Response(_answer(), mimetype="text/event-stream")

    @app.get("/events")
    def events() -> Response:
        if not state.streams:
            return Response(status=204)
        listener: queue.Queue[str] = queue.Queue()
        state.listeners.append(listener)
        return Response(_hints(state, listener), mimetype="text/event-stream")


def _log_start(log: bytes, query: MultiDict[str, str]) -> int:
    if "line" in query:
        return len(b"\n".join(log.split(b"\n")[: int(query["line"]) - 1])) + 1
    offset = int(query["offset"])
    return offset if offset >= 0 else max(0, len(log) + offset)


def _answer() -> Iterator[str]:
    for piece in ('{"machine": ', '"pump <3>"', "}"):
        yield f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n"
    yield "data: [DONE]\n\n"


def _hints(state: State, listener: "queue.Queue[str]") -> Iterator[str]:
    try:
        yield ": open\n\n"
        while True:
            try:
                yield f"data: {listener.get(timeout=0.5)}\n\n"
            except queue.Empty:
                yield ": still here\n\n"
    finally:
        state.listeners.remove(listener)
