"""Real agent processes against the fake control plane of `fake_fleet`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import settings
from agent.link import identity
from agent.storage import state
from patience import PATIENCE
from tests.agent.fake_fleet import FakeFleet

REPOSITORY = Path(__file__).parents[2]


class Machine:
    """An agent's data folder and its process."""

    def __init__(self, folder: Path, fleet: FakeFleet) -> None:
        self.fleet = fleet
        self.settings = settings.Settings(data=folder)
        self._log = (folder.parent / "agent.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def join(self) -> None:
        store = state.Store(self.settings.data / "state.db")
        identity.join(self.settings, store, f"127.0.0.1:{self.fleet.api_port}", self.fleet.token)
        store.close()

    def start(self, **variables: str) -> None:
        own = {
            "PYTHONFAULTHANDLER": "1",
            "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'proto'}",
            "TUNESMITH_AGENT_DATA": str(self.settings.data),
            "TUNESMITH_AGENT_RETRY_MAX_SECONDS": "1",
            "TUNESMITH_AGENT_TAIL_SECONDS": "0.05",
            "TUNESMITH_AGENT_CANCEL_GRACE_SECONDS": "1",
            "TUNESMITH_AGENT_ENGINE_RETRY_FIRST_SECONDS": "0.1",
        }
        command = [sys.executable, "-c", "from agent.main import agent; agent()", "run", "--verbose"]
        self._process = subprocess.Popen(
            command, env=os.environ | own | variables, stdout=self._log, stderr=self._log, cwd=self.settings.data.parent
        )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it as a service manager does; the exit status. One that does not end says where it is, and fails."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)  # the stacks of its threads go to the log
            self._process.wait()
        pytest.fail(f"the agent does not end on SIGTERM:\n{self.said()[-10_000:]}")

    def said(self) -> str:
        """What the agent logged so far."""
        return Path(self._log.name).read_text()

    def attempt_folder(self, attempt_id: int) -> Path:
        return self.settings.data / "attempts" / str(attempt_id)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FakeFleet]:
    fake = FakeFleet(tmp_path / "control-plane")
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by all tests: building one takes seconds and is not what they test."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def machine(tmp_path: Path, fleet: FakeFleet, environments: Path) -> Iterator[Machine]:
    one = Machine(tmp_path / "agent", fleet)
    one.settings.data.mkdir()
    (one.settings.data / "environments").symlink_to(environments)
    one.join()
    yield one
    if one._process is not None and one._process.poll() is None:
        one.stop()
