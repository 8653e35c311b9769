"""A second machine joins by nothing but what the page "Add a machine" says, and takes a job.

It is a process with a home of its own, which reaches the control plane by the host's name and over TLS.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from built_wheel import ROOT
from http_browser import HttpBrowser
from patience import PATIENCE
from patient_method import write_patient_method
from place import Place
from support import missing


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An installation that other machines reach, as its page asks for it."""
    methods = {"TUNESMITH_METHODS": str(write_patient_method(tmp_path / "methods"))}
    reached = {"TUNESMITH_HOST": "0.0.0.0", "TUNESMITH_PUBLIC_HOST": _host_name()}
    place = Place(tmp_path / "place", **methods, **reached)
    yield place
    place.down()


def _host_name() -> str:
    try:
        socket.getaddrinfo(name := socket.gethostname(), None)
    except socket.gaierror:
        missing("a host name that resolves")
    return name


class Terminal:
    """A terminal of the other machine: a home that is empty but for the copied folder of Tunesmith."""

    def __init__(self, home: Path) -> None:
        self._home = home
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
            if (ROOT / name).exists():
                (home / "tunesmith" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, home / "tunesmith" / name)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TUNESMITH", "PYTHON"))}
        self._environment = inherited | {
            "HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip

    def run(self, commands: str) -> None:
        done = subprocess.run(["bash", "-ec", commands], **self._options(), capture_output=True, text=True)
        assert done.returncode == 0, f"{commands}: {done.stdout}{done.stderr}"

    def run_asked(self, command: str, question: str, answer: str) -> str:
        """Run what asks something on its terminal; what stood there at the end."""
        here, there = os.openpty()
        process = subprocess.Popen(
            ["bash", "-ec", command], **self._options(), stdin=there, stdout=there, stderr=there, start_new_session=True
        )
        os.close(there)
        said = b""
        while question.encode() not in said:
            said += os.read(here, 4096)
        os.write(here, f"{answer}\n".encode())
        try:
            while piece := os.read(here, 4096):
                said += piece
        except OSError:
            pass  # how Linux says that the other end is closed
        os.close(here)
        assert process.wait(PATIENCE) == 0, said.decode()
        return said.decode()

    @contextmanager
    def running(self, command: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command that goes on until Ctrl-C."""
        with (self._home / "output.log").open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-ec", f"exec {command}"], **self._options(), stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()

    def _options(self) -> dict[str, object]:
        return {"cwd": self._home, "env": self._environment}


def test_a_machine_joins_by_the_page_alone_and_takes_a_job(place: Place, tmp_path: Path) -> None:
    found = re.search(r"http\S+/welcome/\S+", place.up())
    assert found
    browser = HttpBrowser(found[0])
    browser.send(urlsplit(found[0]).path, password="a long enough sentence")
    page = browser.send("/machines/join", "/machines", machine_class="server")
    state = re.search(r'hx-get="(/machines/join/[^"]+)"', page)
    assert state
    assert "Waiting for the machine" in browser.read(state[1])

    terminal = Terminal(tmp_path / "other")
    terminal.run(_shown(page, "install-command"))
    said = terminal.run_asked(_shown(page, "join-command"), "Join token", _shown(page, "join-token"))
    assert "This machine has joined" in said
    assert "Its agent does not run yet" in browser.read(state[1])
    with terminal.running(_shown(page, "run-command")) as agent:
        until = time.monotonic() + PATIENCE
        while "has joined, and its agent runs" not in (status := browser.read(state[1])):
            assert agent.poll() is None, (tmp_path / "other/output.log").read_text()
            assert time.monotonic() < until, status
            time.sleep(0.2)
        link = re.search(r'href="/machines/([^"]+)"', status)
        assert link

        client = place.client()
        (first,) = [machine.id for machine in client.list_machines() if machine.id != link[1]]
        client.drain_machine(first)
        job = client.submit_job("default", "patient", parameters={"gate": "/"})  # which is there: it need not wait
        *_, (job, _) = client.wait_job(job.id)
        assert job.state == "SUCCEEDED", job.message
        assert [attempt.machine_id for attempt in job.attempts] == [link[1]]
        assert [model.job_id for model in client.list_models("default")] == [job.id]
    assert agent.returncode == 0


def _shown(page: str, name: str) -> str:
    """The commands in a block of the page, which a person copies."""
    found = re.search(rf'<pre id="{name}"[^>]*><code>(.*?)</code>', page, re.DOTALL)
    assert found
    return html.unescape(found[1])
