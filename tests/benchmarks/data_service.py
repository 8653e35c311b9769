"""How a control plane answers while it prepares a large file, and how long a page of what comes of it takes.

Used by `data.py`. A real control plane, its process that prepares, a browser without scripts and the client.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tunesmith
from http_browser import HttpBrowser
from server_process import free_environment, started, wait_ready

ANSWER_MARK = PAGE_MARK = 100.0  # ms

_PAGES = ("/p/default", "/p/default/data", "/p/default/jobs", "/p/default/models", "/machines")
_BETWEEN = 0.1  # seconds between two requests
_QUIET, _ASKED = 50, 200  # requests
_ROWS = 50  # of a page


@dataclass
class Latencies:
    """Milliseconds of requests."""

    found: list[float]

    def at(self, percent: int) -> float:
        """So many percent took no longer."""
        return sorted(self.found)[min(len(self.found) - 1, len(self.found) * percent // 100)]

    def __str__(self) -> str:
        return f"p50 {self.at(50):.1f} ms, p95 {self.at(95):.1f} ms, most {max(self.found):.1f} ms of {len(self.found)}"


def measure(file: Path, rows: int, folder: Path) -> bool:
    """Print what was measured; whether both marks were met."""
    environment = free_environment(folder / "data")
    with started(environment) as process:
        running = wait_ready(environment, process)
        assert process.stdout is not None
        link = next(found[1] for line in process.stdout if (found := re.search(r"once at (http\S+)", line)))
        browser = HttpBrowser(running.web_url)
        browser.send(urlsplit(link).path, password="a long enough sentence")
        client = tunesmith.connect(data=folder / "data")
        upload = client.upload_file("default", file)
        quiet = Latencies([_timed(browser.read, _PAGES[n % len(_PAGES)]) for n in range(_QUIET)])
        print(f"pages while nothing is prepared: {quiet}")
        busy, version = _prepared(browser, client, upload.id)
        print(f"pages while {rows} rows are prepared: {busy}")
        chance = random.Random(1)
        some = [chance.randrange(max(1, version.train_rows - _ROWS)) for _ in range(_ASKED)]
        pages = Latencies([_timed(client.list_rows, version.id, "train", at, _ROWS) for at in some])
        print(f"{_ROWS} rows anywhere, by the client: {pages}")
        shown = Latencies([_timed(browser.read, f"/p/default/data/large?page={at // 20 + 1}") for at in some])
        print(f"20 rows anywhere, as a page of the browser: {shown}")
        sought = Latencies([_timed(client.search_rows, version.id, "nowhere at all") for _ in range(10)])
        print(f"a part of a search that finds nothing: {sought}")
    return busy.at(95) <= ANSWER_MARK and pages.at(95) <= PAGE_MARK


def _prepared(browser: HttpBrowser, client: tunesmith.Client, upload_id: int) -> tuple[Latencies, Any]:
    """A version made of a file that has arrived; pages are asked for all the while."""
    over, found = threading.Event(), Latencies([])

    def ask() -> None:
        number = 0
        while not over.wait(_BETWEEN):
            found.found.append(_timed(browser.read, _PAGES[number % len(_PAGES)]))
            number += 1

    asking = threading.Thread(target=ask)
    begins = time.monotonic()
    asking.start()
    try:
        draft = client.begin_draft("default", upload_id, name="large")
        *_, draft = client.wait_draft(draft.id)
        assert draft.state == "ready", draft
        checked = time.monotonic()
        client.save_draft(draft.id)
        *_, draft = client.wait_draft(draft.id)
        assert draft.state == "saved", draft
    finally:
        over.set()
        asking.join()
    print(f"looked at and checked in {checked - begins:.1f} s, saved in {time.monotonic() - checked:.1f} s")
    return found, client.get_dataset_version(draft.dataset_version_id).version


def _timed(call: Callable[..., object], *given: object) -> float:
    begins = time.perf_counter()
    call(*given)
    return (time.perf_counter() - begins) * 1000
