"""Rows that are no rows of their format; each knows its file and line."""

from __future__ import annotations

from control_plane.domain.errors.family import Invalid


class RowsInvalid(Invalid):
    """{file}, line {line}: the row is faulty."""


class RowNotJson(RowsInvalid):
    """{file}, line {line}: this is not JSON (character {column})."""


class RowNotObject(RowsInvalid):
    """{file}, line {line}: a row must be one JSON object, such as {{"prompt": "…", "completion": "…"}}."""


class RowNotUtf8(RowsInvalid):
    """{file}, line {line}: byte {column} is not UTF-8."""


class RowEncodingWrong(RowsInvalid):
    """{file}, line {line}: there are bytes that are no text in the encoding {encoding}."""


class RowRagged(RowsInvalid):
    """{file}, line {line}: the row has {count} cells, and the heading has {columns}."""


class RowQuotesWrong(RowsInvalid):
    """{file}, line {line}: a quotation mark begins a cell and does not end it."""


class RowNotText(RowsInvalid):
    """{file}, line {line}: the row contains half of a character (a lone surrogate)."""


class RowTooLong(RowsInvalid):
    """{file}, line {line}: the row is longer than the {limit} that are allowed."""


class RowTooDeep(RowsInvalid):
    """{file}, line {line}: the row is nested too deeply."""


class RowNotNumber(RowsInvalid):
    """{file}, line {line}: “{value}” is not a number in JSON."""


class RowFieldTwice(RowsInvalid):
    """{file}, line {line}: the field “{field}” appears twice."""


class RowFieldMissing(RowsInvalid):
    """{file}, line {line}: the field “{field}” is missing."""


class RowFieldEmpty(RowsInvalid):
    """{file}, line {line}: the field “{field}” is empty."""


class RowFieldTypeWrong(RowsInvalid):
    """{file}, line {line}: the field “{field}” must be {expected}."""


class RowFieldNotText(RowsInvalid):
    """{file}, line {line}: the field “{field}” must hold text."""


class RowGenerated(RowsInvalid):
    """{file}, line {line}: a model has made this row, so it cannot be held out; it can only be learnt from."""


class RowRoleUnknown(RowsInvalid):
    """{file}, line {line}: “{role}” is not a role; use system, user or assistant."""


class RowEndsWrong(RowsInvalid):
    """{file}, line {line}: the last message must be the assistant's."""


class RowPromptEndsWrong(RowsInvalid):
    """{file}, line {line}: the last message of “prompt” must not be the assistant's; the answer has its own field."""


class RowBeginningsDiffer(RowsInvalid):
    """{file}, line {line}: before its last message the conversation must be the same in “prompt”, “chosen” and
    “rejected”."""


class RowAnswersSame(RowsInvalid):
    """{file}, line {line}: “chosen” and “rejected” are the same answer, so nothing can be learnt from the pair."""
