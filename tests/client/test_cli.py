"""The `tunesmith` command against the real API port."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from client_support import Installation

from control_plane.services import audit_chain
from control_plane.services.fleet import scheduling
from control_plane.store.audit import AuditRecord
from fleet_support import model_files, succeed
from tunesmith import cli
from tunesmith.commands.context import seconds_as_words, size


def run(installation: Installation, *arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli.main, ["--data", str(installation.cp.settings.data), *arguments], input=input)


def as_json(installation: Installation, *arguments: str) -> object:
    result = run(installation, "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_lists_are_tables_or_json(installation: Installation) -> None:
    assert "score" in run(installation, "methods", "list").output
    assert {method["name"] for method in as_json(installation, "methods", "list")} == {"bring", "tune", "score", "pack"}
    assert run(installation, "machines", "list").output.strip() == "Machines: none yet"
    installation.fleet.machine()
    assert as_json(installation, "machines", "list")[0]["inventory"]["system"] == "linux"
    assert as_json(installation, "projects", "list")[0]["role"] == "Administrator"
    for noun in ("datasets", "jobs", "models", "evaluations", "deployments", "cases"):
        assert isinstance(as_json(installation, noun, "list"), list)
    assert as_json(installation, "audit", "list", "--everything")


def test_the_audit_is_verified_against_the_record_and_an_export(installation: Installation, tmp_path: Path) -> None:
    cp = installation.cp
    run(installation, "jobs", "submit", "bring")
    audit_chain.seal(cp)
    assert "none changed" in run(installation, "audit", "verify").output
    export, other = tmp_path / "audit.csv", tmp_path / "other.csv"
    with export.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([["id", "details"], ["1", "{}"], ["head", audit_chain.head_text(cp)]])
    other.write_text("id,details\n")
    assert as_json(installation, "audit", "verify", "--export", str(export))["code"] == ""
    assert "no head" in run(installation, "audit", "verify", "--export", str(other)).output
    AuditRecord.update(subject="forged").where(AuditRecord.id == 1).execute()
    broken = run(installation, "audit", "verify")
    assert broken.exit_code == 1
    assert "Entry 1 was changed or removed" in broken.output


def test_upload_and_a_faulty_row(installation: Installation, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text("".join(f'{{"prompt": "p{n}", "completion": "c"}}\n' for n in range(10)))
    bad.write_text('{"prompt": "p"}\n')
    assert "Uploaded" in run(installation, "datasets", "upload", "faults", str(good)).output
    assert "there already" in run(installation, "datasets", "upload", "faults", str(good)).output
    result = run(installation, "datasets", "upload", "faults", str(bad))
    assert result.exit_code == 0 or "line 1" in result.output
    assert result.exit_code == 1


def test_submit_watch_show_and_cancel(installation: Installation) -> None:
    assert "Job 1 “smol” is QUEUED" in run(installation, "jobs", "submit", "bring", "--name", "smol").output
    machine = installation.fleet.machine()
    scheduling.run_pass(installation.cp)
    succeed(machine, installation.cp, installation.fleet.attempt(1), {"model": model_files("base")})
    watched = run(installation, "jobs", "watch", "1")
    assert watched.exit_code == 0 and "It made model 1" in watched.output
    assert as_json(installation, "jobs", "show", "1")["attempts"][0]["state"] == "SUCCEEDED"
    assert as_json(installation, "models", "show", "1")["card"]["architecture"] == "LlamaForCausalLM"
    assert "has no preset “quick”" in run(installation, "jobs", "submit", "bring", "--preset", "quick").output
    assert as_json(installation, "jobs", "estimate", "bring", "-p", "steps=3")[0]["state"] == "ready"
    run(installation, "jobs", "submit", "bring", "-p", "steps=3", "--policy", "when_lost=fail")
    assert as_json(installation, "jobs", "show", "2")["parameters"] == {"steps": 3}
    assert "CANCELLED" in run(installation, "jobs", "cancel", "2").output
    assert run(installation, "jobs", "watch", "2").exit_code == 1
    assert run(installation, "jobs", "log", "1").output == ""


def test_an_evaluation_says_which_answers_were_cut(installation: Installation) -> None:
    fleet, machine = installation.fleet, installation.fleet.machine()

    def finish(method: str, files: dict[str, dict[str, bytes]], *inputs: str) -> None:
        given = [part for name in inputs for part in ("-i", name)]
        run(installation, "jobs", "submit", method, *given)
        job = as_json(installation, "jobs", "list")[0]["id"]
        scheduling.run_pass(installation.cp)
        succeed(machine, installation.cp, fleet.attempt(job), files)

    finish("bring", {"model": model_files("base")})
    document = {"candidates": ["candidate"], "metrics": {"exact": {"candidate": [0, 1]}}, "primary_metric": "exact"}
    rows = [{"row": at, "answers": {"candidate": "{"}, "cut": cut} for at, cut in enumerate([["candidate"], []])]
    files = {"evaluation.json": json.dumps(document | {"rows": rows, "answer_limit": 64}).encode()}
    finish("score", {"evaluation": files}, "candidate=1", f"dataset={fleet.dataset().id}")
    shown = as_json(installation, "evaluations", "show", "1")
    assert (shown["candidate_cut"], shown["baseline_cut"], shown["answer_limit"]) == (1, 0, 64)
    assert shown["samples"][0]["cut"] == ["candidate"]
    said = run(installation, "evaluations", "show", "1").output
    assert "Cut at 64 tokens: candidate 1, baseline 0 of 2 answers" in said
    assert "candidate 1," in run(installation, "evaluations", "list").output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("jobs", "submit", "juggle"), "There is no method “juggle”."),
        (("jobs", "submit", "bring", "-p", "steps"), "NAME=VALUE"),
        (("jobs", "submit", "bring", "--policy", "mood=3"), "policy: mood"),
        (("jobs", "submit", "bring", "--policy", "priority=101"), "-100 … 100"),
        (("jobs", "submit", "tune", "-i", "base=smol"), "not an id"),
        (("jobs", "submit", "bring", "-p", "steps=0"), "“steps” is 0"),
        (("--project", "pumps", "jobs", "list"), "does not exist"),
        (("chat", "nobody", "Hi"), "no deployment “nobody”"),
        (("methods", "show", "juggle"), "no method “juggle”"),
    ],
)
def test_refusals_are_one_sentence(installation: Installation, arguments: tuple[str, ...], words: str) -> None:
    result = run(installation, *arguments)
    assert result.exit_code != 0
    assert words in result.output and "Traceback" not in result.output


def test_login_reads_the_token_from_the_standard_input(installation: Installation, tmp_path: Path) -> None:
    target = installation.connect().target
    authority = tmp_path / "authority.pem"
    authority.write_text(target.authority)
    told = run(installation, "login", target.address, "--authority", str(authority), input=f"{target.token}\n")
    assert told.exit_code == 0 and "Signed in as local" in told.output
    assert target.token not in told.output
    assert CliRunner().invoke(cli.main, ["projects", "list"]).exit_code == 0
    wrong = run(installation, "login", target.address, "--authority", str(authority), input="tsk_wrong\n")
    assert wrong.exit_code == 1 and "token is unknown" in wrong.output


def test_a_token_is_shown_once(installation: Installation) -> None:
    made = run(installation, "tokens", "create", "nightly", "--days", "1")
    assert made.output.startswith("tsk_")
    assert run(installation, "machines", "token").output.startswith("tsj_")


def test_nothing_configured_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TUNESMITH_API", raising=False)
    result = CliRunner().invoke(cli.main, ["jobs", "list"])
    assert result.exit_code == 1 and "tunesmith login" in result.output


def test_a_part_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    absent = EntryPoint("juggle", "no_such_module.cli:juggle", cli.PLUG_INS)
    monkeypatch.setattr(cli, "entry_points", lambda group: [absent])
    assert "juggle" in CliRunner().invoke(cli.main, ["--help"]).output
    result = CliRunner().invoke(cli.main, ["juggle", "--data", "x"])
    assert result.exit_code == 1 and "no_such_module" in result.output


@pytest.mark.parametrize(("seconds", "words"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (185, "3 min 05 s")])
def test_durations(seconds: float, words: str) -> None:
    assert seconds_as_words(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")])
def test_sizes(count: int, words: str) -> None:
    assert size(count) == words
