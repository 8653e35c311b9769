"""The commands that the pages for administrators name exist, with these options; the three say the same."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from tunesmith.cli import main

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = ("en", "de", "zh")


def commands(language: str) -> list[str]:
    text = (DOCS / language / "administration.md").read_text(encoding="utf-8")
    return re.findall(r"`(tunesmith [^`]+)`", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_command_is_there_with_its_options(language: str) -> None:
    found = commands(language)
    assert len(found) > 15
    for line in found:
        context, arguments = click.Context(main), shlex.split(line)[1:]
        if arguments[0] == "--project":
            arguments = arguments[2:]
        command: click.Command | None = main
        while isinstance(command, click.Group):
            command = command.get_command(context, arguments.pop(0)) if arguments else None
        assert command is not None, line
        known = {option for one in command.params for option in one.opts}
        assert {one for one in arguments if one.startswith("--")} <= known, line


def test_the_languages_name_the_same_commands() -> None:
    named = [[re.sub(r'".*?"', "…", line) for line in commands(language)] for language in LANGUAGES]
    same = {tuple(line for line in lines if "--data" not in line) for lines in named}
    assert len(same) == 1
