"""A file of conversations with tools, from its upload to what the model sees: by the real process."""

from __future__ import annotations

import json

import pytest
import rooms
from data_support import bring, expert, settle

from control_plane.context import ControlPlane
from control_plane.domain.errors import ChatTemplateWithoutTools
from control_plane.domain.preparation import Choice
from control_plane.services.datasets import differences, drafts, editing, rows, searching, seeing
from control_plane.services.datasets.seeing import Wish
from control_plane.store.datasets import DatasetVersionRecord

CALLING = (
    "{% for one in tools %}{{ one | tojson }}{% endfor %}{% for one in messages %}[{{ one.role }}]{{ one.content }}"
    "{% for call in one.tool_calls %}<{{ call.function.name }} {{ call.function.arguments | tojson }}>{% endfor %}"
    "{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)
FUNCTION = {"name": "measure", "parameters": {"type": "object"}}
PARTS = ("Lager", "Welle", "Dichtung", "Motor", "Ventil", "Kupplung", "Flansch", "Riemen", "Sieb", "Düse", "Kolben")


def sharegpt() -> bytes:
    def talk(part: str) -> dict[str, object]:
        call = json.dumps({"name": "measure", "arguments": {"at": part, "token": "ghp_" + "a1B2" * 9}})
        said = [
            ("human", f"Wie heiß ist: {part}?"),
            ("function_call", call),
            ("observation", "90\u200b °C"),
            ("gpt", part),
        ]
        return {"conversations": [{"from": who, "value": text} for who, text in said], "tools": json.dumps([FUNCTION])}

    return "".join(json.dumps(talk(part), ensure_ascii=False) + "\n" for part in PARTS).encode()


def test_from_a_file_to_what_the_model_sees(cp: ControlPlane) -> None:
    room = rooms.with_base(cp)
    erin = expert(cp, project="lab")
    draft = settle(cp, drafts.begin(erin, cp, "lab", bring(erin, cp, sharegpt(), "talks.jsonl", "lab")))
    assert draft.mapping["format"] == "chat_with_tools"
    report = drafts.report(erin, cp, draft.id)
    assert report is not None
    found = {one.check: one.count for one in report.findings}
    assert (found["secrets"], found["hidden_characters"], found["unreadable"]) == (11, 11, 0)
    settle(cp, drafts.change(erin, cp, draft.id, choices={"secrets": Choice.FIX}))
    saved = settle(cp, drafts.save(erin, cp, draft.id))
    version = DatasetVersionRecord.get_by_id(saved.dataset_version_id)
    kept = rows.page(erin, cp, version.id, "train", 0, 50)
    assert "ghp_" not in json.dumps(kept)
    assert kept[0]["messages"][2]["content"] == "90 °C"
    assert kept[0]["tools"] == [{"type": "function", "function": FUNCTION}]

    calling = rooms.like_base(room, rooms.TOKENIZER | {"chat_template.jinja": CALLING.encode()})
    seen = seeing.of_version(erin, cp, version.id, Wish(calling)).seen
    learned = "".join(piece.text for piece in seen.examples[0].pieces if piece.is_learned)
    assert learned.startswith("<measure {")
    with pytest.raises(ChatTemplateWithoutTools):
        seeing.of_version(erin, cp, version.id, Wish(room.made["base"]))

    assert searching.find(erin, cp, version.id, "train", "measure").rows
    changed = kept[0] | {"tools": []}
    edited, _ = editing.edit(erin, cp, version.id, "train", {1: changed}, set(), [])
    compared = differences.compare(erin, cp, version.id, edited.id)
    assert (compared.counts["changed"], compared.total) == (1, 1)
