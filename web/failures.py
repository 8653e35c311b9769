"""Errors become pages, or JSON for whoever asked for that. A stack trace goes to the log, under a number."""

from __future__ import annotations

import logging
from secrets import token_hex
from urllib.parse import urlencode

from flask import Flask, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from control_plane.domain.errors import InTrash, NotFound, NotSignedIn, RequestForged, TooMany, TunesmithError
from control_plane.statuses import STATUS
from control_plane.wording import say
from web import trashed
from web.languages import locale

log = logging.getLogger(__name__)


def answer_errors(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(TunesmithError, _of_ours)
    app.register_error_handler(CSRFError, lambda _: _of_ours(RequestForged()))
    app.register_error_handler(HTTPException, _of_http)
    # The top of every request: whatever nobody foresaw ends here, logged, and the next request goes on.
    app.register_error_handler(Exception, _of_nobody)


def sentence(problem: TunesmithError) -> str:
    """The error in the reader's language."""
    return say(problem.code, problem.params, locale())


def _of_ours(problem: TunesmithError) -> ResponseReturnValue:
    if isinstance(problem, NotSignedIn) and not wants_json() and g.get("actor") is None:
        return _to_sign_in()
    status = STATUS[problem.status].http
    if isinstance(problem, InTrash) and not wants_json():
        return trashed.page(problem), status
    field = str(problem.params.get("parameter", problem.params.get("field", "")))
    return _answer(status, problem.code, sentence(problem), field=field)


def _of_http(problem: HTTPException) -> ResponseReturnValue:
    status = problem.code or 500
    if status < 400:
        return problem
    if status == 404:
        return _answer(status, "not_found", sentence(NotFound()))
    if status == 429:
        return _answer(status, "too_many", sentence(TooMany()))
    if status == 413:
        text = gettext("What you sent is too large: text that is pasted may have 2 MiB. Upload it as a file instead.")
        return _answer(status, "too_large", text)
    return _answer(status, f"http_{status}", gettext("The request could not be understood."))


def _of_nobody(problem: Exception) -> ResponseReturnValue:
    incident = token_hex(4)
    log.error("incident %s: %s %s", incident, request.method, request.path, exc_info=problem)
    text = gettext("Something went wrong on our side. It was logged as incident %(incident)s.", incident=incident)
    return _answer(500, "failed", text, incident)


def _answer(status: int, code: str, message: str, reference: str = "", field: str = "") -> ResponseReturnValue:
    if wants_json():
        if request.path.startswith("/v1/"):
            return jsonify(error=openai_error(status, code, message, field)), status
        return jsonify(code=code, message=message, reference=reference), status
    return render_template("error.html", status=status, code=code, message=message, reference=reference), status


_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def openai_error(status: int, code: str, message: str, field: str = "") -> dict[str, str | None]:
    """The body of an error as the OpenAI-compatible endpoints give it; `field` of the request is what is wrong."""
    kind = _OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"message": message, "type": kind, "param": field or None, "code": code}


def wants_json() -> bool:
    """Whether a program asks."""
    if request.path.startswith(("/v1/", "/hooks/")) or request.path == "/metrics" or request.is_json:
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _to_sign_in() -> ResponseReturnValue:
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    address = url_for("sign_in.form") + ("?" + urlencode({"next": here}) if here != "/" else "")
    if "HX-Request" in request.headers:
        return "", 401, {"HX-Redirect": url_for("sign_in.form")}
    return redirect(address)
