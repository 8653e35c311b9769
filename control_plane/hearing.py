"""The process in which a Python listener hears one event: `python -m control_plane.hearing NAME SECONDS`.

The event comes on the standard input, and the process ends by itself after so many seconds: who began it may be gone.
A package offers a listener by an entry point of the group `tunesmith.listeners`. It names something that is called
with the event as a dict, as docs/developers/listeners.md has it; what it raises means that it is to be told again.
"""

from __future__ import annotations

import json
import signal
import sys
from importlib.metadata import entry_points

GROUP = "tunesmith.listeners"
MISSING = 3  # exit status: no package offers it


def main(name: str, seconds: int) -> int:
    """Have the listener of this name hear what stands on the standard input; the exit status."""
    signal.alarm(seconds)
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        return MISSING
    found.load()(json.loads(sys.stdin.buffer.read()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
