"""The page about listeners: each event stands there, and its example verifies what is really sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from control_plane.domain.listeners.events import EVENTS, TITLES, payload
from control_plane.domain.listeners.signature import sign
from control_plane.domain.listeners.ways import RETRY_AFTER, next_try

PAGE = (Path(__file__).parents[3] / "docs/developers/listeners.md").read_text("utf-8")


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number]


def test_each_event_has_a_row_and_each_row_an_event() -> None:
    assert re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", PAGE, re.MULTILINE) == list(EVENTS) == list(TITLES)


def test_the_example_of_a_payload_has_the_fields_that_are_sent() -> None:
    shown = json.loads(block("json"))
    made = payload(
        "job.failed",
        shown["id"],
        1_800_000_000.0,
        shown["project"],
        shown["subject"],
        shown["text"],
        "https://tunesmith.example.org",
        shown["data"],
    )
    assert made == shown


def test_the_example_verifies_a_signature_and_refuses_a_forged_or_old_one() -> None:
    space: dict[str, Any] = {}
    exec(block("python"), space)
    is_genuine, body = space["is_genuine"], b'{"text": "\xe6\xb3\xb5"}'
    header = sign("the key", 1_800_000_000, body)
    assert is_genuine("the key", header, body, now=1_800_000_010)
    assert not is_genuine("another key", header, body, now=1_800_000_010)
    assert not is_genuine("the key", header, body + b" ", now=1_800_000_010)
    assert not is_genuine("the key", header, body, now=1_800_000_400)
    assert not is_genuine("the key", header.replace("t=1800000000", "t=1800000399"), body, now=1_800_000_400)


def test_the_pauses_are_those_of_the_page() -> None:
    assert "10 s, 1 min, 5 min, 30 min, 2 h, 6 h and 12 h" in PAGE
    assert RETRY_AFTER == (10, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600)
    assert next_try(len(RETRY_AFTER), 0.0) == 12 * 3600 and next_try(len(RETRY_AFTER) + 1, 0.0) == 0.0
