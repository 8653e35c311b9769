"""What a page does, as one command and as Python: the contents of its "Do this by API" drawer."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CONNECT = "import tunesmith\n\nclient = tunesmith.connect()\n"


@dataclass(frozen=True)
class Snippet:
    """A command for a terminal, and lines of Python."""

    command: str
    python: str


def list_datasets(project: str) -> Snippet:
    return _snippet(project, ["datasets", "list"], f"client.list_datasets({project!r})")


def upload(project: str, name: str) -> Snippet:
    name = name or "my-data"
    python = f'client.upload_dataset({project!r}, {name!r}, train="train.jsonl")'
    return _snippet(project, ["datasets", "upload", name, "train.jsonl"], python)


def submit(
    project: str, method: str, name: str, parameters: Mapping[str, Any], inputs: Mapping[str, int], seed: int
) -> Snippet:
    """A job and its end. `inputs` are ids by name."""
    command = ["jobs", "submit", method, *(["--name", name] if name else [])]
    command += [part for key, number in inputs.items() for part in ("--input", f"{key}={number}")]
    command += [part for key, value in parameters.items() for part in ("--parameter", f"{key}={_value(value)}")]
    lines = [f"job = client.submit_job(\n    {project!r},\n    {method!r},"]
    lines += [f"    name={name!r},"] if name else []
    lines += [f"    parameters={dict(parameters)!r},", f"    inputs={dict(inputs)!r},", f"    seed={seed},\n)"]
    lines += ["for job, events in client.wait_job(job.id):\n    print(job.state, job.progress)"]
    return _snippet(project, [*command, "--seed", str(seed), "--watch"], "\n".join(lines))


def list_rows(project: str, version_id: int) -> Snippet:
    return _snippet(project, ["datasets", "rows", str(version_id)], f"client.list_rows({version_id})")


_WATCH_RUN = (
    "for run in client.wait_guided_run({}):\n"
    "    print(run.outcome, {{step.name: step.state for step in run.steps}}, run.message)"
)


def start_guided_run(project: str, case: str, version_id: int) -> Snippet:
    """A case on a dataset version, to its end."""
    python = f"run = client.start_guided_run({project!r}, {case!r}, {version_id})\n" + _WATCH_RUN.format("run.id")
    return _snippet(project, ["guided", "start", case, str(version_id), "--watch"], python)


def watch_guided_run(project: str, run_id: int) -> Snippet:
    return _snippet(project, ["guided", "watch", str(run_id)], _WATCH_RUN.format(run_id))


def list_jobs(project: str) -> Snippet:
    return _snippet(project, ["jobs", "list"], f"client.list_jobs({project!r})")


def watch_job(project: str, job_id: int) -> Snippet:
    python = f"for job, events in client.wait_job({job_id}):\n    print(job.state, job.progress)"
    return _snippet(project, ["jobs", "watch", str(job_id)], python)


def of_job(project: str, job_id: int, endpoint: str) -> Snippet:
    """What this one of a job's pages shows; following the job, where a page has nothing of its own."""
    own = {"jobs.config": _job_config, "jobs.files": _job_files, "jobs.log_page": _job_log}
    return own.get(endpoint, watch_job)(project, job_id)


def _job_config(project: str, job_id: int) -> Snippet:
    return _snippet(project, ["jobs", "config", str(job_id)], f"print(client.get_job_config({job_id}))")


def _job_files(project: str, job_id: int) -> Snippet:
    python = (
        f"for artifact in client.list_files({job_id}):\n"
        f'    client.download({job_id}, artifact, f"job-{job_id}/{{artifact.name}}")'
    )
    return _snippet(project, ["jobs", "files", str(job_id)], python)


def _job_log(project: str, job_id: int) -> Snippet:
    return _snippet(project, ["jobs", "log", str(job_id)], f"data, size = client.read_log({job_id})")


def list_models(project: str) -> Snippet:
    return _snippet(project, ["models", "list"], f"client.list_models({project!r})")


def show_model(project: str, model_id: int) -> Snippet:
    return _snippet(project, ["models", "show", str(model_id)], f"client.get_model({model_id})")


def list_evaluations(project: str) -> Snippet:
    return _snippet(project, ["evaluations", "list"], f"client.list_evaluations({project!r})")


def show_evaluation(project: str, evaluation_id: int) -> Snippet:
    return _snippet(project, ["evaluations", "show", str(evaluation_id)], f"client.get_evaluation({evaluation_id})")


def list_deployments(project: str) -> Snippet:
    return _snippet(project, ["deployments", "list"], f"client.list_deployments({project!r})")


def deploy(project: str, name: str, model_id: int) -> Snippet:
    python = (
        f"deployment = client.deploy({project!r}, {name!r}, {model_id})\n"
        "for deployment in client.wait_deployment(deployment.id):\n    print(deployment.state)"
    )
    return _snippet(project, ["deployments", "deploy", name, str(model_id)], python)


def set_member(project: str) -> Snippet:
    python = f'client.set_member({project!r}, "ada", "Expert")\nprint(client.list_members({project!r}))'
    return _snippet(project, ["members", "set", "ada", "Expert"], python)


def invite_user() -> Snippet:
    return _of_all(
        ["people", "invite", "ada", "--title", "Ada Lovelace"], 'print(client.invite_user("ada", "Ada Lovelace"))'
    )


def set_profile() -> Snippet:
    python = 'print(client.set_profile("Ada Lovelace", "en"))'
    return _of_all(["account", "set", "--title", "Ada Lovelace", "--language", "en"], python)


def create_user_link(name: str) -> Snippet:
    return _of_all(["people", "link", name], f"print(client.create_user_link({name!r}))")


def activate_user(name: str) -> Snippet:
    return _of_all(["people", "activate", name], f"print(client.activate_user({name!r}))")


def create_join_token(machine_class: str) -> Snippet:
    python = f"print(client.create_join_token({machine_class!r}).token)"
    return _of_all(["machines", "token", "--class", machine_class], python)


def drain_machine(machine_id: str) -> Snippet:
    return _of_all(["machines", "drain", machine_id], f"print(client.drain_machine({machine_id!r}))")


def undrain_machine(machine_id: str) -> Snippet:
    return _of_all(["machines", "undrain", machine_id], f"print(client.undrain_machine({machine_id!r}))")


def show_machine(machine_id: str) -> Snippet:
    return _of_all(["machines", "show", machine_id], f"print(client.get_machine({machine_id!r}))")


def chat(project: str, name: str, deployment_id: int) -> Snippet:
    python = f'messages = [{{"role": "user", "content": "…"}}]\nprint(client.chat({deployment_id}, messages))'
    return _snippet(project, ["chat", name, "…"], python)


def endpoint_curl(address: str, model: str) -> str:
    """The OpenAI-compatible endpoint by curl; the token comes from the shell's environment, never from the page."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "…"}]}, ensure_ascii=False)
    return (
        f"curl {address}/v1/chat/completions \\\n"
        '  -H "Authorization: Bearer $TUNESMITH_TOKEN" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(body)}"
    )


def endpoint_python(address: str, model: str) -> str:
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{address}/v1", api_key=os.environ["TUNESMITH_TOKEN"])\n'
        f'answer = client.chat.completions.create(\n    model="{model}",\n'
        '    messages=[{"role": "user", "content": "…"}],\n)\nprint(answer.choices[0].message.content)'
    )


def _snippet(project: str, arguments: list[str], python: str) -> Snippet:
    return Snippet(shlex.join(["tunesmith", "--project", project, *arguments]), _CONNECT + python)


def _of_all(arguments: list[str], python: str) -> Snippet:
    """What belongs to no project."""
    return Snippet(shlex.join(["tunesmith", *arguments]), _CONNECT + python)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
