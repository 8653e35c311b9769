"""Edits of a large version: the rows that a small one gets, in a process that is cancelled and begun again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import pytest
import rooms
from data_support import expert

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, RowsInvalid
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.preparation import Choice, DraftState
from control_plane.preparations import Preparations
from control_plane.services import audit
from control_plane.services.datasets import drafts, editing, json_lines, large_edits, preparing, process, rechecking
from control_plane.services.things import trash
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.people import UserRecord

HANGS = 'import time; print(\'{"done": 5, "of": 10}\', flush=True); time.sleep(60)'
COLD, NEW = {"prompt": "The pump 1 is cold.", "completion": "no"}, {"prompt": "New?", "completion": "äußerst"}
MADE = {"prompt": "x", "completion": "y", "generated": {"by": "deployment faults", "row": 2, "key": ""}}
EDITS: dict[str, Any] = {"split": "train", "changed": {2: COLD, 24: NEW}, "removed": [3], "added": [MADE | NEW]}


@dataclass
class Lab:
    """An expert with a version of 24 rows to learn from, the last of which a model made, and 6 that are held out."""

    cp: ControlPlane
    expert: Actor
    version: DatasetVersionRecord

    def begin(self, **other: Any) -> DatasetDraftRecord:
        found = editing.begin(self.expert, self.cp, self.version.id, **EDITS | other)
        assert found.version is None and found.draft is not None
        return found.draft

    def upload(self, name: str, train: bytes, test: bytes = b"") -> DatasetVersionRecord:
        held_out = BytesIO(test) if test else None
        return json_lines.upload(self.expert, self.cp, "pumps", name, BytesIO(train), held_out, test_share=0)[0]

    def content(self, sha256: str) -> bytes:
        with self.cp.blobs.open(sha256) as file:
            return file.read()


@pytest.fixture
def lab(cp: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(large_edits, "_MOST_ROWS", 10)
    lab = Lab(cp, expert(cp), DatasetVersionRecord())
    lab.version = lab.upload("faults", rooms.rows(23) + json.dumps(MADE).encode() + b"\n", rooms.rows(6, "valve"))
    return lab


def carried_out(cp: ControlPlane, draft: DatasetDraftRecord) -> DatasetDraftRecord:
    preparing.advance(cp)
    cp.preparations.join()
    return DatasetDraftRecord.get_by_id(draft.id)


def versions(lab: Lab) -> int:
    return DatasetVersionRecord.select().where(DatasetVersionRecord.dataset == lab.version.dataset_id).count()


def test_a_large_version_is_edited_apart_and_comes_out_as_a_small_one_does(lab: Lab) -> None:
    draft = lab.begin()
    assert draft.state == DraftState.EDITING and drafts.waits(draft)
    after = carried_out(lab.cp, draft)
    assert (after.state, after.error) == (DraftState.SAVED, "")
    made = DatasetVersionRecord.get_by_id(after.dataset_version_id)
    assert (made.number, made.train_rows, made.test_rows, made.created_by) == (2, 24, 6, lab.expert.id)
    assert made.to_check and made.source["edited_from"] == lab.version.id
    # the direct way makes the very same version, and the rows by themselves have the same facts
    same, is_reused = editing.edit(lab.expert, lab.cp, lab.version.id, **EDITS)
    assert is_reused and same.id == made.id
    again = lab.upload("again", lab.content(made.train_sha256), lab.content(made.test_sha256))
    assert again.facts == made.facts and made.facts["generated"] == 2
    told = {(one.action, one.actor_id) for one in audit.list_entries(SYSTEM, lab.cp, "pumps")}
    assert told >= {("dataset.edit", lab.expert.id), ("draft.begin", lab.expert.id)}
    assert not list(preparing.folder(lab.cp, after).iterdir())
    while rechecking.advance(lab.cp):
        lab.cp.preparations.join()
    assert DatasetVersionRecord.get_by_id(made.id).report_sha256


def test_a_small_version_is_edited_at_once(lab: Lab) -> None:
    small = lab.upload("small", rooms.rows(8))
    found = editing.begin(lab.expert, lab.cp, small.id, "train", {}, [1])
    assert found.draft is None and found.version is not None and found.version.number == 2
    assert editing.begin(lab.expert, lab.cp, small.id, "train", {}, [1]).is_reused


def test_what_only_all_rows_show_is_told_by_the_draft_which_keeps_what_was_typed(lab: Lab) -> None:
    held_out = json.loads(rooms.rows(1, "valve"))
    with pytest.raises(RowsInvalid):  # what a row shows by itself is told at once
        lab.begin(changed={1: {"prompt": ""}})
    assert not DatasetDraftRecord.select().exists()
    draft = lab.begin(changed={1: held_out}, removed=[], added=[])
    after = carried_out(lab.cp, draft)
    assert (after.state, after.error, after.error_params["count"]) == (DraftState.FAILED, "held_out_leak", 1)
    assert json.loads(drafts.edits(lab.expert, lab.cp, draft.id).changed["1"]) == held_out
    with pytest.raises(FieldInvalid):
        drafts.change(lab.expert, lab.cp, draft.id, choices={"duplicates": Choice.KEEP})
    assert drafts.change(lab.expert, lab.cp, draft.id).state == DraftState.EDITING
    assert carried_out(lab.cp, draft).error == "held_out_leak"
    empty = lab.begin(changed={}, removed=list(range(1, 25)), added=[])
    assert carried_out(lab.cp, empty).error == "dataset_empty"
    assert versions(lab) == 1


def test_rows_are_added_to_a_part_that_has_none(lab: Lab) -> None:
    lab.version = lab.upload("only", rooms.rows(12))
    after = carried_out(lab.cp, lab.begin(split="test", changed={}, removed=[], added=[NEW]))
    made = DatasetVersionRecord.get_by_id(after.dataset_version_id)
    assert (made.train_rows, made.test_rows) == (12, 1)
    draft = lab.begin(split="test", changed={}, removed=[], added=[NEW | {"generated": True}])
    assert carried_out(lab.cp, draft).error == "row_generated"


def test_edits_are_cancelled_while_they_are_carried_out_and_begun_again_after_a_restart(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = lab.begin(), lab.begin(removed=[4])
    with monkeypatch.context() as patched:
        patched.setattr(process, "PROGRAM", ("-c", HANGS))
        assert preparing.advance(lab.cp) == 2
        assert drafts.cancel(lab.expert, lab.cp, first.id).state == DraftState.CANCELLED
        lab.cp.preparations.close()
    cp = replace(lab.cp, preparations=Preparations())
    assert carried_out(cp, second).state == DraftState.SAVED
    assert carried_out(cp, first).state == DraftState.CANCELLED
    assert versions(lab) == 2


def test_nothing_is_made_for_whoever_may_no_longer_or_of_what_is_in_the_trash(lab: Lab) -> None:
    draft = lab.begin()
    UserRecord.update(active=False).where(UserRecord.id == int(lab.expert.id)).execute()
    assert carried_out(lab.cp, draft).error == "denied"
    UserRecord.update(active=True).execute()
    draft = lab.begin()
    trash.delete(SYSTEM, lab.cp, "dataset", lab.version.dataset_id)
    assert carried_out(lab.cp, draft).error == "in_trash"
    assert versions(lab) == 1
