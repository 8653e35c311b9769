"""`tunesmith models` and `tunesmith evaluations`"""

from __future__ import annotations

import click

from tunesmith.commands.context import Terminal, pass_terminal, size, when
from tunesmith.v1 import automation_pb2 as pb


@click.group()
def models() -> None:
    """Base models, and what jobs made from them."""


@models.command("list")
@click.option("--form", default="", help="base, adapter, merged, gguf or reward.")
@click.option("--tag", default="", help="Only models that bear this tag.")
@pass_terminal
def list_models(terminal: Terminal, form: str, tag: str) -> None:
    """All models, the newest first."""
    terminal.table(
        "Models",
        {
            "id": lambda model: model.id,
            "name": lambda model: model.name,
            "title": lambda model: model.thing.title,
            "form": lambda model: model.form,
            "base": lambda model: model.base_id or "",
            "size": lambda model: size(model.size),
            "job": lambda model: model.job_id,
            "made": lambda model: when(model.created_at),
        },
        terminal.client.list_models(terminal.project, form, tag=tag),
    )


@models.command("show")
@click.argument("model_id", type=int)
@pass_terminal
def show_model(terminal: Terminal, model_id: int) -> None:
    """A model's card: what it is, and all that its making pinned."""
    terminal.details(terminal.client.get_model(model_id))


@models.command()
@click.argument("model_id", type=int)
@pass_terminal
def lineage(terminal: Terminal, model_id: int) -> None:
    """Where a model is from, and what became of it."""
    terminal.details(terminal.client.get_lineage(model_id))


@click.group()
def evaluations() -> None:
    """How models did on held-out rows."""


@evaluations.command("list")
@pass_terminal
def list_evaluations(terminal: Terminal) -> None:
    """All evaluations, the newest first."""
    terminal.table(
        "Evaluations",
        {
            "id": lambda evaluation: evaluation.id,
            "verdict": lambda evaluation: evaluation.verdict,
            "metric": lambda evaluation: evaluation.primary_metric,
            "difference": difference,
            "cut": cut,
            "job": lambda evaluation: evaluation.job_id,
        },
        terminal.client.list_evaluations(terminal.project),
    )


@evaluations.command("show")
@click.argument("evaluation_id", type=int)
@pass_terminal
def show_evaluation(terminal: Terminal, evaluation_id: int) -> None:
    """Scores with their intervals, the verdict, and sample answers."""
    evaluation = terminal.client.get_evaluation(evaluation_id)
    terminal.details(evaluation)
    if cut(evaluation):
        terminal.say(f"Cut at {evaluation.answer_limit} tokens: {cut(evaluation)} answers. Compare with care.")


def difference(evaluation: pb.Evaluation) -> str:
    """Candidate minus baseline, with its 95 % interval."""
    if evaluation.verdict == "unpaired":
        return ""
    low, high = evaluation.difference_low, evaluation.difference_high
    return f"{evaluation.difference:+.1%} ({low:+.1%} … {high:+.1%})"


def cut(evaluation: pb.Evaluation) -> str:
    """How many answers were stopped at the limit, by model; empty if none was."""
    if not evaluation.candidate_cut + evaluation.baseline_cut:
        return ""
    return f"candidate {evaluation.candidate_cut}, baseline {evaluation.baseline_cut} of {evaluation.row_count}"


COMMANDS = (models, evaluations)
