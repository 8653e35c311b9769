"""A run once more with something changed, and two runs side by side: by the client and by the command."""

from __future__ import annotations

import json

import pytest
import rooms
from click.testing import CliRunner, Result
from client_support import Installation

import tunesmith
from control_plane.store.workflows import WorkflowRunRecord
from tunesmith import cli


def command(installation: Installation, *arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["--data", str(installation.cp.settings.data), *arguments])


@pytest.fixture
def run(installation: Installation) -> int:
    return rooms.with_run(rooms.furnished(installation.cp, "default")).made["run"]


def test_the_client_says_what_differs_and_starts_it(
    client: tunesmith.Client, installation: Installation, run: int
) -> None:
    wish = {"parameters": {"train": {"steps": 60, "lora_rank": None}}}
    found = client.preview_workflow_repeat(run, **wish)
    told = [(one.step, one.name, json.loads(one.before), json.loads(one.after)) for one in found.changes]
    assert ("train", "steps", 40, 60) in told
    assert set(found.reused_steps) | set(found.new_steps) == {
        "import", "train", "evaluate", "package", "release", "deploy",
    }  # fmt: skip
    assert WorkflowRunRecord.select().count() == 1
    begun = client.repeat_workflow_run(run, "key", **wish)
    assert client.repeat_workflow_run(run, "key", **wish).id == begun.id
    assert (begun.repeats, begun.case) == (run, "machine_faults")
    compared = client.compare_workflow_runs(run, begun.id)
    assert [one.name for one in compared.changes] == [one.name for one in found.changes]
    (decides,) = [one for one in compared.measures if one.decides]
    assert (decides.verdict, decides.HasField("after"), decides.before.n) == ("unpaired", False, rooms.ROWS)
    with pytest.raises(tunesmith.CallFailed) as nothing:
        client.repeat_workflow_run(run)
    assert nothing.value.code == "nothing_changed"
    with pytest.raises(tunesmith.CallFailed) as unknown:
        client.preview_workflow_repeat(run, parameters={"release": {"own": True}})
    assert unknown.value.code == "change_unknown"


def test_the_command_says_it_before_it_starts_it(installation: Installation, run: int) -> None:
    looked = command(installation, "workflow", "again", str(run), "--set", "train.steps=60", "--look")
    assert looked.exit_code == 0 and "steps" in looked.output and "60" in looked.output
    assert WorkflowRunRecord.select().count() == 1
    begun = command(installation, "workflow", "again", str(run), "--set", "train.steps=60")
    assert begun.exit_code == 0, begun.output
    number = WorkflowRunRecord.select().order_by(WorkflowRunRecord.id.desc()).get().id
    assert f"tunesmith workflow diff {run} {number}" in begun.output
    compared = command(installation, "workflow", "diff", str(run), str(number))
    assert compared.exit_code == 0 and "schema_valid" in compared.output
    for wrong in (["--set", "steps=60"], ["--set", "train.steps"], ["--method", "train"]):
        refused = command(installation, "workflow", "again", str(run), *wrong)
        assert refused.exit_code == 2
