"""Environments built by the real venv, uv and pip, from tiny wheels that the test writes; no index is asked."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from agent import build, uv
from agent.build import BuildFailed, Environment, public
from agent.environment import Environments, split
from agent.settings import Installer, Settings
from patience import PATIENCE
from tests.agent.wheels import installer, wheel

LOCK = "library==3.0\nshared==1.0\ntorch==2.5.0\n"  # neither the newest nor asked for by the requirements


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of wheels and of the environments made from them; each build takes seconds, so tests share them."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "wheels").mkdir()
    wheel(folder / "wheels", "torch", "2.5.0+cpu", requires="shared")
    wheel(folder / "wheels", "shared", "1.0")
    wheel(folder / "wheels", "library", "3.0", requires="torch")
    wheel(folder / "wheels", "library", "3.1", requires="torch")
    wheel(folder / "wheels", "library", "3.2", requires="torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_CONFIG_FILE", "/dev/null")
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(folder / "wheels"))
        patch.setenv("PIP_CACHE_DIR", str(folder / "downloads"))
        patch.delenv("PIP_CONSTRAINT", raising=False)
        yield folder


@pytest.fixture
def environments(place: Path) -> Environments:
    return Environments(Settings(data=place / "agent", tail_seconds=0.05))


def ensure(environments: Environments, tmp_path: Path, requirements: str, lock: str = "") -> Environment:
    return environments.ensure(requirements, lock, tmp_path / "log", lambda: None)


def imported(environment: Environment, module: str) -> tuple[str, str]:
    code = f"import {module}; print({module}.VERSION, {module}.__file__)"
    done = subprocess.run([environment.python, "-c", code], capture_output=True, text=True, check=True)
    version, _, place = done.stdout.strip().partition(" ")
    return version, place


def processes_in(place: Path) -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if str(place) in " ".join(process.info["cmdline"] or [])]


def test_torch_is_shared_and_the_lock_is_public(environments: Environments, tmp_path: Path) -> None:
    first = ensure(environments, tmp_path, "# a method\ntorch>=2.4\nlibrary==3.1\n")
    second = ensure(environments, tmp_path, "torch\nlibrary\n", LOCK)
    assert imported(first, "library")[0] == "3.1"
    assert imported(second, "library")[0] == "3.0"
    assert imported(first, "torch") == imported(second, "torch")
    assert "base-" in imported(first, "torch")[1]
    assert first.lock == "library==3.1\nshared==1.0\ntorch==2.5.0\n"
    assert installer(first, "library") == installer(second, "library") == "uv"
    assert "pip installs" not in (tmp_path / "log").read_text()


def test_pip_makes_the_same_of_it(environments: Environments, place: Path, tmp_path: Path) -> None:
    by_uv = ensure(environments, tmp_path, "torch>=2.4\nlibrary==3.1\n")
    (tmp_path / "environments").mkdir()
    for base in (place / "agent/environments").glob("base-*"):
        (tmp_path / "environments" / base.name).symlink_to(base)
    settings = Settings(data=tmp_path, tail_seconds=0.05, installer=Installer.PIP)
    by_pip = ensure(Environments(settings), tmp_path, "torch>=2.4\nlibrary==3.1\n")
    assert (installer(by_pip, "library"), by_pip.lock) == ("pip", by_uv.lock)


@pytest.mark.parametrize(
    ("program", "variable", "why"),
    [
        (None, "", "it is not there"),
        ("no program", "", "does not start"),
        ('#!/bin/sh\nrm -r "$(dirname "$4")"/../lib\nexit 3\n', "", "uv pip install ended with status 3"),
        ("", "PIP_PREFER_BINARY", "it has no word for pip's prefer-binary"),
    ],
)
def test_where_uv_cannot_pip_installs_and_the_log_says_why(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, variable: str, why: str
) -> None:
    if program != "":
        wrong = tmp_path / "uv"
        wrong.write_text(program or "")
        wrong.chmod(0o755)
        monkeypatch.setattr(uv, "binary", lambda: str(wrong) if program else None)
    if variable:
        monkeypatch.setenv(variable, "1")
    made = ensure(Environments(Settings(data=tmp_path, tail_seconds=0.05)), tmp_path, "shared==1.0\n")
    assert (installer(made, "shared"), made.lock) == ("pip", "shared==1.0\n")
    (said,) = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("[tunesmith]")]
    assert said.startswith("[tunesmith] pip installs, not uv: ") and why in said


def test_pip_mends_what_uv_chose_without_seeing_torch(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(tmp_path, "torch", "2.5.0", requires="helper<2")
    for version in ("1.0", "2.0"):
        wheel(tmp_path, "helper", version)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    made = ensure(Environments(Settings(data=tmp_path / "agent", tail_seconds=0.05)), tmp_path, "torch\nhelper\n")
    assert (imported(made, "helper")[0], made.lock) == ("1.0", "helper==1.0\ntorch==2.5.0\n")
    assert "+ helper==2.0" in (tmp_path / "log").read_text()


def test_a_second_job_builds_nothing(environments: Environments, tmp_path: Path) -> None:
    requirements = "torch>=2.4\nlibrary==3.1\n"
    first = ensure(environments, tmp_path, requirements)
    assert environments.has(requirements) and not environments.has("torch>=2.4\nlibrary<3\n")
    (tmp_path / "log").unlink(missing_ok=True)
    assert ensure(environments, tmp_path, requirements) == first
    assert ensure(environments, tmp_path, requirements, lock=first.lock) == first
    assert not (tmp_path / "log").exists()


def test_a_lock_is_installed_as_it_is(environments: Environments, tmp_path: Path) -> None:
    made = ensure(environments, tmp_path, "torch\nlibrary\n", lock=LOCK)
    assert made.lock == LOCK
    assert imported(made, "library")[0] == "3.0"


def test_a_lock_never_adds_a_package(environments: Environments, place: Path, tmp_path: Path) -> None:
    wheel(place / "wheels", "evil", "6.6")
    wheel(place / "wheels", "torchvision", "6.6")
    lock = LOCK + "evil==6.6\ntorchvision==6.6\nevil @ file:///x\n--find-links /tmp\n"
    made = ensure(environments, tmp_path, "torch\nlibrary\n", lock=lock)
    assert made.lock == LOCK
    for name in ("evil", "torchvision"):
        done = subprocess.run([made.python, "-c", f"import {name}"], capture_output=True, check=False)
        assert done.returncode, name


def test_a_freeze_that_fails_is_a_failed_build(environments: Environments, place: Path, tmp_path: Path) -> None:
    def tick() -> None:
        for pip in (place / "agent/environments").glob("env-*/lib/python*/site-packages/pip/_internal/commands"):
            if not (pip.parents[5] / "complete.json").exists():
                (pip / "freeze.py").unlink(missing_ok=True)

    with pytest.raises(BuildFailed, match="freeze"):
        environments.ensure("shared>=1.0,<2\n", "", tmp_path / "log", tick)


def test_what_is_installed_is_not_installed_again_to_be_written_down(
    environments: Environments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, say, at the last step: the attempt tries again."""
    with monkeypatch.context() as patch:
        patch.setattr(build, "size", lambda folder: (tmp_path / "nothing").read_bytes())
        with pytest.raises(OSError, match="nothing"):
            ensure(environments, tmp_path, "shared<1.5\n")
    (tmp_path / "log").unlink()
    assert ensure(environments, tmp_path, "shared<1.5\n").lock == "shared==1.0\n"
    assert (tmp_path / "log").read_text() == ""


def test_a_failing_build_says_why(environments: Environments, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed):
        ensure(environments, tmp_path, "no-such-library\n")
    assert "no-such-library" in (tmp_path / "log").read_text()


def test_an_interrupted_build_leaves_no_process_and_is_begun_anew(
    environments: Environments, place: Path, tmp_path: Path
) -> None:
    class Interrupted(Exception):
        pass

    def begun() -> set[Path]:
        return set((place / "agent/environments").glob("env-*/pyvenv.cfg"))

    before = begun()

    def tick() -> None:
        if begun() - before:
            raise Interrupted

    with pytest.raises(Interrupted):
        environments.ensure("shared\n", "", tmp_path / "log", tick)
    _, alive = psutil.wait_procs(processes_in(place), timeout=PATIENCE)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    (half,) = begun() - before
    half.with_name("debris").touch()
    assert ensure(environments, tmp_path, "shared\n").lock == "shared==1.0\n"
    assert not half.with_name("debris").exists()


def test_split_and_public() -> None:
    assert split("torch==2.5 # pinned\n\n# x\ntorch-geometric\ntorchvision\na\n") == (
        ["torch==2.5", "torchvision"],
        ["a", "torch-geometric"],
    )
    assert public("b==1.0+cu124\na==2\nc @ file:///x\n") == "a==2\nb==1.0\n"
