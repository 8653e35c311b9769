"""The runner on a disk that takes no writes: for a moment, and for good."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from agent.attempts import runner
from patience import PATIENCE

_CODE = """
import sys, pathlib
from agent.attempts import runner
def full(path, value): raise OSError(28, "No space left on device")
runner.write = full
folder = pathlib.Path(sys.argv[1])
trainer = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)", str(folder)]
runner.run(folder, {"argv": trainer, "cwd": folder, "env": {}, "stdout": folder / "out", "stderr": folder / "err",
                    "grace_seconds": 1})
"""
_ELSEWHERE = """
import pathlib, signal, sys, threading, time
from agent.attempts import runner
folder = pathlib.Path(sys.argv[1])
def get_it():
    while not (folder / "out").exists() or not (folder / "out").read_bytes():
        time.sleep(0.01)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
threading.Thread(target=get_it).start()
trainer = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)", str(folder)]
record = runner.run(folder, {"argv": trainer, "cwd": folder, "env": {}, "stdout": folder / "out",
                             "stderr": folder / "err", "grace_seconds": 600})
assert record["signal"] == signal.SIGTERM, record
"""


def test_a_record_is_written_when_there_is_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = runner.put, [3]

    def full(path: Path, value: dict[str, object]) -> None:
        if left[0]:
            left[0] -= 1
            raise OSError(28, "No space left on device")
        real(path, value)

    monkeypatch.setattr(runner, "put", full)
    monkeypatch.setattr(runner.time, "sleep", lambda _: None)
    runner.write(tmp_path / "exit.json", {"status": 0})
    assert json.loads((tmp_path / "exit.json").read_text()) == {"status": 0}
    left[0] = 10**9
    with pytest.raises(OSError, match="No space"):
        runner.write(tmp_path / "exit.json", {"status": 1}, patience=0.0)
    with pytest.raises(FileNotFoundError):
        monkeypatch.setattr(runner, "put", real)
        runner.write(tmp_path / "gone" / "exit.json", {})


def test_a_trainer_that_cannot_be_written_down_does_not_go_on(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _CODE, str(tmp_path)], capture_output=True, timeout=PATIENCE)
    assert done.returncode and b"No space left" in done.stderr
    living = [one for one in psutil.process_iter(["cmdline", "status"]) if str(tmp_path) in (one.info["cmdline"] or ())]
    assert all(one.info["status"] == psutil.STATUS_ZOMBIE for one in living)


def test_a_request_to_end_reaches_the_trainer_though_the_main_thread_does_not_notice(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _ELSEWHERE, str(tmp_path)], capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr.decode()


def test_the_exit_record_says_how_much_memory_was_held(tmp_path: Path) -> None:
    """By the trainer or what it started; memory of its own, not pages of files."""
    child = "import time; held = b'x' * 200_000_000; time.sleep(2.5)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    spec = {
        "argv": [sys.executable, "-c", code], "cwd": str(tmp_path), "env": {}, "stdout": str(tmp_path / "out"),
        "stderr": str(tmp_path / "err"), "grace_seconds": 1,
    }  # fmt: skip
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    often = "import sys, pathlib; from agent.attempts import runner; runner._LOOK_SECONDS = 0.05;"
    often += "sys.exit(runner.main(pathlib.Path(sys.argv[1])))"
    subprocess.run([sys.executable, "-c", often, str(tmp_path)], timeout=PATIENCE, check=True)
    record = json.loads((tmp_path / "exit.json").read_text())
    assert record["status"] == 0
    assert 200_000_000 < record["peak_bytes"] < 260_000_000
