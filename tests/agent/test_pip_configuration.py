"""Where pip's configuration lies: all of it is shown in a sandbox, and nothing else."""

from __future__ import annotations

from pathlib import Path

from agent import pip_configuration


def test_files_and_folders_that_are_named_are_shown_and_devices_are_not(tmp_path: Path) -> None:
    """`PIP_CONFIG_FILE=/dev/null` is pip's way to have none; shown as a file it could not be opened any more."""
    configured, wheels = tmp_path / "pip.conf", tmp_path / "wheels"
    configured.write_text(f"[global]\nfind-links = {wheels} /not/there\n")
    wheels.mkdir()
    shown = pip_configuration.places({"PIP_CONFIG_FILE": str(configured), "PIP_CERT": "/dev/null"})
    assert {configured, wheels} <= set(shown)
    assert not {Path("/dev/null"), Path("/not/there")} & set(shown)
