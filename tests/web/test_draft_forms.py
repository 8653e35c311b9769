"""The form of a draft: what is read from it, and what of it is not taken."""

from __future__ import annotations

from flask import Flask

from control_plane.domain.preparation import Choice, Column, Finding, Look, Mapping, Source, Split
from web import draft_form

LOOK = Look(
    Source("Labor.csv", kind="csv"),
    [Column("Befund", "text", 3), Column("Notiz; alt", "text", 2), Column("Patient", "number", 3)],
    [],
    Mapping("prompt_completion", {"prompt": ["Befund"], "completion": ["Patient"]}),
    3,
)


def test_columns_become_what_was_chosen_and_the_rest_is_not_used() -> None:
    form = {"format": "prompt_completion", "column.0": "prompt", "column.1": "completion", "column.2": "prompt"}
    mapping = draft_form.read_mapping(LOOK, form)
    assert mapping == Mapping("prompt_completion", {"prompt": ["Befund", "Patient"], "completion": ["Notiz; alt"]})
    assert draft_form.missing(mapping) == []
    shown = [(one.control, one.column.name, one.field) for one in draft_form.assigned(LOOK, mapping)]
    assert shown == [
        ("column.0", "Befund", "prompt"),
        ("column.1", "Notiz; alt", "completion"),
        ("column.2", "Patient", "prompt"),
    ]


def test_another_format_keeps_what_it_shares_and_says_what_is_missing() -> None:
    mapping = draft_form.read_mapping(LOOK, {"format": "preference", "column.0": "prompt", "column.2": "completion"})
    assert mapping == Mapping("preference", {"prompt": ["Befund"]})
    assert draft_form.missing(mapping) == ["chosen", "rejected"]


def test_a_format_that_there_is_not_is_none() -> None:
    assert draft_form.read_mapping(LOOK, {"format": "poem", "column.0": "prompt"}) == Mapping()


def test_a_file_is_read_as_chosen_and_only_in_ways_that_there_are() -> None:
    source = Source("Labor.csv", encoding="utf-8")
    read = draft_form.read_source(source, {"encoding": "gb18030", "delimiter": ";"})
    assert (read.encoding, read.delimiter) == ("gb18030", ";")
    assert draft_form.read_source(source, {"encoding": "utf-16-le"}).encoding == "utf-16-le"
    kept = draft_form.read_source(source, {"encoding": "klingon", "delimiter": "xx"})
    assert (kept.encoding, kept.delimiter) == ("utf-8", "")
    assert draft_form.read_source(source, {"encoding": "", "sheet": "Tabelle2"}).sheet == "Tabelle2"


def test_only_choices_that_a_finding_has_are_taken() -> None:
    findings = [
        Finding("duplicates", 2, Choice.DROP, [Choice.DROP, Choice.KEEP]),
        Finding("unreadable", 1, Choice.DROP, [Choice.DROP]),
    ]
    form = {"choice.duplicates": "keep", "choice.unreadable": "keep", "choice.secrets": "fix"}
    assert draft_form.read_choices(findings, form) == {"duplicates": Choice.KEEP}


def test_a_split_is_read_with_its_columns_by_number(app: Flask) -> None:
    with app.test_request_context():
        split, errors = draft_form.read_split(Split(), LOOK, {"share": "30", "seed": "7", "by": "2", "stratify": ""})
        assert (split, errors) == (Split(0.3, 7, by="Patient"), {})
        split, errors = draft_form.read_split(Split(), LOOK, {"share": "80", "seed": "-1", "by": "17"})
        assert (split, set(errors)) == (Split(), {"share", "seed"})
