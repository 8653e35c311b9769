"""What Babel cannot find by itself: the docstrings of errors, reasons for waiting, terms."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, BinaryIO

Message = tuple[int, str, str, list[str]]  # line, function, message, comments


def sentences(source: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Message]:
    """Each class's docstring on one line, as `domain.errors.sentence_of` gives it."""
    for node in ast.walk(ast.parse(source.read())):
        if isinstance(node, ast.ClassDef) and (text := ast.get_docstring(node)):
            yield node.lineno, "", " ".join(text.split()), []


def reasons(source: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Message]:
    """Each value of a table of words by code."""
    for node in ast.walk(ast.parse(source.read())):
        if isinstance(node, ast.Dict):
            for value in node.values:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.lineno, "", value.value, []
