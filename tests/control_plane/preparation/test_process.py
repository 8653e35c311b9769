"""What the process leaves in its folder, whatever happens to its step."""

import errno
import json
import resource
import tempfile
from pathlib import Path

import pytest

from control_plane import apart
from control_plane.domain.errors import FileTooSlow, RowRagged
from control_plane.domain.preparation import Limits, Look, Order, Source, Step, read, told
from control_plane.preparation import __main__ as process


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the order to look at a small table."""
    (tmp_path / "a.csv").write_text("question,answer\nwhy?,because\n")
    order = Order(Step.LOOK, Source("a.csv", str(tmp_path / "a.csv")), Limits(10_000, 10_000))
    (tmp_path / "order.json").write_text(json.dumps(told(order)))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_step_that_is_done_leaves_its_results(folder: Path) -> None:
    assert process.main(folder) == 0
    look = read(Look, json.loads((folder / "look.json").read_text()))
    assert look.mapping.parts == {"prompt": ["question"], "completion": ["answer"]}
    assert str(folder) not in (folder / "look.json").read_text()
    assert not (folder / "failure.json").exists()
    assert tempfile.gettempdir() == str(folder)


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        (RowRagged(file="a.csv", line=3, count=1, columns=2), "row_ragged", {"line": 3, "columns": 2}),
        (MemoryError(), "file_too_demanding", {"file": "a.csv"}),
        (OSError(errno.ENOSPC, "full"), "disk_full", {}),
    ],
)
def test_what_went_wrong_is_left_as_an_error_of_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception, code: str, said: dict[str, object]
) -> None:
    def fail(*_: object) -> None:
        raise problem

    monkeypatch.setitem(process._STEPS, Step.LOOK, fail)
    assert process.main(folder) == apart.FAILED
    failure = json.loads((folder / "failure.json").read_text())
    assert failure["code"] == code
    assert said.items() <= failure["params"].items()


def test_a_fault_of_ours_is_not_passed_off_as_the_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setitem(process._STEPS, Step.LOOK, fail)
    with pytest.raises(KeyError):
        process.main(folder)
    assert not (folder / "failure.json").exists()


def test_its_memory_is_never_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", limits.__setitem__)
    apart.bound(0, 0, FileTooSlow(file="a.csv", allowed=0))
    assert limits == {resource.RLIMIT_CORE: (0, 0)}
