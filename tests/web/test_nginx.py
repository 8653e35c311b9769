"""docs/nginx.conf with a real nginx in front of a real server: a page, the events as they come, an upload."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rooms import rows

from control_plane.authority import open_authority
from http_browser import HttpBrowser
from patience import PATIENCE, wait_until
from server_process import free_environment, started, wait_ready
from support import missing

DOCS = Path(__file__).parents[2] / "docs"
PASSWORD = "a long enough sentence"


@pytest.fixture
def welcome(tmp_path: Path) -> Iterator[str]:
    """The first administrator's link, at the proxy; both run."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or missing("nginx")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    front = f"https://127.0.0.1:{port}"
    environment = free_environment(tmp_path / "data", web_address=front, trusted_proxies="127.0.0.1")
    place = _configured(tmp_path / "nginx", f"127.0.0.1:{port}", f"127.0.0.1:{environment['TUNESMITH_WEB_PORT']}")
    with started(environment) as process:
        wait_ready(environment, process)
        assert process.stdout is not None
        link = next(found[1] for line in process.stdout if (found := re.search(r"once at (https://\S+)", line)))
        nginx = subprocess.Popen([program, "-e", "stderr", "-p", place, "-c", place / "nginx.conf"])
        try:
            _await(port, nginx)
            yield link
        finally:
            nginx.terminate()
            nginx.wait(PATIENCE)


def _configured(folder: Path, front: str, back: str) -> Path:
    """nginx.conf around the one of the docs, with these addresses and a certificate of ours."""
    (folder / "temporary").mkdir(parents=True)
    key, chain = open_authority(folder / "authority").server_identity(frozenset({"127.0.0.1"}), time.time())
    (folder / "key.pem").write_bytes(key)
    (folder / "chain.pem").write_bytes(chain)
    ours = (DOCS / "nginx.conf").read_text("utf-8")
    for theirs, changed in (
        ("listen 443 ssl", f"listen {front} ssl"),
        ("127.0.0.1:8420", back),
        ("/etc/ssl/tunesmith", str(folder)),
    ):
        assert theirs in ours
        ours = ours.replace(theirs, changed)
    (folder / "tunesmith.conf").write_text(ours)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/temporary/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; {'user root;' if os.geteuid() == 0 else ''} events {{}}\n"
        f"http {{ access_log off; {temporary} include {folder}/tunesmith.conf; }}\n"
    )
    return folder


def _await(port: int, nginx: subprocess.Popen[bytes]) -> None:
    def listens() -> bool:
        assert nginx.poll() is None
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens)


def _attacker(address: str, folder: Path) -> HttpBrowser:
    """Says it is somebody else, as an attacker would."""
    trust = ssl.create_default_context(cadata=open_authority(folder).pem.decode())
    return HttpBrowser(address, trust, {"X-Forwarded-For": "203.0.113.9"})


def test_a_page_the_events_and_an_upload(welcome: str, tmp_path: Path) -> None:
    browser = _attacker(welcome, tmp_path / "nginx/authority")
    assert "/p/default" in browser.send(urlsplit(welcome).path, password=PASSWORD)
    events = browser.open("/events?topics=project:1")
    assert events.readline().startswith(b"retry:")
    page = browser.upload("/p/default/data/upload", rows(20_000))
    assert "Looking at the file" in page or "What a row" in page
    begun = time.monotonic()
    while b"project:1" not in events.readline():
        pass
    assert time.monotonic() - begun < 15  # the stream's own heartbeat would let out what is held back
    events.close()
    trail = browser.open("/audit").read().decode()
    assert "127.0.0.1" in trail
    assert "203.0.113.9" not in trail
