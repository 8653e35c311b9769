"""How long a draft's rows are, in tokens of a model of the project; the real process counts them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rooms
from data_support import bring, expert, settle

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound, TokenizerMissing
from control_plane.domain.permissions import Actor
from control_plane.domain.preparation import Choice, Report
from control_plane.rpc.automation import drafts as calls
from control_plane.rpc.calls import Call
from control_plane.services import tokenizers
from control_plane.services.datasets import drafts
from control_plane.services.things import trash
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.models import ModelRecord
from tunesmith.v1 import automation_pb2 as pb

WORDS = ("Welle", "Lager", "Motor", "Ventil", "Flansch", "Riemen", "Sieb", "Düse", "Kolben", "Feder", "Bolzen")


@pytest.fixture
def room(cp: ControlPlane) -> rooms.Rooms:
    return rooms.with_base(cp)


@pytest.fixture
def erin(room: rooms.Rooms) -> Actor:
    return expert(room.cp, project="lab")


def begin(erin: Actor, cp: ControlPlane) -> DatasetDraftRecord:
    """A draft of eleven rows, the last of which is long; it was checked."""
    table = "Frage,Antwort\n" + "".join(f"Was ist: {word}?,Eine Art {word}.\n" for word in WORDS)
    content = (table + f"{'ja nein ' * 300},Gut.\n").encode()
    begun = drafts.begin(erin, cp, "lab", bring(erin, cp, content, "teile.csv", "lab"))
    return settle(cp, begun)


def report(erin: Actor, cp: ControlPlane, draft: DatasetDraftRecord) -> Report:
    found = drafts.report(erin, cp, draft.id)
    assert found is not None
    return found


def change(erin: Actor, cp: ControlPlane, draft: DatasetDraftRecord, **changes: Any) -> DatasetDraftRecord:
    return settle(cp, drafts.change(erin, cp, draft.id, **changes))


def test_lengths_are_in_tokens_of_the_model_that_suggests_itself(room: rooms.Rooms, erin: Actor) -> None:
    cp = room.cp
    small = rooms.like_base(room, rooms.TOKENIZER, card={"context_length": 256})
    draft = begin(erin, cp)
    assert draft.base_model_id == small
    found = report(erin, cp, draft)
    assert (found.facts["histogram"]["unit"], found.facts["histogram"]["limit"]) == ("tokens", 256)
    (too_long,) = [one for one in found.findings if one.check == "too_long"]
    assert (too_long.count, [place.line for place in too_long.places]) == (1, [13])
    assert too_long.choices == [Choice.KEEP, Choice.DROP]
    draft = change(erin, cp, draft, choices={"too_long": Choice.DROP})
    assert report(erin, cp, draft).left_out_rows == 1
    saved = settle(cp, drafts.save(erin, cp, draft.id))
    version = DatasetVersionRecord.get_by_id(saved.dataset_version_id)
    assert version.facts["base_model"] == {"id": small, "name": ModelRecord.get_by_id(small).name}
    assert (version.left_out_rows, version.train_rows + version.test_rows) == (1, 11)


def test_without_a_model_lengths_are_in_characters(room: rooms.Rooms, erin: Actor) -> None:
    cp, draft = room.cp, begin(erin, room.cp)
    call = Call(erin, cp, "en")
    request = pb.ChangeDraftRequest(id=draft.id, base_model_id=0)
    assert calls.change(call, request).base_model_id == 0
    draft = settle(cp, draft)
    assert report(erin, cp, draft).facts["histogram"]["unit"] == "characters"
    assert "too_long" not in {one.check for one in report(erin, cp, draft).findings}
    saved = settle(cp, drafts.save(erin, cp, draft.id))
    assert "base_model" not in DatasetVersionRecord.get_by_id(saved.dataset_version_id).facts
    again = begin(erin, cp)
    assert calls.change(call, pb.ChangeDraftRequest(id=again.id, split=json.dumps(again.split))).base_model_id


def test_a_model_that_cannot_be_read_suggests_itself_not_and_is_refused(room: rooms.Rooms, erin: Actor) -> None:
    cp = room.cp
    bare = rooms.like_base(room, {"model.safetensors": b""})
    draft = begin(erin, cp)
    assert draft.base_model_id == room.made["base"]
    with pytest.raises(TokenizerMissing):
        drafts.change(erin, cp, draft.id, base_model_id=bare)
    with pytest.raises(NotFound):
        drafts.change(erin, cp, draft.id, base_model_id=bare + 1)
    assert DatasetDraftRecord.get_by_id(draft.id).fence == draft.fence


@pytest.mark.parametrize(
    ("files", "code"),
    [({"tokenizer.json": b"{"}, "tokenizer_unreadable"), ({"chat_template.jinja": b"{% if"}, "chat_template_failed")],
)
def test_a_broken_tokenizer_keeps_nothing_from_being_saved(
    room: rooms.Rooms, erin: Actor, files: dict[str, bytes], code: str
) -> None:
    cp = room.cp
    rooms.like_base(room, rooms.TOKENIZER | files)
    draft = begin(erin, cp)
    facts = report(erin, cp, draft).facts
    assert (facts["histogram"]["unit"], facts["uncounted"]["code"]) == ("characters", code)
    assert settle(cp, drafts.save(erin, cp, draft.id)).state == "saved"


def test_a_model_that_was_put_in_the_trash_meanwhile_counts_no_more(room: rooms.Rooms, erin: Actor) -> None:
    cp, draft = room.cp, begin(erin, room.cp)
    assert report(erin, cp, draft).facts["histogram"]["unit"] == "tokens"
    assert tokenizers.for_lengths(erin, cp, "lab")
    trash.delete(room.actor, cp, "model", room.made["base"])
    draft = change(erin, cp, draft, choices={})
    assert report(erin, cp, draft).facts["histogram"]["unit"] == "characters"
    assert tokenizers.for_lengths(erin, cp, "lab") is None
