"""The dashboard and the OpenAI-compatible endpoints, as one Flask application over the services."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask, Response, g, request
from flask_compress import Compress

from control_plane.context import ControlPlane
from control_plane.services import cases
from control_plane.store.database import reading, release
from web import (
    access,
    addresses,
    assets,
    bells,
    failures,
    fleet_snippets,
    formatting,
    gateway,
    hooks,
    languages,
    live,
    monitoring,
    pages,
    proxies,
    refusals,
    security,
    snippets,
    words,
)

# Their bodies are streams, or the engine's bytes as they came.
_UNCOMPRESSED = frozenset({"gateway", "live"})


def create_app(cp: ControlPlane) -> Flask:
    """The WSGI application of one control plane. It opens no transaction and starts no thread."""
    app = Flask(__name__, static_folder=None)
    app.url_map.converters["int"] = addresses.RowNumber
    app.extensions["tunesmith"] = cp
    app.extensions["tunesmith_tokens"] = access.TokenCache()
    app.extensions["tunesmith_bells"] = bells.Bells()
    app.extensions["tunesmith_live_slots"] = live.Slots(cp.settings.live_streams, cp.metrics.held.labels("events"))
    app.extensions["tunesmith_chat_slots"] = live.Slots(cp.settings.chat_streams, cp.metrics.held.labels("chat"))
    app.before_request(live.begin)
    app.before_request(_read_once)
    app.before_request(access.check)  # before the body is read: who may not, uploads nothing
    app.before_request(languages.remember)
    app.teardown_request(_let_go)
    languages.speak(app)
    security.protect(app, cp.settings)
    access.recognize_people(app)
    failures.answer_errors(app)
    _compress(app)
    _draw(app, cp)
    assets.serve(app)
    for blueprint in (gateway.blueprint, hooks.blueprint, live.blueprint, monitoring.blueprint):
        app.register_blueprint(blueprint)
    security.csrf.exempt(gateway.blueprint)
    security.csrf.exempt(hooks.blueprint)  # a program that calls has no form, and so no token of one
    pages.register(app)
    app.wsgi_app = proxies.BehindProxies(app.wsgi_app, cp.settings.trusted_proxies)  # type: ignore[method-assign]
    return app


def _read_once() -> None:
    """A page that only shows reads each row once, however many of its parts ask for it."""
    if request.method == "GET":
        g.reading = reading()
        g.reading.__enter__()


def _let_go(_: BaseException | None) -> None:
    if (block := g.pop("reading", None)) is not None:
        block.__exit__(None, None, None)
    release()


def _compress(app: Flask) -> None:
    app.config.update(
        COMPRESS_REGISTER=False, COMPRESS_STREAMS=False, COMPRESS_MIMETYPES=["text/html", "application/json"]
    )
    compress = Compress(app)

    def shrink(response: Response) -> Response:
        return response if request.blueprint in _UNCOMPRESSED else compress.after_request(response)

    app.after_request(shrink)


def _draw(app: Flask, cp: ControlPlane) -> None:
    """What every template may use."""

    def moment(seconds: float | None) -> datetime | None:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None

    app.jinja_env.filters.update(formatting.filters(languages.locale, lambda: datetime.fromtimestamp(cp.clock(), UTC)))
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.globals["form_key"] = security.form_key
    app.jinja_env.globals["words"] = words
    app.jinja_env.globals["reading"] = lambda text: cases.readings(cp, languages.locale()).get(text, "")
    app.jinja_env.globals["trash_days"] = cp.settings.trash_days
    app.jinja_env.globals["form_sent"] = refusals.form
    app.jinja_env.globals["snippets"] = snippets
    app.jinja_env.globals["fleet_snippets"] = fleet_snippets
    app.jinja_env.globals["api"] = lambda: fleet_snippets.access(cp.settings.public_host, cp.settings.api_port)
    app.context_processor(pages.frame)
