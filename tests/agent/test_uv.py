"""pip's configuration in uv's words, and what of it is a secret."""

from __future__ import annotations

import base64
import functools
import threading
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from agent import isolation, uv
from agent.environment import Environments
from agent.settings import Settings
from agent.uv import Untranslatable
from tests.agent.wheels import installer, wheel

PASSWORD = "very-private-9f3c"


class Locked(SimpleHTTPRequestHandler):
    """A folder as an index, for who has the password."""

    def do_GET(self) -> None:
        given = base64.b64encode(f"somebody:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == f"Basic {given}":
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: it would be the test's output."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """An address with a password in it."""
    packages = tmp_path / "index" / "simple" / "guarded"
    packages.mkdir(parents=True)
    wheel(packages, "guarded", "1.0")
    handler = functools.partial(Locked, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://somebody:{PASSWORD}@127.0.0.1:{server.server_port}/simple"
        server.shutdown()
        thread.join()


def test_a_password_is_told_to_uv_and_is_left_nowhere(
    index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONSTRAINT", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "downloads"))
    monkeypatch.setenv("PIP_INDEX_URL", index)
    settings, arguments, modes = Settings(data=tmp_path / "agent", tail_seconds=0.01), set(), set()

    def tick() -> None:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):  # it has ended
                arguments.update(process.cmdline())
        for file in settings.data.glob("build-*/*"):
            modes.add((file.name, file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777))

    environments = Environments(settings, isolation.find(settings))
    made = environments.ensure("guarded\n", "", tmp_path / "log", tick)
    assert (installer(made, "guarded"), made.lock) == ("uv", "guarded==1.0\n")
    assert {("pip", 0o600, 0o700), ("uv.toml", 0o600, 0o700)} <= modes and any("uv.toml" in word for word in arguments)
    assert not any(PASSWORD in word for word in arguments)
    assert not list(settings.data.glob("build-*"))
    left = [file for file in tmp_path.rglob("*") if file.is_file() and PASSWORD.encode() in file.read_bytes()]
    assert left == []


def test_the_stronger_section_of_pips_configuration_replaces_the_weaker(tmp_path: Path) -> None:
    said = uv.configuration(
        "global.index-url='https://a/simple'\nglobal.find-links='/not/there https://wheels/'\n"
        "global.timeout='7'\nglobal.trusted-host='a b'\nglobal.proxy='http://proxy:1'\nglobal.no-cache-dir='true'\n"
        f"install.index-url='https://b/simple'\ninstall.constraint='{tmp_path}/one {tmp_path}/two'\n"
        f":env:.extra-index-url='https://c/simple file://{tmp_path}'\n:env:.no-index='0'\nlist.format='json'\n",
        {},
    )
    assert tomllib.loads(said.toml) == {
        "index-strategy": "unsafe-best-match",
        "system-certs": True,
        "no-cache": True,
        "find-links": ["https://wheels/"],
        "allow-insecure-host": ["a", "b"],
        "index": [
            {"url": "https://c/simple"},
            {"url": f"file://{tmp_path}"},
            {"url": "https://b/simple", "default": True},
        ],
    }
    assert said.constraints == [f"{tmp_path}/one", f"{tmp_path}/two"]
    assert said.variables == {
        "UV_HTTP_TIMEOUT": "7",
        "HTTP_PROXY": "http://proxy:1",
        "HTTPS_PROXY": "http://proxy:1",
    }


def test_certificates_are_those_of_pip() -> None:
    bundles = {"CURL_CA_BUNDLE": "/curl", "REQUESTS_CA_BUNDLE": "/requests"}
    assert uv.configuration("", bundles).variables == {"SSL_CERT_FILE": "/requests"}
    assert uv.configuration("global.cert='/pip'\n", bundles).variables == {"SSL_CERT_FILE": "/pip"}


def test_what_uv_has_no_word_for_is_named() -> None:
    with pytest.raises(Untranslatable, match=r"only-binary, pre$"):
        uv.configuration("global.pre='true'\n:env:.only-binary=':all:'\nglobal.index-url='https://a'\n", {})
