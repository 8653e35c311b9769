"""`tunesmith cases`: a run is saved, shown, handed on as a file and taken away, by command and client alone."""

from __future__ import annotations

import json
from pathlib import Path

import case_support
import pytest
import rooms
from click.testing import CliRunner
from client_support import Installation

import tunesmith
from control_plane.services import methods
from tunesmith import cli
from tunesmith.connection import CallFailed


@pytest.fixture
def room(installation: Installation) -> rooms.Rooms:
    methods.register_shipped(installation.cp)
    return rooms.empty(installation.cp)


def test_from_a_run_to_a_file_and_back(
    installation: Installation, client: tunesmith.Client, room: rooms.Rooms, tmp_path: Path
) -> None:
    data = str(installation.cp.settings.data)
    file = tmp_path / "pumps.zip"

    def command(*arguments: str) -> str:
        done = CliRunner().invoke(cli.main, ["--data", data, "--project", "lab", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    number = str(case_support.finished_run(room).id)
    saved = command("--json", "cases", "save", number, "--title", "Pumps", "--problem", "Too many.", "--with-data")
    case = json.loads(saved)
    assert (case["name"], case["saved"], case.get("shared", False), case["project"]) == ("pumps", True, False, "lab")
    assert "pumps" in command("cases", "list", "--task", "other")
    assert client.share_case("pumps").shared
    assert not client.share_case("pumps", shared=False).shared
    command("cases", "rate", "pumps", "4", "useful")
    assert [(note.rating, note.text) for note in client.list_case_notes("pumps")] == [(4, "useful")]
    assert "useful" in command("cases", "show", "pumps")
    assert next(one for one in client.list_cases() if one.name == "pumps").rating == 4
    command("cases", "export", "pumps", str(file))
    assert file.read_bytes() == client.export_case("pumps")
    with pytest.raises(CallFailed) as refused:
        client.import_case("lab", file.read_bytes())
    assert refused.value.code == "case_name_taken"
    command("cases", "delete", "pumps", "--yes")
    command("cases", "import", str(file), "--shared")
    assert client.get_case_file("pumps", "train.jsonl").count(b"\n") == 300
    assert {case.name for case in client.list_cases(domain="biotech", task="extraction", minutes=10)} == {"assay_notes"}


@pytest.mark.parametrize("archive", [b"", b"PK", b"x" * 1_000_000])
def test_a_file_that_is_no_case_is_refused(client: tunesmith.Client, room: rooms.Rooms, archive: bytes) -> None:
    with pytest.raises(CallFailed) as refused:
        client.import_case("lab", archive)
    assert refused.value.code in ("case_archive_unreadable", "case_too_large")
