"""The process that stands apart, where even its end does not come."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.preparation import Limits, Order, Source, Step
from control_plane.services.datasets import process

_HANGS = "import os, time; os.close(1); time.sleep(600)"


def test_one_that_does_not_end_when_it_is_killed_holds_up_nobody(
    cp: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The killing is a stub that does nothing, in place of a kernel that keeps the process for a dead network drive."""
    killed: list[int] = []
    monkeypatch.setattr(process, "PROGRAM", ("-c", _HANGS))
    monkeypatch.setattr(process, "_END_SECONDS", 0.1)
    monkeypatch.setattr(process, "_KILLED_SECONDS", 0.1)
    order = Order(Step.LOOK, Source("a.csv", str(tmp_path / "a.csv")), Limits(10_000, 10_000, seconds=60))
    begun = time.monotonic()
    try:
        with monkeypatch.context() as stubbed, caplog.at_level(logging.ERROR):
            stubbed.setattr(os, "killpg", lambda group, _: killed.append(group))
            fault = process.run(cp, order, tmp_path, threading.Event(), lambda *_: None)
        assert fault is not None and fault.code == "preparation_broke"
        assert time.monotonic() - begun < 60
        assert f"process {killed[0]} was killed and has not ended" in caplog.text
    finally:
        os.killpg(killed[0], signal.SIGKILL)
