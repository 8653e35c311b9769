"""`tunesmith workflow again` and `diff`: a run once more with something changed, and what it did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from tunesmith.commands.context import Terminal, pass_terminal
from tunesmith.v1 import automation_pb2 as pb

_VERDICTS = {"better": "better", "worse": "worse", "unclear": "cannot tell", "unpaired": "only one run has it"}


@click.command()
@click.argument("run_id", type=int)
@click.option("--set", "settings", multiple=True, metavar="STEP.PARAMETER=VALUE", help="The value as JSON, or a text.")
@click.option("--data", "version_id", type=int, default=0, metavar="VERSION", help="Another dataset version.")
@click.option("--base", "base_id", type=int, default=0, metavar="MODEL", help="Another base model of the project.")
@click.option("--method", "chosen", multiple=True, metavar="STEP=METHOD", help="Another method for a step.")
@click.option("--look", is_flag=True, help="Say what would differ, and start nothing.")
@pass_terminal
def again(
    terminal: Terminal,
    run_id: int,
    settings: tuple[str, ...],
    version_id: int,
    base_id: int,
    chosen: tuple[str, ...],
    look: bool,
) -> None:
    """A run once more with something changed; says what differs before it starts."""
    wish: dict[str, Any] = {
        "dataset_version_id": version_id,
        "base_model_id": base_id,
        "methods": dict(_split(text, "--method") for text in chosen),
        "parameters": _parameters(settings),
    }
    found = terminal.client.preview_workflow_repeat(run_id, **wish)
    _tell(terminal, found.changes)
    terminal.say(f"Used again: {', '.join(found.reused_steps) or 'nothing'}.")
    terminal.say(f"Carried out: {', '.join(found.new_steps) or 'nothing'}.")
    if look:
        return
    run = terminal.client.repeat_workflow_run(run_id, **wish)
    terminal.say(f"Run {run.id} has begun: tunesmith workflow watch {run.id}")
    terminal.say(f"Afterwards: tunesmith workflow diff {run_id} {run.id}")


@click.command()
@click.argument("before_id", type=int)
@click.argument("after_id", type=int)
@pass_terminal
def diff(terminal: Terminal, before_id: int, after_id: int) -> None:
    """Two runs side by side: what was changed, and what it did to each metric."""
    found = terminal.client.compare_workflow_runs(before_id, after_id)
    _tell(terminal, found.changes)
    terminal.table(
        "What it did",
        {
            "metric": lambda one: f"{one.metric} (decides)" if one.decides else one.metric,
            f"run {before_id}": lambda one: _score(one, "before"),
            f"run {after_id}": lambda one: _score(one, "after"),
            "difference": _difference,
            "verdict": lambda one: _VERDICTS.get(one.verdict, one.verdict),
        },
        found.measures,
    )


def _tell(terminal: Terminal, changes: Sequence[pb.WorkflowChange]) -> None:
    terminal.table(
        "What differs",
        {
            "step": lambda one: one.step,
            "what": lambda one: one.name or one.what.replace("_", " "),
            "before": lambda one: _value(one.before),
            "after": lambda one: _value(one.after),
        },
        changes,
    )


def _value(text: str) -> str:
    value = json.loads(text)
    return "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _score(one: pb.WorkflowMeasure, which: str) -> str:
    if not one.HasField(which):
        return "–"
    score = getattr(one, which)
    return f"{score.value:.4g} ({score.low:.4g} – {score.high:.4g})"


def _difference(one: pb.WorkflowMeasure) -> str:
    if not one.HasField("difference"):
        return "–"
    told = f"{one.difference:+.4g} ({one.difference_low:+.4g} – {one.difference_high:+.4g})"
    return told + ("" if one.paired else ", other rows")


def _parameters(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for text in settings:
        place, value = _split(text, "--set")
        step, dot, name = place.partition(".")
        if not (dot and step and name):
            raise click.BadParameter(text, param_hint="--set STEP.PARAMETER=VALUE")
        try:
            found.setdefault(step, {})[name] = json.loads(value)
        except ValueError:
            found.setdefault(step, {})[name] = value
    return found


def _split(text: str, option: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise click.BadParameter(text, param_hint=option)
    return key, value


COMMANDS = (again, diff)
