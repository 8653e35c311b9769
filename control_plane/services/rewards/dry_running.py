"""Dry runs of rewards: begun by somebody, carried out in the background, kept with the version that was tried.

Whoever asked may go: a run that a restart cuts off begins anew. The checks run in a process of their own
(`control_plane.scoring`), bounded in memory and time.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    Conflict,
    Invalid,
    NotFound,
    RewardDryRunBroke,
    RewardDryRunOver,
    RewardRowsUnfit,
    Unavailable,
)
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.preparation import Limits, read, told
from control_plane.domain.rewards import dry_run
from control_plane.domain.rewards.dry_run import QUESTIONS, SAMPLE, SAMPLES, Trial
from control_plane.domain.rewards.scoring import Answer, Case, Scored, Scoring
from control_plane.preparations import REWARD_DRY_RUN
from control_plane.services import audit, method_folders
from control_plane.services.access import identity, projects
from control_plane.services.datasets import process, rows, versions
from control_plane.services.datasets.process import Fault
from control_plane.services.labelling import answering
from control_plane.services.rewards import kept
from control_plane.services.watching import Stopped, watched
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.rewards import RewardDryRunRecord, RewardVersionRecord

DONE, FAILED, CANCELLED = "done", "failed", "cancelled"

_AT_ONCE = 2  # runs
_SECONDS = 60  # that all checks of a run may take
_TO_BEGIN = 20  # seconds beyond those for the process
_TOKENS = 512  # of a sample
_FOLDER = "scoring"
_BETWEEN = 0.25  # seconds between two looks after a fault


def start(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    reward: str,
    dataset_version_id: int,
    deployment: str = "",
    endpoint: str = "",
) -> RewardDryRunRecord:
    """Begin to try a reward (`name` or `name@3`) on rows of a dataset version, with samples of a model if one is named.

    Raises NotFound, Denied, InTrash, RewardUnknown, RewardRowsUnfit, NothingServes.
    """
    found = kept.get(actor, cp, project, reward, "reward.change")
    dataset, version = versions.of_version(actor, cp, dataset_version_id)
    if dataset.project_id != found.reward.project_id:
        raise NotFound
    cases = _cases(actor, cp, version)
    asked = answering.chosen(actor, cp, project, deployment, endpoint)
    with transaction():
        begun = RewardDryRunRecord.create(
            project=found.reward.project_id,
            reward_version=found.version,
            dataset_version=version,
            asked=asked,
            of=_samples(cases) if asked else 0,
            created_by=actor.id,
            created_at=cp.clock(),
        )
        facts = {"name": found.reward.name, "number": found.version.number, "dataset": dataset.name}
        subject = f"reward:{found.reward.id}"
        audit.record(actor, cp, "reward.try", subject, found.reward.project_id, **facts)
    cp.signals.wake("schedule", f"project:{found.reward.project_id}")
    return begun


def get(actor: Actor, cp: ControlPlane, number: int, permission: str = "reward.see") -> RewardDryRunRecord:
    """A dry run. Raises NotFound, Denied."""
    found: RewardDryRunRecord = projects.inside(actor, RewardDryRunRecord, number, permission)
    return found


def newest(version: RewardVersionRecord) -> RewardDryRunRecord | None:
    """The newest dry run of a reward's version. The caller has shown that it may see it."""
    query = RewardDryRunRecord.select().where(RewardDryRunRecord.reward_version == version.id)
    found: RewardDryRunRecord | None = query.order_by(RewardDryRunRecord.id.desc()).first()
    return found


def cancel(actor: Actor, cp: ControlPlane, number: int) -> RewardDryRunRecord:
    """Have a dry run end. Raises NotFound, Denied, RewardDryRunOver."""
    found = get(actor, cp, number, "reward.change")
    version = RewardVersionRecord.get_by_id(found.reward_version_id)
    with transaction():
        if not _write(cp, found, outcome=CANCELLED, ended_at=cp.clock()):
            raise RewardDryRunOver
        audit.record(actor, cp, "reward.cancel_try", f"reward:{version.reward_id}", found.project_id)
    cp.dry_runs.stop((REWARD_DRY_RUN, found.id))
    _wake(cp, found)
    return get(actor, cp, number)


def trial_of(found: RewardDryRunRecord) -> Trial | None:
    """What a dry run found; None where it has not."""
    return read(Trial, found.trial) if found.trial else None


def advance(cp: ControlPlane) -> int:
    """Begin those whose turn it is, the oldest first; how many."""
    running = cp.dry_runs.running(REWARD_DRY_RUN)
    open_ones = RewardDryRunRecord.select().where(
        RewardDryRunRecord.outcome == "", RewardDryRunRecord.id.not_in(list(running))
    )
    turn = list(open_ones.order_by(RewardDryRunRecord.id).limit(max(0, _AT_ONCE - len(running))))
    again = partial(cp.signals.wake, "schedule")
    return sum(cp.dry_runs.begin((REWARD_DRY_RUN, one.id), partial(_watch, cp, one), again) for one in turn)


def _watch(cp: ControlPlane, found: RewardDryRunRecord, stop: threading.Event) -> None:
    watched(f"dry run {found.id}", partial(carry_out, cp, found, stop), partial(stop.wait, _BETWEEN))


def carry_out(cp: ControlPlane, found: RewardDryRunRecord, stop: threading.Event) -> None:
    """Try it; what came of it is written down unless somebody stopped it."""
    room = Path(tempfile.mkdtemp(dir=cp.blobs.staging(_FOLDER)))
    made: dict[str, Any] = {}

    def step() -> Fault | None:
        return _tried(cp, found, room, stop, made)

    fault = process.carried_out(f"dry run {found.id}", step, room, RewardDryRunBroke)
    if stop.is_set():
        return
    told_ = {"outcome": FAILED, "reason": fault.code, "reason_params": fault.params} if fault else {"outcome": DONE}
    with transaction():
        _write(cp, found, **made, **told_, ended_at=cp.clock())
    _wake(cp, found)


def _tried(
    cp: ControlPlane, found: RewardDryRunRecord, room: Path, stop: threading.Event, made: dict[str, Any]
) -> Fault | None:
    author = SYSTEM
    if found.created_by != SYSTEM.id:
        author = identity.acting_for(int(found.created_by), "reward.change", found.project_id)
    checks = list(RewardVersionRecord.get_by_id(found.reward_version_id).document["checks"])
    version = DatasetVersionRecord.get_by_id(found.dataset_version_id)
    cases = _cases(author, cp, version)
    samples, lost = _sampled(author, cp, found, cases, stop) if found.asked else ([], 0)
    answers = dry_run.answers(cases, checks, samples)
    limits = Limits(0, 0, cp.settings.preparation_memory_bytes, _SECONDS + _TO_BEGIN)
    order = Scoring(str(method_folders.root_of(cp)), checks, cases, answers, _SECONDS, limits)

    whole = len(samples) + lost + len(answers)

    def tell(done: int, of: int) -> None:
        _tell(cp, found, done + whole - of, whole)

    fault = process.run(cp, order, room, stop, tell)
    if fault is None:
        scored = read(Scored, json.loads((room / "scored.json").read_bytes()))
        made |= {"trial": told(dry_run.trial(cases, checks, answers, scored, lost)), "done": whole, "of": whole}
    return fault


def _sampled(
    author: Actor, cp: ControlPlane, found: RewardDryRunRecord, cases: list[Case], stop: threading.Event
) -> tuple[list[Answer], int]:
    """A model's answers to the first questions, several to each; and how many came to nothing.

    Raises Stopped, and what keeps the model from answering at all.
    """
    asker = answering.asker(author, cp, found.project_id, found.asked)
    samples: list[Answer] = []
    lost = 0
    for number in range(_samples(cases)):
        row, turn = divmod(number, SAMPLES)
        question = {"messages": [{"role": "user", "content": cases[row].prompt}], "temperature": 1.0}
        try:
            text = asker.ask({**question, "seed": turn + 1, "max_tokens": _TOKENS}, stop)
            samples.append(Answer(SAMPLE, row, text))
        except Conflict:
            raise
        except (Invalid, Unavailable) as problem:
            lost += 1
            if not samples and lost >= SAMPLES:
                raise problem
        _tell(cp, found, number + 1, 0)
    return samples, lost


def _samples(cases: list[Case]) -> int:
    return min(QUESTIONS, len(cases)) * SAMPLES


def _cases(actor: Actor, cp: ControlPlane, version: DatasetVersionRecord) -> list[Case]:
    """The first rows, held-out ones before the others. Raises NotFound, RewardRowsUnfit."""
    found = rows.page(actor, cp, version.id, "test", 0, dry_run.MOST_ROWS)
    found += rows.page(actor, cp, version.id, "train", 0, dry_run.MOST_ROWS - len(found))
    cases = [case for row in found if (case := dry_run.case_of(str(version.format), row)) is not None]
    if not cases:
        raise RewardRowsUnfit
    return cases


def _tell(cp: ControlPlane, found: RewardDryRunRecord, done: int, of: int) -> None:
    """Raises Stopped where somebody has ended it."""
    with transaction():
        goes_on = _write(cp, found, done=done, **({"of": of} if of else {}))
    if not goes_on:
        raise Stopped
    _wake(cp, found)


def _write(cp: ControlPlane, found: RewardDryRunRecord, **columns: Any) -> bool:
    """Whether it was still going on. Called inside a transaction."""
    goes_on = (RewardDryRunRecord.id == found.id) & (RewardDryRunRecord.outcome == "")
    given: Mapping[str, Any] = {**columns, "version": RewardDryRunRecord.version + 1}
    return bool(RewardDryRunRecord.update(**given).where(goes_on).execute())


def _wake(cp: ControlPlane, found: RewardDryRunRecord) -> None:
    cp.signals.wake(f"reward_dry_run:{found.id}", f"project:{found.project_id}")
