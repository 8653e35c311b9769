"""Each training method through the whole fleet on the tiny model, as a table; `make matrix`.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/matrix.py [METHOD …]

For each method that runs on a CPU, or on Macs alone (a copy of its manifest then says that a CPU is enough): it is
begun on one machine, that machine dies with everything on it (kill -9 of agent, runner and trainer) once a checkpoint
has arrived, and a second machine goes on; the result is evaluated beside its base, packaged, deployed there and asked,
as far as its form allows. Then the machines change places. Real processes, real gRPC over TLS. Exit status 1 if
anything failed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

import tunesmith
from method_environments import ROOT, write_tiny_models
from patience import PATIENCE
from place import ENVIRONMENTS, SHORT_LEASES, Place
from tunesmith.v1 import automation_pb2 as pb

PROJECT = "default"
INTERRUPTED = {"steps": 150, "checkpoint_every": 15}  # long enough to be killed in the middle
EVALUATED = {"rows": 4, "max_new_tokens": 8}
QUESTION = [{"role": "user", "content": "The red door is open."}]
FOR_MACS = ('platforms = ["mlx"]', 'platforms = ["mlx", "cpu"]')
COLUMNS = ("method", "trained on two machines", "evaluated", "served", "seconds")


class Broken(Exception):
    """A stage did not do what it promises."""


@dataclass
class Machine:
    """A machine of the fleet: its data folder, and its agent as a process while it runs."""

    data: Path
    variables: dict[str, str]
    agent: subprocess.Popen[bytes] | None = None

    def join(self, client: tunesmith.Client, address: str) -> None:
        token = client.create_join_token().token
        command = [sys.executable, "-m", "tunesmith.cli", "agent", "join", address]
        subprocess.run(command, env=self._environment(), input=token.encode(), check=True, capture_output=True)

    def start(self) -> None:
        command = [sys.executable, "-m", "tunesmith.cli", "agent", "run"]
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self.agent = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log)

    def kill(self) -> None:
        """kill -9 of everything that runs here: nobody is left to say anything."""
        agent = [] if self.agent is None else [psutil.Process(self.agent.pid)]
        found = agent + [one for kind in ("runner", "trainer") for one in self._recorded(kind)]
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=PATIENCE)
        self.agent = None

    def stop(self) -> None:
        if self.agent is not None:
            self.agent.terminate()
            self.agent.wait(PATIENCE)
            self.agent = None

    def _recorded(self, kind: str) -> Iterator[psutil.Process]:
        for record in (self.data / "attempts").glob(f"*/{kind}.json"):
            with suppress(psutil.NoSuchProcess, OSError, ValueError):
                process = psutil.Process(json.loads(record.read_text())["pid"])
                if str(self.data) in " ".join(process.cmdline()):
                    yield process

    def _environment(self) -> dict[str, str]:
        return os.environ | {"TUNESMITH_AGENT_DATA": str(self.data), **self.variables}


@dataclass
class Fleet:
    """A control plane, two machines of which one is awake, and what every method starts from."""

    client: tunesmith.Client
    tiny: Path
    awake: Machine
    asleep: Machine
    models: dict[str, int] = field(default_factory=dict)  # form → the first one's id
    datasets: dict[str, int] = field(default_factory=dict)  # format → version's id

    def change_places(self) -> None:
        """The machine that is awake dies; the other one starts."""
        self.awake.kill()
        self.awake, self.asleep = self.asleep, self.awake
        self.awake.start()

    def run(self, method: str, **options: Any) -> pb.Job:
        """Submit a job and follow it to its good end."""
        return self.follow(self.client.submit_job(PROJECT, method, **options))

    def follow(self, job: pb.Job, condition: Callable[[], bool] = lambda: False) -> pb.Job:
        """Follow a job until the condition holds, or to its end, which has to be good."""
        for seen, _ in self.client.wait_job(job.id):
            job = seen
            if condition():
                return job
        if job.state != "SUCCEEDED":
            raise Broken(f"{job.method}: {job.state}: {job.message}")
        return job

    def checkpoints(self, job: pb.Job) -> list[int]:
        names = [one.name for one in self.client.list_files(job.id)]
        return [int(name.partition(":")[2]) for name in names if name.startswith("checkpoint:")]

    def dataset(self, row_format: str, train: str, test: str) -> int:
        """The tiny rows of a format as a dataset version."""
        if row_format not in self.datasets:
            name = row_format.replace("_", "-")
            files = (self.tiny / train, self.tiny / test)
            self.datasets[row_format] = self.client.upload_dataset(PROJECT, name, *files, format=row_format).id
        return self.datasets[row_format]


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """An installation of its own below `folder`, with the tiny models imported."""
    tiny = folder / "tiny"
    write_tiny_models(tiny)
    shipped = {"TUNESMITH_METHODS": str(for_processors(folder / "methods"))}
    variables = {"TUNESMITH_AGENT_IMPORT_ROOTS": str(tiny), "TUNESMITH_AGENT_ENVIRONMENTS": str(ENVIRONMENTS)}
    place = Place(folder / "place", **SHORT_LEASES, **variables, **shipped)
    place.up()
    try:
        place.kill_agent()  # its machine goes on with an agent that we hold
        address = f"127.0.0.1:{json.loads((place.folder / 'up.json').read_text())['api_port']}"
        machines = [Machine(place.folder / "agent", variables), Machine(folder / "second", variables)]
        machines[1].join(place.client(), address)
        machines[0].start()
        try:
            found = Fleet(place.client(), tiny, *machines)
            source = {"source": "folder", "reference": str(tiny / "llama")}
            found.models["base"] = found.run("import_base_model", name="tiny", parameters=source).model_id
            yield found
        finally:
            for machine in machines:
                machine.stop()
                machine.kill()
    finally:
        place.down()


def for_processors(folder: Path) -> Path:
    """The methods, of which those for Macs alone take a processor: MLX has one for that."""
    shutil.copytree(ROOT / "methods", folder)
    for path in folder.glob("*/method.toml"):
        path.write_text(path.read_text(encoding="utf-8").replace(*FOR_MACS), encoding="utf-8")
    return folder


def row(here: Fleet, method: str, manifest: dict[str, Any]) -> list[str]:
    """One method's line of the table. Raises Broken."""
    began = time.monotonic()
    example = json.loads((ROOT / "methods" / method / "example.json").read_text())
    inputs = given(here, manifest, example["inputs"])
    properties = manifest["parameters"]["properties"]
    changes = {name: value for name, value in INTERRUPTED.items() if name in properties}
    job = here.client.submit_job(PROJECT, method, method.replace("_", "-"), example["parameters"] | changes, inputs)
    trained = interrupted(here, job)
    job = here.client.get_job(job.id)
    model = here.client.get_model(job.model_id)
    here.models.setdefault(model.form, model.id)
    learnt = next(one["format"] for one in example["inputs"].values() if one["kind"] == "dataset")
    shown = f"{method} (for Macs, here on a CPU)" if "mlx" in manifest["platforms"] else method
    return [shown, trained, evaluate(here, model, learnt), serve(here, model), f"{time.monotonic() - began:.0f}"]


def given(here: Fleet, manifest: dict[str, Any], wanted: dict[str, Any]) -> dict[str, int]:
    """What the example of a method is given, as ids of this fleet."""
    found = {}
    for name, one in wanted.items():
        if one["kind"] == "dataset":
            found[name] = here.dataset(one["format"], Path(one["train"]).name, Path(one["test"]).name)
            continue
        forms = manifest["inputs"][name]["forms"]
        model = next((here.models[form] for form in forms if form in here.models), None)
        if model is None:
            raise Broken(f"no method before this one has made a model of form {' or '.join(forms)}")
        found[name] = model
    return found


def interrupted(here: Fleet, job: pb.Job) -> str:
    """Train, die behind a checkpoint, and go on elsewhere; in words, and with each step counted."""
    here.follow(job, lambda: bool(here.checkpoints(job)))
    kept = max(here.checkpoints(job), default=0)
    here.change_places()
    job = here.follow(job)
    attempts = [one for one in job.attempts if one.state in ("LOST", "SUCCEEDED")]
    if [one.state for one in attempts] != ["LOST", "SUCCEEDED"] or attempts[0].machine_id == attempts[1].machine_id:
        raise Broken(f"it was not interrupted: {[(one.state, one.machine_id) for one in job.attempts]}")
    steps: dict[int, list[int]] = {one.id: [] for one in attempts}
    for event in here.client.list_events(job.id, kind="metric"):
        steps[event.attempt_id].append(json.loads(event.body)["step"])
    second = sorted(set(steps[attempts[1].id]))
    kept = max(kept, second[0] - 1)  # a newer checkpoint may have arrived while the machine died
    if kept == 0 or [one for one in second if one > kept] != list(range(kept + 1, max(second) + 1)):
        raise Broken(f"the second machine did not go on at step {kept + 1}: {second[:3]}…{second[-1:]}")
    return f"yes, from step {kept} of {max(second)}"


def evaluate(here: Fleet, model: pb.Model, learnt: str) -> str:
    """Base and result on held-out rows, of the format that was learnt from where the evaluation takes it."""
    taken = next(one for one in here.client.list_methods() if one.name == "evaluate")
    asked_for = json.loads(taken.manifest)["inputs"]
    if model.form not in asked_for["candidate"]["forms"]:
        return f"no: {model.form}"
    formats = asked_for["dataset"]["formats"]
    answers = here.dataset("prompt_completion", "train.jsonl", "test.jsonl")
    data = here.datasets[learnt] if learnt in formats else answers
    asked = {"dataset": data, "candidate": model.id, "baseline": here.models["base"]}
    job = here.run("evaluate", parameters=EVALUATED, inputs=asked)
    return ", ".join(sorted({score.metric for score in here.client.get_evaluation(job.evaluation_id).scores}))


def serve(here: Fleet, model: pb.Model) -> str:
    """Package, deploy, ask; or what was known beforehand to keep it from that."""
    if problem := json.loads(model.card).get("packaging_problem"):
        return f"no: {problem}"
    packaged = here.run("export_gguf", inputs={"model": model.id}).model_id
    deployment = here.client.deploy(PROJECT, model.name[:60], packaged, context_length=128, slots=1)
    *_, deployment = here.client.wait_deployment(deployment.id)
    if deployment.state != "SERVING":
        raise Broken(f"deployment: {deployment.state}: {deployment.message}")
    here.client.chat(deployment.id, QUESTION, max_tokens=8)
    here.client.stop_deployment(deployment.id)
    return "yes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD")
    wanted = parser.parse_args().methods
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS), flush=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder, fleet(Path(folder)) as here:
        known = {one.name: json.loads(one.manifest) for one in here.client.list_methods() if one.kind == "train"}
        for method, manifest in known.items():
            if (wanted and method not in wanted) or "cpu" not in manifest["platforms"]:
                continue
            try:
                line = row(here, method, manifest)
            except (Broken, tunesmith.CallFailed) as problem:
                failed += 1
                line = [method, f"FAILED: {problem}", "", "", ""]
            print("| " + " | ".join(line) + " |", flush=True)
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
