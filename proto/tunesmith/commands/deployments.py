"""`tunesmith deployments` and `tunesmith chat`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from tunesmith.commands.context import Terminal, only, pass_terminal


@click.group()
def deployments() -> None:
    """Models that are served."""


@deployments.command("list")
@pass_terminal
def list_deployments(terminal: Terminal) -> None:
    """All deployments by name."""
    terminal.table(
        "Deployments",
        {
            "id": lambda deployment: deployment.id,
            "name": lambda deployment: deployment.name,
            "model": lambda deployment: deployment.model_id,
            "desired": lambda deployment: deployment.desired_state,
            "state": lambda deployment: deployment.state,
            "requests in 24 h": lambda deployment: sum(deployment.requests),
            "why": lambda deployment: deployment.message,
        },
        terminal.client.list_deployments(terminal.project),
    )


@deployments.command()
@click.argument("name")
@click.argument("model_id", type=int)
@click.option("--context-length", default=2048, show_default=True, help="Tokens of one conversation.")
@click.option("--slots", default=4, show_default=True, help="Requests at once.")
@pass_terminal
def deploy(terminal: Terminal, name: str, model_id: int, context_length: int, slots: int) -> None:
    """Serve a packaged (GGUF) model under NAME, and wait until it answers."""
    deployment = terminal.client.deploy(terminal.project, name, model_id, context_length, slots)
    with terminal.console.status("…") as status:
        for now in terminal.client.wait_deployment(deployment.id):
            status.update(f"{now.state.lower()} {now.message}")
    terminal.details(now)
    if now.state != "SERVING":
        raise click.ClickException(f"“{name}” is {now.state}. {now.message}")


@deployments.command()
@click.argument("deployment_id", type=int)
@pass_terminal
def stop(terminal: Terminal, deployment_id: int) -> None:
    """Serve it no longer."""
    terminal.details(terminal.client.stop_deployment(deployment_id))


@deployments.command()
@click.argument("deployment_id", type=int)
@click.option("--prompt", default="", help="A prompt: NAME, or NAME@VERSION. [default: none]")
@click.option("--schema", type=click.Path(dir_okay=False, path_type=Path), help="A JSON Schema. [default: none]")
@pass_terminal
def carry(terminal: Terminal, deployment_id: int, prompt: str, schema: Path | None) -> None:
    """Have it carry a prompt and a schema, which callers ask for as MODEL+prompt+schema."""
    try:
        form = json.loads(schema.read_text("utf-8")) if schema else None
    except (OSError, ValueError) as problem:
        raise click.ClickException(f"{schema}: {problem}") from problem
    if form is not None and not isinstance(form, dict):
        raise click.ClickException(f"{schema}: this is no JSON object.")
    terminal.details(terminal.client.set_deployment_prompt(deployment_id, prompt, form))


@click.command()
@click.argument("name")
@click.argument("prompt", required=False)
@click.option("--system", default="", help="A text that sets the scene.")
@click.option("--max-tokens", default=256, show_default=True, help="Where an answer ends at the latest.")
@pass_terminal
def chat(terminal: Terminal, name: str, prompt: str | None, system: str, max_tokens: int) -> None:
    """Ask deployment NAME one question, or talk with it where no PROMPT is given."""
    every = terminal.client.list_deployments(terminal.project)
    said = f"There is no deployment “{name}” in the project “{terminal.project}”."
    deployment = only((one for one in every if one.name == name), said)
    messages = [{"role": "system", "content": system}] if system else []
    while True:
        question = prompt or click.prompt("You", prompt_suffix=": ")
        messages.append({"role": "user", "content": question})
        answer = []
        for piece in terminal.client.chat_stream(deployment.id, messages, max_tokens=max_tokens):
            click.echo(piece, nl=False)
            answer.append(piece)
        click.echo()
        if prompt:
            return
        messages.append({"role": "assistant", "content": "".join(answer)})


COMMANDS = (deployments, chat)
