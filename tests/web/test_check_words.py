"""Each check has words in every language, and what it finds becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from control_plane.domain.preparation import Choice, Finding, Place
from control_plane.preparation.checks import TABLE
from web import check_words

Reader = Callable[[str], Any]


@pytest.fixture
def reader(app: Flask) -> Reader:
    """Somebody who reads in a language."""

    @contextmanager
    def reading(language: str) -> Iterator[None]:
        with app.test_request_context(f"/?lang={language}"):
            yield

    return reading


@pytest.mark.parametrize("language", ["en", "de", "zh"])
def test_each_check_has_a_name_a_reason_and_choices(reader: Reader, language: str) -> None:
    with reader(language):
        names = [check_words.check(code) for code in TABLE]
        assert len(set(names)) == len(TABLE)
        assert not set(names) & TABLE.keys()
        assert all(check_words.about(code) for code in TABLE)
        for code, check in TABLE.items():
            assert len({check_words.choice(code, choice) for choice in check.choices}) == len(check.choices)


PLACES: list[tuple[str, dict[str, Any], str]] = [
    ("unreadable", {"code": "row_field_missing", "file": "a.csv", "line": 3, "field": "Frage"}, "Frage"),
    ("hidden_characters", {"characters": "U+200B"}, "U+200B"),
    ("secrets", {"kinds": ["github", "private_key"]}, "GitHub, privater Schlüssel"),
    ("personal_data", {"kinds": ["iban", "mail"]}, "IBAN, Mailadresse"),
    ("empty_answer", {"answer": "n/a"}, "“n/a”"),
    ("too_long", {"length": 3000, "limit": 2048, "unit": "tokens"}, "3.000 Token, und 2.048 passen hinein."),
    ("answer_schema", {"problem": "missing", "field": "teil"}, "Ihr fehlt das Feld „teil“."),
    ("answer_schema", {"problem": "no_object"}, "Sie ist kein JSON-Objekt."),
    ("language_mix", {"language": "en", "main": "de"}, "Englisch"),
    ("duplicates", {"first": 1200}, "Wie Zeile 1.200."),
    ("leakage", {"exact": True}, ""),
]


@pytest.mark.parametrize(("code", "params", "said"), PLACES)
def test_what_is_said_of_a_row(reader: Reader, code: str, params: dict[str, Any], said: str) -> None:
    with reader("de"):
        words = check_words.place(code, Place("a.csv", 3, "", params))
    assert words == said if code != "unreadable" else said in words


SUMMARIES: list[tuple[str, dict[str, Any], str]] = [
    ("personal_data", {"kinds": {"mail": 1200, "card": 1}}, "邮箱地址: 1,200, 银行卡号: 1"),
    ("language_mix", {"main": "zh", "languages": {"zh": 9, "de": 1}}, "中文: 9, 德语: 1"),
    ("leakage", {"exact": 2, "near": 1}, "完全相同：2，近似：1。"),
    (
        "imbalance",
        {"classes": 2, "most": "好", "most_rows": 90, "least": "坏", "least_rows": 3},
        "“坏”是 3 行的答案，“好”是 90 行的答案。",
    ),
    ("duplicates", {}, ""),
]


@pytest.mark.parametrize(("code", "params", "said"), SUMMARIES)
def test_what_is_said_of_all_rows(reader: Reader, code: str, params: dict[str, Any], said: str) -> None:
    with reader("zh"):
        assert check_words.summary(Finding(code, 3, Choice.KEEP, [Choice.KEEP], [], params)) == said
