"""The real application in a real browser: a furnished project, served on loopback, looked at with Chromium."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import rooms
from werkzeug.serving import WSGIRequestHandler, make_server

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.services.access import people
from patience import PATIENCE
from support import FakeClock, close_database, make_control_plane, missing
from web import create_app

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
AXE = Path(__file__).parent / "vendor/axe.min.js"
PICTURES = os.environ.get("TUNESMITH_PICTURES")  # a folder; then each page that is looked at is kept as a picture
NAME, PASSWORD = "ada", "a long enough sentence"


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """A line for each request would drown the test's own."""


@dataclass
class Site:
    """The application on loopback, and what its policy reports say."""

    cp: ControlPlane
    address: str
    app: Any
    rooms: rooms.Rooms
    cookies: list[dict[str, Any]] = field(default_factory=list)  # of a signed-in browser

    @property
    def csp_reports(self) -> int:
        return int(self.app.extensions["tunesmith_csp_reports"])


@contextmanager
def served(cp: ControlPlane, furniture: rooms.Rooms) -> Iterator[Site]:
    """Serve the application of `cp`, with the administrator `ada` signed in by cookie."""
    app = create_app(cp)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site = Site(cp, f"http://127.0.0.1:{server.server_port}", app, furniture)
    site.cookies = _signed_in(site)
    yield site
    server.shutdown()
    thread.join()


def _signed_in(site: Site) -> list[dict[str, Any]]:
    link = people.invite(SYSTEM, site.cp, NAME, "Ada", administrator=True)
    secret = people.redeem_link(site.cp, link.rsplit("/", 1)[1], PASSWORD, "127.0.0.1")
    with site.app.test_request_context():
        signer = site.app.session_interface.get_signing_serializer(site.app)
    name = site.app.config["SESSION_COOKIE_NAME"]
    return [{"name": name, "value": signer.dumps({"_user_id": secret}), "url": site.address}]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. One a module: a second synchronous Playwright cannot start while one runs."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("Chromium")
    sync_api.expect.set_options(timeout=PATIENCE * 1_000)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A furnished project; shared by a module's tests, which only look."""
    cp = make_control_plane(tmp_path_factory.mktemp("site") / "data", FakeClock())
    with served(cp, rooms.furnished(cp)) as site:
        rooms.with_listener(rooms.with_labelling(rooms.with_draft(rooms.with_sweep(site.rooms), NAME)))
        rooms.with_trial(rooms.with_run(site.rooms))
        yield site
    close_database()


class Watched:
    """A page whose console errors, policy violations, foreign requests and server errors are collected."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.problems = page, list[str]()
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda sent: self._look_at_request(sent.url, address))
        page.on("response", lambda got: self.problems.append(f"{got.status} {got.url}") if got.status >= 500 else None)

    def _look_at_request(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.problems.append(f"foreign request: {url}")


@contextmanager
def visit(browser: Any, site: Site, **options: Any) -> Iterator[Any]:
    """A signed-in page. At the end nothing may have gone wrong in it, and no report of the policy may have arrived."""
    settings = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", "locale": "en"} | options
    context = browser.new_context(base_url=site.address, reduced_motion="reduce", **settings)
    context.add_cookies(site.cookies)
    context.set_default_timeout(PATIENCE * 1_000)
    watched = Watched(context.new_page(), site.address)
    reports = site.csp_reports
    yield watched.page
    context.close()
    assert watched.problems == []
    assert site.csp_reports == reports


@pytest.fixture
def page(browser: Any, site: Site) -> Iterator[Any]:
    with visit(browser, site) as page:
        yield page


def violations(page: Any, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds wrong on the page as it stands, by all its rules or by those named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))  # by the debugger, which the policy does not bind
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = page.evaluate("options => axe.run(options)", options)["violations"]
    return [f"{one['id']}: {[(node['target'], node['html'][:160]) for node in one['nodes']][:4]}" for one in found]


def picture(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
