"""Each function that docs/developers/a-jobs-life.md names exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`([\w/]+\.py)::([\w.]+)`", (ROOT / "docs/developers/a-jobs-life.md").read_text(encoding="utf-8"))


def functions(path: Path) -> set[str]:
    """The functions of a module and `Class.method` of its classes."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            inside = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            found |= {f"{node.name}.{one.name}" for one in inside}
    return found


def test_the_page_names_functions() -> None:
    assert len(NAMED) >= 30


@pytest.mark.parametrize(("file", "function"), sorted(set(NAMED)))
def test_the_function_exists(file: str, function: str) -> None:
    assert (ROOT / file).is_file(), file
    assert function in functions(ROOT / file), f"{file}::{function}"
