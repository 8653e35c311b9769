"""The wheel holds what an installation needs, under exactly four importable names."""

import subprocess
import zipfile

import pytest

from built_wheel import ROOT, build

SHIPPED = ("agent", "control_plane", "methods", "proto/tunesmith", "web")


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    return zipfile.ZipFile(build(tmp_path_factory.mktemp("wheel"))).namelist()


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


def test_it_holds_what_git_tracks_and_nothing_else(names):
    """Files that are new and not committed yet count as tracked, ignored ones (caches, build outputs) do not."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SHIPPED]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    tracked = {name for name in listed if (ROOT / name).exists()}
    assert {_in_the_checkout(name) for name in names if ".dist-info/" not in name} == tracked


def _in_the_checkout(name):
    if ".data/data/share/tunesmith/" in name:
        return name.partition(".data/data/share/tunesmith/")[2]
    return f"proto/{name}" if name.startswith("tunesmith/") else name
