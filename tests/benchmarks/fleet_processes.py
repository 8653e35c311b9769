"""The processes of `fleet.py`: a control plane on a fresh folder, the machines, and what both spend."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
PATIENCE = 180.0  # seconds for what hangs; no figure of speed
MIB = 1 << 20
METHOD = "simulated"
MANIFEST = f"""
name = "{METHOD}"
kind = "export"
type = "Benchmark"
entry = "main.py"
platforms = ["cpu"]
display = {{ en = "Simulated", de = "Simuliert", zh = "模拟" }}
description = {{ en = "Simulated", de = "Simuliert", zh = "模拟" }}
[parameters]
type = "object"
additionalProperties = false
[parameters.properties.lines]
type = "integer"
default = 0
title = {{ en = "Lines a second", de = "Zeilen je Sekunde", zh = "每秒行数" }}
description = {{ en = "0: it ends at once", de = "0: endet sofort", zh = "0：立即结束" }}
x-group = "basics"
x-level = "expert"
[parameters.properties.log_calls]
type = "integer"
default = 1
title = {{ en = "Calls a second", de = "Aufrufe je Sekunde", zh = "每秒调用数" }}
description = {{ en = "That carry the lines", de = "Die die Zeilen tragen", zh = "传送日志的调用" }}
x-group = "basics"
x-level = "expert"
[groups.basics]
display = {{ en = "Basics", de = "Grundlagen", zh = "基础" }}
[resources]
memory_bytes = 1073741824
memory_per_model_byte = 0.0
disk_bytes = 1000
[outputs.result]
kind = "file"
path = "result"
display = {{ en = "Result", de = "Ergebnis", zh = "结果" }}
"""


class Plane:
    """A control plane in its own processes on a fresh folder."""

    def __init__(self, folder: Path, tree: Path, settings: dict[str, str]) -> None:
        self.data = folder / "data"
        self._log = folder / "control-plane.log"
        shutil.copytree(tree / "methods/kit", folder / "methods/kit")  # a method's schema lies there
        method = folder / "methods" / METHOD
        method.mkdir()
        (method / "method.toml").write_text(MANIFEST, "utf-8")
        for name in ("main.py", "requirements.txt"):
            (method / name).touch()
        with ExitStack() as probes:
            sockets = [probes.enter_context(socket.socket()) for _ in range(3)]
            for probe in sockets:
                probe.bind(("127.0.0.1", 0))
            ports = [str(probe.getsockname()[1]) for probe in sockets]
        names = ("TUNESMITH_WEB_PORT", "TUNESMITH_API_PORT", "TUNESMITH_FLEET_PORT")
        own = {"TUNESMITH_METHODS": str(folder / "methods"), **dict(zip(names, ports, strict=True))}
        self._environment = environment(tree) | own | settings
        self._process: psutil.Popen | None = None

    def start(self) -> None:
        """Return when it answers."""
        command = [sys.executable, "-m", "tunesmith.cli", "control-plane", "--data", str(self.data)]
        with self._log.open("ab") as log:
            self._process = psutil.Popen(  # in a folder without code: the tree that was named is to be found
                command,
                cwd=self.data.parent,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + PATIENCE
        while not self._is_ready():
            assert self._process.poll() is None and time.monotonic() < until, self._log.read_text()[-3000:]
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            holder = json.loads((self.data / "lock").read_text())
        except (FileNotFoundError, ValueError):
            return False
        return bool(holder.get("pid") == self._process.pid)

    def client(self) -> Any:
        import tunesmith  # of the tree that was named

        return tunesmith.connect(data=self.data)

    def processes(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def kill(self) -> None:
        """kill -9 of the arbiter and of the process that serves."""
        found = self.processes()
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=30)

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except psutil.TimeoutExpired:
            self.kill()

    def commits(self) -> int:
        """How many transactions SQLite has written since it was opened: the change counter of its shared memory."""
        with (self.data / "tunesmith.db-shm").open("rb") as shared:
            return int(struct.unpack_from("=I", shared.read(12), 8)[0])

    def passes(self) -> tuple[float, float]:
        """Seconds and number of scheduling passes so far; nothing where the tree measures none."""
        known = json.loads((self.data / "bootstrap.json").read_text())
        request = urllib.request.Request(
            f"{known['web_url']}/metrics", headers={"Authorization": f"Bearer {known['token']}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                lines = answer.read().decode().splitlines()
        except urllib.error.HTTPError:
            return math.nan, math.nan
        found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("tunesmith_scheduling_pass_seconds"))
        total, count = (float(found[f"tunesmith_scheduling_pass_seconds_{name}"]) for name in ("sum", "count"))
        return total, count


class Crowd:
    """One process of machines; what is asked of several is asked of all before the first answer is awaited."""

    def __init__(self, tree: Path) -> None:
        command = [sys.executable, str(HERE / "fleet_machines.py")]
        self.process = psutil.Popen(
            command, env=environment(tree), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, do: str, **command: Any) -> None:
        self.process.stdin.write(json.dumps({"do": do} | command) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        assert line, "a process of machines ended"
        return json.loads(line)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.kill()
        self.process.wait(30)


class Spent:
    """What processes spent between two looks."""

    def __init__(self, plane: Plane, crowds: list[Crowd]) -> None:
        self._plane, self._crowds = plane, crowds
        self._before = self._look()

    def _look(self) -> dict[str, float]:
        total, count = self._plane.passes()
        return {
            "at": time.monotonic(),
            "plane": sum(_cpu(process) for process in self._plane.processes()),
            "agents": sum(_cpu(crowd.process) for crowd in self._crowds),
            "commits": self._plane.commits(),
            "pass_seconds": total,
            "passes": count,
        }

    def figures(self) -> dict[str, float]:
        now = self._look()
        spent = {name: value - self._before[name] for name, value in now.items()}
        return {
            "seconds": spent["at"],
            "control_plane_cores": spent["plane"] / spent["at"],
            "agents_cores": spent["agents"] / spent["at"],
            "control_plane_mib": sum(process.memory_info().rss for process in self._plane.processes()) / MIB,
            "commits_a_second": spent["commits"] / spent["at"],
            "pass_ms": 1000 * spent["pass_seconds"] / max(1.0, spent["passes"]),
            "load_average": os.getloadavg()[0],
        }


def environment(tree: Path) -> dict[str, str]:
    """For a process that runs what a checkout holds."""
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(tree), str(tree / "proto")))}


def _cpu(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0
