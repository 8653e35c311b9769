"""From a file to a version by client and command: the real process reads it, over the real port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import rooms
from click.testing import CliRunner, Result
from client_support import Installation

import tunesmith
from control_plane.services.datasets import large_edits, preparing
from tunesmith import cli, sending
from tunesmith.commands import drafts, seen
from tunesmith.commands.context import Terminal
from tunesmith.connection import CallFailed
from tunesmith.v1 import automation_pb2 as pb

TABLE = "Frage;Antwort;Nr\n" + "".join(f"Wie heiß ist Pumpe {n}?;Etwa {n} Grad;{n}\n" for n in range(30))


@pytest.fixture
def carried_on(installation: Installation) -> Iterator[Installation]:
    """An installation whose drafts are carried on as by its ticks."""
    cp = installation.cp
    unsubscribe = cp.signals.subscribe(["schedule"], lambda _: preparing.advance(cp))
    yield installation
    unsubscribe()
    cp.preparations.close()


def run(installation: Installation, *arguments: str) -> Result:
    data = str(installation.cp.settings.data)
    return CliRunner().invoke(cli.main, ["--json", "--data", data, "datasets", *arguments])


def test_a_table_becomes_a_version_by_commands(
    carried_on: Installation, client: tunesmith.Client, tmp_path: Path
) -> None:
    file = tmp_path / "Notizen März.csv"
    file.write_bytes(TABLE.encode("cp1252"))
    draft = json.loads(run(carried_on, "check", str(file)).output)
    assert (draft["state"], draft["name"]) == ("ready", "notizen-maerz")
    assert draft["mapping"]["parts"] == {"prompt": ["Frage"], "completion": ["Antwort"]}
    number = str(draft["id"])
    changed = json.loads(
        run(carried_on, "map", number, "prompt=Frage,Nr", "completion=Antwort", "--share", "0.5").output
    )
    assert changed["mapping"]["parts"]["prompt"] == ["Frage", "Nr"] and json.loads(changed["split"])["share"] == 0.5
    without = client.preview_draft(int(number), {"format": "text", "parts": {"text": ["Ort"]}})[1]
    assert "Ort" in without.message and without.message.startswith("Notizen März.csv, line 2:")
    version = json.loads(run(carried_on, "save", number, "--name", "pumps").output)
    assert (version["dataset"], version["train_rows"], version["test_rows"]) == ("pumps", 15, 15)
    details = json.loads(run(carried_on, "show", str(version["id"])).output)
    assert details["source"]["kind"] == "csv" and details["report"]["rows"] == 30
    with pytest.raises(CallFailed, match="This project has no base model yet"):
        client.see_row(version["id"])
    edits = tmp_path / "edits.json"
    edits.write_text('{"removed": [1]}')
    edited = json.loads(run(carried_on, "edit", str(version["id"]), str(edits)).output)
    assert edited["train_rows"] == 14
    assert run(carried_on, "diff", str(version["id"]), str(edited["id"])).output.startswith("- train 1 ")
    assert len(run(carried_on, "search", str(edited["id"]), "GRAD").output.splitlines()) == 14
    whole = json.loads(run(carried_on, "upload", "other", str(file)).output)
    assert whole["dataset"] == "other" and whole["train_rows"] == 24


def test_a_row_is_shown_as_a_model_sees_it(
    installation: Installation, client: tunesmith.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    room = rooms.with_base(installation.cp, "default")
    version, model = str(room.made["version"]), str(room.made["base"])
    found = json.loads(run(installation, "show", version, "--as-seen-by", model, "--row", "2").output)
    told = client.see_row(int(version), 2, model_id=int(model))
    assert [one["tokens"] for one in found["examples"]] == [one.tokens for one in told.examples]
    assert "".join(one.text for one in told.examples[0].pieces if one.is_learned).endswith("<|im_end|>")
    seen.show(Terminal(None, "default", as_json=False), told)
    said = capsys.readouterr().out
    assert '【{"' in said and "<|im_end|>】" in said
    assert f"{told.examples[0].learned_tokens} learned, 8192 fit" in said
    assert "by its chat template" in said


def test_of_a_very_long_row_the_gap_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    pieces = [pb.SeenPiece(text=str(n), is_learned=n > 2, is_cut=n == 0) for n in range(6)]
    example = pb.SeenExample(pieces=pieces, hidden_after=4, hidden_pieces=7, answer="chosen", cut_tokens=1)
    row = pb.SeenRow(model="m", examples=[example], hidden_examples=2)
    seen.show(Terminal(None, "lab", as_json=False), row)
    said = capsys.readouterr().out
    assert "12【3】 … 7 pieces … 【45】" in said
    assert "chosen: 0 tokens, 0 learned, 1 cut at the beginning" in said
    assert "2 examples more" in said and "line by line" in said


def test_what_was_found_is_told_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    found = [{"check": "duplicates", "count": 3, "choice": "drop"}, {"check": "secrets", "count": 0, "choice": "drop"}]
    drafts.show_draft(Terminal(None, "lab", as_json=False), pb.Draft(id=7, report=json.dumps({"findings": found})))
    assert capsys.readouterr().out.splitlines()[-1] == "duplicates: 3 rows, drop"


def test_what_is_no_data_says_why(carried_on: Installation, tmp_path: Path) -> None:
    file = tmp_path / "picture.csv"
    file.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" * 20)
    refused = run(carried_on, "upload", "faults", str(file))
    assert refused.exit_code == 1 and "picture.csv" in refused.output


def test_an_upload_goes_on_where_it_broke_off(
    client: tunesmith.Client, installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(bytes(range(256)) * 9_000)
    monkeypatch.setattr(sending, "_AGAIN_SECONDS", 0.0)
    append, offsets = client.append_upload, []

    def breaking(upload_id: int, offset: int, pieces: Iterator[bytes]) -> pb.Upload:
        offsets.append(offset)
        if len(offsets) == 3:
            raise CallFailed("refused", "denied", {}, "PERMISSION_DENIED")
        if len(offsets) < 3:
            append(upload_id, offset, [next(pieces)])
            raise CallFailed("no answer", "", {}, "UNAVAILABLE")
        return append(upload_id, offset, pieces)

    monkeypatch.setattr(client, "append_upload", breaking)
    with pytest.raises(CallFailed, match="refused"):
        client.upload_file("default", file)
    seen: list[int] = []
    upload = client.upload_file("default", file, lambda done, of: seen.append(done))
    piece = sending._PIECE
    assert offsets == [0, piece, 2 * piece, 2 * piece]
    assert (upload.arrived, seen[0], seen[-1]) == (upload.size, 3 * piece, upload.size)
    assert len(client.list_uploads("default")) == 1


def test_edits_of_a_large_version_are_followed_by_the_command(
    carried_on: Installation, client: tunesmith.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_edits, "_MOST_ROWS", 10)
    first = client.upload_dataset("default", "faults", rooms.rows(12), test_share=0.25)
    edits = tmp_path / "edits.json"
    edits.write_text(json.dumps({"removed": [1, 2], "added": [{"prompt": "New?", "completion": "Yes."}]}))
    version = json.loads(run(carried_on, "edit", str(first.id), str(edits)).output)
    assert (version["number"], version["train_rows"], version["test_rows"]) == (2, 8, 3)
    begun = client.edit_rows(first.id, removed=list(range(1, 10))).draft
    assert (begun.edits_version_id, begun.name) == (first.id, "faults")
    last = list(client.wait_draft(begun.id))[-1]
    assert (last.state, last.error) == ("failed", "dataset_empty")
    edits.write_text(json.dumps({"removed": list(range(1, 10))}))
    failed = run(carried_on, "edit", str(first.id), str(edits))
    assert failed.exit_code == 1 and last.message in failed.output
    assert client.cancel_draft(begun.id).state == "cancelled"
    small = client.edit_rows(client.upload_dataset("default", "small", rooms.rows(5)).id, removed=[1])
    assert small.version.number == 2 and not small.HasField("draft")
