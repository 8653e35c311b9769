"""The form of a dataset's draft: how the file is read, what each column becomes, what is held out, and what is done
about each finding. Controls are named by number where a file names things itself."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace

from flask_babel import gettext

from control_plane.domain.preparation import Choice, Column, Finding, Look, Mapping, Source, Split
from control_plane.domain.rows import FORMATS, OPTIONAL
from web.data_words import ENCODINGS

KINDS = ("csv", "jsonl", "json", "text")  # that can be taken for each other
DELIMITERS = (",", ";", "\t", "|")
_MOST_HELD_OUT = 50  # percent


@dataclass(frozen=True)
class Assigned:
    """A column, and the field that it becomes; empty where it is not used."""

    control: str
    column: Column
    field: str


def assigned(look: Look, mapping: Mapping) -> list[Assigned]:
    """Each column of the file with what becomes of it, in the file's order."""
    fields = {column: name for name, columns in mapping.parts.items() for column in columns}
    return [Assigned(f"column.{number}", one, fields.get(one.name, "")) for number, one in enumerate(look.columns)]


def read_mapping(look: Look, form: Dictionary[str, str]) -> Mapping:
    """The mapping that was chosen. What belongs to no field of its format is not used."""
    format = form.get("format", "")
    parts: dict[str, list[str]] = {name: [] for name in FORMATS.get(format, ())}
    for number, column in enumerate(look.columns):
        if (field := form.get(f"column.{number}", "")) in parts:
            parts[field].append(column.name)
    return Mapping(format if format in FORMATS else "", {name: columns for name, columns in parts.items() if columns})


def missing(mapping: Mapping) -> list[str]:
    """The fields of its format that have no column yet."""
    return [name for name in FORMATS.get(mapping.format, ()) if name not in mapping.parts and name not in OPTIONAL]


def read_source(source: Source, form: Dictionary[str, str]) -> Source:
    """How the file is to be read; what the form leaves empty is found out."""
    known = {"kind": KINDS, "encoding": tuple(ENCODINGS), "delimiter": DELIMITERS}
    given = {key: form[key] for key in (*known, "sheet") if key in form}
    new = {key: text for key, text in given.items() if not text or text in known.get(key, (text,))}
    if new.get("kind", source.kind) != source.kind:
        new["delimiter"] = ""  # each kind has its own
    return replace(source, **new)


def read_model(form: Dictionary[str, str]) -> int:
    """The id of the model in whose tokens lengths are told; 0 for none."""
    number = form.get("model", "")
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def read_choices(findings: list[Finding], form: Dictionary[str, str]) -> dict[str, Choice]:
    """What is to be done about each finding, where the form says one of its choices."""
    given = {one.check: form.get(f"choice.{one.check}", "") for one in findings}
    return {one.check: Choice(given[one.check]) for one in findings if given[one.check] in one.choices}


def read_split(split: Split, look: Look, form: Dictionary[str, str]) -> tuple[Split, dict[str, str]]:
    """What is held out, and what is wrong with it: sentences by control. A wrong value leaves the split's own."""
    share, seed = form.get("share", "").strip(), form.get("seed", "").strip()
    errors = {}
    if not share.isdecimal() or len(share) > 4 or int(share) > _MOST_HELD_OUT:
        errors["share"] = gettext("Enter a whole number from 0 to 50.")
    else:
        split = replace(split, share=int(share) / 100)
    if not (seed.isascii() and seed.isdecimal() and len(seed) < 10):
        errors["seed"] = gettext("Enter a whole number.")
    else:
        split = replace(split, seed=int(seed))
    return replace(
        split, by=_column(look, form.get("by", "")), stratify=_column(look, form.get("stratify", ""))
    ), errors


def _column(look: Look, number: str) -> str:
    """The name of a column that is chosen by its number; empty for none."""
    at = int(number) if number.isdecimal() and len(number) < 6 else len(look.columns)
    return look.columns[at].name if at < len(look.columns) else ""
