"""What a page that belongs to no project does, as one command and as Python."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for

from control_plane.domain.addresses import at_port, is_loopback
from web.snippets import CONNECT, Snippet


def list_machines() -> Snippet:
    return _snippet(
        ["machines", "list"],
        "for machine in client.list_machines():\n    print(machine.name, machine.connectivity)",
    )


def invite_user() -> Snippet:
    return _snippet(
        ["people", "invite", "ada", "--title", "Ada Lovelace"], 'print(client.invite_user("ada", "Ada Lovelace"))'
    )


def set_profile() -> Snippet:
    python = 'print(client.set_profile("Ada Lovelace", "en"))'
    return _snippet(["account", "set", "--title", "Ada Lovelace", "--language", "en"], python)


def list_notifications() -> Snippet:
    python = (
        "for one in client.list_notifications().notifications:\n"
        "    print(one.kind, one.noun, one.id, one.name, one.message)"
    )
    return _snippet(["notifications", "list"], python)


def create_user_link(name: str) -> Snippet:
    return _snippet(["people", "link", name], f"print(client.create_user_link({name!r}))")


def activate_user(name: str) -> Snippet:
    return _snippet(["people", "activate", name], f"print(client.activate_user({name!r}))")


def create_join_token(machine_class: str) -> Snippet:
    python = f"print(client.create_join_token({machine_class!r}).token)"
    return _snippet(["machines", "token", "--class", machine_class], python)


def drain_machine(machine_id: str) -> Snippet:
    return _snippet(["machines", "drain", machine_id], f"print(client.drain_machine({machine_id!r}))")


def undrain_machine(machine_id: str) -> Snippet:
    return _snippet(["machines", "undrain", machine_id], f"print(client.undrain_machine({machine_id!r}))")


def show_machine(machine_id: str) -> Snippet:
    return _snippet(["machines", "show", machine_id], f"print(client.get_machine({machine_id!r}))")


def list_cases() -> Snippet:
    return _snippet(["cases", "list"], "for case in client.list_cases():\n    print(case.name)")


def list_sweeps(project: str) -> Snippet:
    python = f"for sweep in client.list_sweeps({project!r}):\n    print(sweep.id, sweep.name, sweep.outcome)"
    return _snippet(["--project", project, "sweeps", "list"], python)


def show_sweep(project: str, sweep_id: int) -> Snippet:
    python = (
        f"sweep = client.get_sweep({sweep_id})\n"
        "for trial in sweep.tried:\n    print(trial.job_id, trial.values, trial.state, trial.value)\n"
        "print(sweep.best_job_id)"
    )
    return _snippet(["--project", project, "sweeps", "show", str(sweep_id)], python)


def start_sweep(project: str, method: str, inputs: Mapping[str, Mapping[str, Any]]) -> Snippet:
    """A sweep over the learning rate, as an example."""
    given = {name: pin["id"] for name, pin in inputs.items()}
    varied = {"low": 0.0001, "high": 0.01, "log": True}
    command = ["--project", project, "sweeps", "start", method, "--vary", f"learning_rate={json.dumps(varied)}"]
    command += [part for name, number in given.items() for part in ("--input", f"{name}={number}")]
    python = (
        f"varied = {{'learning_rate': {varied!r}}}\n"
        f"sweep = client.start_sweep({project!r}, {method!r}, varied, trials=8, inputs={given!r})\n"
        "print(sweep.id, sweep.outcome)"
    )
    return _snippet(command, python)


def list_methods() -> Snippet:
    return _snippet(
        ["methods", "list"],
        "for method in client.list_methods():\n    print(method.name, method.kind)",
    )


def show_method(name: str) -> Snippet:
    python = f"for method in client.list_methods():\n    if method.name == {name!r}:\n        print(method.manifest)"
    return _snippet(["methods", "show", name], python)


def new_method() -> Snippet:
    python = 'print(client.upload_method("mine", check_only=True).name)\nprint(client.upload_method("mine").id)'
    return _snippet(["method", "new", "mine"], python)


def upload_method(name: str, project: str) -> Snippet:
    """From a folder; the command also tries it, in a project."""
    return _snippet(["--project", project, "method", "run", name], f"print(client.upload_method({name!r}).number)")


def publish_method(name: str) -> Snippet:
    python = f"draft = client.list_method_versions({name!r})[0]\nprint(client.publish_method(draft.id).current)"
    return _snippet(["method", "publish", name], python)


def compare_versions(name: str, old: int, new: int) -> Snippet:
    python = (
        f"ids = {{one.number: one.id for one in client.list_method_versions({name!r})}}\n"
        f"found = client.compare_method_versions(ids[{old}], ids[{new}])\n"
        'print(len(found.files), "files differ")\nfor file in found.files:\n    print(*file.lines, sep="\\n")'
    )
    return _snippet(["method", "diff", name, str(old), str(new)], python)


def create_token() -> Snippet:
    python = (
        'print(client.create_api_token("my-script").token)\n'
        "for token in client.list_api_tokens():\n    print(token.id, token.name)"
    )
    return _snippet(["tokens", "create", "my-script"], python)


def list_audit(project: str) -> Snippet:
    """Of a project, or of everything for an empty name."""
    given = repr(project) if project else ""
    python = f"for entry in client.list_audit({given}):\n    print(entry.at, entry.actor, entry.action, entry.subject)"
    return _snippet(["--project", project, "audit", "list"] if project else ["audit", "list", "--everything"], python)


def overview() -> Snippet:
    """All that there is to call."""
    return _snippet(["--help"], "help(client)")


@dataclass(frozen=True)
class Access:
    """What a script needs once: `login` asks for a token (of `token_url`) and reads the file of `authority_url`."""

    login: str
    is_loopback: bool  # the address in `login` is good on the control plane's own machine alone
    token_url: str
    authority_url: str


def access(host: str, port: int) -> Access:
    """How a terminal gets to know the control plane whose api port is this one."""
    login = shlex.join(["tunesmith", "login", at_port(host, port), "--authority", "authority.pem"])
    return Access(login, is_loopback(host), url_for("tokens.index"), url_for("machines.authority"))


def _snippet(arguments: list[str], python: str) -> Snippet:
    return Snippet(shlex.join(["tunesmith", *arguments]), CONNECT + python)
