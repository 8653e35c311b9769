"""A folder that a trainer changes while the agent looks at it leads nowhere."""

from pathlib import Path

import pytest

from agent.attempts import artifacts
from agent.attempts.checkpoints import Checkpoints, Reported
from agent.storage.files import link_plain
from tunesmith.v1 import fleet_pb2 as pb


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "machine.key").write_text("very private")
    folder = tmp_path / "out" / "checkpoints" / "5"
    folder.mkdir(parents=True)
    (folder / "machine.key").write_text("weights")
    return tmp_path / "out"


def test_a_plain_file_is_linked(out: Path) -> None:
    link_plain(out, "checkpoints/5/machine.key", out.parent / "aside")
    assert (out.parent / "aside").read_text() == "weights"


def test_neither_a_link_nor_a_folder_behind_one_is_followed(out: Path) -> None:
    (out / "link").symlink_to(out.parent / "agent" / "machine.key")
    (out / "folder").symlink_to(out.parent / "agent")
    for path in ("link", "folder/machine.key", "checkpoints"):
        with pytest.raises(OSError):
            link_plain(out, path, out.parent / "aside")
        assert not (out.parent / "aside").exists()


def test_a_checkpoint_that_is_swapped_for_a_link_is_not_set_aside(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = artifacts.plain_files

    def swapped(folder: Path, relative: str) -> list[tuple[str, Path]]:
        found = list(listed(folder, relative))
        (folder / relative).rename(folder / "gone")
        (folder / relative).symlink_to(out.parent / "agent")
        return found

    monkeypatch.setattr(artifacts, "plain_files", swapped)
    checkpoints = Checkpoints(None, pb.Offer(attempt_id=1), out.parent)  # type: ignore[arg-type]
    assert not checkpoints._set_aside(Reported(5, "checkpoints/5"))
    assert not list((out.parent / "checkpoint").rglob("machine.key"))
