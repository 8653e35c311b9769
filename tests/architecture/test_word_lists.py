"""Words that two programs know, neither of which may read the other's files, are the same words."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def words(file: str, name: str) -> object:
    """The value that a module gives one of its names."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    given = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return ast.literal_eval(given[name])


def test_a_language_has_the_same_common_words_for_data_and_for_rewards() -> None:
    data = words("control_plane/preparation/checks/language_mix.py", "_COMMON")
    assert data == words("methods/kit/checks/language.py", "COMMON")
    assert isinstance(data, dict) and len(data) > 10
