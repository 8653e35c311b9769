"""Parts of pages that are asked for again at each hint: the same bytes travel once."""

from __future__ import annotations

import hashlib

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue


def fragment(html: str) -> Response:
    """A part of a page with an ETag, so that an unchanged one costs a 304."""
    response = Response(html)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Cookie, Accept-Language"
    response.set_etag(hashlib.sha256(html.encode()).hexdigest()[:32], weak=True)
    response.make_conditional(request)  # in place
    return response


def redirected(address: str) -> ResponseReturnValue:
    """To another page, also for a form that htmx sent: it would put the page's answer into this one."""
    return Response(headers={"HX-Redirect": address}) if "HX-Request" in request.headers else redirect(address)
