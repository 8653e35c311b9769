"""An installed wheel without the repository: its commands, its pages with their styles, what it ships.

The whole demo from it is `test_demo.py`.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from built_wheel import ROOT
from http_browser import HttpBrowser
from place import Place

WHERE = """
import json, sys
import agent.main, control_plane.main, tunesmith.cli, web
found = [str(module.__file__) for name, module in sys.modules.items()
         if name.partition(".")[0] in ("agent", "control_plane", "tunesmith", "web")]
print(json.dumps([sys.prefix, sys.path, found]))
"""


@pytest.fixture(scope="module")
def place(wheel_place: Place) -> Place:
    return wheel_place


def test_no_file_of_the_checkout_is_reachable(installed: Path, tmp_path: Path) -> None:
    command = [str(installed / "python"), "-c", WHERE]
    said = subprocess.run(command, env={}, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    prefix, path, modules = json.loads(said)
    assert len(modules) > 100
    assert [one for one in modules if not Path(one).is_relative_to(prefix)] == []
    assert [one for one in path if Path(one).is_relative_to(ROOT)] == []


def test_its_commands(place: Place, installed: Path, tmp_path: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert place.tunesmith("--version").split()[-1] == version
    done = subprocess.run(
        [str(installed / "tunesmith"), "doctor"],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert "✓ Python" in done.stdout
    assert (done.returncode == 1) == ("✗" in done.stdout)  # whatever it finds to do on this machine


def test_its_pages_have_their_styles_and_languages(place: Place) -> None:
    found = re.search(r"http\S+/welcome/\S+", place.up())
    assert found
    browser = HttpBrowser(found[0], headers={"Accept-Language": "de"})
    page = browser.send(urlsplit(found[0]).path, password="a long enough sentence")
    assert 'lang="de"' in page
    assert "Aufträge" in page
    parts = {part.partition("#")[0] for part in re.findall(r'(?:href|src)="(/static/[^"]+)"', page)}
    assert {Path(urlsplit(part).path).suffix for part in parts} >= {".css", ".js", ".svg"}
    assert [part for part in parts if len(browser.open(part).read()) < 100] == []
    assert "SFT" in browser.read("/methods")


def test_it_ships_the_methods_and_the_cases(place: Place) -> None:
    place.up()
    client = place.client()
    methods = {folder.parent.name for folder in (ROOT / "methods").glob("*/method.toml")}
    assert {method.name for method in client.list_methods()} == methods
    cases = {folder.parent.name for folder in (ROOT / "control_plane/cases").glob("*/case.toml")}
    assert {case.name for case in client.list_cases()} == cases
