"""The process: `python -P -m control_plane.scoring FOLDER` scores the answers of `FOLDER/order.json`.

The result is `scored.json` there (`domain/rewards/scoring.py::Scored`). Progress and exit status are as those of
`control_plane.preparation`.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from control_plane import apart
from control_plane.domain.errors import RewardCheckSlow, RewardCheckUnusable, RewardTooDemanding, RewardTooSlow
from control_plane.domain.preparation import read, told
from control_plane.domain.rewards.scoring import LeftOut, Reason, Score, Scored, Scoring


def main(folder: Path) -> int:
    """Carry out the folder's order; the exit status."""
    order = read(Scoring, json.loads((folder / "order.json").read_bytes()))
    limits = order.limits
    apart.bound(limits.memory_bytes, limits.seconds, RewardTooSlow(allowed=limits.seconds))
    return apart.carried_out(folder, lambda: score(order, folder), RewardTooDemanding(limit=limits.memory_bytes))


def score(order: Scoring, folder: Path) -> None:
    """Score each answer by each check that can be used here. Raises RewardCheckUnusable, RewardCheckSlow."""
    sys.path.insert(0, order.methods)
    checking = importlib.import_module("kit.checking")
    judges, left_out = _judges(order)
    cases = [checking.Case(one.prompt, one.expected, one.schema) for one in order.cases]
    took, until, tell = [0.0] * len(judges), time.monotonic() + order.seconds, apart.Reports()
    scores = []
    for number, answer in enumerate(order.answers):
        found = []
        for at, (_, judge) in enumerate(judges):
            begun = time.monotonic()
            found.append(next(iter(judge.judge(answer.text, cases[answer.row]).found.values())))
            took[at] += time.monotonic() - begun
        if time.monotonic() > until:
            slowest = judges[took.index(max(took))][0]
            raise RewardCheckSlow(check=order.checks[slowest]["check"], allowed=order.seconds)
        reasons = [Reason(one.reason, json.loads(json.dumps(one.params, default=str))) for one in found]
        scores.append(Score([one.score for one in found], reasons))
        tell(number + 1, len(order.answers))
    scored = Scored([at for at, _ in judges], left_out, scores)
    (folder / "scored.json").write_text(json.dumps(told(scored), ensure_ascii=False), "utf-8", "replace")


def _judges(order: Scoring) -> tuple[list[tuple[int, Any]], list[LeftOut]]:
    """A judge for each check with its place in the list, and what lacks a library here."""
    judging, events = importlib.import_module("kit.judging"), importlib.import_module("kit.events")
    judges, left_out = [], []
    for at, check in enumerate(order.checks):
        try:
            judges.append((at, judging.Judged([check])))
        except events.Refusal as refusal:
            if refusal.code == "check_library_missing":
                left_out.append(LeftOut(at, str(check["check"]), str(refusal.params["library"])))
                continue
            said = str(refusal.params.get("reason") or refusal.text)[:300]
            raise RewardCheckUnusable(number=at + 1, check=check["check"], problem=said) from refusal
    return judges, left_out


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
