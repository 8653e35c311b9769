"""docs/developers/workflows.md describes each key of a workflow's spec, and its example is one."""

from __future__ import annotations

import re
from pathlib import Path

from control_plane.domain.workflows import expansion, spec
from control_plane.services.workflows import texts

PAGE = (Path(__file__).parents[2] / "docs/developers/workflows.md").read_text("utf-8")
HEADINGS = {
    "workflow": "The workflow",
    "parameter": "A parameter of a run",
    "step": "A step",
    "gate": "A gate",
    "retry": "Trying again",
}


def test_each_key_is_described_and_nothing_else() -> None:
    for part, keys in spec.KEYS.items():
        section = PAGE.split(f"\n## {HEADINGS[part]}\n")[1].split("\n## ")[0]
        cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
        told = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
        assert told == set(keys), part


def test_the_example_is_a_workflow() -> None:
    found = texts.read(PAGE.split("```yaml\n")[1].split("```")[0]).spec
    assert texts.read(texts.write(found)).spec == found
    assert len(expansion.expand(found, {})) == 8


def test_the_limits_are_those_of_the_code() -> None:
    for number in (spec.MOST_STEPS, spec.MOST_VARIANTS, spec.MOST_RETRIES, texts.DEEPEST, texts.LONGEST >> 10):
        assert str(number) in PAGE
    assert f"{texts.MOST_PARTS:,}" in PAGE and str(expansion.MOST_FANNED) in PAGE
