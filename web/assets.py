"""Static files from memory: hashed once, compressed once, cached by browsers for ever.

The hash of all of them is a folder in each address (`/static/<hash>/app.js`), so that what they load from each other by
relative paths carries it too.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from flask import Flask, Response, abort, request

FOLDER = Path(__file__).parent / "static"
STYLE, STYLES = "style.css", ("tokens.css", "base.css", "components.css", "pages.css")  # one request for all of them
_COMPRESSED = frozenset({".css", ".js", ".svg", ".txt", ".md"})
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file: its bytes as they are and compressed (empty where that saves nothing)."""

    content_type: str
    etag: str
    data: bytes
    compressed: bytes


def serve(app: Flask, folder: Path = FOLDER) -> None:
    """Add the endpoint `static`; `url_for("static", filename=…)` fills in the version."""
    files = _read(folder)
    current = hashlib.sha256("".join(asset.etag for asset in files.values()).encode()).hexdigest()[:12]

    def static(version: str, filename: str) -> Response:
        asset = files.get(filename)
        if asset is None:
            abort(404)
        return _answer(asset, _FOR_EVER if version == current else "no-cache")

    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values.setdefault("version", current)

    app.add_url_rule("/static/<version>/<path:filename>", endpoint="static", view_func=static)
    app.url_defaults(add_version)


@cache
def _read(folder: Path) -> Mapping[str, Asset]:
    """Each file by its path in the folder; read once a process."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    style = b"".join(files[name] for name in STYLES if name in files)
    return {name: _asset(name, data) for name, data in (files | {STYLE: style}).items()}


def _asset(name: str, data: bytes) -> Asset:
    suffix = PurePosixPath(name).suffix
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if suffix == ".js":
        kind = "text/javascript"
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    compressed = gzip.compress(data, 9, mtime=0) if suffix in _COMPRESSED else b""
    return Asset(kind + charset, hashlib.sha256(data).hexdigest()[:32], data, compressed)


def _answer(asset: Asset, cache: str) -> Response:
    zipped = bool(asset.compressed) and "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(asset.compressed if zipped else asset.data, content_type=asset.content_type)
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = cache
    response.set_etag(asset.etag + ("-gzip" if zipped else ""))
    response.make_conditional(request)
    return response
