"""One term for each thing, in each language: the glossary has it, and what it replaced is written nowhere."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from place import ROOT

# term of the glossary → words for the same thing that texts had before
TERMS = {
    "de": {
        "Verbindungsschlüssel": ("Beitrittstoken", "Beitritts-Token"),
        "Auswertung": ("Evaluierung", "Evaluation"),
        "Versuchsreihe": ("Suchlauf", "Suchläuf"),
    },
    "zh": {
        "留出集": ("留出数据", "留出示例"),
        "评估": ("评测",),
        "任务": ("作业",),
    },
}
ALSO_GONE = {"de": ("Probierseite",), "zh": ("定制模型", "调优", "误差（loss）", "通过 API 执行")}


def texts(language: str) -> dict[str, str]:
    """Place → what is said there to a reader of this language."""
    path = ROOT / "control_plane" / "translations" / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    found = {
        f"catalogue: {one.id}": one.string if isinstance(one.string, str) else " ".join(one.string)
        for one in catalogue
        if one.id
    }
    found |= {str(page.relative_to(ROOT)): page.read_text() for page in _pages(language)}
    return found | {str(file.relative_to(ROOT)): " ".join(_said(_read(file), language)) for file in _manifests()}


def _manifests() -> list[Path]:
    return sorted((ROOT / "methods").rglob("*.toml"))


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def _said(value: Any, language: str) -> Iterator[str]:
    """What tables by language say, wherever they stand."""
    for key, one in value.items() if isinstance(value, dict) else ():
        if key == language and isinstance(one, str):
            yield one
        yield from _said(one, language)


def _pages(language: str) -> list[Path]:
    return sorted((ROOT / "docs" / language).glob("*.md"))


@pytest.mark.parametrize("language", TERMS)
def test_what_a_term_replaced_is_written_nowhere(language: str) -> None:
    gone = [word for words in TERMS[language].values() for word in words] + list(ALSO_GONE[language])
    assert {place: word for place, text in texts(language).items() for word in gone if word in text} == {}


@pytest.mark.parametrize("language", TERMS)
def test_each_term_stands_in_the_glossary(language: str) -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    assert [term for term in TERMS[language] if term not in glossary] == []
