"""A mapping that was saved with a version is offered for the next file of the dataset, or with the same columns."""

from __future__ import annotations

import json

import pytest
from data_support import bring, expert, settle

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.domain.preparation import Mapping
from control_plane.services.datasets import drafts
from control_plane.services.things import trash
from control_plane.store.datasets import DatasetRecord
from control_plane.store.drafts import DatasetDraftRecord

CHOSEN = Mapping("prompt_completion", {"prompt": ["Ort"], "completion": ["Befund"]})


@pytest.fixture
def erin(cp: ControlPlane) -> Actor:
    return expert(cp)


def begin(erin: Actor, cp: ControlPlane, columns: list[str], name: str) -> DatasetDraftRecord:
    parts = ("Welle", "Lager", "Motor", "Ventil", "Sieb", "Düse")
    rows = [json.dumps({column: f"{column} {part}" for column in columns}) + "\n" for part in parts]
    return settle(cp, drafts.begin(erin, cp, "pumps", bring(erin, cp, "".join(rows).encode(), name)))


def test_a_file_with_the_same_columns_gets_the_mapping_that_was_chosen(cp: ControlPlane, erin: Actor) -> None:
    first = begin(erin, cp, ["Befund", "Ort", "Arzt"], "a.jsonl")
    assert first.mapping != {"format": CHOSEN.format, "parts": CHOSEN.parts}
    suggested = first.mapping
    settle(cp, drafts.change(erin, cp, first.id, mapping=CHOSEN))
    saved = settle(cp, drafts.save(erin, cp, first.id))
    assert saved.state == "saved"
    again = begin(erin, cp, ["Arzt", "Befund", "Ort"], "b.jsonl")
    assert again.mapping == {"format": CHOSEN.format, "parts": CHOSEN.parts}
    other = begin(erin, cp, ["Befund", "Ort", "Arzt", "Datum"], "c.jsonl")
    assert other.mapping["parts"] != CHOSEN.parts
    trash.delete(erin, cp, "dataset", DatasetRecord.get().id)
    assert begin(erin, cp, ["Befund", "Ort", "Arzt"], "d.jsonl").mapping == suggested
