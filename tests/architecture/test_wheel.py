"""The wheel holds what an installation needs, under exactly four importable names."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_the_importable_names_are_four(names):
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if ".d" not in top} == {"agent", "control_plane", "tunesmith", "web"}


@pytest.mark.parametrize(
    "part",
    [
        "control_plane/store/migrations/0001_initial.py",
        "control_plane/translations/de/LC_MESSAGES/messages.mo",
        "control_plane/cases/machine_faults/case.toml",
        "web/templates/base.html",
        "web/static/tokens.css",
        "tunesmith/v1/fleet_pb2.py",
        "data/share/tunesmith/methods/sft_demo/method.toml",
        "agent/serving/engine/requirements.txt",
        "agent/serving/engine/llama_cpp_requirements.txt",
    ],
)
def test_what_an_installation_needs_is_there(names, part):
    assert [name for name in names if name.endswith(part)], part
