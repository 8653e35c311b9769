"""Ending the agent by a signal, at whatever moment it comes."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import os, signal
from agent.main import stopped_by_signals
stopping = stopped_by_signals()
with stopping._cond:  # as the main thread does for a moment in each wait
    os.kill(os.getpid(), signal.{name})
assert stopping.wait(10)
"""


def test_a_signal_in_the_middle_of_a_wait_does_not_block_the_agent() -> None:
    for name in ("SIGTERM", "SIGINT"):
        done = subprocess.run([sys.executable, "-c", _CODE.format(name=name)], timeout=60, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
