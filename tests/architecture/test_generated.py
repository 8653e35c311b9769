"""What is generated and checked in is what the sources give today."""

import subprocess
import sys
from pathlib import Path

import pytest

import checks_pages

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("language", checks_pages.TEXTS)
def test_the_page_of_the_checks_is_fresh(language):
    kept = (ROOT / "docs" / language / "checks.md").read_text(encoding="utf-8")
    assert kept == checks_pages.page(language), "run tests/checks_pages.py"


@pytest.mark.parametrize("name", ["fleet", "automation"])
def test_the_wire_contract_is_fresh(tmp_path, name):
    command = [sys.executable, "-m", "grpc_tools.protoc", "-Iproto"]
    outputs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    subprocess.run([*command, *outputs, f"proto/tunesmith/v1/{name}.proto"], cwd=ROOT, check=True)
    made = sorted((tmp_path / "tunesmith/v1").iterdir())
    assert made
    for file in made:
        kept = ROOT / "proto/tunesmith/v1" / file.name
        assert kept.read_text() == file.read_text(), f"run `make proto`: {file.name} is stale"
