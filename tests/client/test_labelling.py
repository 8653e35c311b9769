"""Labellings by the client and by the command: begun, asked for, judged, saved."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from client_support import Installation, Said

import tunesmith
from control_plane.services.labelling import fetching
from served import serve
from tunesmith import cli

ROWS = b"".join(b'{"prompt": "p%d", "completion": "c%d"}\n' % (number, number) for number in range(6))


@pytest.fixture
def run(installation: Installation, client: tunesmith.Client) -> Callable[..., str]:
    """A command as a terminal runs it; what it says."""

    def command(*arguments: str) -> str:
        data = str(installation.cp.settings.data)
        done = CliRunner().invoke(cli.main, ["--data", data, *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    return command


def answers(installation: Installation, *texts: str) -> None:
    """The stub of an engine says these, one after the other."""
    for text in texts:
        body = {"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}
        installation.engine.answers.append(Said([f"data: {json.dumps(body)}\n\n".encode()]))


def test_a_models_answers_become_a_version_by_the_client(installation: Installation, client: tunesmith.Client) -> None:
    serve(installation.cp, "default", "helper")
    version = client.upload_dataset("default", "faults", ROWS, test_share=0.0).id
    answers(installation, "one", "two", "three")
    begun = client.start_labelling("default", version, "helper", rows={"numbers": [1, 2, 4]}, name="first")
    assert (begun.state, begun.items, begun.waiting) == ("asking", 3, 3)
    assert json.loads(begun.asked)["name"] == "helper"
    fetching.advance(installation.cp)
    *_, found = client.wait_labelling(begun.id)
    assert (found.state, found.waiting) == ("open", 0)
    said = []
    while (item := client.next_label_item(begun.id)) is not None:
        assert item.lease_until > 0 and json.loads(item.row)["prompt"] == f"p{item.number - 1}"
        action = ("accept", "correct", "reject")[len(said)]
        said.append(client.judge_label_item(item.id, action, "better").outcome)
    assert said == ["accept", "correct", "reject"]
    found = client.get_labelling(begun.id)
    assert (found.accepted, found.corrected, found.rejected) == (1, 1, 1)
    made = client.save_labelling(begun.id, drop_others=True)
    assert client.get_labelling(begun.id).made_version_id == made.id
    corrected = {item.answer: item.result for item in client.list_label_items(begun.id, outcome="correct")}
    assert corrected in ({"one": "better"}, {"two": "better"}, {"three": "better"})
    assert sorted(row["completion"] for row in client.list_rows(made.id)) != []
    assert len(client.list_rows(made.id)) == 2
    pairs = client.save_labelling(begun.id, "preference")
    assert [row["chosen"] for row in client.list_rows(pairs.id)] == ["better"]


def test_the_commands_do_the_same(
    installation: Installation, client: tunesmith.Client, run: Callable[..., str]
) -> None:
    version = client.upload_dataset("default", "faults", ROWS, test_share=0.0).id
    assert "6 items" in run("labelling", "start", str(version))
    (begun,) = client.list_labellings("default")
    number = str(begun.id)
    item = json.loads(run("--json", "labelling", "next", number))
    assert item["answer"] == "c0" and item["row"] == {"prompt": "p0", "completion": "c0"}
    assert json.loads(run("--json", "labelling", "judge", str(item["id"]), "skip"))["outcome"] == ""
    assert "1 items" in run("labelling", "unskip", number)
    assert json.loads(run("--json", "labelling", "judge", str(item["id"]), "correct", "right"))["result"] == "right"
    assert json.loads(run("labelling", "items", number, "--outcome", "correct"))["answer"] == "c0"
    assert json.loads(run("--json", "labelling", "show", number))["corrected"] == 1
    assert "faults" in run("labelling", "list")
    assert "Saved" in run("labelling", "save", number)
    said = run("labelling", "save", number)
    assert "there already" in said and "is not in it" not in said
    assert client.get_labelling(begun.id).newer_version_id == 0
    newer = client.upload_dataset("default", "faults", ROWS + b'{"prompt": "new", "completion": "n"}\n', test_share=0.0)
    assert client.get_labelling(begun.id).newer_version_id == newer.id
    assert "is not in it" in " ".join(run("labelling", "save", number).split())
    assert "is not in it" not in " ".join(run("labelling", "save", number, "--form", "preference").split())
    assert "is open" in run("labelling", "stop", number)
    assert "is open" in run("labelling", "resume", number)
    assert "is closed" in run("labelling", "close", number)


@pytest.mark.parametrize(
    "wanted",
    [
        {"overlap": float("nan")}, {"overlap": 2.0}, {"seed": -1}, {"rows": {"count": -1}}, {"rows": {"split": "\0"}},
        {"rows": {"numbers": [0]}}, {"rows": {"numbers": [2**40]}}, {"name": "a\0b"}, {"deployment": "\0"},
        {"variations": {"per_row": 2**40}}, {"variations": {"instruction": "x" * 5_000}}, {"rows": {"text": "\0"}},
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_words(client: tunesmith.Client, wanted: dict[str, object]) -> None:
    version = client.upload_dataset("default", "faults", ROWS, test_share=0.0).id
    with pytest.raises(tunesmith.CallFailed) as caught:
        client.start_labelling("default", version, **wanted)  # type: ignore[arg-type]
    assert caught.value.code in (
        "field_invalid", "name_invalid", "not_found", "labelling_empty", "labelling_too_large"
    )  # fmt: skip
    assert client.list_labellings("default") == []


def test_an_outcome_that_is_none_is_refused(client: tunesmith.Client) -> None:
    version = client.upload_dataset("default", "faults", ROWS, test_share=0.0).id
    begun = client.start_labelling("default", version)
    for filters in ({"outcome": "\0"}, {"state": "late"}):
        with pytest.raises(tunesmith.CallFailed):
            client.list_label_items(begun.id, **filters)
    assert len(client.list_label_items(begun.id, offset=-5, limit=-5)) == 0
