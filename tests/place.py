"""A whole installation in processes of its own: a control plane and an agent as `tunesmith up` starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

import tunesmith
from patience import PATIENCE

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / ".cache/environments"  # kept between runs: building them takes minutes
# a machine is lost after seconds of silence
SHORT_LEASES = {
    "TUNESMITH_HEARTBEAT_SECONDS": "1",
    "TUNESMITH_LEASE_SERVER_SECONDS": "8",
    "TUNESMITH_LEASE_GRACE_SECONDS": "8",
}
CHECKOUT = (sys.executable, "-m", "tunesmith.cli")


class Place:
    """A data folder whose processes can be started, killed and started again."""

    def __init__(
        self, folder: Path, command: Sequence[str] = CHECKOUT, cwd: Path | None = None, **variables: str
    ) -> None:
        self.folder = folder
        self._command, self._cwd = command, cwd
        self._environment = os.environ | {"TUNESMITH_AGENT_ENVIRONMENTS": str(ENVIRONMENTS), **variables}

    def up(self) -> str:
        """Start what does not run; what the command said. The ports are kept from the first start on."""
        return self.tunesmith("up", "--detach", "--ports", "auto", "--data", str(self.folder))

    def down(self) -> None:
        self.tunesmith("down", "--data", str(self.folder))

    def tunesmith(self, *arguments: str) -> str:
        """Run a command; its output. Fails the test with that output if the command fails."""
        command = [*self._command, *arguments]
        done = subprocess.run(
            command, env=self._environment, cwd=self._cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}\n{self.logs()}"
        return done.stdout

    def client(self) -> tunesmith.Client:
        return tunesmith.connect(data=self.folder)

    def kill_agent(self) -> None:
        """kill -9, and wait until it is gone; the runner and the trainer are not its children's children to us."""
        _kill([psutil.Process(self._pid("agent"))])

    def kill_control_plane(self) -> None:
        """kill -9 of the arbiter and of the process that serves."""
        arbiter = psutil.Process(self._pid("control plane"))
        _kill([arbiter, *arbiter.children(recursive=True)])

    def trainers(self) -> list[psutil.Process]:
        """The living trainer processes of this place."""
        found = []
        for record in (self.folder / "agent/attempts").glob("*/trainer.json"):
            try:
                process = psutil.Process(json.loads(record.read_text())["pid"])
                if process.status() != psutil.STATUS_ZOMBIE and str(self.folder) in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def logs(self) -> str:
        """The last lines of both processes, for the message of a test that failed."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')[-3000:]}" for file in files)

    def _pid(self, name: str) -> int:
        return int(json.loads((self.folder / "up.json").read_text())[name]["pid"])


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
    assert alive == []
