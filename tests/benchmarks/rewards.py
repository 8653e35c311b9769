"""How long the dry run of a reward takes on 64 rows, warm: from the press to the result, its own process included.

PYTHONPATH=.:proto:tests python tests/benchmarks/rewards.py
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from io import BytesIO
from pathlib import Path

from control_plane.domain.permissions import SYSTEM
from control_plane.domain.rewards.templates import TEMPLATES
from control_plane.services.access import projects
from control_plane.services.datasets import json_lines
from control_plane.services.rewards import dry_running, kept
from support import FakeClock, close_database, make_control_plane

ROUNDS, MARK = 5, 5.0  # runs of each template, the first apart; seconds


def main() -> int:
    """Print the median of each template; 1 where one is beyond the mark."""
    with tempfile.TemporaryDirectory() as folder:
        cp = make_control_plane(Path(folder), FakeClock())
        projects.create(SYSTEM, cp, "bench", "")
        rows = (
            {"prompt": f"What does note {number} say?", "completion": json.dumps({"part": number % 7, "site": number})}
            for number in range(80)
        )
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        version, _ = json_lines.upload(SYSTEM, cp, "bench", "notes", BytesIO(text), None)
        worst = 0.0
        for name, checks in TEMPLATES.items():
            kept.save(SYSTEM, cp, "bench", name, list(checks))
            took = []
            for _round in range(ROUNDS + 1):
                begun = time.monotonic()
                run = dry_running.start(SYSTEM, cp, "bench", name, version.id)
                dry_running.carry_out(cp, run, threading.Event())
                took.append(time.monotonic() - begun)
                assert dry_running.get(SYSTEM, cp, run.id).outcome == "done"
            worst = max(worst, statistics.median(took[1:]))
            print(f"{name}: {statistics.median(took[1:]):.2f} s (first {took[0]:.2f} s), mark {MARK} s")
        close_database()
    return int(worst > MARK)


if __name__ == "__main__":
    sys.exit(main())
