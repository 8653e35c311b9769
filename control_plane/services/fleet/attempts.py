"""A machine and its attempts: accept, decline, report, lease. Everything here is fenced."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from peewee import OperationalError

from control_plane.context import ControlPlane
from control_plane.domain import leases, lifecycle
from control_plane.domain.errors import (
    Fenced,
    NotFound,
    OutputMissing,
    OutputUnreadable,
    SequenceGap,
    TunesmithError,
)
from control_plane.domain.lifecycle import (
    ATTEMPT_HELD,
    ATTEMPT_OPEN,
    ATTEMPT_OVER,
    DECLINED,
    FAILED,
    LOST,
    OFFERED,
    PREPARING,
    RUNNING,
    SUCCEEDED,
)
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.presence import CONTINUE, STOP, UPLOAD_ONLY, Held, Lease, Verdict
from control_plane.domain.prompts.search import Search
from control_plane.services import evaluations, models, transitions
from control_plane.services.fleet import offers, points
from control_plane.services.prompts import searches
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.database import transaction
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.machines import EnvironmentLockRecord, MachineRecord
from control_plane.store.methods import MethodVersionRecord

log = logging.getLogger(__name__)

_REPORT_TRIES = 3  # reports of an attempt in a row that meet a defect of ours; then the attempt ends
_MOST_BYTES = 1 << 50  # what a machine may say that a trainer held
_LOCK = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9._+!-]*\n?)*")


@dataclass(frozen=True)
class Told:
    """What a report says beside the state."""

    environment_lock: str = ""  # with RUNNING
    stage: str = ""  # of PREPARING
    peak_bytes: int = 0  # with UPLOADING: main memory that the trainer held at most


@dataclass(frozen=True)
class _Results:
    """An attempt's outputs as they were read, or what is wrong with them."""

    made: list[models.Made] = field(default_factory=list)
    scored: evaluations.Scored | None = None
    searched: Search | None = None  # what a search for a prompt found
    learning: str = ""  # what the loss says
    problem: OutputMissing | OutputUnreadable | None = None


def own(actor: Actor, attempt_id: int, fence: int) -> AttemptRecord:
    """The attempt, if it is this machine's and the fence is its own. Raises NotFound, Fenced."""
    attempt = AttemptRecord.get_or_none(AttemptRecord.id == attempt_id)
    if attempt is None or actor.kind != "machine" or attempt.machine_id != actor.id:
        raise NotFound
    if attempt.fence != fence or attempt.state == LOST:
        raise Fenced
    return attempt


def held(actor: Actor, attempt_id: int, fence: int) -> AttemptRecord:
    """Like `own`, and the machine holds it right now. Raises NotFound, Fenced."""
    attempt = own(actor, attempt_id, fence)
    if attempt.state not in ATTEMPT_HELD:
        raise Fenced
    return attempt


def accept(actor: Actor, cp: ControlPlane, attempt_id: int, fence: int) -> float:
    """Take up an offer: the seconds of its lease. Repeating it is harmless. Raises NotFound, Fenced."""
    with transaction():
        attempt = own(actor, attempt_id, fence)
        job = JobRecord.get_by_id(attempt.job_id)
        lease = _lease_seconds(cp, attempt.machine_id, job)
        if attempt.state in ATTEMPT_HELD:
            return max(0.0, _lease_until(cp, _part(attempt)) - cp.clock())
        now = cp.clock()
        if not transitions.move(actor, cp, attempt, PREPARING, accepted_at=now, lease_until=now + lease):
            raise Fenced
    cp.signals.wake(*transitions.topics(job))
    return lease


def decline(
    actor: Actor, cp: ControlPlane, attempt_id: int, fence: int, reason: str, params: dict[str, Any] | None = None
) -> None:
    """Turn down an offer; the job is offered to another machine. Raises NotFound, Fenced."""
    with transaction():
        attempt = own(actor, attempt_id, fence)
        transitions.move(actor, cp, attempt, DECLINED, reason[:64], params)
        job = JobRecord.get_by_id(attempt.job_id)
    cp.signals.wake(*transitions.topics(job))


def report(
    actor: Actor,
    cp: ControlPlane,
    attempt_id: int,
    fence: int,
    sequence: int,
    state: str,
    reason: str = "",
    params: dict[str, Any] | None = None,
    told: Told = Told(),
) -> str:
    """Take a machine's report number `sequence`; the attempt's state as it now stands.

    A number that was taken before changes nothing. Success without each promised output in a readable form is a
    failure, and so is what raises anything but a refusal each time. Raises NotFound, Fenced, SequenceGap.
    """
    try:
        stands = _report(actor, cp, attempt_id, fence, sequence, state, reason, params or {}, told)
    except (TunesmithError, OSError, OperationalError):
        raise  # a refusal, or a disk or a database that will be well again
    except Exception:  # a defect: the machine would repeat the report for ever, and nobody could end the attempt
        cp.report_faults[attempt_id] += 1
        if cp.report_faults[attempt_id] < _REPORT_TRIES:
            raise
        log.exception("The report %s of attempt %d cannot be taken", state, attempt_id)
        stands = _give_up(actor, cp, attempt_id, fence, sequence)
    cp.report_faults.pop(attempt_id, None)
    return stands


def _give_up(actor: Actor, cp: ControlPlane, attempt_id: int, fence: int, sequence: int) -> str:
    """End an attempt whose report meets a defect each time; the report counts as taken."""
    with transaction():
        attempt = own(actor, attempt_id, fence)
        taken = max(sequence, attempt.sequence)
        transitions.move(SYSTEM, cp, attempt, FAILED, "control_plane_error", sequence=taken)
        job = JobRecord.get_by_id(attempt.job_id)
        now_stands = str(AttemptRecord.get_by_id(attempt.id).state)
    cp.signals.wake(*transitions.topics(job, actor.id))
    return now_stands


def _report(
    actor: Actor,
    cp: ControlPlane,
    attempt_id: int,
    fence: int,
    sequence: int,
    state: str,
    reason: str,
    params: dict[str, Any],
    told: Told,
) -> str:
    with cp.blobs.holding():  # what reading the results stores is named in the transaction
        results = _read_results(cp, own(actor, attempt_id, fence), sequence) if state == SUCCEEDED else None
        with transaction():
            attempt = own(actor, attempt_id, fence)
            if sequence <= attempt.sequence:
                return str(attempt.state)
            if sequence != attempt.sequence + 1:
                raise SequenceGap(sequence=sequence, expected=attempt.sequence + 1)
            if attempt.state not in ATTEMPT_HELD:
                raise Fenced
            columns: dict[str, Any] = {"sequence": sequence, "stage": told.stage[:32] if state == PREPARING else ""}
            if told.peak_bytes > 0:
                columns["peak_memory_bytes"] = min(told.peak_bytes, _MOST_BYTES)
            if told.environment_lock:
                columns["environment_lock_hash"] = _keep_lock(cp, attempt, told.environment_lock)
            _take(actor, cp, attempt, state, reason[:64], params, columns, results)
            job = JobRecord.get_by_id(attempt.job_id)
            now_stands = str(AttemptRecord.get_by_id(attempt.id).state)
    cp.signals.wake(*transitions.topics(job, actor.id))
    return now_stands


def _take(
    actor: Actor,
    cp: ControlPlane,
    attempt: AttemptRecord,
    state: str,
    reason: str,
    params: dict[str, Any],
    columns: dict[str, Any],
    results: _Results | None,
) -> None:
    if state == RUNNING and attempt.state == PREPARING:
        columns["running_at"] = cp.clock()
    if state == SUCCEEDED and attempt.state == lifecycle.UPLOADING and results is not None:
        if results.problem is None:
            job = JobRecord.get_by_id(attempt.job_id)
            if job.kind != lifecycle.DRY_RUN:
                models.register(cp, job, attempt, results.made)
                evaluations.register(cp, job, results.scored)
                searches.register(cp, job, results.searched)
            JobRecord.update(learning=results.learning).where(JobRecord.id == job.id).execute()
        else:
            state, reason, params = FAILED, results.problem.code, dict(results.problem.params)
    elif state == FAILED and "text" in params:
        params = params | {"text": _in_each_language(attempt, reason, str(params["text"]))}
    reportable = state in ATTEMPT_HELD or state in (SUCCEEDED, FAILED, lifecycle.CANCELLED)
    reportable |= state == lifecycle.PREEMPTED and attempt.preempt_requested_at > 0
    if reportable and state != attempt.state and transitions.move(actor, cp, attempt, state, reason, params, **columns):
        return
    # the same state again (another stage), or one that may not follow: the number is used up all the same
    AttemptRecord.update(sequence=columns["sequence"], stage=columns["stage"]).where(
        AttemptRecord.id == attempt.id
    ).execute()
    JobRecord.update(version=JobRecord.version + 1).where(JobRecord.id == attempt.job_id).execute()


def _in_each_language(attempt: AttemptRecord, code: str, text: str) -> dict[str, str]:
    """A method's refusal as it said it, in English, and as its manifest says it in the other languages."""
    job = JobRecord.get_by_id(attempt.job_id)
    messages = MethodVersionRecord.get_by_id(job.method_version_id).manifest.get("messages", {})
    return {"en": text, **messages.get(code, {})}


def _read_results(cp: ControlPlane, attempt: AttemptRecord, sequence: int) -> _Results | None:
    """What the promised outputs are, read before the transaction: an evaluation may take seconds.

    What is committed stays so while the attempt is held, which the transaction looks at again. None for a report that
    was taken before.
    """
    if sequence <= attempt.sequence:
        return None
    job = JobRecord.get_by_id(attempt.job_id)
    promised = MethodVersionRecord.get_by_id(job.method_version_id).manifest["outputs"]
    query = ArtifactRecord.select().where(
        ArtifactRecord.attempt == attempt.id,
        ArtifactRecord.committed_at > 0,
        ArtifactRecord.name.in_(list(promised)),
    )
    committed = {artifact.name: artifact for artifact in query.order_by(ArtifactRecord.committed_at)}
    try:
        for name in promised:
            if name not in committed:
                raise OutputMissing(output=name)
        learning = points.learning(job.id)
        verdict = learning.verdict if learning else ""
        return _Results(
            models.read(cp, promised, committed),
            evaluations.read(cp, promised, committed),
            searches.read(cp, promised, committed),
            verdict,
        )
    except (OutputMissing, OutputUnreadable) as problem:
        return _Results(problem=problem)


def _keep_lock(cp: ControlPlane, attempt: AttemptRecord, lock: str) -> str:
    """Remember what the environment resolved to; the first lock of a platform stands. Its sha256.

    Other machines install from it, so only a list of pinned packages is kept: no option, no address.
    """
    lock_hash = hashlib.sha256(lock.encode()).hexdigest()
    if not _LOCK.fullmatch(lock):
        return lock_hash
    job = JobRecord.get_by_id(attempt.job_id)
    method = MethodVersionRecord.get_by_id(job.method_version_id)
    key = {"requirements_hash": offers.requirements_hash(method), "platform": offers.platform(attempt)}
    if EnvironmentLockRecord.get_or_none(**key) is None:
        EnvironmentLockRecord.create(**key, lock=lock, lock_hash=lock_hash, created_at=cp.clock())
    return lock_hash


def verdicts(actor: Actor, cp: ControlPlane, machine_id: str, held: Iterable[Held]) -> list[Verdict]:
    """What to do with each attempt that a machine says it holds."""
    told = list(held)
    if not told:
        return []
    query = AttemptRecord.select().where(
        AttemptRecord.machine == machine_id, AttemptRecord.id.in_([attempt_id for attempt_id, _ in told])
    )
    attempts = {attempt.id: attempt for attempt in query}
    return [Verdict(attempt_id, _verdict(attempts.get(attempt_id), fence), fence) for attempt_id, fence in told]


def _verdict(attempt: AttemptRecord | None, fence: int) -> str:
    if attempt is None or attempt.fence != fence or attempt.state in (LOST, DECLINED):
        return STOP
    return UPLOAD_ONLY if attempt.state in ATTEMPT_OVER else CONTINUE


def lose_unheld(actor: Actor, cp: ControlPlane, machine_id: str, held: Iterable[Held]) -> list[str]:
    """At the start of a session: what the machine should hold and does not know is lost now, without waiting.

    The topics to wake once the caller's transaction is written.
    """
    known = {attempt_id for attempt_id, _ in held}
    query = AttemptRecord.select().where(AttemptRecord.machine == machine_id, AttemptRecord.state.in_(ATTEMPT_HELD))
    topics: list[str] = []
    with transaction():
        for attempt in [one for one in query if one.id not in known]:
            if transitions.move(SYSTEM, cp, attempt, LOST, "lease_expired"):
                topics += transitions.topics(JobRecord.get_by_id(attempt.job_id), machine_id)
    return topics


def renew_leases(actor: Actor, cp: ControlPlane, machine_id: str, held: Iterable[Held]) -> list[Lease]:
    """Lengthen the leases of what a machine holds, as far as it may go on holding it: in memory, written behind."""
    fences = dict(held)
    if not fences:
        return []
    parts = (
        AttemptPartRecord.select(AttemptPartRecord, AttemptRecord, JobRecord)
        .join(AttemptRecord)
        .join(JobRecord)
        .where(
            AttemptPartRecord.machine == machine_id,
            AttemptPartRecord.state.in_(ATTEMPT_HELD),
            AttemptPartRecord.attempt.in_(list(fences)),
        )
    )
    renewed, leased = {}, []
    for part in parts:
        if fences[part.attempt_id] == part.attempt.fence:
            seconds = _lease_seconds(cp, machine_id, part.attempt.job)
            renewed[int(part.id)] = cp.clock() + seconds
            leased.append(Lease(part.attempt_id, part.attempt.fence, seconds))
    cp.fleet.renew(renewed)
    return leased


def write_leases(leases: Mapping[int, float]) -> None:
    """Write what heartbeats renewed: part → until. Called inside a transaction."""
    until: defaultdict[float, list[int]] = defaultdict(list)
    for part_id, end in leases.items():
        until[end].append(part_id)
    for end, part_ids in until.items():
        _lengthen(end, AttemptPartRecord.id.in_(part_ids) & (AttemptPartRecord.lease_until < end))


def _lease_until(cp: ControlPlane, part: AttemptPartRecord) -> float:
    """As written, or as renewed since."""
    return max(float(part.lease_until), cp.fleet.lease_until(int(part.id)))


def hold_leases(cp: ControlPlane) -> None:
    """No lease ends before the machines had time to come back: at the start, and when the time here has jumped."""
    until = cp.clock() + cp.settings.lease_grace_seconds
    with transaction():
        _lengthen(until, AttemptPartRecord.lease_until < until)


def _lengthen(until: float, which: Any) -> None:
    AttemptPartRecord.update(lease_until=until).where(which, AttemptPartRecord.state.in_(ATTEMPT_HELD)).execute()


def end_unbuildable(cp: ControlPlane, attempt_id: int, problem: Exception) -> None:
    """Fail the job of an offer that cannot be built, for any machine; not of one that was taken up meanwhile."""
    with transaction():
        attempt = AttemptRecord.get_by_id(attempt_id)
        job = JobRecord.get_by_id(attempt.job_id)
        if attempt.state != OFFERED:
            return
        transitions.move(SYSTEM, cp, attempt, FAILED, "offer_unbuildable", {"problem": type(problem).__name__})
    cp.signals.wake(*transitions.topics(job, attempt.machine_id))


def expire_offers(cp: ControlPlane) -> int:
    """Take back the offers that nobody answered; how many."""
    query = AttemptRecord.select().where(AttemptRecord.state == OFFERED, AttemptRecord.offer_expires_at < cp.clock())
    return sum(_end(cp, attempt, DECLINED, "offer_unanswered") for attempt in list(query))


def watch_leases(cp: ControlPlane) -> int:
    """Expire leases, unless this process slept or its clock jumped: then the machines could not be heard."""
    if not cp.steadiness.is_steady(cp.clock()):
        hold_leases(cp)
        return 0
    return expire_leases(cp)


def expire_leases(cp: ControlPlane) -> int:
    """Declare lost what its machine was silent about for a whole lease; how many.

    Nobody is lost when most of the fleet fell silent together: then the fault is on this side.
    """
    now = cp.clock()
    late = AttemptPartRecord.select().where(
        AttemptPartRecord.state.in_(ATTEMPT_HELD), AttemptPartRecord.lease_until < now
    )
    silent = {part.attempt_id for part in late if _lease_until(cp, part) < now}
    expired = list(AttemptRecord.select().where(AttemptRecord.id.in_(silent))) if silent else []
    if not expired or leases.mass_silence(_last_seen(cp), now, cp.settings.stale_server_seconds):
        return 0
    return sum(_end(cp, attempt, LOST, "lease_expired") for attempt in expired)


def lose_all(actor: Actor, cp: ControlPlane, machine_id: str) -> list[str]:
    """End what a locked machine holds or was offered, of whichever rank, inside the caller's transaction.

    Returns the topics to wake after it: the attempt's other machines are to let go of it, too.

    Its jobs are queued again at once, and it counts against none of them.
    """
    topics: list[str] = []
    here = AttemptRecord.id.in_(
        AttemptPartRecord.select(AttemptPartRecord.attempt).where(AttemptPartRecord.machine == machine_id)
    )
    for attempt in list(AttemptRecord.select().where(here, AttemptRecord.state.in_(ATTEMPT_OPEN))):
        state = DECLINED if attempt.state == OFFERED else LOST
        if transitions.move(actor, cp, attempt, state, "machine_locked"):
            others = AttemptPartRecord.select(AttemptPartRecord.machine).where(AttemptPartRecord.attempt == attempt.id)
            topics += transitions.topics(JobRecord.get_by_id(attempt.job_id), *(part.machine_id for part in others))
    return topics


def _last_seen(cp: ControlPlane) -> list[float]:
    heard = {machine_id: presence.last_seen for machine_id, presence in cp.fleet.all().items()}
    rows = MachineRecord.select(MachineRecord.id, MachineRecord.last_seen)
    return [max(row.last_seen, heard.get(row.id, 0.0)) for row in rows]


def _end(cp: ControlPlane, attempt: AttemptRecord, state: str, reason: str) -> bool:
    with transaction():
        moved = transitions.move(SYSTEM, cp, attempt, state, reason)
        job = JobRecord.get_by_id(attempt.job_id)
    if moved:
        cp.signals.wake(*transitions.topics(job, attempt.machine_id))
    return moved


def _lease_seconds(cp: ControlPlane, machine_id: str, job: JobRecord) -> float:
    """As the job's owner said, else by the machine's class."""
    if job.lost_after is not None:
        return float(job.lost_after)
    machine = cp.fleet.get(machine_id) or MachineRecord.get_or_none(MachineRecord.id == machine_id)
    laptop = machine is not None and machine.machine_class == "laptop"
    return cp.settings.lease_laptop_seconds if laptop else cp.settings.lease_server_seconds


def _part(attempt: AttemptRecord) -> AttemptPartRecord:
    """The part that reports: rank 0."""
    found: AttemptPartRecord = AttemptPartRecord.get(
        AttemptPartRecord.attempt == attempt.id, AttemptPartRecord.rank == 0
    )
    return found
