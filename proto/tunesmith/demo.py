"""`tunesmith demo`: a shipped case from its data to a served answer, over the public API like any user."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tunesmith.client import Client, connect
from tunesmith.commands.context import Terminal, seconds_as_words
from tunesmith.commands.workflows import Stage, Watch, output
from tunesmith.connection import CallFailed, bootstrap
from tunesmith.openai import complete
from tunesmith.v1 import automation_pb2 as pb

CASE = "machine_faults"
_TYPES: Mapping[str, type] = {"string": str, "object": dict, "array": list, "boolean": bool}


@click.command()
@click.argument("case", default=CASE)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a `tunesmith up`, which is started if it does not run and stopped at the end.",
)
@click.option("--keep", is_flag=True, help="Leave what was started running.")
@click.pass_obj
def demo(terminal: Terminal, case: str, data: Path | None, keep: bool) -> None:
    """Run a shipped CASE on a real model: import, train, evaluate, package, deploy, one answer.

    Exit code 1 unless the tuned model is clearly better than the one it was made from.
    """
    begun = time.monotonic()
    started = data is not None and _start(terminal, data)
    try:
        with connect(data=data) as client:
            verdict = _run(terminal, client, case, begun)
    finally:
        if started and not keep and data is not None:
            _tunesmith("down", data)
    if started and not keep:
        again = f"Everything is stopped again. `tunesmith up --data {data}` brings it back."
        terminal.console.print(again, soft_wrap=True)
    if verdict != "better":
        raise click.ClickException(f"The verdict is “{verdict}”: the tuned model is not clearly better.")


def _run(terminal: Terminal, client: Client, name: str, begun: float) -> str:
    found = next((one for one in client.list_cases() if one.name == name), None)
    if found is None:
        raise click.ClickException(f"There is no case “{name}”.")
    plan = json.loads(found.plan)
    if not plan["dataset"]["train"]:
        raise click.ClickException(f"The case “{name}” brings only the shape of its data: run it on data of your own.")
    title = plan["display"].get("en") or next(iter(plan["display"].values()))
    terminal.console.print(title, style="bold", markup=False)
    watch = Watch(client, terminal.console)
    version = _upload(watch, client, terminal.project, name, plan["dataset"])
    run = watch.follow(_started(client, terminal.project, name, version).id)
    if run.outcome != "done":
        raise click.ClickException(f"Run {run.id} is {run.outcome}. {run.message}")
    deployment, prompt = output(run, "deployment"), plan.get("playground", {}).get("prompt", "")
    if deployment and prompt:  # a case that somebody saved has no question of its own
        _ask(watch, client, run, deployment, prompt)
    evaluation = client.get_evaluation(output(run, "evaluation"))
    _show_times(terminal.console, watch.stages, time.monotonic() - begun)
    _show_scores(terminal.console, evaluation)
    terminal.console.print(f"Dashboard: {client.who_am_i().web_url}", highlight=False)
    return str(evaluation.verdict)


def _upload(watch: Watch, client: Client, project: str, case: str, dataset: Mapping[str, str]) -> int:
    """The case's data as a version of the project's; what is there already stays as it is."""
    with watch.stage("data") as stage:
        train = client.get_case_file(case, dataset["train"])
        test = client.get_case_file(case, dataset["test"]) if dataset["test"] else None
        version = client.upload_dataset(project, slug(dataset["name"]), train, test, dataset["format"])
        stage.reused = version.reused
        counts = f"{version.train_rows} rows to learn from, {version.test_rows} held out for the examination"
        watch.say(f"“{version.dataset}”, version {version.number}: {counts}.")
    return int(version.id)


def _started(client: Client, project: str, case: str, version: int) -> pb.WorkflowRun:
    """A run of the case on the data: one that is under way already, or a new one."""
    under_way = (run for run in client.list_workflow_runs(project) if not run.outcome)
    same = (run for run in under_way if (run.case, run.dataset_version_id) == (case, version))
    return next(same, None) or client.start_workflow_run(project, case, version)


def _ask(watch: Watch, client: Client, run: pb.WorkflowRun, deployment_id: int, prompt: str) -> None:
    """One question over the OpenAI-compatible endpoint; the answer is held against the form that was evaluated."""
    name, begun = client.get_deployment(deployment_id).name, time.monotonic()
    answer = complete(client.who_am_i().web_url, client.target.token, f"{run.project}/{name}", prompt)
    seconds = time.monotonic() - begun
    watch.say(f"Asked:  {prompt}")
    watch.say(f"Answer: {answer}   ({seconds:.1f} s)")
    evaluated = next(step.job_id for step in run.steps if step.kind == "evaluate")
    missing = unmet(answer, json.loads(client.get_job(evaluated).parameters).get("schema") or {})
    if missing:
        raise click.ClickException(f"The answer does not have the case's form: {missing}")
    for key, value in json.loads(answer).items():
        watch.say(f"        {key}: {value}")


def _show_times(console: Console, stages: list[Stage], total: float) -> None:
    table = Table(title="\nTime taken", title_justify="left", header_style="bold")
    table.add_column("stage")
    table.add_column("work", justify="right")
    table.add_column("files and environments", justify="right")
    for stage in stages:
        work = "used again" if stage.reused else seconds_as_words(stage.work)
        table.add_row(stage.title, work, seconds_as_words(stage.environment) if stage.environment >= 1 else "")
    table.add_section()
    worked, prepared = sum(stage.work for stage in stages), sum(stage.environment for stage in stages)
    table.add_row("all stages", seconds_as_words(worked), seconds_as_words(prepared))
    console.print(table)
    console.print(f"With starting up: {seconds_as_words(total)}.")


def _show_scores(console: Console, evaluation: pb.Evaluation) -> None:
    scores = {(score.metric, score.candidate): score for score in evaluation.scores}
    table = Table(title="\nOn the held-out rows", title_justify="left", header_style="bold")
    for heading in ("metric", "rows", "base model", "tuned model"):
        table.add_column(heading)
    for metric in dict.fromkeys(score.metric for score in evaluation.scores):
        tuned = scores[metric, "candidate"]
        table.add_row(metric, str(tuned.n), _interval(scores.get((metric, "baseline"))), _interval(tuned))
    console.print(table)
    low, high = evaluation.difference_low, evaluation.difference_high
    gain = f"{evaluation.primary_metric} {evaluation.difference:+.1%} (95 % interval {low:+.1%} to {high:+.1%})"
    console.print(f"Verdict: [bold]{evaluation.verdict}[/bold], {gain}.", highlight=False)


def _interval(score: pb.Score | None) -> str:
    return f"{score.value:.1%}  ({score.low:.1%} to {score.high:.1%})" if score else ""


def _start(terminal: Terminal, data: Path) -> bool:
    """Start what does not run under `data`; whether that was needed."""
    if _answers(data):
        terminal.console.print(f"Tunesmith runs already on {data}: used as it is.", soft_wrap=True)
        return False
    terminal.console.print("Starting a control plane and an agent on this machine.")
    if _tunesmith("up", data, "--detach", "--ports", "auto") != 0:
        raise click.ClickException("They did not start.")
    return True


def _answers(data: Path) -> bool:
    if not bootstrap(data):
        return False
    try:
        with connect(data=data) as client:
            client.patience = 0.0
            client.who_am_i()
    except CallFailed as problem:
        return problem.status != "UNAVAILABLE"
    return True


def _tunesmith(command: str, data: Path, *options: str) -> int:
    """Run another of our commands; its exit code."""
    # P: nothing of the current folder is run
    started = [sys.executable, "-Pm", "tunesmith.cli", command, "--data", str(data), *options]
    return subprocess.run(started).returncode


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
