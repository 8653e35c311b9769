"""Environments built by the real venv and pip, from tiny wheels that the test writes; no index is asked."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from agent.environment import BuildFailed, Environment, Environments, public, split
from agent.settings import Settings


def wheel(folder: Path, name: str, version: str, requires: str = "") -> None:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else ""))
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environments:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "torch", "2.5.0+cpu", requires="shared")
    wheel(wheels, "shared", "1.0")
    wheel(wheels, "library", "3.1", requires="torch")
    wheel(wheels, "library", "3.2", requires="torch")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)
    return Environments(Settings(data=tmp_path / "agent", tail_seconds=0.05))


def ensure(environments: Environments, tmp_path: Path, requirements: str, lock: str = "") -> Environment:
    return environments.ensure(requirements, lock, tmp_path / "log", lambda: None)


def imported(environment: Environment, module: str) -> tuple[str, str]:
    code = f"import {module}; print({module}.VERSION, {module}.__file__)"
    done = subprocess.run([environment.python, "-c", code], capture_output=True, text=True, check=True)
    version, _, place = done.stdout.strip().partition(" ")
    return version, place


def test_torch_is_shared_and_the_lock_is_public(environments: Environments, tmp_path: Path) -> None:
    first = ensure(environments, tmp_path, "# a method\ntorch>=2.4\nlibrary==3.1\n")
    second = ensure(environments, tmp_path, "torch>=2.4\nlibrary==3.2\n")
    assert imported(first, "library")[0] == "3.1"
    assert imported(second, "library")[0] == "3.2"
    assert imported(first, "torch") == imported(second, "torch")
    assert "base-" in imported(first, "torch")[1]
    assert first.lock == "library==3.1\nshared==1.0\ntorch==2.5.0\n"
    assert "Successfully installed" in (tmp_path / "log").read_text()


def test_a_second_job_builds_nothing(environments: Environments, tmp_path: Path) -> None:
    requirements = "torch>=2.4\nlibrary\n"
    first = ensure(environments, tmp_path, requirements)
    said = (tmp_path / "log").stat().st_size
    assert ensure(environments, tmp_path, requirements) == first
    assert ensure(environments, tmp_path, requirements, lock=first.lock) == first
    assert (tmp_path / "log").stat().st_size == said


def test_a_lock_is_installed_as_it_is(environments: Environments, tmp_path: Path) -> None:
    lock = "library==3.1\nshared==1.0\ntorch==2.5.0\n"
    made = ensure(environments, tmp_path, "torch\nlibrary\n", lock=lock)
    assert made.lock == lock
    assert imported(made, "library")[0] == "3.1"


def test_a_half_built_environment_is_built_anew(environments: Environments, tmp_path: Path) -> None:
    made = ensure(environments, tmp_path, "shared\n")
    folder = made.python.parents[1]
    (folder / "complete.json").unlink()
    (folder / "debris").touch()
    assert ensure(environments, tmp_path, "shared\n") == made
    assert not (folder / "debris").exists()


def test_a_failing_build_says_why(environments: Environments, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed):
        ensure(environments, tmp_path, "no-such-library\n")
    assert "no-such-library" in (tmp_path / "log").read_text()


def test_an_interrupted_build_leaves_no_process(environments: Environments, tmp_path: Path) -> None:
    class Interrupted(Exception):
        pass

    def tick() -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        environments.ensure("shared\n", "", tmp_path / "log", tick)
    assert ensure(environments, tmp_path, "shared\n").lock == "shared==1.0\n"


def test_split_and_public() -> None:
    assert split("torch==2.5 # pinned\n\n# x\ntorch-geometric\ntorchvision\na\n") == (
        ["torch==2.5", "torchvision"],
        ["a", "torch-geometric"],
    )
    assert public("b==1.0+cu124\na==2\nc @ file:///x\n") == "a==2\nb==1.0\n"
