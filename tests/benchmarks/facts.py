"""What big facts cost: `python tests/benchmarks/facts.py` in the repository's root, with `tests` on PYTHONPATH.

A curve of 200,000 points is reported as an agent does and read as a page does; 1,085 models are listed by the page; an
evaluation of 100,000 rows is read, and a page of its rows.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from control_plane.domain import scores
from control_plane.services import jobs, models
from control_plane.services.fleet import attempts, events, points, scheduling
from control_plane.store.models import ModelRecord
from fleet_support import make_fleet, model_files, report, succeed
from support import FakeClock, make_control_plane

POINTS, MODELS, ROWS = 200_000, 1_085, 100_000


def timed(what: str, call: Callable[[], Any], times: int = 1) -> Any:
    begins = time.perf_counter()
    for _ in range(times):
        found = call()
    print(f"{what}: {(time.perf_counter() - begins) / times * 1000:,.1f} ms")
    return found


def main(folder: Path) -> None:
    cp = make_control_plane(folder, FakeClock())
    fleet = make_fleet(cp)
    machine = fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")

    def tell() -> None:
        for at in range(0, POINTS, 500):
            lines = [
                (step + 1, json.dumps({"kind": "metric", "time": 1, "step": step, "values": {"loss": step % 97}}))
                for step in range(at, at + 500)
            ]
            events.append(machine, cp, attempt.id, attempt.fence, lines)

    timed(f"{POINTS:,} points stored", tell)
    found = timed("their curve", lambda: points.series(job.id), 5)
    print(f"  {len(found['series'][0]['points'])} points shown")
    timed("  what is new of it", lambda: points.series(job.id, found["cursor"]), 20)
    timed("the newest page of its events", lambda: jobs.newest_events(fleet.user, cp, job.id), 20)
    timed("how many events", lambda: jobs.count_events(fleet.user, cp, job.id), 5)

    report(machine, cp, attempt, "FAILED", reason="trainer_crashed")
    made = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    succeed(machine, cp, fleet.attempt(made.id), {"model": model_files("base")})
    row = {name: value for name, value in ModelRecord.get().__data__.items() if name != "id"}
    for _ in range(MODELS - 1):
        ModelRecord.create(**row)
    timed(f"a page of {MODELS:,} models", lambda: models.list_models(fleet.user, cp, "default", "", 25), 20)
    timed("how many models", lambda: models.count(fleet.user, cp, "default"), 20)

    answer = {"row": 0, "prompt": "p" * 500, "expected": "e" * 500, "answers": {"candidate": "a" * 500}}
    document = {
        "candidates": ["candidate"],
        "metrics": {"exact": {"candidate": [1] * ROWS}},
        "primary_metric": "exact",
        "rows": [answer] * ROWS,
    }
    data = json.dumps(document).encode()
    pieces = [data[at : at + (1 << 20)] for at in range(0, len(data), 1 << 20)]
    timed(f"an evaluation of {ROWS:,} rows, {len(data) >> 20} MiB", lambda: scores.read(pieces))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder) / "data")
