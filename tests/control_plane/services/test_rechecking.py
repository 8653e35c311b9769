"""Rows that no draft led to are checked by the process that reads drafts, and their version gets its report."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO

import pytest
import rooms

from control_plane.context import ControlPlane
from control_plane.domain.rows import FORMATS
from control_plane.preparations import Preparations
from control_plane.services import references
from control_plane.services.datasets import editing, json_lines, preparing, process, rechecking, reports, searching
from control_plane.services.datasets.process import Fault
from control_plane.store.datasets import DatasetVersionRecord

HANGS = "import time; print('{}', flush=True); time.sleep(60)"


@pytest.fixture
def room(cp: ControlPlane) -> rooms.Rooms:
    return rooms.empty(cp)


def edited(room: rooms.Rooms, test: bytes = b"") -> DatasetVersionRecord:
    """A version in which one row was changed, one was added twice, and another one went."""
    rows = b"".join(json.dumps({"prompt": f"q {n}", "completion": f"a {n}"}).encode() + b"\n" for n in range(30))
    held_out = BytesIO(test) if test else None
    made, _ = json_lines.upload(room.actor, room.cp, "lab", "faults", BytesIO(rows), held_out, test_share=0)
    mail, again = {"prompt": "write to anna.berg@werk-nord.de", "completion": "x"}, {"prompt": "n", "completion": "m"}
    return editing.edit(room.actor, room.cp, made.id, "train", {2: mail}, [3], [again, again])[0]


def checked(cp: ControlPlane, version: DatasetVersionRecord) -> DatasetVersionRecord:
    while rechecking.advance(cp):
        cp.preparations.join()
    return DatasetVersionRecord.get_by_id(version.id)


def test_edited_rows_get_a_report_and_marks_and_stay_as_they_are(room: rooms.Rooms) -> None:
    made = edited(room, test=b'{"prompt": "a", "completion": "n/a", "note": "kept"}\n')
    assert made.to_check and reports.of_version(room.cp, made) is None
    assert rechecking.advance(replace(room.cp, settings=replace(room.cp.settings, preparations=0))) == 0
    after = checked(room.cp, made)
    assert not after.to_check
    assert (after.train_sha256, after.test_sha256, after.hash) == (made.train_sha256, made.test_sha256, made.hash)
    report = reports.of_version(room.cp, after)
    assert report is not None and (report.train_rows, report.test_rows, report.left_out_rows) == (31, 1, 0)
    assert {one.check: one.count for one in report.findings if one.count} == {
        "personal_data": 1,
        "empty_answer": 1,
        "duplicates": 1,
    }
    find = {
        check: [number for number, _ in searching.find(room.actor, room.cp, made.id, split, check=check).rows]
        for split, check in (("train", "personal_data"), ("train", "duplicates"), ("test", "empty_answer"))
    }
    assert find == {"personal_data": [2], "duplicates": [31], "empty_answer": [1]}
    assert after.facts["histogram"]["counts"] and after.facts.items() >= {"longest": made.facts["longest"]}.items()
    assert references.is_named(after.report_sha256) and references.is_named(after.marks_sha256)
    assert rechecking.advance(room.cp) == 0
    assert not list((room.cp.settings.data / "blobs" / "staging").iterdir())


USER, ASSISTANT = {"role": "user", "content": "Is it hot?"}, {"role": "assistant", "content": "Yes."}
CALL = {"type": "function", "function": {"name": "heat", "arguments": {"at": 1.5}}}
TOOL = {"type": "function", "function": {"name": "heat", "description": "How hot.", "parameters": {"type": "object"}}}
ROWS = {
    "chat": {"messages": [USER, ASSISTANT]},
    "chat_with_tools": {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}], "tools": [TOOL]},
    "preference": {"prompt": [USER], "chosen": "Yes.", "rejected": "No."},
    "prompt_completion": {"prompt": "Is it hot?", "completion": "Yes."},
    "prompt_schema": {"prompt": "Is it hot?", "schema": {"type": "object", "properties": {"hot": {"type": "boolean"}}}},
    "text": {"text": "It is hot."},
    "unpaired_preference": {"prompt": "Is it hot?", "completion": "Yes.", "label": False},
}


def test_rows_of_every_format_are_checked_as_they_are(room: rooms.Rooms) -> None:
    assert ROWS.keys() == FORMATS.keys()
    made = {}
    for format, row in ROWS.items():
        lines = BytesIO((json.dumps(row).encode() + b"\n") * 3)
        name = format.replace("_", "-")
        made[format], _ = json_lines.upload(room.actor, room.cp, "lab", name, lines, None, test_share=0)
        assert made[format].format == format
    for format, version in made.items():
        after = checked(room.cp, version)
        assert after.report_sha256 and reports.fault_of(after) is None, (format, after.source)


def test_what_was_left_out_stands_in_the_report_and_what_was_odd_in_the_file_stays(room: rooms.Rooms) -> None:
    rows = b'\xef\xbb\xbf{"prompt": "q", "completion": "n/a"}\n\n{"prompt": 3}\n{"prompt": "r", "completion": "s"}\n'
    given = room.actor, room.cp, "lab", "faults", BytesIO(rows), None
    made, _ = json_lines.upload(*given, test_share=0, faulty="leave_out")
    after = checked(room.cp, made)
    report = reports.of_version(room.cp, after)
    assert report is not None and (report.rows, report.train_rows, report.left_out_rows) == (3, 2, 1)
    found = {one.check: (one.count, str(one.choice)) for one in report.findings if one.count}
    assert found == {"unreadable": (1, "drop"), "empty_answer": (1, "keep")}
    assert after.facts["byte_order_mark"] and after.facts["blank_lines"] == 1
    # what was made of that version has its rows, the left out ones too, and another check of its own
    again, _ = editing.edit(room.actor, room.cp, made.id, "train", {}, [1])
    report = reports.of_version(room.cp, checked(room.cp, again))
    assert report is not None and (report.rows, report.train_rows, report.left_out_rows) == (2, 1, 1)


def test_one_place_is_left_for_a_draft(room: rooms.Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PROGRAM", ("-c", HANGS))
    edited(room)
    assert DatasetVersionRecord.select().where(DatasetVersionRecord.to_check).count() == 2
    assert (rechecking.advance(room.cp), rechecking.advance(room.cp)) == (1, 0)
    assert room.cp.preparations.count() == 1 < room.cp.settings.preparations
    room.cp.preparations.close()


def test_a_check_that_was_cut_off_is_begun_again(room: rooms.Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    made = edited(room)
    with monkeypatch.context() as patched:
        patched.setattr(process, "PROGRAM", ("-c", HANGS))
        assert (rechecking.advance(room.cp), rechecking.advance(room.cp)) == (1, 0)
        assert preparing.advance(replace(room.cp, settings=replace(room.cp.settings, preparations=1))) == 0
        room.cp.preparations.close()
    assert DatasetVersionRecord.get_by_id(made.id).to_check
    assert checked(replace(room.cp, preparations=Preparations()), made).report_sha256


def test_why_there_is_no_report_is_said(room: rooms.Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PROGRAM", ("-c", "import sys; sys.exit(1)"))
    made = edited(room)
    after = checked(room.cp, made)
    assert (after.to_check, after.report_sha256) == (False, "")
    assert reports.fault_of(after) == Fault("preparation_broke")
    again, _ = editing.edit(room.actor, room.cp, after.id, "train", {}, [1])
    assert reports.fault_of(again) is None  # its own rows are still to be checked
    DatasetVersionRecord.update(to_check=False).where(DatasetVersionRecord.id == again.id).execute()
    assert rechecking.advance(room.cp) == 0
