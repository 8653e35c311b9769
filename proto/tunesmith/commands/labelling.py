"""`tunesmith labelling`"""

from __future__ import annotations

import json
from typing import Any

import click

from tunesmith.commands.context import Terminal, pass_terminal, when
from tunesmith.v1 import automation_pb2 as pb


@click.group()
def labelling() -> None:
    """Answers, and rows that a model made up, which people judge one by one."""


@labelling.command("list")
@pass_terminal
def list_labellings(terminal: Terminal) -> None:
    """Those that go on first, then the newest."""
    terminal.table(
        "Labellings",
        {
            "id": lambda one: one.id,
            "name": lambda one: one.name,
            "of": lambda one: one.kind,
            "state": lambda one: one.state,
            "judged": lambda one: f"{_settled(one)} of {one.items}",
            "disagreed": lambda one: one.disagreed,
            "begun": lambda one: when(one.created_at),
            "why": lambda one: one.message,
        },
        terminal.client.list_labellings(terminal.project),
    )


@labelling.command()
@click.argument("version_id", type=int)
@click.option(
    "--deployment", default="", help="Who answers, or makes variations; else the rows' own answers are judged."
)
@click.option("--endpoint", default="", help="The same of an endpoint of the project.")
@click.option("--variations", "per_row", type=int, default=0, help="Have so many made of each row.")
@click.option("--instruction", default="", help="How variations are made; else ours.")
@click.option("--split", type=click.Choice(["train", "test", "all"]), default="train", show_default=True)
@click.option("--row", "numbers", type=int, multiple=True, help="A row by its number from 1; may be given again.")
@click.option("--text", default="", help="Rows that hold it.")
@click.option("--check", default="", help="Rows that this check has found.")
@click.option("--count", default=0, help="So many of them, drawn by the seed; 0: all.")
@click.option("--overlap", default=0.0, show_default=True, help="The share of items that two people judge, 0..1.")
@click.option("--name", default="", help="Else the dataset's.")
@click.option("--seed", default=42, show_default=True)
@click.option("--watch", "follow", is_flag=True, help="Follow it until all answers have been asked for.")
@pass_terminal
def start(terminal: Terminal, /, version_id: int, per_row: int, instruction: str, follow: bool, **chosen: Any) -> None:
    """Have rows of a dataset version judged."""
    rows = {name: chosen.pop(name) for name in ("split", "numbers", "text", "check", "count")}
    variations = {"per_row": per_row, "instruction": instruction} if per_row else None
    begun = terminal.client.start_labelling(terminal.project, version_id, rows=rows, variations=variations, **chosen)
    terminal.say(f"Labelling {begun.id} “{begun.name}” has begun: {begun.items} items.")
    for found in terminal.client.wait_labelling(begun.id) if follow else ():
        terminal.say(
            f"{found.items - found.waiting} of {found.items} asked for, {found.unusable} unusable {found.message}"
        )


@labelling.command()
@click.argument("labelling_id", type=int)
@pass_terminal
def show(terminal: Terminal, labelling_id: int) -> None:
    """How far it is, and how far its people agree."""
    terminal.details(terminal.client.get_labelling(labelling_id))


@labelling.command()
@click.argument("labelling_id", type=int)
@click.option("--outcome", default="", help="accept, correct, reject or disagreed.")
@click.option("--state", default="", help="waiting, ready or unusable.")
@click.option("--offset", default=0, show_default=True)
@click.option("--limit", default=20, show_default=True, help="At most 200.")
@pass_terminal
def items(terminal: Terminal, /, labelling_id: int, **chosen: Any) -> None:
    """Its items, one JSON object a line."""
    for item in terminal.client.list_label_items(labelling_id, **chosen):
        told = {"id": item.id, "row": item.number, "answer": item.answer, "outcome": item.outcome, "why": item.message}
        said = [{"judge": one.judge, "action": one.action, "answer": one.answer} for one in item.judgements]
        click.echo(json.dumps(told | ({"said": said} if said else {}), ensure_ascii=False))


@labelling.command("next")
@click.argument("labelling_id", type=int)
@pass_terminal
def next_item(terminal: Terminal, labelling_id: int) -> None:
    """The next item to judge, which is kept for you for a while."""
    item = terminal.client.next_label_item(labelling_id)
    if item is None:
        terminal.say("Nothing is left for you to judge.")
    else:
        terminal.details(item)


@labelling.command()
@click.argument("item_id", type=int)
@click.argument("action", type=click.Choice(["accept", "correct", "reject", "skip"]))
@click.argument("answer", default="")
@pass_terminal
def judge(terminal: Terminal, item_id: int, action: str, answer: str) -> None:
    """Say what an item is; ANSWER is the right one where it is corrected. Where two others disagree, it decides."""
    terminal.details(terminal.client.judge_label_item(item_id, action, answer))


@labelling.command()
@click.argument("labelling_id", type=int)
@click.option(
    "--form", type=click.Choice(["answers", "preference", "unpaired_preference"]), default="answers", show_default=True
)
@click.option("--drop-others", is_flag=True, help="Without the rows to learn from that nobody judged.")
@pass_terminal
def save(terminal: Terminal, labelling_id: int, form: str, drop_others: bool) -> None:
    """Make a dataset version of what is judged by now."""
    version = terminal.client.save_labelling(labelling_id, form, drop_others)
    terminal.say("This content is there already:" if version.reused else "Saved:")
    found = terminal.client.get_labelling(labelling_id)
    if found.newer_version_id and form == "answers":
        terminal.say(
            f"It is made of dataset version {found.dataset_version_id}, with which the labelling began: what changed"
            f" up to dataset version {found.newer_version_id} is not in it."
        )
    terminal.details(version)


@labelling.command()
@click.argument("labelling_id", type=int)
@click.option("--accept", "item_ids", type=int, multiple=True, help="An item by its id; may be given again.")
@click.option("--take-back", "regretted", type=int, multiple=True, help="Likewise.")
@pass_terminal
def agreeing(terminal: Terminal, labelling_id: int, item_ids: tuple[int, ...], regretted: tuple[int, ...]) -> None:
    """Items whose answer is the row's own, one JSON object a line; and, of those, accept some, or take that back."""
    if item_ids:
        accepted = terminal.client.accept_label_items(labelling_id, item_ids)
        terminal.say(f"{len(accepted)} items are accepted.")
    if regretted:
        terminal.say(f"{terminal.client.take_back_label_items(labelling_id, regretted)} items are to be judged again.")
    if item_ids or regretted:
        return
    found = terminal.client.list_agreeing_items(labelling_id)
    for item in found:
        click.echo(json.dumps({"id": item.id, "row": item.number, "answer": item.answer}, ensure_ascii=False))
    if not found:
        terminal.say("No answer that waits for you says just what its row says.")


@labelling.command()
@click.argument("labelling_id", type=int)
@pass_terminal
def unskip(terminal: Terminal, labelling_id: int) -> None:
    """Have what you skipped given out to you again."""
    terminal.say(f"{terminal.client.unskip_label_items(labelling_id)} items")


def _turning(verb: str, words: str) -> click.Command:
    """A command that turns a labelling to another state."""

    @click.command(verb, help=words)
    @click.argument("labelling_id", type=int)
    @pass_terminal
    def turn(terminal: Terminal, labelling_id: int) -> None:
        found: pb.Labelling = getattr(terminal.client, f"{verb}_labelling")(labelling_id)
        terminal.say(f"Labelling {found.id} “{found.name}” is {found.state}.")

    return turn


labelling.add_command(_turning("stop", "Ask for no more answers; those that are there can be judged."))
labelling.add_command(_turning("resume", "Ask for what is missing, and once more for what was unusable."))
labelling.add_command(_turning("close", "Nothing more is asked or judged."))


def _settled(one: pb.Labelling) -> int:
    return one.accepted + one.corrected + one.rejected


COMMANDS = (labelling,)
