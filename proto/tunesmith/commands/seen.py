"""A row as a model sees it, on a terminal."""

from __future__ import annotations

from itertools import groupby

import click

from tunesmith.commands.context import Terminal
from tunesmith.v1 import automation_pb2 as pb


def show(terminal: Terminal, row: pb.SeenRow) -> None:
    """Each example with what is learned in 【 】, then its figures; as JSON, the whole message."""
    if terminal.as_json:
        terminal.details(row)
        return
    for one in row.examples:
        click.echo(_marked(one))
        terminal.say(_figures(one, row.limit))
    if row.hidden_examples:
        terminal.say(f"{row.hidden_examples} examples more")
    how = "by its chat template" if row.by_template else "without a chat template: line by line"
    terminal.say(f"as {row.model} sees it, {how}")


def _marked(example: pb.SeenExample) -> str:
    shown = [(piece, number) for number, piece in enumerate(example.pieces) if not piece.is_cut]
    text = ""
    for (is_learned, after), some in groupby(
        shown, key=lambda one: (one[0].is_learned, bool(example.hidden_pieces) and one[1] >= example.hidden_after)
    ):
        said = "".join(piece.text for piece, _ in some)
        gap = after and f" … {example.hidden_pieces} pieces … "
        text += (gap if gap and gap not in text else "") + (f"【{said}】" if is_learned else said)
    return text


def _figures(example: pb.SeenExample, limit: int) -> str:
    said = [
        f"{example.answer}: " if example.answer else "",
        f"{example.tokens} tokens, {example.learned_tokens} learned",
    ]
    if limit:
        said.append(f", {limit} fit")
    if example.cut_tokens:
        said.append(f", {example.cut_tokens} cut at the beginning")
    if example.is_refused:
        said.append(": the answer alone does not fit, so training refuses the row")
    return "".join(said)
