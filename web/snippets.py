"""What a page does, as one command and as Python: the contents of its "Do this by API" drawer."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.services.workflows.again import Wish

CONNECT = "import tunesmith\n\nclient = tunesmith.connect()\n"


@dataclass(frozen=True)
class Snippet:
    """A command for a terminal, and lines of Python."""

    command: str
    python: str


def list_datasets(project: str) -> Snippet:
    return _snippet(
        project,
        ["datasets", "list"],
        _each("version", f"list_datasets({project!r})", "id", "dataset", "number", "train_rows"),
    )


def upload(project: str, name: str) -> Snippet:
    name = name or "my-data"
    python = (
        f'version = client.upload_dataset({project!r}, {name!r}, train="train.jsonl")  # your file, in this folder\n'
        "print(version.id, version.train_rows, version.test_rows)"
    )
    return _snippet(project, ["datasets", "upload", name, "train.jsonl"], python)


def submit(
    project: str,
    method: str,
    name: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, int],
    seed: int,
    policy: Mapping[str, Any],
) -> Snippet:
    """A job and its end. `inputs` are ids by name; `policy` is what is asked beyond the usual."""
    command = ["jobs", "submit", method, *(["--name", name] if name else [])]
    command += [part for key, number in inputs.items() for part in ("--input", f"{key}={number}")]
    command += [part for key, value in parameters.items() for part in ("--parameter", f"{key}={_value(value)}")]
    command += [part for key, value in policy.items() for part in ("--policy", f"{key}={_value(value)}")]
    lines = [f"job = client.submit_job(\n    {project!r},\n    {method!r},"]
    lines += [f"    name={name!r},"] if name else []
    lines += [f"    parameters={dict(parameters)!r},", f"    inputs={dict(inputs)!r},", f"    seed={seed},"]
    lines += [f"    policy={dict(policy)!r},"] if policy else []
    lines += [")"]
    lines += ["for job, events in client.wait_job(job.id):\n    print(job.state, job.progress)"]
    return _snippet(project, [*command, "--seed", str(seed), "--watch"], "\n".join(lines))


def show_version(project: str, version_id: int) -> Snippet:
    """What is known of a version."""
    return _snippet(project, ["datasets", "show", str(version_id)], f"print(client.get_dataset_version({version_id}))")


def compare_versions(project: str, old_id: int, new_id: int) -> Snippet:
    """What differs between two versions of a dataset."""
    python = (
        f"found = client.compare_dataset_versions({old_id}, {new_id})\nprint(found.added, found.removed, found.changed)"
    )
    return _snippet(project, ["datasets", "diff", str(old_id), str(new_id)], python)


def edit_rows(project: str, version_id: int, part: str) -> Snippet:
    """Another version with a row taken out; by the command, of a file that says what is to be different."""
    python = f"made = client.edit_rows({version_id}, {part!r}, removed=[1])\nprint(made.version.id or made.draft.id)"
    return _snippet(project, ["datasets", "edit", str(version_id), "edits.json", "--split", part], python)


def list_connectors(project: str) -> Snippet:
    """By what data can be fetched, with the parameters that each takes."""
    python = _each("connector", f"list_connectors({project!r})", "name", "parameters", "secrets")
    return _snippet(project, ["datasets", "connectors"], python)


def list_sources(project: str) -> Snippet:
    """Which datasets are fetched, and what came of it."""
    python = _each("source", f"list_sources({project!r})", "id", "dataset", "label", "looked_at", "message")
    return _snippet(project, ["datasets", "sources"], python)


def draft(project: str) -> Snippet:
    """Files that are not a version yet."""
    return _snippet(project, ["datasets", "drafts"], _each("draft", f"list_drafts({project!r})", "id", "name", "state"))


def see_row(project: str, version_id: int, number: int, part: str, model_id: int = 0) -> Snippet:
    """A row as a model sees it; the one that suggests itself has the number 0."""
    place = ["--as-seen-by", str(model_id), "--row", str(number), "--split", part]
    python = _SEEN.format(f"{version_id}, {number}, {part!r}, model_id={model_id}")
    return _snippet(project, ["datasets", "show", str(version_id), *place], python)


def measure_lengths(project: str, version_id: int, model_id: int = 0) -> Snippet:
    """How long a version's rows are in tokens of a model."""
    python = f"found = client.measure_lengths({version_id}, {model_id})\nprint(list(zip(found.edges, found.counts)))"
    return _snippet(project, ["datasets", "lengths", str(version_id), "--model", str(model_id)], python)


def see_draft(project: str, draft_id: int) -> Snippet:
    """A row of a draft as a model sees it."""
    return _snippet(project, ["datasets", "see", str(draft_id)], _SEEN.format(f"draft_id={draft_id}"))


_SEEN = "row = client.see_row({})\nprint(row.model, [one.learned_tokens for one in row.examples])"


def list_rows(project: str, version_id: int) -> Snippet:
    return _snippet(
        project, ["datasets", "rows", str(version_id)], f"for row in client.list_rows({version_id}):\n    print(row)"
    )


def list_triggers(project: str, workflow: str, workflow_id: int) -> Snippet:
    """What starts a workflow by itself."""
    python = _each("trigger", f"list_triggers({workflow_id})", "id", "kind", "next_at", "message")
    return _snippet(project, ["triggers", "list", workflow], python)


def list_listeners(project: str) -> Snippet:
    """Who is told of what happens."""
    python = _each("listener", f"list_listeners({project!r})", "id", "way", "label", "message")
    return _snippet(project, ["listeners", "list"], python)


def list_listener_ways(project: str) -> Snippet:
    """In which ways somebody can be told, and of what."""
    python = _each("event", f"list_listener_ways({project!r}).events", "name", "display")
    return _snippet(project, ["listeners", "ways"], python)


def list_deliveries(project: str, listener_id: int) -> Snippet:
    """What a listener was told."""
    python = _each("told", f"list_deliveries({listener_id})", "id", "event", "outcome", "code", "message")
    return _snippet(project, ["listeners", "deliveries", str(listener_id)], python)


def endpoints(project: str) -> Snippet:
    """Models of others that are asked."""
    return _snippet(project, ["endpoints", "list"], _each("endpoint", f"list_endpoints({project!r})", "name", "model"))


def list_labellings(project: str) -> Snippet:
    """What people judge."""
    python = _each("labelling", f"list_labellings({project!r})", "id", "name", "state", "items")
    return _snippet(project, ["labelling", "list"], python)


def start_labelling(project: str, version_id: int, kind: str, served: Sequence[Any]) -> Snippet:
    """Answers or variations to be judged, of ten rows."""
    name = str(served[0].name) if served else ""
    makes = kind == "variations"
    command = ["labelling", "start", str(version_id), *(["--deployment", name] if name else []), "--count", "10"]
    more = f", deployment={name!r}" if name else ""
    more += ', variations={"per_row": 3}' if makes else ""
    python = (
        f'labelling = client.start_labelling({project!r}, {version_id}{more}, rows={{"count": 10}})\n'
        "print(labelling.id, labelling.items)"
    )
    return _snippet(project, command + (["--variations", "3"] if makes else []), python)


def show_labelling(project: str, labelling_id: int) -> Snippet:
    """How far a labelling is."""
    python = f"labelling = client.get_labelling({labelling_id})\nprint(labelling.state, labelling.accepted)"
    return _snippet(project, ["labelling", "show", str(labelling_id)], python)


def agreeing(project: str, labelling_id: int) -> Snippet:
    """Answers that say what their rows say."""
    python = f"items = client.list_agreeing_items({labelling_id})\nprint(len(items), [item.id for item in items])"
    return _snippet(project, ["labelling", "agreeing", str(labelling_id)], python)


def judge(project: str, labelling_id: int) -> Snippet:
    """The next item; what is said of it is `judge_label_item`."""
    python = (
        f"item = client.next_label_item({labelling_id})\n"
        'print(item.row, item.answer) if item else print("nothing is left")\n'
        '# client.judge_label_item(item.id, "accept")'
    )
    return _snippet(project, ["labelling", "next", str(labelling_id)], python)


_WATCH_RUN = (
    "for run in client.wait_workflow_run({}):\n"
    "    print(run.outcome, {{step.name: step.state for step in run.steps}}, run.message)"
)


def start_workflow_run(project: str, case: str, version_id: int) -> Snippet:
    """A case on a dataset version, to its end."""
    python = f"run = client.start_workflow_run({project!r}, {case!r}, {version_id})\n" + _WATCH_RUN.format("run.id")
    return _snippet(project, ["workflow", "run", case, "--dataset-version", str(version_id), "--watch"], python)


def set_deployment_prompt(project: str, deployment_id: int) -> Snippet:
    """What a deployment carries: here, nothing any more."""
    python = f"print(client.set_deployment_prompt({deployment_id}, prompt='', schema=None).prompt or '–')"
    return _snippet(project, ["deployments", "carry", str(deployment_id), "--prompt", ""], python)


def list_prompts(project: str) -> Snippet:
    return _snippet(
        project, ["prompt", "list"], _each("prompt", f"list_prompts({project!r})", "name", "version", "author")
    )


def get_prompt(project: str, prompt: str) -> Snippet:
    """What a version of a prompt says."""
    python = f"print(client.get_prompt({project!r}, {prompt!r}).content)"
    return _snippet(project, ["prompt", "export", prompt], python)


def save_prompt(project: str, name: str) -> Snippet:
    file = f"{name}.json"
    python = (
        "import json\nfrom pathlib import Path\n"
        f"content = json.loads(Path({file!r}).read_text('utf-8'))\n"
        f"print(client.save_prompt({project!r}, {name!r}, content).version)"
    )
    return _snippet(project, ["prompt", "save", name, file], python)


def list_rewards(project: str) -> Snippet:
    return _snippet(
        project,
        ["reward", "list"],
        _each("reward", f"list_rewards({project!r})", "name", "version", "title"),
    )


def save_reward(project: str, name: str) -> Snippet:
    """A reward from a file as the next version."""
    file = f"{name}.json"
    python = (
        "from pathlib import Path\n"
        f"saved = client.save_reward({project!r}, {name!r}, Path({file!r}).read_text('utf-8'))\n"
        "print(saved.version, saved.hash)"
    )
    return _snippet(project, ["reward", "save", name, file], python)


def list_workflows(project: str) -> Snippet:
    python = f"for found in client.list_workflows({project!r}):\n    print(found.name, found.version, found.title)"
    return _snippet(project, ["workflow", "list"], python)


def run_workflow(project: str, workflow: str) -> Snippet:
    """A version of a workflow with its defaults, to its end."""
    python = f"run = client.start_workflow_run({project!r}, workflow={workflow!r})\n" + _WATCH_RUN.format("run.id")
    return _snippet(project, ["workflow", "run", workflow, "--watch"], python)


def save_workflow(project: str, name: str) -> Snippet:
    file = f"{name}.yaml"
    python = (
        "from pathlib import Path\n"
        f"saved = client.save_workflow({project!r}, Path({file!r}).read_text('utf-8'))\n"
        "print(saved.version, saved.reused)"
    )
    return _snippet(project, ["workflow", "save", file], python)


def check_workflow(project: str, workflow: str) -> Snippet:
    python = (
        f"found = client.check_workflow({project!r}, workflow={workflow!r})\n"
        "print([(one.line, one.step, one.message) for one in found.problems], found.seconds)"
    )
    return _snippet(project, ["workflow", "check", workflow], python)


def save_case(project: str, run_id: int) -> Snippet:
    """A run that ended well as a case."""
    python = f'print(client.save_case({run_id}, "…", "…").name)'
    return _snippet(project, ["cases", "save", str(run_id), "--title", "…", "--problem", "…"], python)


def demo(project: str, case: str, dataset: str, train: str, test: str) -> Snippet:
    """A case on its own data, from the upload to the end."""
    python = (
        f"train, test = (client.get_case_file({case!r}, name) for name in ({train!r}, {test!r}))\n"
        f"version = client.upload_dataset({project!r}, {dataset!r}, train, test)\n"
        f"run = client.start_workflow_run({project!r}, {case!r}, version.id)\n" + _WATCH_RUN.format("run.id")
    )
    return _snippet(project, ["demo", case], python)


def watch_workflow_run(project: str, run_id: int) -> Snippet:
    return _snippet(project, ["workflow", "watch", str(run_id)], _WATCH_RUN.format(run_id))


def repeat_workflow_run(project: str, run_id: int, wish: Wish) -> Snippet:
    """A run once more with something changed; what it would be, where nothing is."""
    command = ["workflow", "again", str(run_id)]
    command += ["--data", str(wish.dataset_version_id)] if wish.dataset_version_id else []
    command += ["--base", str(wish.base_id)] if wish.base_id else []
    command += [part for step, method in wish.methods.items() for part in ("--method", f"{step}={method}")]
    for step, changed in wish.parameters.items():
        command += [part for name, value in changed.items() for part in ("--set", f"{step}.{name}={_read_back(value)}")]
    asked = {
        "dataset_version_id": wish.dataset_version_id,
        "base_model_id": wish.base_id,
        "methods": dict(wish.methods),
        "parameters": {step: dict(changed) for step, changed in wish.parameters.items()},
    }
    given = "".join(f", {name}={value!r}" for name, value in asked.items() if value)
    if not given:
        python = f"found = client.preview_workflow_repeat({run_id})\nprint(found.reused_steps, found.new_steps)"
        return _snippet(project, [*command, "--look"], python)
    return _snippet(project, command, f"run = client.repeat_workflow_run({run_id}{given})\nprint(run.id, run.repeats)")


def compare_workflow_runs(project: str, before_id: int, after_id: int) -> Snippet:
    """Two runs side by side."""
    python = (
        f"found = client.compare_workflow_runs({before_id}, {after_id})\n"
        "for one in found.measures:\n    print(one.metric, one.difference, one.verdict)\n"
        "print(len(found.changes))"
    )
    return _snippet(project, ["workflow", "diff", str(before_id), str(after_id)], python)


def list_jobs(project: str, state: str = "", method: str = "", text: str = "") -> Snippet:
    """The jobs that a page shows: of one state or method, or with a text in their names, if those are chosen."""
    chosen = {name: value for name, value in (("state", state), ("method", method), ("text", text)) if value}
    options = [part for name, value in chosen.items() for part in (f"--{name}", value)]
    given = "".join(f", {name}={value!r}" for name, value in chosen.items())
    return _snippet(
        project,
        ["jobs", "list", *options],
        _each("job", f"list_jobs({project!r}{given})", "id", "name", "state"),
    )


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
        f'    print(artifact.name, client.download({job_id}, artifact, f"job-{job_id}/{{artifact.name}}"))'
    )
    return _snippet(project, ["jobs", "files", str(job_id)], python)


def _job_log(project: str, job_id: int) -> Snippet:
    return _snippet(
        project,
        ["jobs", "log", str(job_id)],
        f"data, size = client.read_log({job_id})\nprint(data.decode(errors='replace'))",
    )


def compare(project: str, numbers: Sequence[int]) -> Snippet:
    """What each of the jobs pins."""
    if not numbers:
        return list_jobs(project)
    given = list(numbers)
    python = f'for number in {given}:\n    print(number, client.get_job_config(number)["parameters"])'
    return _snippet(project, ["jobs", "config", str(given[0])], python)


def search(project: str, text: str) -> Snippet:
    """Jobs with the text in their names."""
    return list_jobs(project, text=text)


def list_models(project: str) -> Snippet:
    return _snippet(project, ["models", "list"], _each("model", f"list_models({project!r})", "id", "name", "form"))


def list_trash(project: str) -> Snippet:
    return _snippet(project, ["trash", "list"], _each("thing", f"list_trash({project!r})", "kind", "id", "name"))


def list_projects() -> Snippet:
    return Snippet("tunesmith projects list", CONNECT + _each("project", "list_projects()", "name", "title", "role"))


def show_model(project: str, model_id: int) -> Snippet:
    return _snippet(project, ["models", "show", str(model_id)], f"print(client.get_model({model_id}))")


def list_evaluations(project: str) -> Snippet:
    return _snippet(
        project, ["evaluations", "list"], _each("evaluation", f"list_evaluations({project!r})", "id", "verdict")
    )


def show_evaluation(project: str, evaluation_id: int) -> Snippet:
    return _snippet(
        project, ["evaluations", "show", str(evaluation_id)], f"print(client.get_evaluation({evaluation_id}))"
    )


def list_deployments(project: str) -> Snippet:
    return _snippet(
        project, ["deployments", "list"], _each("deployment", f"list_deployments({project!r})", "id", "name", "state")
    )


def deploy(project: str, name: str, model_id: int) -> Snippet:
    python = (
        f"deployment = client.deploy({project!r}, {name!r}, {model_id})\n"
        "for deployment in client.wait_deployment(deployment.id):\n    print(deployment.state)"
    )
    return _snippet(project, ["deployments", "deploy", name, str(model_id)], python)


def set_member(project: str) -> Snippet:
    python = f'client.set_member({project!r}, "ada", "Expert")\nprint(client.list_members({project!r}))'
    return _snippet(project, ["members", "set", "ada", "Expert"], python)


def chat(project: str, name: str, deployment_id: int) -> Snippet:
    python = (
        'messages = [{"role": "user", "content": "…"}]\n'
        f"print(client.chat({deployment_id}, messages, max_tokens=256))"
    )
    return _snippet(project, ["chat", name, "…"], python)


def endpoint_curl(address: str, model: str) -> str:
    """The OpenAI-compatible endpoint by curl; the token comes from the shell's environment, never from the page."""
    body = {"model": model, "messages": [{"role": "user", "content": "…"}], "max_tokens": 256}
    data = json.dumps(body, ensure_ascii=False)
    return (
        f"curl {address}/v1/chat/completions \\\n"
        '  -H "Authorization: Bearer $TUNESMITH_TOKEN" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(data)}"
    )


def endpoint_python(address: str, model: str) -> str:
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{address}/v1", api_key=os.environ["TUNESMITH_TOKEN"])\n'
        f'answer = client.chat.completions.create(\n    model="{model}",\n'
        '    messages=[{"role": "user", "content": "…"}],\n    max_tokens=256,\n)\n'
        "print(answer.choices[0].message.content)"
    )


def _each(one: str, call: str, *shown: str) -> str:
    """Lines that print some fields of each thing in a list."""
    return f"for {one} in client.{call}:\n    print({', '.join(f'{one}.{name}' for name in shown)})"


def _snippet(project: str, arguments: list[str], python: str) -> Snippet:
    return Snippet(shlex.join(["tunesmith", "--project", project, *arguments]), CONNECT + python)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read_back(value: Any) -> str:
    """A value as a command reads it again that takes JSON, and any other text for itself."""
    try:
        is_plain = isinstance(value, str) and json.loads(value) is ...
    except ValueError:
        is_plain = True
    return str(value) if is_plain else json.dumps(value, ensure_ascii=False)
