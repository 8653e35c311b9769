"""Every setting is documented, and nobody else reads the environment."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import agent.settings
import control_plane.settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/developers/settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("prefix", "settings"),
    [("TUNESMITH_", control_plane.settings.Settings), ("TUNESMITH_AGENT_", agent.settings.Settings)],
)
def test_the_page_lists_each_setting_with_its_default_and_meaning(prefix, settings):
    for setting in fields(settings):
        row = f"| `{prefix}{setting.name.upper()}` | `{setting.default}` | {setting.metadata['doc']} |"
        assert row in PAGE, f"docs/developers/settings.md lacks: {row}"


def test_the_page_lists_nothing_that_is_gone():
    known = {f"TUNESMITH_{s.name.upper()}" for s in fields(control_plane.settings.Settings)}
    known |= {f"TUNESMITH_AGENT_{s.name.upper()}" for s in fields(agent.settings.Settings)}
    assert set(re.findall(r"^\| `(TUNESMITH_\w+)`", PAGE, re.MULTILINE)) <= known
