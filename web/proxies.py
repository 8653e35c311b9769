"""Who asks, where proxies stand in front: `trusted_proxies` says whose word is taken for it."""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from control_plane.settings import Networks


class BehindProxies:
    """The application, told the address of the client in place of the nearest trusted proxy's."""

    def __init__(self, application: WSGIApplication, trusted: Networks) -> None:
        self._application = application
        self._trusted = trusted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
        environ["REMOTE_ADDR"] = self._trusted.client(environ.get("REMOTE_ADDR", ""), forwarded)
        return self._application(environ, start_response)
