"""A row as a model sees it, by the real process: which model suggests itself, whose tokenizer it is, what refuses."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from typing import Any

import pytest
import rooms
from data_support import bring, expert, settle

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    ChatTemplateEndless,
    ChatTemplateFailed,
    FieldInvalid,
    InTrash,
    ModelNeeded,
    NotFound,
    RowNotMade,
    RowTooDemanding,
    SeeingBusy,
    TokenizerMissing,
    TokenizerUnreadable,
)
from control_plane.domain.permissions import OWNER
from control_plane.domain.preparation import Learning, Mapping
from control_plane.services import tokenizers
from control_plane.services.datasets import at_once, drafts, json_lines, lengths, seeing
from control_plane.services.datasets.seeing import SeenBy, Wish
from control_plane.services.things import trash
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.projects import ProjectRecord


@pytest.fixture
def room(cp: ControlPlane) -> rooms.Rooms:
    return rooms.with_base(cp)


def see(room: rooms.Rooms, model: int = 0, **wish: Any) -> SeenBy:
    return seeing.of_version(room.actor, room.cp, room.made["version"], Wish(model, **wish))


def learned(found: SeenBy) -> str:
    return "".join(piece.text for one in found.seen.examples for piece in one.pieces if piece.is_learned)


def test_a_row_is_seen_by_the_model_that_suggests_itself(room: rooms.Rooms) -> None:
    found = see(room)
    assert (found.model.id, found.limit, found.learn_from) == (room.made["base"], 8192, Learning.COMPLETION)
    (example,) = found.seen.examples
    assert learned(found).endswith("}<|im_end|>")
    assert 0 < example.learned_tokens < example.tokens
    assert see(room, max_length=example.tokens - 3).seen.examples[0].cut_tokens == 3
    assert list(room.cp.blobs.staging("seeing").iterdir()) == []


def test_the_model_that_a_training_used_last_comes_first(room: rooms.Rooms) -> None:
    newer = rooms.like_base(room, rooms.TOKENIZER)
    assert [one.id for one in tokenizers.choices(room.actor, room.cp, "lab")] == [newer, room.made["base"]]
    room.train("used")
    assert [one.id for one in tokenizers.choices(room.actor, room.cp, "lab")] == [room.made["base"], newer]


def test_what_has_no_tokenizer_takes_that_of_the_model_below(room: rooms.Rooms) -> None:
    packed = rooms.like_base(room, {"model.gguf": b"GGUF"}, form="gguf", origin=room.made["base"])
    assert learned(see(room, packed)) == learned(see(room))
    alone = rooms.like_base(room, {"model.gguf": b"GGUF"}, form="gguf")
    with pytest.raises(TokenizerMissing):
        see(room, alone)
    with pytest.raises(TokenizerUnreadable):
        see(room, rooms.like_base(room, {"tokenizer.json": b"{"}))


@pytest.mark.parametrize(
    ("template", "problem", "reason"),
    [
        ("{{ raise_exception('first a system message') }}", ChatTemplateFailed, "first a system message"),
        ("{{ cycler.__init__.__globals__ }}", ChatTemplateFailed, "unsafe"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", ChatTemplateEndless, None),
        ("{% set x = namespace(a=['x']) %}{% for i in range(60) %}{% set x.a = x.a + x.a %}{% endfor %}",
         (ChatTemplateFailed, RowTooDemanding), None),
    ],
)  # fmt: skip
def test_a_template_that_refuses_or_means_no_good(
    room: rooms.Rooms, template: str, problem: Any, reason: str | None
) -> None:
    files = rooms.TOKENIZER | {"chat_template.jinja": template.encode()}
    with pytest.raises(problem) as raised:
        see(room, rooms.like_base(room, files))
    if reason:
        assert reason in str(raised.value)
    assert list(room.cp.blobs.staging("seeing").iterdir()) == []


def test_what_cannot_be_asked_for(room: rooms.Rooms) -> None:
    for wish in ({"learn_from": "all"}, {"max_length": -1}, {"max_length": seeing.LONGEST + 1}):
        with pytest.raises(FieldInvalid):
            see(room, **wish)
    for place in (("train", 0), ("train", 10**9), ("left_out", 1), ("other", 1)):
        with pytest.raises(NotFound):
            seeing.of_version(room.actor, room.cp, room.made["version"], Wish(), *place)
    elsewhere = ProjectRecord.create(name="elsewhere", title="", created_at=0)
    ada = replace(room.actor, roles={**room.actor.roles, elsewhere.id: OWNER})
    theirs = rooms.like_base(room, rooms.TOKENIZER, project=elsewhere)
    with pytest.raises(NotFound):  # a model of another project, although this actor may see both
        seeing.of_version(ada, room.cp, room.made["version"], Wish(theirs))
    trash.delete(room.actor, room.cp, "model", room.made["base"])
    with pytest.raises(InTrash):
        see(room, room.made["base"])
    with pytest.raises(ModelNeeded):
        see(room)


def test_whoever_comes_while_others_look_is_told(room: rooms.Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_once, "_AT_ONCE", threading.BoundedSemaphore(1))
    monkeypatch.setattr(at_once, "_WAIT", 0.0)
    with at_once._room(room.cp), pytest.raises(SeeingBusy):
        see(room)
    assert see(room)


def test_a_row_of_a_draft(room: rooms.Rooms) -> None:
    erin = expert(room.cp, project="lab")
    content = json.dumps({"Frage": "Ist sie heiß?", "Antwort": "Ja."}).encode() + b"\n"
    begun = drafts.begin(erin, room.cp, "lab", bring(erin, room.cp, content * 3, project="lab"))
    with pytest.raises(RowNotMade):
        seeing.of_draft(erin, room.cp, begun.id, Wish())
    draft = settle(room.cp, begun)
    assert learned(seeing.of_draft(erin, room.cp, draft.id, Wish(), 3)) == "Ja.<|im_end|>"
    with pytest.raises(NotFound):
        seeing.of_draft(erin, room.cp, draft.id, Wish(), 4)
    with pytest.raises(NotFound):  # somebody else's
        seeing.of_draft(expert(room.cp, "otto", "lab"), room.cp, draft.id, Wish())
    mapping = Mapping("text", {"text": ["Ort"]})
    DatasetDraftRecord.update(mapping={"format": mapping.format, "parts": mapping.parts}).execute()
    with pytest.raises(RowNotMade):
        seeing.of_draft(erin, room.cp, draft.id, Wish())


def test_lengths_of_a_version_are_counted_in_tokens_of_a_model_once(
    room: rooms.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = rooms.like_base(room, rooms.TOKENIZER, card={"context_length": 256}, hash="small")
    found = lengths.of_version(room.actor, room.cp, room.made["version"], small)
    version = DatasetVersionRecord.get_by_id(room.made["version"])
    assert found.counted == version.train_rows
    assert (found.histogram["unit"], found.histogram["limit"], found.model.id) == ("tokens", 256, small)
    first = seeing.of_version(room.actor, room.cp, version.id, Wish(small)).seen.examples[0]
    edges = found.histogram["edges"]
    assert edges[-1] + edges[1] > first.tokens
    monkeypatch.setattr(at_once, "answer", None)
    assert lengths.of_version(room.actor, room.cp, version.id, small).histogram == found.histogram
    with pytest.raises(NotFound):
        lengths.of_version(room.actor, room.cp, version.id, small + 1)


def test_of_a_large_version_rows_from_all_over_it_are_counted(
    room: rooms.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, _ = json_lines.upload(room.actor, room.cp, "lab", "many", io.BytesIO(rooms.rows(200)), None, test_share=0)
    monkeypatch.setattr(lengths, "_PLACES", 4)
    numbers = [int(json.loads(line)["prompt"].split()[2]) for line in lengths._some(room.cp, version)]
    assert numbers == [n for first in (0, 50, 100, 150) for n in range(first, first + 16)]
    monkeypatch.setattr(lengths, "_PLACES", 64)
    assert len(list(lengths._some(room.cp, version))) == 200
    monkeypatch.setattr(lengths, "_BYTES", 200)
    assert 0 < len(list(lengths._some(room.cp, version))) < 5
