"""Headers, cookies, the key of the session cookie, and the reports of browsers about what the policy refused."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from secrets import token_hex, token_urlsafe

from flask import Blueprint, Flask, Response, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from control_plane.domain.limits import POLICY_REPORTS
from control_plane.settings import Settings
from web.access import public

log = logging.getLogger(__name__)

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "report-uri /csp-reports",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_REPORT_BYTES = 16_384
_FORM_BYTES = 2_097_152  # largest body of a route that does not take uploads
_UPLOAD_SLACK_BYTES = 1_048_576  # the other fields of an upload's form

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://")
blueprint = Blueprint("security", __name__)


def protect(app: Flask, settings: Settings) -> None:
    """Cookies, CSRF tokens, rate limits and headers for the whole application."""
    https = bool(settings.web_certificate) or settings.web_address.startswith("https:")
    app.config.update(
        SECRET_KEY=cookie_key(settings.data),
        # Cookies know no ports: two control planes on one host must not sign each other's users out.
        SESSION_COOKIE_NAME=f"tunesmith-{settings.web_port}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        PERMANENT_SESSION_LIFETIME=int(settings.session_seconds),
        MAX_CONTENT_LENGTH=_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=_FORM_BYTES,  # of the fields that are not files
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form may stay open over lunch
    )
    app.extensions["tunesmith_csp_reports"] = 0
    app.before_request(_limit_body)
    csrf.init_app(app)
    csrf.exempt(blueprint)
    limiter.init_app(app)
    app.register_blueprint(blueprint)
    app.after_request(_add_https_header if https else _add_headers)


def cookie_key(data: Path) -> str:
    """The key that signs the session cookie: made once, mode 0600, so that a restart signs nobody out."""
    path = data / "web.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(token_hex(32))
    return path.read_text().strip()


def takes_upload(view: object) -> object:
    """State that a view function takes files, up to the setting max_upload_bytes each (two of them)."""
    view.tunesmith_upload = True  # type: ignore[attr-defined]
    return view


def form_key() -> str:
    """A key for a form that makes something: pressed twice, it makes one."""
    return token_urlsafe(12)


@blueprint.post("/csp-reports")
@public
@limiter.limit(POLICY_REPORTS.text)
def csp_reports() -> tuple[str, int]:
    """A browser tells what the policy refused: counted and logged, never shown."""
    body = request.get_data(cache=False)[:_REPORT_BYTES]
    current_app.extensions["tunesmith_csp_reports"] += 1
    log.warning("content security policy: %r", body[:2_000])
    return "", 204


def _limit_body() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "tunesmith_upload", False):
        settings: Settings = current_app.extensions["tunesmith"].settings
        request.max_content_length = 2 * settings.max_upload_bytes + _UPLOAD_SLACK_BYTES


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _add_https_header(response: Response) -> Response:
    response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return _add_headers(response)
