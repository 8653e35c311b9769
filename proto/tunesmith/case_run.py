"""A shipped case run stage by stage: import, upload, train, evaluate, package, deploy, one answer.

Every stage is a job or a call that any script could make. What an earlier run has made from the same method, inputs,
parameters and seed is used again.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console

from tunesmith.client import Client
from tunesmith.commands.context import seconds_as_words
from tunesmith.commands.jobs import watch_job
from tunesmith.openai import complete
from tunesmith.v1 import automation_pb2 as pb

_SEED = 42
_TYPES: Mapping[str, type] = {"string": str, "object": dict, "array": list, "boolean": bool}


@dataclass
class Stage:
    """One stage and the seconds it took; `environment` is the part that built a method's environment."""

    title: str
    environment: float = 0.0
    total: float = 0.0
    reused: bool = False

    @property
    def work(self) -> float:
        return max(0.0, self.total - self.environment)


@dataclass
class CaseRun:
    """A run of one case in one project."""

    client: Client
    console: Console
    project: str
    plan: Mapping[str, Any]
    case: str
    stages: list[Stage] = field(default_factory=list)

    @property
    def _name(self) -> str:
        """Of the tuned model, and the stem of what is made from it."""
        return str(self.plan["deployment"]["name"])

    def run(self) -> pb.Evaluation:
        """All stages; the evaluation that decides. Raises CallFailed, click.ClickException."""
        base = self._base_model()
        dataset = self._dataset()
        tuned = self._train(base, dataset)
        evaluation = self._evaluate(base, tuned, dataset)
        packaged = self._package(tuned)
        self._deploy(packaged)
        return evaluation

    def _base_model(self) -> int:
        base = self.plan["base_model"]
        with self._stage(
            "Base model", f"{base['name']} is brought in from {base['parameters']['reference']}."
        ) as stage:
            job = self._job(stage, base["method"], slug(base["name"]), base["parameters"], {})
        return job.model_id

    def _dataset(self) -> int:
        dataset = self.plan["dataset"]
        with self._stage("Data", "The case's reports are checked row by row and kept as a version.") as stage:
            train, test = (self.client.get_case_file(self.case, dataset[split]) for split in ("train", "test"))
            name = slug(dataset["name"])
            version = self.client.upload_dataset(self.project, name, train, test, dataset["format"])
            stage.reused = version.reused
            counts = f"{version.train_rows} rows to learn from, {version.test_rows} held out for the examination"
            self._say(f"“{version.dataset}”, version {version.number}: {counts}.")
        return version.id

    def _train(self, base: int, dataset: int) -> int:
        training = self.plan["training"]
        with self._stage("Training", "The model learns from the examples; the loss shows how far it is off.") as stage:
            inputs = {"base": base, "dataset": dataset}
            job = self._job(stage, training["method"], self._name, training["parameters"], inputs)
            losses = self._losses(job.id)
            if losses:
                self._say(f"Loss {losses[0]:.3f} at the start, {losses[-1]:.3f} after {len(losses)} steps.")
        return job.model_id

    def _evaluate(self, base: int, tuned: int, dataset: int) -> pb.Evaluation:
        evaluation = self.plan["evaluation"]
        with self._stage("Evaluation", "Both models answer the held-out reports, which neither has seen.") as stage:
            inputs = {"baseline": base, "candidate": tuned, "dataset": dataset}
            name = f"{self._name}-evaluation"
            job = self._job(stage, evaluation["method"], name, evaluation["parameters"], inputs)
        return self.client.get_evaluation(job.evaluation_id)

    def _package(self, tuned: int) -> int:
        export = self.plan["export"]
        with self._stage("Packaging", "Base and learnt part become one GGUF file, which needs no Python.") as stage:
            name = f"{self._name}-gguf"
            job = self._job(stage, export["method"], name, export["parameters"], {"model": tuned})
        return job.model_id

    def _deploy(self, model: int) -> None:
        wanted = self.plan["deployment"]
        with self._stage("Deployment", "llama.cpp serves the file, and answers one report.") as stage:
            stage.reused = self._serves(wanted["name"], model)
            if not stage.reused:
                self._serve(wanted["name"], model)
            self._ask(wanted["name"])

    def _serve(self, name: str, model: int) -> None:
        said = ""
        for now in self.client.wait_deployment(self.client.deploy(self.project, name, model).id):
            standing = f"{now.state.lower()} {now.message}".strip()
            if standing != said:
                self._say(standing)
            said = standing
        if now.state != "SERVING":
            raise click.ClickException(f"The deployment is {now.state}. {now.message}")

    def _ask(self, deployment: str) -> None:
        """One question over the OpenAI-compatible endpoint, and the answer held against the case's schema."""
        prompt, schema = self.plan["playground"]["prompt"], self.plan["evaluation"]["parameters"].get("schema") or {}
        url, begun = self.client.who_am_i().web_url, time.monotonic()
        answer = complete(url, self.client.target.token, f"{self.project}/{deployment}", prompt)
        seconds = time.monotonic() - begun
        self._say(f"Asked:  {prompt}")
        self._say(f"Answer: {answer}   ({seconds:.1f} s)")
        missing = unmet(answer, schema)
        if missing:
            raise click.ClickException(f"The answer does not have the case's form: {missing}")
        for name, value in json.loads(answer).items():
            self._say(f"        {name}: {value}")

    def _serves(self, name: str, model: int) -> bool:
        found = self.client.list_deployments(self.project)
        return any((one.name, one.model_id, one.state) == (name, model, "SERVING") for one in found)

    def _job(
        self, stage: Stage, method: str, name: str, parameters: Mapping[str, Any], inputs: Mapping[str, int]
    ) -> pb.Job:
        """A succeeded job with just these pins: an earlier one, or a new one that is followed to its end."""
        job = self._earlier(method, parameters, inputs)
        if job is None:
            job = self.client.submit_job(self.project, method, name, parameters, inputs, _SEED)
        stage.reused = job.state == "SUCCEEDED"
        if not stage.reused:
            job = watch_job(self.client, self.console, job.id)
            stage.environment = sum(max(0.0, one.running_at - one.started_at) for one in job.attempts if one.running_at)
        if job.state != "SUCCEEDED":
            raise click.ClickException(f"Job {job.id} “{job.name}” is {job.state}. {job.message}")
        return job

    def _earlier(self, method: str, parameters: Mapping[str, Any], inputs: Mapping[str, int]) -> pb.Job | None:
        current = next((one for one in self.client.list_methods() if one.name == method), None)
        if current is None:
            raise click.ClickException(f"The method “{method}” is not there.")
        properties = json.loads(current.manifest)["parameters"]["properties"]
        complete = {key: schema["default"] for key, schema in properties.items() if "default" in schema}
        complete.update(parameters)
        for job in self.client.list_jobs(self.project, method=method):
            same_inputs = {item.name: item.id for item in job.inputs} == dict(inputs)
            same = job.method_hash == current.hash and same_inputs and json.loads(job.parameters) == complete
            if same and job.seed == _SEED and job.state not in ("FAILED", "CANCELLED"):
                return job
        return None

    def _losses(self, job_id: int) -> list[float]:
        bodies = (json.loads(event.body) for event in self.client.list_events(job_id, kind="metric"))
        return [body["values"]["loss"] for body in bodies if "loss" in body.get("values", {})]

    @contextmanager
    def _stage(self, title: str, story: str) -> Iterator[Stage]:
        stage = Stage(title)
        self.stages.append(stage)
        self.console.print(f"\n[bold]{len(self.stages)}. {title}[/bold]  {story}", highlight=False, soft_wrap=True)
        begun = time.monotonic()
        yield stage
        stage.total = time.monotonic() - begun
        took = f"{seconds_as_words(stage.work)} of work"
        if stage.environment >= 1:
            took += f", after {seconds_as_words(stage.environment)} of preparing files and environment"
        self._say("Made by an earlier run from the very same inputs: used again." if stage.reused else f"Took {took}.")

    def _say(self, text: str) -> None:
        self.console.print(f"   {text}", markup=False, highlight=False, soft_wrap=True)


def unmet(answer: str, schema: Mapping[str, Any]) -> str:
    """What keeps an answer from being one JSON object of the schema's form; empty if nothing does.

    Looks at the keywords that a record's schema needs: required, properties (type, enum), additionalProperties.
    """
    try:
        value = json.loads(answer)
    except ValueError as problem:
        return f"not JSON ({problem})"
    if not isinstance(value, dict):
        return "not an object"
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"“{missing[0]}” is missing"
    problems = (_field_problem(name, item, schema) for name, item in value.items())
    return next((problem for problem in problems if problem), "")


def slug(title: str) -> str:
    """A title as a name: lower-case letters, digits, dots and hyphens."""
    return re.sub(r"[^a-z0-9._-]+", "-", title.lower()).strip("-._")[:64]


def _field_problem(name: str, item: Any, schema: Mapping[str, Any]) -> str:
    wanted = schema.get("properties", {}).get(name)
    if wanted is None:
        return f"“{name}” is not asked for" if schema.get("additionalProperties") is False else ""
    if "enum" in wanted and item not in wanted["enum"]:
        return f"“{name}” is {item!r}"
    kind = _TYPES.get(wanted.get("type", ""), object)
    return "" if isinstance(item, kind) else f"“{name}” is not a {wanted['type']}"
