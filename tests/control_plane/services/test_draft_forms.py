"""What somebody says about a draft is refused with its place where it can be nothing, and nothing is changed then."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from data_support import bring, expert

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid
from control_plane.domain.preparation import CHOICES, Source, read
from control_plane.rpc.automation import drafts as calls
from control_plane.rpc.calls import Call
from control_plane.services.datasets import drafts
from control_plane.store.drafts import DatasetDraftRecord
from tunesmith.v1 import automation_pb2 as pb

NOT_SO: dict[str, list[tuple[Any, str]]] = {
    "mapping": [
        ({"format": ["text"]}, "mapping"),
        ({"format": "text", "parts": {"text": [["column"]]}}, "mapping"),
        ({"format": "poem", "parts": {"text": ["column"]}}, "format"),
    ],
    "split": [({"share": "0.2"}, "split"), ({"share": 0.7}, "share"), ({"seed": -1}, "seed"), ({"by": ["a"]}, "split")],
    "choices": [
        ({"secrets": "burn"}, "choices"),
        ({"spelling": "drop"}, "choices"),
        ({"unreadable": "fix"}, "unreadable"),
        ({"language_mix": "fix"}, "language_mix"),
    ],
    "source": [
        ({"kind": "exe"}, "kind"),
        ({"encoding": "utf-7"}, "encoding"),
        ({"kind": "csv", "delimiter": "ab"}, "delimiter"),
        ({"kind": "csv", "delimiter": '"'}, "delimiter"),
        ({"kind": "csv", "delimiter": "\n"}, "delimiter"),
        ({"kind": "text", "delimiter": ";"}, "delimiter"),
        ({"delimiter": 5}, "source"),
        ({"sheet": "s" * 256}, "sheet"),
    ],
}


def test_what_can_be_nothing_is_refused_with_its_place(cp: ControlPlane) -> None:
    erin = expert(cp)
    begun = drafts.begin(erin, cp, "pumps", bring(erin, cp))
    before = DatasetDraftRecord.get_by_id(begun.id)
    for name, written in ((name, one) for name, many in NOT_SO.items() for one in many):
        with pytest.raises(FieldInvalid) as caught:
            calls.change(Call(erin, cp, "en"), pb.ChangeDraftRequest(id=begun.id, **{name: json.dumps(written[0])}))
        assert caught.value.params["field"] == written[1], written
    assert DatasetDraftRecord.get_by_id(begun.id).__data__ == before.__data__


def test_each_choice_that_a_check_has_can_be_made(cp: ControlPlane) -> None:
    erin = expert(cp)
    begun = drafts.begin(erin, cp, "pumps", bring(erin, cp))
    for check, possible in CHOICES.items():
        for choice in possible:
            assert drafts.change(erin, cp, begun.id, choices={check: choice}).choices == {check: choice}


def test_each_way_to_read_that_was_found_out_can_be_told_again(cp: ControlPlane) -> None:
    erin = expert(cp)
    begun = drafts.begin(erin, cp, "pumps", bring(erin, cp))
    for found in (
        Source("", kind="csv", encoding="utf-16-le", delimiter="\t"),
        Source("", kind="text", delimiter="\n\n"),
        Source("", kind="xlsx", sheet="Notizen"),
    ):
        train = drafts.change(erin, cp, begun.id, source=found).train
        assert read(Source, train) == replace(found, name="faults.jsonl")
