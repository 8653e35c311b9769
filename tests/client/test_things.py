"""Describing, deleting, restoring and purging: by the client and by the command."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from client_support import Installation, made

import tunesmith
from tunesmith import cli


def run(installation: Installation, *arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli.main, ["--data", str(installation.cp.settings.data), *arguments], input=input)


def test_things_are_described_deleted_and_restored(client: tunesmith.Client, installation: Installation) -> None:
    model = made(client, installation, "adapter")
    thing = client.describe_thing("model", model, "Störungen 机器", tags=["pump", "Night"])
    assert (thing.kind, thing.title, list(thing.tags)) == ("model", "Störungen 机器", ["night", "pump"])
    client.describe_thing("model", model, description="Learnt at night.")
    known = client.get_model(model).thing
    assert (known.title, known.description, list(known.tags)) == (
        "Störungen 机器",
        "Learnt at night.",
        ["night", "pump"],
    )
    assert list(client.describe_thing("model", model, tags=[]).tags) == []
    base = client.get_model(model).base_id
    with pytest.raises(tunesmith.CallFailed, match="Störungen") as caught:
        client.delete_thing("model", base)
    assert caught.value.code == "rested_on"
    assert client.delete_thing("model", model).deleted_at > 0
    with pytest.raises(tunesmith.CallFailed, match="is in the trash") as caught:
        client.get_model(model)
    assert caught.value.code == "in_trash"
    assert model not in [one.id for one in client.list_models("default")]
    (listed,) = client.list_trash("default")
    assert (listed.kind, listed.id, listed.deleted_by) == ("model", model, "local") and listed.purge_at > 0
    assert client.restore_thing("model", model).deleted_at == 0 and client.list_trash("default") == []


def test_what_was_purged_is_still_named(client: tunesmith.Client, installation: Installation) -> None:
    model = made(client, installation, "adapter")
    dataset = client.list_datasets("default")[0].thing
    assert (dataset.kind, dataset.name) == ("dataset", "reports")
    client.delete_thing("dataset", dataset.id)
    client.purge_thing("dataset", dataset.id)
    learnt = client.get_lineage(model).dataset_version
    assert learnt.dataset == "reports" and learnt.thing.purged
    with pytest.raises(tunesmith.CallFailed) as caught:
        client.restore_thing("dataset", dataset.id)
    assert caught.value.code == "not_found"
    job = client.get_model(model).job_id
    client.delete_thing("job", job)
    artifact = next(one for one in client.list_files(job) if one.id == client.get_model(model).artifact_id)
    with tempfile.TemporaryDirectory() as folder:
        assert len(client.download(job, artifact, Path(folder))) == 2


def test_lists_are_narrowed_by_a_tag(client: tunesmith.Client, installation: Installation) -> None:
    model = made(client, installation, "gguf")
    deployment, version = client.deploy("default", "reports", model), client.list_datasets("default")[0]
    named = {"model": model, "job": client.get_model(model).job_id, "deployment": deployment.id}
    for kind, number in (named | {"dataset": version.thing.id}).items():
        client.describe_thing(kind, number, tags=["night"])
    assert [one.id for one in client.list_models("default", tag="night")] == [named["model"]]
    assert [one.id for one in client.list_jobs("default", tag="night")] == [named["job"]]
    assert [one.id for one in client.list_deployments("default", "night")] == [deployment.id]
    assert [one.id for one in client.list_datasets("default", "night")] == [version.id]
    assert client.list_models("default", tag="day") == client.list_datasets("default", "day") == []


def test_a_project_goes_and_comes_back(client: tunesmith.Client) -> None:
    project = client.create_project("lab", "Labor")
    assert project.thing.kind == "project" and project.title == "Labor"
    client.delete_thing("project", project.id)
    assert "lab" not in [one.name for one in client.list_projects()]
    with pytest.raises(tunesmith.CallFailed, match=r"Labor.*is in the trash"):
        client.list_jobs("lab")
    assert [one.name for one in client.list_trash()] == ["lab"]
    client.restore_thing("project", project.id)
    assert client.list_jobs("lab") == []


def test_by_the_command(installation: Installation, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(f'{{"prompt": "p{number}", "completion": "c"}}\n' for number in range(5)))
    run(installation, "datasets", "upload", "notes", str(rows))
    said = run(installation, "--json", "describe", "dataset", "notes", "--title", "Notizen", "--tag", "lab")
    thing = json.loads(said.output)
    assert (thing["title"], thing["tags"]) == ("Notizen", ["lab"])
    assert "Notizen" in run(installation, "datasets", "list", "--tag", "lab").output
    assert "none yet" in run(installation, "datasets", "list", "--tag", "pump").output
    assert json.loads(run(installation, "--json", "describe", "dataset", "notes", "--no-tags").output)["tags"] == []
    number = str(thing["id"])
    assert f"trash restore dataset {number}" in run(installation, "delete", "dataset", "notes").output.replace(
        "\n", " "
    )
    assert "Notizen" in run(installation, "trash", "list").output
    missing = run(installation, "delete", "dataset", "notes")
    assert missing.exit_code == 1 and "no dataset called" in missing.output
    assert "is back" in run(installation, "trash", "restore", "dataset", number).output
    assert "trash" in run(installation, "delete", "dataset", number).output
    assert run(installation, "trash", "purge", "dataset", number, input="n\n").exit_code == 1
    assert "for good" in run(installation, "trash", "purge", "dataset", number, "--yes").output
    assert run(installation, "trash", "list").output.strip() == "Trash: none yet"
    assert run(installation, "trash", "list", "--projects").exit_code == 0
