"""Somebody with a browser that runs no scripts: keeps cookies and sends forms with their token."""

from __future__ import annotations

import http.client
import http.cookiejar
import re
import ssl
import urllib.request
from urllib.parse import urlencode, urlsplit

from patience import PATIENCE


class HttpBrowser:
    """Opens pages of the site of `address`, with further `headers` on each request."""

    def __init__(self, address: str, trust: ssl.SSLContext | None = None, headers: dict[str, str] | None = None):
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=trust), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        self._opener.addheaders = list((headers or {}).items())
        self._root = "{0.scheme}://{0.netloc}".format(urlsplit(address))

    def open(self, path: str, body: bytes | None = None, kind: str = "") -> http.client.HTTPResponse:
        headers = {"Content-Type": kind, "Referer": self._root} if kind else {}
        request = urllib.request.Request(f"{self._root}{path}", body, headers)
        answer: http.client.HTTPResponse = self._opener.open(request, timeout=PATIENCE)
        return answer

    def read(self, path: str) -> str:
        """A page's text."""
        return self.open(path).read().decode()

    def token(self, path: str) -> str:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.read(path))
        assert found
        return found[1]

    def send(self, path: str, page: str = "", **fields: str) -> str:
        """Post a form, which `page` shows (the same path where none is named); what came back."""
        sent = urlencode(fields | {"csrf_token": self.token(page or path)}).encode()
        return self.open(path, sent, "application/x-www-form-urlencoded").read().decode()

    def upload(self, path: str, file: bytes, **fields: str) -> str:
        mark = "a-mark-that-is-in-no-row"
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in (fields | {"csrf_token": self.token(path)}).items()
        ]
        head = f'--{mark}\r\nContent-Disposition: form-data; name="train"; filename="train.jsonl"\r\n\r\n'.encode()
        body = b"".join([*parts, head, file, f"\r\n--{mark}--\r\n".encode()])
        return self.open(path, body, f"multipart/form-data; boundary={mark}").read().decode()
