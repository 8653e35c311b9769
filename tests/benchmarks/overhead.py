"""What Tunesmith costs: one SFT job through Tunesmith, as our method by hand, and as a plain TRL script.

    make demo && .venv/bin/python tests/benchmarks/overhead.py [--data .tunesmith] [--steps 20] [--rounds 2]

Starts what is not running. The three take turns, so that a machine that slows down slows all of them. Printed:
seconds a step (median over all rounds), the fixed seconds around the steps, the ratios with their marks, and how far
the losses are apart. Exits with 1 when a mark is missed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import tunesmith
from agent.environment import Environments
from agent.settings import read as read_agent_settings
from control_plane.domain.permissions import SYSTEM
from control_plane.main import build, read_settings
from control_plane.rpc.serving import ServingChannels
from control_plane.services import jobs, models
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.datasets import DatasetVersionRecord

ROOT = Path(__file__).parents[2]
MARK_BY_HAND, MARK_PLAIN = 1.02, 0.30  # seconds a step, as ratios
LOSS_TOLERANCE = 0.05  # mean absolute difference between ours and plain TRL, in nats


@dataclass
class Way:
    """One way to run the job: all step times, the last losses, the fixed seconds of each round."""

    steps: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)

    def add(self, seconds, losses, total):
        self.steps += seconds[1:]  # the first step allocates
        self.losses = losses
        self.fixed.append(total - sum(seconds))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=ROOT / ".tunesmith")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    subprocess.run([sys.executable, "-m", "tunesmith.cli", "up", "--detach", "--data", str(given.data)], check=True)
    client = tunesmith.connect(data=given.data)
    (demo, *_) = [job for job in client.list_jobs("default", state="SUCCEEDED", method="sft_demo")] or sys.exit(
        "run `make demo` first"
    )
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(client, demo, given.data.resolve(), Path(folder), given.steps)
        ways = {"through Tunesmith": Way(), "by hand": Way(), "plain TRL": Way()}
        for number in range(given.rounds):
            bench.through_tunesmith(ways["through Tunesmith"], number)
            bench.by_hand(ways["by hand"], number)
            bench.plain_trl(ways["plain TRL"])
    sys.exit(report(ways))


class Bench:
    """The demo's training job with fewer steps, in three ways, on files that lie ready."""

    def __init__(self, client, demo, data, folder, steps):
        self.client, self.demo, self.folder = client, demo, folder
        self.parameters = json.loads(demo.parameters) | {"steps": steps, "held_out_rows": 0}  # plain TRL looks at none
        self.ids = {given.name: given.id for given in demo.inputs}
        self.cp = build(read_settings(data / "control-plane"), ServingChannels())
        requirements = (ROOT / "methods/sft_demo/requirements.txt").read_text()
        environments = Environments(replace(read_agent_settings(), data=data / "agent"))
        self.python = environments.ensure(requirements, "", folder / "build.log", lambda: None).python
        self.base = self.lay_out_base()
        version = DatasetVersionRecord.get_by_id(self.ids["dataset"])
        self.format = version.format
        self.train = self.cp.blobs.path(version.train_sha256)

    def lay_out_base(self):
        base = self.folder / "base"
        base.mkdir()
        model = models.get(SYSTEM, self.cp, self.ids["base"])
        for file in ArtifactRecord.get_by_id(model.artifact_id).files:
            os.link(self.cp.blobs.path(file["sha256"]), base / file["path"])
        return base

    def through_tunesmith(self, way, number):
        job = self.client.submit_job(
            "default", "sft_demo", f"overhead-{number}", self.parameters, self.ids, seed=self.demo.seed
        )
        seen = list(self.client.wait_job(job.id))
        metrics = [event["values"] for _, events in seen for event in events if event["kind"] == "metric"]
        assert seen[-1][0].state == "SUCCEEDED", seen[-1][0].message
        ended = jobs.get(SYSTEM, self.cp, job.id)
        seconds = [values["step_seconds"] for values in metrics]
        way.add(seconds, [values["loss"] for values in metrics], ended.ended_at - ended.created_at)

    def by_hand(self, way, number):
        out = self.folder / f"hand-{number}"
        out.mkdir()
        job = {
            "method": "sft_demo", "parameters": self.parameters, "seed": self.demo.seed, "devices": ["cpu:0"],
            "threads": os.cpu_count(), "reward": None, "resume": None,
            "inputs": {
                "base": {"kind": "model", "form": "base", "path": str(self.base)},
                "dataset": {"kind": "dataset", "format": self.format, "train": str(self.train), "test": None},
            },
        }  # fmt: skip
        (out / "job.json").write_text(json.dumps(job))
        script = ROOT / "methods/sft_demo/train.py"
        total = self.timed([script, "--job", out / "job.json", "--out", out / "out"])
        events = [json.loads(line) for line in (out / "out/events.jsonl").read_text().splitlines()]
        values = [event["values"] for event in events if event["kind"] == "metric"]
        way.add([one["step_seconds"] for one in values], [one["loss"] for one in values], total)

    def plain_trl(self, way):
        out = self.folder / "plain.json"
        script = ROOT / "tests/benchmarks/plain_trl.py"
        given = ["--base", self.base, "--train", self.train, "--parameters", json.dumps(self.parameters)]
        total = self.timed([script, *given, "--seed", self.demo.seed, "--out", out])
        found = json.loads(out.read_text())
        way.add(found["step_seconds"], found["losses"], total)

    def timed(self, arguments):
        # the thread settings that the kit gives a method, for the plain script too: the comparison is of the work
        threads = {"OMP_NUM_THREADS": str(os.cpu_count()), "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
        environment = os.environ | {"PYTHONPATH": str(ROOT / "methods"), "HF_HUB_OFFLINE": "1"} | threads
        begun = time.perf_counter()
        with (self.folder / "output.log").open("ab") as log:
            subprocess.run(
                [str(self.python), *map(str, arguments)], env=environment, check=True, stdout=log, stderr=log
            )
        return time.perf_counter() - begun


def report(ways):
    for name, way in ways.items():
        step, fixed = statistics.median(way.steps), statistics.median(way.fixed)
        print(f"{name:<18} {step:6.3f} s a step (n = {len(way.steps)}), {fixed:6.1f} s around the steps")
    ours, hand, plain = (statistics.median(way.steps) for way in ways.values())
    pairs = list(zip(ways["through Tunesmith"].losses, ways["plain TRL"].losses, strict=True))
    apart = statistics.mean(abs(one - other) for one, other in pairs)
    same = ways["through Tunesmith"].losses == ways["by hand"].losses
    rows = [
        ("through Tunesmith / by hand", ours / hand, MARK_BY_HAND),
        ("through Tunesmith / plain TRL", ours / plain, MARK_PLAIN),
        ("losses apart from plain TRL", apart, LOSS_TOLERANCE),
    ]
    for name, value, mark in rows:
        print(f"{name:<32} {value:6.3f}  mark ≤ {mark}  {'reached' if value <= mark else 'MISSED'}")
    print(f"losses equal to by hand: {'yes, each' if same else 'NO'}")
    return int(any(value > mark for _, value, mark in rows) or not same)


if __name__ == "__main__":
    main()
