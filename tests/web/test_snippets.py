"""What the drawers say works: each command is one of the client's, each line of Python calls what the client has."""

from __future__ import annotations

import ast
import html
import inspect
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services import methods
from tunesmith.cli import main
from tunesmith.client import Client
from web import fleet_snippets, snippets
from web.snippets import Snippet

SCHEMA = {"type": "object", "title": "it's"}
ALL = [
    snippets.list_datasets("lab"),
    snippets.upload("lab", ""),
    snippets.submit("lab", "sft_demo", "tuned", {"steps": 80, "text": "a b", "schema": SCHEMA}, {"base": 1}, 7, {}),
    snippets.submit("lab", "sft_demo", "", {}, {}, 42, {}),
    snippets.list_jobs("lab"),
    *(snippets.of_job("lab", 3, f"jobs.{page}") for page in ("show", "config", "files", "log_page")),
    snippets.list_models("lab"),
    snippets.list_trash("lab"),
    snippets.show_model("lab", 3),
    snippets.list_evaluations("lab"),
    snippets.show_evaluation("lab", 3),
    snippets.list_deployments("lab"),
    snippets.deploy("lab", "faults", 3),
    snippets.chat("lab", "faults", 3),
    snippets.list_rows("lab", 3),
    snippets.start_workflow_run("lab", "machine_faults", 3),
    snippets.watch_workflow_run("lab", 3),
    snippets.list_workflows("lab"),
    snippets.run_workflow("lab", "thread@1"),
    snippets.save_workflow("lab", "thread"),
    snippets.check_workflow("lab", "thread"),
    snippets.set_member("lab"),
]
OF_NO_PROJECT = [
    fleet_snippets.invite_user(),
    fleet_snippets.create_join_token("laptop"),
    fleet_snippets.show_machine("m-1"),
    fleet_snippets.drain_machine("m-1"),
    fleet_snippets.undrain_machine("m-1"),
    fleet_snippets.set_profile(),
    fleet_snippets.create_user_link("ada"),
    fleet_snippets.activate_user("ada"),
]


@pytest.mark.parametrize("snippet", ALL, ids=lambda one: one.command[:60])
def test_the_command_exists_and_takes_these_arguments(
    snippet: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.jsonl").write_text("{}")
    program, *words = shlex.split(snippet.command)
    assert program == "tunesmith"
    context, command = parsed(main, words)
    assert not isinstance(command, click.Group)
    assert context.find_root().params["project"] == "lab"


@pytest.mark.parametrize("snippet", OF_NO_PROJECT, ids=lambda one: one.command[:60])
def test_so_does_what_belongs_to_no_project(snippet: Snippet) -> None:
    _, command = parsed(main, shlex.split(snippet.command)[1:])
    assert not isinstance(command, click.Group)


@pytest.mark.parametrize(
    "address",
    [
        "/p/lab/cases",
        "/p/lab/cases/machine_faults",
        "/methods",
        "/methods/sft_demo",
        "/machines",
        "/people",
        "/people/ada",
        "/p/lab/members",
        "/p/lab/audit",
        "/audit",
        "/account",
        "/account/tokens",
    ],
)
def test_each_drawer_of_a_page_says_a_command_that_exists(
    address: str, cp: ControlPlane, invite: Callable[..., str], browser: Callable[[str], FlaskClient]
) -> None:
    methods.register_shipped(cp)
    invite("ada", "Owner", administrator=True)
    shown = browser("ada").get(address).get_data(as_text=True)
    (text,) = re.findall(r'id="api-command"[^>]*><code>(.*?)</code>', shown, re.DOTALL)
    program, *words = shlex.split(html.unescape(text))
    assert program == "tunesmith"
    _, command = parsed(main, words)
    assert not isinstance(command, click.Group)


def parsed(command: click.Command, words: list[str], parent: click.Context | None = None) -> tuple:
    """Let click parse a command down to its last word, without running it."""
    context = command.make_context(command.name, list(words), parent=parent)
    if not isinstance(command, click.Group):
        return context, command
    name, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    assert inner is not None, name
    return parsed(inner, rest, context)


@pytest.mark.parametrize("snippet", [*ALL, *OF_NO_PROJECT], ids=lambda one: one.command[:60])
def test_the_python_calls_what_the_client_has(snippet: Snippet) -> None:
    calls = [node for node in ast.walk(ast.parse(snippet.python)) if isinstance(node, ast.Call)]
    of_client = [call for call in calls if ast.unparse(call.func).startswith("client.")]
    assert of_client
    for call in of_client:
        method = inspect.signature(getattr(Client, call.func.attr))
        method.bind(None, *call.args, **{one.arg: one.value for one in call.keywords})


def test_values_survive_the_shell() -> None:
    words = shlex.split(ALL[2].command)
    assert f"schema={json.dumps(SCHEMA)}" in words
    assert "text=a b" in words


def test_the_endpoint_is_called_with_a_token_from_the_environment() -> None:
    curl = snippets.endpoint_curl("http://127.0.0.1:8420", "lab/faults")
    assert json.loads(shlex.split(curl.replace("\\\n", " "))[-1])["model"] == "lab/faults"
    assert "$TUNESMITH_TOKEN" in curl
    python = snippets.endpoint_python("http://127.0.0.1:8420", "lab/faults")
    ast.parse(python)
    assert 'os.environ["TUNESMITH_TOKEN"]' in python
