"""The forms of labellings: what one is to be, and what somebody says of an item."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask_babel import gettext

from control_plane.domain.errors import FieldInvalid
from control_plane.domain.labelling import Action, Kind
from control_plane.services.labelling.judging import Item
from control_plane.services.labelling.making import Rows, Wanted
from web import row_form
from web.paging import whole_number

FIRST_COUNT = 50  # rows of a labelling that is begun without another choice
_ROW = 1  # the number under which the one row of the form is drawn


def instruction() -> str:
    """What a model is asked for, in the reader's language, where they say nothing else."""
    return str(
        gettext(
            "Write one new example of the same kind as the one you are given. Change the facts, names, numbers and "
            "wording, keep the language, the style and the form of the answer, and make sure that the answer is right."
        )
    )


def read(form: Mapping[str, str]) -> Wanted:
    """What is asked for. Raises FieldInvalid for what is no number."""
    kind = Kind.VARIATIONS if form.get("kind") == Kind.VARIATIONS else Kind.ANSWERS
    numbers = [whole_number(part) for part in form.get("numbers", "").replace(",", " ").split()]
    return Wanted(
        dataset_version_id=whole_number(form.get("dataset", "")),
        kind=kind,
        rows=Rows(
            split=form.get("split", "train"),
            numbers=numbers,
            text=form.get("q", "").strip()[:200],
            check=form.get("check", ""),
            count=0 if numbers else _number(form, "count", FIRST_COUNT),
        ),
        **_asked(form.get("deployment", "")),
        name=form.get("name", "").strip(),
        instruction=form.get("instruction", ""),
        per_row=_number(form, "per_row", 1),
        overlap=whole_number(form.get("overlap", "0")) / 100,
        seed=_number(form, "seed", 42),
    )


ENDPOINT = "endpoint:"  # before the name of one, where a deployment's name stands else


def _asked(chosen: str) -> dict[str, str]:
    """Who answers."""
    name = chosen.removeprefix(ENDPOINT)
    return {"deployment": chosen} if name == chosen else {"endpoint": name}


def numbers(written: str) -> list[int]:
    """Ids with commas between; what is none is left out."""
    return [int(part) for part in written.split(",") if part.isascii() and part.isdecimal() and len(part) < 19]


def fields(item: Item, sent: Mapping[str, str]) -> list[row_form.Cell]:
    """What may be corrected of an item: one text, or the fields of a row that was made up."""
    if item.labelling.kind == Kind.VARIATIONS:
        row = json.loads(item.mine.answer) if item.mine and item.mine.answer else item.new_row
        return row_form.drawn(str(item.version.format), [(_ROW, row)], sent)[0].fields
    answer = item.mine.answer if item.mine and item.mine.answer else item.record.answer
    return [row_form.Cell("answer", gettext("Answer"), sent.get("answer", answer), is_json=False)]


def said(item: Item, form: Mapping[str, str]) -> tuple[str, str]:
    """The action, and the right answer where what stands in the form is not what was judged: that is a correction.

    Raises FieldInvalid for what is no JSON.
    """
    action = form.get("action", "")
    if action != Action.ACCEPT:
        return action, ""
    if item.labelling.kind == Kind.VARIATIONS:
        new = row_form.changed(str(item.version.format), _ROW, item.new_row, form)
        return (action, "") if new is None else (Action.CORRECT, json.dumps(new, ensure_ascii=False))
    text = _lines(form.get("answer", ""))
    return (action, "") if text.strip() == _lines(item.record.answer).strip() else (Action.CORRECT, text)


def _lines(text: str) -> str:
    """A text with the line ends that browsers do not change."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(form: Mapping[str, str], name: str, otherwise: int) -> int:
    text = form.get(name, "").strip()
    if not text:
        return otherwise
    if not text.isdecimal() or len(text) > 15:
        raise FieldInvalid(field=name, problem=gettext("Enter a whole number."))
    return int(text)
