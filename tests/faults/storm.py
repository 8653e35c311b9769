"""Seeded faults on a real installation that trains the tiny model: processes killed and frozen, the network cut.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/faults/storm.py --faults 200 --seed 1

Real processes, real signals, real gRPC over TLS through a proxy that can be cut; leases are scaled to seconds by
settings. While jobs run, one fault after the other is drawn from the seed; at the end everything is left to settle and
each invariant of `invariants.py` is checked. The history goes to `history.json` in the folder, which is named.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import psutil

from faults import invariants
from faults.proxy import Proxy
from method_environments import write_tiny_models
from patience import PATIENCE
from place import SHORT_LEASES, Place

SETTINGS = SHORT_LEASES | {
    "TUNESMITH_OFFER_SECONDS": "5",
    "TUNESMITH_AVOID_SECONDS": "5",
    "TUNESMITH_MAX_LOST_ATTEMPTS": "50",  # a storm is no sign that the job is to blame
    "TUNESMITH_AGENT_RETRY_MAX_SECONDS": "2",
    "TUNESMITH_AGENT_GAP_SECONDS": "5",
    "TUNESMITH_AGENT_CANCEL_GRACE_SECONDS": "3",
}
TRAINING = {"steps": 60, "batch_size": 4, "max_length": 128, "precision": "float32", "checkpoint_every": 20}
WAITING = 3  # jobs that are kept queued or running
SETTLE_SECONDS = 300.0  # after the last fault; a bound for what hangs, not a figure of speed


class Storm:
    """One installation, its history, and what may be done to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.history: list[tuple[float, str]] = []
        self.cancelled: set[int] = set()
        self.jobs: list[int] = []
        self._begun = time.monotonic()
        self._ended = threading.Event()
        tiny = write_tiny_models(folder / "tiny")
        self.place = Place(folder / "place", TUNESMITH_AGENT_IMPORT_ROOTS=str(tiny), **SETTINGS)
        self.place.up()
        self._behind_a_proxy()
        self.inputs = self._inputs(tiny)
        self.kept = invariants.KeptLogs(self.place.folder / "agent/attempts", folder / "kept")
        threading.Thread(target=self._keep_logs, daemon=True).start()

    def run(self, faults: int) -> None:
        """That many faults, one after the other, while there is always something to disturb."""
        for number in range(faults):
            self._keep_busy()
            name, fault = self.random.choice(FAULTS)
            self.note(f"{number + 1}: {name}")
            fault(self)
            time.sleep(self.random.uniform(0.2, 1.5))

    def settle(self) -> None:
        """Let everything that was broken run, and every job end."""
        self.proxy.mend()
        self.place.up()
        until = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < until:
            open_jobs = [one for one in self.place.client().list_jobs("default") if one.state in ("QUEUED", "RUNNING")]
            if not open_jobs:
                return
            time.sleep(1.0)
        raise AssertionError(f"never ended: {[(one.id, one.state, one.message) for one in open_jobs]}")

    def close(self) -> None:
        self._ended.set()
        self.proxy.mend()
        self.place.down()
        self.proxy.close()
        (self.folder / "history.json").write_text(json.dumps(self.history, indent=1))

    def note(self, what: str) -> None:
        self.history.append((round(time.monotonic() - self._begun, 2), what))

    def processes(self, name: str) -> list[psutil.Process]:
        """The agent, or the control plane's arbiter and the process that serves."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(json.loads((self.place.folder / "up.json").read_text())[name]["pid"])
            return [process, *process.children()] if name == "control plane" else [process]
        return []

    def runners(self) -> list[psutil.Process]:
        """The runners of the attempts that are running."""
        found = []
        for record in (self.place.folder / "agent/attempts").glob("*/runner.json"):
            with suppress(psutil.NoSuchProcess, FileNotFoundError):
                process = psutil.Process(json.loads(record.read_text())["pid"])
                if "runner.py" in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def _behind_a_proxy(self) -> None:
        """Restart the agent with the fleet's address replaced by the proxy's."""
        port = json.loads((self.place.folder / "up.json").read_text())["fleet_port"]
        self.proxy = Proxy(port)
        self.place.kill_agent()
        with closing(sqlite3.connect(self.place.folder / "agent/state.db")) as state, state:
            query = "UPDATE facts SET value = replace(value, ?, ?) WHERE name = 'identity'"
            state.execute(query, (f":{port}", f":{self.proxy.port}"))
        self.place.up()

    def _inputs(self, tiny: Path) -> dict[str, int]:
        client = self.place.client()
        source = {"source": "folder", "reference": str(tiny / "llama")}
        *_, (job, _) = client.wait_job(client.submit_job("default", "import_base_model", parameters=source).id)
        assert job.state == "SUCCEEDED", job.message
        data = client.upload_dataset("default", "doors", tiny / "train.jsonl", tiny / "test.jsonl")
        return {"base": job.model_id, "dataset": data.id}

    def _keep_busy(self) -> None:
        client = self.place.client()
        waiting = [one for one in client.list_jobs("default") if one.state in ("QUEUED", "RUNNING")]
        for _ in range(WAITING - len(waiting)):
            # the same key again after an answer that was lost: the same job
            job = client.submit_job("default", "sft_demo", f"storm-{len(self.jobs)}", TRAINING, self.inputs)
            self.jobs.append(job.id)

    def _keep_logs(self) -> None:
        while not self._ended.wait(0.05):
            self.kept.look()


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=PATIENCE)


def _freeze(storm: Storm, name: str, longest: float) -> None:
    frozen = storm.processes(name)
    for process in frozen:
        process.suspend()
    time.sleep(storm.random.uniform(0.5, longest))
    for process in frozen:
        with suppress(psutil.NoSuchProcess):
            process.resume()


def kill_agent(storm: Storm) -> None:
    _kill(storm.processes("agent"))
    time.sleep(storm.random.uniform(0, 3))
    storm.place.up()


def kill_server(storm: Storm) -> None:
    """The process that serves; its arbiter starts another."""
    _kill(storm.processes("control plane")[1:])


def kill_control_plane(storm: Storm) -> None:
    _kill(storm.processes("control plane"))
    time.sleep(storm.random.uniform(0, 3))
    storm.place.up()


def kill_both(storm: Storm) -> None:
    _kill(storm.processes("control plane") + storm.processes("agent"))
    storm.place.up()


def kill_trainer(storm: Storm) -> None:
    _kill(storm.place.trainers())


def kill_runner(storm: Storm) -> None:
    _kill(storm.runners())


def kill_machine(storm: Storm) -> None:
    """Agent, runner and trainer at once, and silence for longer than a lease now and then."""
    _kill(storm.processes("agent"))
    _kill(storm.runners() + storm.place.trainers())
    time.sleep(storm.random.choice((0, 0, 10)))
    storm.place.up()


def freeze_agent(storm: Storm) -> None:
    _freeze(storm, "agent", storm.random.choice((2, 2, 11)))


def freeze_control_plane(storm: Storm) -> None:
    _freeze(storm, "control plane", storm.random.choice((2, 2, 11)))


def cut_network(storm: Storm) -> None:
    storm.proxy.cut()
    time.sleep(storm.random.uniform(0.1, storm.random.choice((2, 2, 11))))
    storm.proxy.mend()


def flap_network(storm: Storm) -> None:
    for _ in range(5):
        storm.proxy.cut()
        time.sleep(storm.random.uniform(0.05, 0.4))
        storm.proxy.mend()
        time.sleep(storm.random.uniform(0.1, 0.6))


def cancel_a_job(storm: Storm) -> None:
    client = storm.place.client()
    found = [one.id for one in client.list_jobs("default") if one.state in ("QUEUED", "RUNNING")]
    if found:
        job_id = storm.random.choice(found)
        with suppress(Exception):  # it may have ended just now
            client.cancel_job(job_id)
            storm.cancelled.add(job_id)


def lock_database(storm: Storm) -> None:
    """Another process holds the database's only writer for a while."""
    with closing(sqlite3.connect(storm.place.folder / "control-plane/tunesmith.db", timeout=30)) as held:
        held.isolation_level = None
        held.execute("BEGIN IMMEDIATE")
        time.sleep(storm.random.uniform(0.5, 4))
        held.execute("ROLLBACK")


FAULTS = [
    (one.__name__, one)
    for one in (
        kill_agent, kill_server, kill_control_plane, kill_both, kill_trainer, kill_runner, kill_machine, freeze_agent,
        freeze_control_plane, cut_network, flap_network, cancel_a_job, lock_database,
    )
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="storm-"))
    storm = Storm(folder, given.seed)
    try:
        storm.run(given.faults)
        storm.settle()
        seen = invariants.check(storm)
    finally:
        storm.close()
        print(f"history, logs and data: {folder}")
    print(f"seed {given.seed}: {given.faults} faults in {storm.history[-1][0]:.0f} s")
    print("  " + ", ".join(f"{name} {count}" for name, count in sorted(_kinds(storm).items())))
    print("  " + ", ".join(f"{name} {value}" for name, value in seen.items()))


def _kinds(storm: Storm) -> Counter[str]:
    return Counter(what.partition(": ")[2] for _, what in storm.history)


if __name__ == "__main__":
    main()
