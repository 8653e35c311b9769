"""The machines of the fleet: their sessions, what they are told to do, and what people may do to them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from peewee import OperationalError

from control_plane.context import ControlPlane
from control_plane.domain import leases as leases_domain
from control_plane.domain import versions
from control_plane.domain.errors import NotFound, Superseded, Unavailable
from control_plane.domain.instructions import Cancel, Drain, Instruction, StopServing
from control_plane.domain.lifecycle import (
    ASLEEP,
    ATTEMPT_OPEN,
    DISCONNECTED,
    FAILED,
    OFFERED,
    ONLINE,
    SERVING,
    STALE,
    STOPPED,
)
from control_plane.domain.permissions import Actor, require
from control_plane.domain.presence import STOP, Heartbeat, HeartbeatAnswer, Hello, HelloAnswer, ReplicaStatus
from control_plane.fleet import LOADS_EVERY, LOADS_KEPT, Presence, is_news
from control_plane.services import audit, deployments
from control_plane.services.fleet import attempts, enrollment, offers
from control_plane.services.listeners import outbox
from control_plane.store.database import database, transaction, update_rows
from control_plane.store.deployments import ReplicaRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.statements import Prepared

log = logging.getLogger(__name__)

# Most of a fleet has nothing to do most of the time: one question, asked at each heartbeat and poll, finds that out.
_MAY_STAND = Prepared(
    lambda machine: (
        AttemptRecord.select(AttemptRecord.id).where(
            AttemptRecord.machine == machine, AttemptRecord.state.in_(ATTEMPT_OPEN)
        )
        + ReplicaRecord.select(ReplicaRecord.id).where(ReplicaRecord.machine == machine)
        + MachineRecord.select(MachineRecord.epoch).where(MachineRecord.id == machine, MachineRecord.drained)
    )
)


@dataclass(frozen=True)
class _Standing:
    """An instruction that stands: what the machine knows already is never built."""

    key: str
    build: Callable[[], Instruction]
    give_up: Callable[[Exception], None]  # what becomes of it when it cannot be built


# ---- sessions; the actor is the machine


def hello(actor: Actor, cp: ControlPlane, values: Hello) -> HelloAnswer:
    """Open a session: its epoch is above all earlier ones, whose calls are refused from now on.

    Raises VersionRefused.
    """
    versions.check(values.agent_version, enrollment.CONTROL_PLANE_VERSION)
    arrival, now = cp.fleet.arrive(), cp.clock()
    with transaction():
        # a Hello that its machine gave up and repeated must not undo what the repeated one began
        if not cp.fleet.open(actor.id, arrival):
            raise Superseded
        MachineRecord.update(
            epoch=MachineRecord.epoch + 1,
            agent_version=values.agent_version[:32],
            boot_id=values.boot_id[:64],
            inventory=dict(values.inventory),
            last_seen=now,
            connectivity=ONLINE,
        ).where(MachineRecord.id == actor.id).execute()
        topics = attempts.lose_unheld(actor, cp, actor.id, values.held)
        machine = MachineRecord.get_by_id(actor.id)
    cp.fleet.put(actor.id, _as_stored(machine, heartbeat_seconds(cp)))
    attempts.renew_leases(actor, cp, actor.id, values.held)
    verdicts = tuple(attempts.verdicts(actor, cp, actor.id, values.held))
    cp.signals.wake(*topics, f"machine:{actor.id}", "fleet", "schedule")
    return HelloAnswer(int(machine.epoch), enrollment.CONTROL_PLANE_VERSION, verdicts)


def heartbeat(actor: Actor, cp: ControlPlane, values: Heartbeat) -> HeartbeatAnswer:
    """Take a machine's regular report and renew the leases of what it holds. Raises Superseded.

    It is kept in memory and written behind: only a machine that comes back from silence is a commit.
    """
    now, told = cp.clock(), heartbeat_seconds(cp)
    heard = {"connectivity": ONLINE, "last_seen": now, "inventory": dict(values.inventory), "told_seconds": told}
    before, after = _change(actor, cp, values.epoch, heard)
    if before.connectivity != ONLINE:
        _store_connectivity({actor.id: after})
    if values.replicas:
        deployments.observe(actor, cp, values.epoch, values.replicas)
    leases = tuple(attempts.renew_leases(actor, cp, actor.id, values.held))
    verdicts = attempts.verdicts(actor, cp, actor.id, values.held)
    if before.connectivity != ONLINE or is_news(before.inventory, after.inventory):
        cp.signals.wake("fleet", "schedule")
    return HeartbeatAnswer(
        leases=leases,
        verdicts=tuple(verdict for verdict in verdicts if verdict.verdict == STOP),
        instructions_waiting=any(_standing(actor, cp, values.epoch)),
    )


def heartbeat_seconds(cp: ControlPlane) -> float:
    """How often a machine shall report itself, in a fleet as large as it is now."""
    settings = cp.settings
    return leases_domain.pace(
        cp.fleet.here(), settings.heartbeat_seconds, settings.heartbeats_per_second, settings.lease_server_seconds
    )


def goodbye(actor: Actor, cp: ControlPlane, epoch: int, reason: str) -> None:
    """A machine leaves in good order: to sleep, to shut down, to be upgraded. Its leases stand. Raises Superseded."""
    connectivity = ASLEEP if reason == "sleep" else DISCONNECTED
    _, after = _change(actor, cp, epoch, {"connectivity": connectivity, "last_seen": cp.clock()})
    _store_connectivity({actor.id: after})
    cp.signals.wake("fleet", "schedule")


def check_epoch(actor: Actor, cp: ControlPlane, epoch: int) -> None:
    """Raises Superseded unless `epoch` is the machine's newest session."""
    if _present(cp, actor.id).epoch != epoch:
        raise Superseded


def _change(actor: Actor, cp: ControlPlane, epoch: int, values: dict[str, Any]) -> tuple[Presence, Presence]:
    """The machine's presence before and after. Raises Superseded."""
    _present(cp, actor.id)
    changed = cp.fleet.change(actor.id, epoch, lambda presence: replace(presence, **values))
    if changed is None:
        raise Superseded
    return changed


def _present(cp: ControlPlane, machine_id: str) -> Presence:
    """From memory, or from the store where this process has not heard of the machine yet. Raises Superseded."""
    known = cp.fleet.get(machine_id)
    if known is not None:
        return known
    stored = MachineRecord.get_or_none(MachineRecord.id == machine_id)
    if stored is None:
        raise Superseded
    presence = _as_stored(stored)
    cp.fleet.put(machine_id, presence)
    return presence


def _as_stored(machine: MachineRecord, told_seconds: float = 0.0) -> Presence:
    return Presence(
        machine_class=str(machine.machine_class),
        epoch=int(machine.epoch),
        connectivity=str(machine.connectivity),
        last_seen=float(machine.last_seen),
        inventory=machine.inventory,
        told_seconds=told_seconds,
    )


def _store_connectivity(machines: Mapping[str, Presence]) -> None:
    with transaction():
        for machine_id, presence in machines.items():
            MachineRecord.update(connectivity=presence.connectivity, last_seen=presence.last_seen).where(
                MachineRecord.id == machine_id, MachineRecord.epoch == presence.epoch
            ).execute()


def _tell_lost(cp: ControlPlane, machines: Iterable[str]) -> None:
    """Inside a transaction."""
    for machine in MachineRecord.select().where(MachineRecord.id.in_(list(machines)), MachineRecord.removed_at == 0.0):
        subject = {"kind": "machine", "id": machine.id, "name": machine.name}
        outbox.tell(cp, "machine.lost", None, subject, {"last_seen": machine.last_seen})


def instructions(actor: Actor, cp: ControlPlane, epoch: int, known: Collection[str] = frozenset()) -> list[Instruction]:
    """What the machine shall do and has not taken up yet (`known` holds the keys of what it has).

    They follow from the store alone: an offer stands until it is answered, a cancel until the attempt has ended, a
    model to serve as long as that is desired, so that a machine that forgot everything learns it again.
    One that cannot be built fails what it is about, and the machine gets the others. Raises Superseded.
    """
    check_epoch(actor, cp, epoch)
    built = []
    for standing in [one for one in _standing(actor, cp, epoch) if one.key not in known]:
        try:
            built.append(standing.build())
        except (Unavailable, OSError, OperationalError):  # a disk or a database that will be well again: it stands
            log.exception("The instruction %s of machine %s cannot be built now", standing.key, actor.id)
        except Exception as problem:  # whatever it is, it may not keep the machine from its other instructions
            log.exception("The instruction %s of machine %s cannot be built", standing.key, actor.id)
            standing.give_up(problem)
    return built


def _standing(actor: Actor, cp: ControlPlane, epoch: int) -> Iterator[_Standing]:
    machine_id = actor.id
    if _MAY_STAND.execute(database.obj, machine=machine_id).fetchone() is None:
        return
    attempt_rows = (
        AttemptRecord.select(AttemptRecord, JobRecord)
        .join(JobRecord)
        .where(AttemptRecord.machine == machine_id, AttemptRecord.state.in_(ATTEMPT_OPEN))
        .order_by(AttemptRecord.id)
    )
    for attempt in attempt_rows:
        if attempt.state != OFFERED and attempt.job.cancel_requested_at:
            cancel = Cancel(attempt.id, attempt.fence)
            yield _plain(cancel)
        elif attempt.state == OFFERED and attempt.offer_expires_at > cp.clock():
            key, build = f"offer:{attempt.id}:{attempt.fence}", partial(offers.offer_of, cp, attempt)
            yield _Standing(key, build, partial(attempts.end_unbuildable, cp, attempt.id))
    for replica in ReplicaRecord.select().where(ReplicaRecord.machine == machine_id).order_by(ReplicaRecord.id):
        if replica.desired_state == SERVING:
            key, serve = f"serve:{replica.id}:{replica.generation}", partial(deployments.serve_of, replica)
            yield _Standing(key, serve, partial(_fail_replica, actor, cp, epoch, replica))
        elif replica.state != STOPPED or replica.observed_generation != replica.generation:
            yield _plain(StopServing(replica.id, replica.generation))
    if MachineRecord.select().where(MachineRecord.id == machine_id, MachineRecord.drained).exists():
        yield _plain(Drain())


def _plain(instruction: Cancel | StopServing | Drain) -> _Standing:
    return _Standing(instruction.key, lambda: instruction, lambda _: None)


def _fail_replica(actor: Actor, cp: ControlPlane, epoch: int, replica: ReplicaRecord, problem: Exception) -> None:
    params = {"problem": type(problem).__name__}
    status = ReplicaStatus(replica.id, replica.generation, FAILED, "offer_unbuildable", params)
    deployments.observe(actor, cp, epoch, [status])


# ---- what people see and do


def list_machines(actor: Actor, cp: ControlPlane) -> list[MachineRecord]:
    """All machines that are not removed, by name. Raises Denied."""
    require(actor, "machine.see")
    rows = MachineRecord.select().where(MachineRecord.removed_at == 0).order_by(MachineRecord.name, MachineRecord.id)
    return [_as_heard(cp, machine) for machine in rows]


def loads(actor: Actor, cp: ControlPlane) -> dict[str, list[float]]:
    """machine id → how busy it was (0 … 1) in the last half hour, the oldest first. Raises Denied."""
    require(actor, "machine.see")
    return cp.fleet.loads(cp.clock() - LOADS_KEPT * LOADS_EVERY)


def names(actor: Actor, cp: ControlPlane) -> dict[str, str]:
    """What every machine that ever was is called, by id. Raises Denied."""
    require(actor, "machine.see")
    return {str(one.id): str(one.name) for one in MachineRecord.select(MachineRecord.id, MachineRecord.name)}


def get(actor: Actor, cp: ControlPlane, machine_id: str) -> MachineRecord:
    """One machine. Raises Denied, NotFound."""
    require(actor, "machine.see")
    machine: MachineRecord | None = MachineRecord.get_or_none(MachineRecord.id == machine_id)
    if machine is None:
        raise NotFound
    return _as_heard(cp, machine)


def _as_heard(cp: ControlPlane, machine: MachineRecord) -> MachineRecord:
    """With what its last heartbeat said, which may not be written yet."""
    presence = cp.fleet.get(machine.id)
    if presence is not None and presence.epoch == machine.epoch:
        machine.last_seen, machine.inventory = presence.last_seen, presence.inventory
    return machine


def drain(actor: Actor, cp: ControlPlane, machine_id: str) -> None:
    """The machine takes no new attempts and finishes what it holds. Raises Denied, NotFound."""
    _set_drained(actor, cp, machine_id, True, "machine.drain")


def undrain(actor: Actor, cp: ControlPlane, machine_id: str) -> None:
    """The machine takes attempts again. Raises Denied, NotFound."""
    _set_drained(actor, cp, machine_id, False, "machine.undrain")


def revoke(actor: Actor, cp: ControlPlane, machine_id: str) -> None:
    """Refuse every further call of the machine. Raises Denied, NotFound."""
    require(actor, "machine.change")
    with transaction():
        get(actor, cp, machine_id)
        topics = enrollment.lock(actor, cp, machine_id, "revoked")
    cp.signals.wake(*topics)


def _set_drained(actor: Actor, cp: ControlPlane, machine_id: str, drained: bool, action: str) -> None:
    require(actor, "machine.change")
    with transaction():
        get(actor, cp, machine_id)
        MachineRecord.update(drained=drained).where(MachineRecord.id == machine_id).execute()
        audit.record(actor, cp, action, f"machine:{machine_id}")
    cp.signals.wake(f"machine:{machine_id}", "fleet", "schedule")


# ---- the tick


def mark_connectivity(cp: ControlPlane) -> None:
    """Silence makes a machine STALE, then DISCONNECTED, by the limits of its class. No state of a job changes by it.

    A machine that was told to report itself rarely may be silent for longer.
    """
    now, settings = cp.clock(), cp.settings
    limits = {
        "server": (settings.stale_server_seconds, settings.disconnected_server_seconds),
        "laptop": (settings.stale_laptop_seconds, settings.disconnected_laptop_seconds),
    }

    def judge(presence: Presence) -> str:
        stale, disconnected = limits[presence.machine_class]
        silent = now - presence.last_seen
        if presence.connectivity in (ONLINE, STALE) and silent > max(disconnected, 6 * presence.told_seconds):
            return DISCONNECTED
        if presence.connectivity == ONLINE and silent > max(stale, 3 * presence.told_seconds):
            return STALE
        return presence.connectivity

    changed = cp.fleet.silence(judge)
    if changed:
        with transaction():
            _store_connectivity(changed)
            _tell_lost(cp, [machine for machine, one in changed.items() if one.connectivity == DISCONNECTED])
        cp.signals.wake("fleet", "schedule")


def refresh_figures(cp: ControlPlane) -> None:
    """Let the pages that show loads and temperatures look again: a heartbeat with new figures alone wakes nobody."""
    cp.signals.wake("figures")


def load_presence(cp: ControlPlane) -> None:
    """At the start of the control plane: what the store knows of each machine."""
    for machine in MachineRecord.select():
        cp.fleet.put(machine.id, _as_stored(machine))


def write_presence(cp: ControlPlane) -> None:
    """Write what heartbeats said since the last time, in one transaction for all machines."""
    taken, written = cp.fleet.take_unwritten(cp.clock()), False
    if not taken.machines and not taken.leases:
        return
    try:
        with transaction():
            _write_heard(taken.machines)
            attempts.write_leases(taken.leases)
        written = True
    finally:
        if not written:
            cp.fleet.put_back(taken)


def _write_heard(machines: Mapping[str, Presence]) -> None:
    update_rows(
        MachineRecord,
        ("connectivity", "last_seen", "inventory"),
        ("id", "epoch"),
        [
            (
                one.connectivity,
                one.last_seen,
                MachineRecord.inventory.db_value(dict(one.inventory)),
                machine_id,
                one.epoch,
            )
            for machine_id, one in machines.items()
        ],
    )
