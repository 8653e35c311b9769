"""Cases are read from their folders; nothing outside a folder is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, NotFound
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services import cases
from support import FakeClock, close_database, make_control_plane


@pytest.fixture
def library(tmp_path: Path, clock: FakeClock) -> Iterator[ControlPlane]:
    folder = tmp_path / "cases"
    for name in ("pumps", "turbines"):
        (folder / name).mkdir(parents=True)
        (folder / name / "case.toml").write_text(f'name = "{name}"\n')
    (folder / "pumps" / "train.jsonl").write_text("{}\n")
    (folder / "secret.txt").write_text("secret")
    (folder / "pumps" / "link.txt").symlink_to(folder / "secret.txt")
    yield make_control_plane(tmp_path / "data", clock, cases=str(folder))
    close_database()


def test_cases_and_their_files(library: ControlPlane) -> None:
    assert [case.name for case in cases.list_cases(SYSTEM, library)] == ["pumps", "turbines"]
    assert cases.get(SYSTEM, library, "pumps").plan == {"name": "pumps"}
    assert cases.read_file(SYSTEM, library, "pumps", "train.jsonl") == b"{}\n"
    with pytest.raises(Denied):
        cases.list_cases(Actor(kind="user", id="1", name="sam"), library)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["pumps", "turbines"]),
        ({"domain": "energy"}, ["turbines"]),
        ({"task": "extraction"}, ["pumps"]),
        ({"domain": "energy", "task": "extraction"}, []),
        ({"minutes": 5}, ["pumps"]),
        ({"minutes": 4.9}, []),
    ],
)
def test_cases_by_field_task_and_time(
    library: ControlPlane, tmp_path: Path, asked: dict[str, Any], found: list[str]
) -> None:
    plans = {
        "pumps": 'domain = "water"\ntask = "extraction"\nminutes = 5\n',
        "turbines": 'domain = "energy"\ntask = "query"\n',  # does not tell its time
    }
    for name, plan in plans.items():
        (tmp_path / "cases" / name / "case.toml").write_text(plan)
    assert [case.name for case in cases.list_cases(SYSTEM, library, **asked)] == found


@pytest.mark.parametrize("rubbish", [b"name =", b"name = '\xff'", b"[[steps]]\n[steps]\n"])
def test_a_plan_that_cannot_be_read_hides_no_other(
    library: ControlPlane, tmp_path: Path, caplog: pytest.LogCaptureFixture, rubbish: bytes
) -> None:
    (tmp_path / "cases" / "pumps" / "case.toml").write_bytes(rubbish)
    assert [case.name for case in cases.list_cases(SYSTEM, library)] == ["turbines"]
    assert "The case pumps cannot be read" in caplog.text
    with pytest.raises(NotFound):
        cases.get(SYSTEM, library, "pumps")


@pytest.mark.parametrize(
    ("case", "file"),
    [
        ("pumps", "../secret.txt"),
        ("pumps", "/etc/hostname"),
        ("pumps", "link.txt"),
        ("pumps", "train.jsonl\x00"),
        ("pumps", "."),
        ("pumps", "gone"),
        ("..", "secret.txt"),
        ("", "pumps/case.toml"),
    ],
)
def test_nothing_else_can_be_read(library: ControlPlane, case: str, file: str) -> None:
    with pytest.raises(NotFound):
        cases.read_file(SYSTEM, library, case, file)
