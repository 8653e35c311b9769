"""Versions of one dataset: rows found by their words, what differs between two, and who read one."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
import rooms

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor
from control_plane.services.datasets import differences, json_lines, readers, searching
from control_plane.services.datasets.searching import Found
from control_plane.store.datasets import DatasetVersionRecord

# text → the rows in which it stands
SOUGHT = {"Completion": [2], "prompt": [], "n": [2], "nway": [], "a\nWAY": [1], ":": [1], "{": [], "x": [2]}


@pytest.fixture
def room(cp: ControlPlane) -> rooms.Rooms:
    return rooms.empty(cp)


def version(
    room: rooms.Rooms, lines: list[dict[str, Any]], share: float = 0.0, test: bytes = b""
) -> DatasetVersionRecord:
    data = BytesIO("".join(json.dumps(line) + "\n" for line in lines).encode())
    held_out = BytesIO(test) if test else None
    return json_lines.upload(room.actor, room.cp, "lab", "faults", data, held_out, test_share=share)[0]


def pairs(*texts: str) -> list[dict[str, Any]]:
    return [{"prompt": f"q {text}", "completion": f"a {text}"} for text in texts]


def test_rows_are_found_by_their_words_in_any_case_and_any_writing(room: rooms.Rooms) -> None:
    made = version(room, [*pairs("Öl", "wine", "oil"), {"prompt": 'Say "no\nway"', "completion": "x"}])
    assert b"\\u00d6l" in room.cp.blobs.open(made.train_sha256).read()  # as it was sent
    assert searching.find(room.actor, room.cp, made.id, "train", "ÖL") == Found([(1, pairs("Öl")[0])], 1)
    found = searching.find(room.actor, room.cp, made.id, "train", "Q ", offset=1, limit=1)
    assert found == Found([(2, pairs("wine")[0])], 3)
    assert searching.find(room.actor, room.cp, made.id, "train", '"no\nway').total == 1
    assert searching.find(room.actor, room.cp, made.id, "test", "q") == Found([], 0)
    for part in ("left_out", "all"):
        with pytest.raises(NotFound):
            searching.find(room.actor, room.cp, made.id, part, "q")


def test_names_of_fields_and_escapes_are_no_words_of_a_row(room: rooms.Rooms) -> None:
    made = version(room, [{"prompt": "A\nway", "completion": "Yes: so"}, {"prompt": "completion?", "completion": "x"}])
    found = {text: searching.find(room.actor, room.cp, made.id, "train", text).rows for text in SOUGHT}
    assert {text: [number for number, _ in some] for text, some in found.items()} == SOUGHT


def test_rows_are_found_by_the_check_that_marked_them(room: rooms.Rooms) -> None:
    made = version(room, pairs("1", "2", "3"))
    marks = [{"split": "train", "row": 1, "checks": ["personal_data", "too_long"]}]
    sha256, _ = room.cp.blobs.put(BytesIO(b"".join(json.dumps(mark).encode() + b"\n" for mark in marks)))
    DatasetVersionRecord.update(marks_sha256=sha256).where(DatasetVersionRecord.id == made.id).execute()
    made = DatasetVersionRecord.get_by_id(made.id)
    assert searching.checks(room.cp, made) == ["personal_data", "too_long"]
    assert searching.find(room.actor, room.cp, made.id, "train", check="too_long") == Found([(2, pairs("2")[0])], 1)
    assert searching.find(room.actor, room.cp, made.id, "train", check="too_long", offset=1) == Found([], 1)
    assert searching.find(room.actor, room.cp, made.id, "train", "q 2", "too_long") == Found([(2, pairs("2")[0])], 1)
    assert searching.find(room.actor, room.cp, made.id, "train", "q 3", "too_long") == Found([], 0)
    assert searching.find(room.actor, room.cp, made.id, "test", check="too_long") == Found([], 0)


def test_a_search_says_how_far_it_got_and_goes_on_from_there(
    room: rooms.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = version(room, pairs(*(f"{'odd' if number % 2 else 'even'} {number:03}" for number in range(100))))
    everything = searching.find(room.actor, room.cp, made.id, "train", "odd", limit=100)
    assert (everything.total, everything.after) == (50, 0)
    monkeypatch.setattr(searching, "_MOST_BYTES", 1_000)
    found, after, times = list[searching.Numbered](), 0, 0
    while times == 0 or after:
        part = searching.find(room.actor, room.cp, made.id, "train", "odd", limit=100, after=after)
        assert part.after == 0 or after < part.after < 100
        assert part.total == len(part.rows)
        found, after, times = found + part.rows, part.after, times + 1
    assert found == everything.rows
    assert times > 3
    beyond = searching.find(room.actor, room.cp, made.id, "train", "odd", after=1_000)
    assert beyond == Found([], 0)


def test_the_difference_says_what_a_row_was_and_is(room: rooms.Rooms) -> None:
    mended = {"prompt": "q 2", "completion": "better"}
    old, new = version(room, pairs("1", "2", "3", "4")), version(room, [*pairs("1"), mended, *pairs("3", "5")])
    found = differences.compare(room.actor, room.cp, old.id, new.id)
    assert found.counts == {"added": 0, "removed": 0, "changed": 2}  # the last row stands where another one stood
    assert [(one.kind, one.place, one.old, one.new) for one in found.rows] == [
        ("changed", ("train", 2), pairs("2")[0], mended),
        ("changed", ("train", 4), pairs("4")[0], pairs("5")[0]),
    ]


def test_the_next_page_of_a_difference_is_not_worked_out_again(
    room: rooms.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = version(room, pairs("1", "2", "30")), version(room, pairs("1", "4", "5"))
    first = differences.compare(room.actor, room.cp, old.id, new.id, limit=1)
    monkeypatch.setattr(differences, "_side", None)
    second = differences.compare(room.actor, room.cp, old.id, new.id, 1, 1)
    assert first.counts == second.counts and [one.new for one in first.rows + second.rows] == pairs("4", "5")


def test_a_row_that_moved_is_none_that_changed(room: rooms.Rooms) -> None:
    old = version(room, pairs("1", "2", "3"))
    new = version(room, [*pairs("3", "1"), {"prompt": "q 2", "completion": "other"}, *pairs("7", "3")])
    found = differences.compare(room.actor, room.cp, old.id, new.id)
    told = [(one.kind, one.place, (one.new or one.old or {})["completion"]) for one in found.rows]
    assert told == [("changed", ("train", 3), "other"), ("added", ("train", 4), "a 7"), ("added", ("train", 5), "a 3")]
    page = differences.compare(room.actor, room.cp, old.id, new.id, offset=2, limit=1)
    assert (page.total, [one.place for one in page.rows]) == (3, [("train", 5)])
    back = differences.compare(room.actor, room.cp, new.id, old.id)
    assert back.counts == {"added": 0, "removed": 2, "changed": 1}


def test_versions_of_others_are_neither_searched_nor_compared(room: rooms.Rooms) -> None:
    made = version(room, pairs("1"))
    stranger = Actor(kind="user", id="2", name="olga", roles={})
    with pytest.raises(NotFound):
        searching.find(stranger, room.cp, made.id, "train", "q")
    with pytest.raises(NotFound):
        differences.compare(stranger, room.cp, made.id, made.id)
    with pytest.raises(NotFound):
        readers.jobs_of(stranger, room.cp, made.id)
    other, _ = json_lines.upload(room.actor, room.cp, "lab", "others", BytesIO(rooms.rows(2)), None)
    with pytest.raises(NotFound):
        differences.compare(room.actor, room.cp, made.id, other.id)


def test_a_version_knows_the_jobs_that_were_given_it(cp: ControlPlane) -> None:
    room = rooms.with_base(cp)
    first = room.train("first")
    assert [job.id for job in readers.jobs_of(room.actor, cp, room.made["version"])] == [first.id]
    other = version(room, pairs("1"))
    assert readers.jobs_of(room.actor, cp, other.id) == []
