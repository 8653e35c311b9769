"""One serving engine as a process: start, find again, ask, watch, stop."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.hardware.nvidia import gpus
from agent.serving.engines import Kind, meaning
from agent.settings import Settings, inherited
from agent.storage.files import is_locked, write_private
from tunesmith.v1 import fleet_pb2 as pb

_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Endpoint:
    """Where an engine answers, and the key it asks for."""

    host: str
    port: int
    key: str


class Engine:
    """The engine of the replica folder, whether this agent started it or an earlier one."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the engine says; begun anew with each start."""
        return self.folder / "log"

    def start(self, kind: Kind, python: Path, model: Path, serve: pb.Serve) -> None:
        """Start a new process with a new key. The key is handed over in a private file, never as an argument."""
        (self.folder / "ready.json").unlink(missing_ok=True)
        wanted = {
            "engine": kind.name,
            "generation": serve.generation,
            "name": serve.name,
            "model": str(model),
            "context_length": serve.context_length,
            "slots": max(1, serve.slots),
            "threads": self._settings.engine_threads or psutil.cpu_count(logical=False) or os.cpu_count() or 1,
            "api_key": secrets.token_urlsafe(24),
        }
        write_private(self.folder / "engine.json", json.dumps(wanted).encode())
        passed = {name: value for name, value in inherited().items() if name in ("PATH", "LANG")}
        passed["CUDA_VISIBLE_DEVICES"] = ",".join(gpus(serve.devices))  # the others are promised to somebody else
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(python), "-I", str(kind.script), str(self.folder)], cwd=self.folder, env=passed,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def serves(self, generation: int) -> bool:
        """Whether a living engine was started for this generation; then it can be adopted."""
        try:
            return is_locked(self.folder / "engine.lock") and self._wanted()["generation"] == generation
        except (FileNotFoundError, ValueError):
            return False

    def meaning(self) -> str:
        """The code of what it means for a reader that this engine serves, also when an earlier agent started it."""
        return meaning(str(self._wanted().get("engine", "")))

    def is_alive(self) -> bool:
        """Whether the process lives; a child that ended is collected."""
        if self._process is not None:
            return self._process.poll() is None
        return is_locked(self.folder / "engine.lock")

    def endpoint(self) -> Endpoint | None:
        """Where it answers, or None while it loads."""
        try:
            ready = json.loads((self.folder / "ready.json").read_text())
            host, _, port = str(ready["address"]).removeprefix("http://").rpartition(":")
            return Endpoint(host, int(port), str(self._wanted()["api_key"]))
        except FileNotFoundError:
            return None

    def is_healthy(self) -> bool:
        """Whether /health says ok within some seconds."""
        endpoint = self.endpoint()
        if endpoint is None:
            return False
        connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=10)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def memory(self) -> int:
        """Resident bytes of the process; 0 when unknown."""
        pid = self._pid()
        try:
            return int(psutil.Process(pid).memory_info().rss) if pid else 0
        except psutil.Error:
            return 0

    def stop(self) -> None:
        """End the process: SIGTERM, and SIGKILL after some seconds. Nothing happens when it has ended."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self._pid()
            if pid and self.is_alive():
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline = time.monotonic() + _STOP_SECONDS
            while self.is_alive() and time.monotonic() < deadline:
                time.sleep(0.02)
        self._process = None

    def _pid(self) -> int:
        if self._process is not None:
            return self._process.pid
        try:
            return int(json.loads((self.folder / "ready.json").read_text())["pid"])
        except FileNotFoundError:
            return 0

    def _wanted(self) -> dict[str, object]:
        value: dict[str, object] = json.loads((self.folder / "engine.json").read_text())
        return value
