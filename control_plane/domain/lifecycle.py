"""The states of jobs and attempts, and which may follow which.

A request to cancel is a timestamp and connectivity is another column: neither is a state.
"""

from enum import StrEnum


class AttemptState(StrEnum):
    """Where one try of a job stands."""

    OFFERED = "OFFERED"  # planned for a machine, which has not answered yet
    PREPARING = "PREPARING"  # accepted under a lease; blobs and environment are being fetched and built
    RUNNING = "RUNNING"  # the trainer's process runs
    UPLOADING = "UPLOADING"  # the trainer ended well; its outputs are on their way
    SUCCEEDED = "SUCCEEDED"  # all promised outputs are committed
    FAILED = "FAILED"  # the trainer or a step around it ended badly; `reason` says how
    CANCELLED = "CANCELLED"  # ended because somebody asked
    PREEMPTED = "PREEMPTED"  # gave its device to a more urgent job after a checkpoint
    LOST = "LOST"  # its lease expired
    DECLINED = "DECLINED"  # the machine said no, or did not answer the offer in time


class JobState(StrEnum):
    """Where a job stands: stored with its newest attempt's state, in one transaction."""

    QUEUED = "QUEUED"  # waits for a machine; `waiting_code` says why
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Connectivity(StrEnum):
    """How well a machine is heard; it changes no state by itself."""

    ONLINE = "ONLINE"  # heard from within the stale limit
    STALE = "STALE"  # a heartbeat is overdue
    DISCONNECTED = "DISCONNECTED"  # silent; its leases still stand
    ASLEEP = "ASLEEP"  # said goodbye to sleep


class ReplicaState(StrEnum):
    """What is observed of a replica. Desired is SERVING or STOPPED alone, of it and of its deployment."""

    STARTING = "STARTING"
    SERVING = "SERVING"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


DRY_RUN = "dry_run"  # the kind of a job that tries a method version and makes nothing that lasts

OFFERED, PREPARING, RUNNING = AttemptState.OFFERED, AttemptState.PREPARING, AttemptState.RUNNING
UPLOADING, SUCCEEDED, FAILED = AttemptState.UPLOADING, AttemptState.SUCCEEDED, AttemptState.FAILED
CANCELLED, PREEMPTED = AttemptState.CANCELLED, AttemptState.PREEMPTED
LOST, DECLINED = AttemptState.LOST, AttemptState.DECLINED
QUEUED = JobState.QUEUED
ONLINE, STALE = Connectivity.ONLINE, Connectivity.STALE
DISCONNECTED, ASLEEP = Connectivity.DISCONNECTED, Connectivity.ASLEEP
STARTING, SERVING, STOPPED = ReplicaState.STARTING, ReplicaState.SERVING, ReplicaState.STOPPED

JOB_STATES = tuple(JobState)
ATTEMPT_OVER = frozenset({SUCCEEDED, FAILED, CANCELLED, PREEMPTED, LOST, DECLINED})
ATTEMPT_OPEN = frozenset({OFFERED, PREPARING, RUNNING, UPLOADING})
ATTEMPT_HELD = ATTEMPT_OPEN - {OFFERED}
JOB_OVER = frozenset({SUCCEEDED, FAILED, CANCELLED})

MACHINE_FAULTS = frozenset({"agent_error", "disk_full"})  # reasons of FAILED that another machine need not meet
# … and those for which neither the method nor what it was given is to blame
INFRASTRUCTURE_FAULTS = MACHINE_FAULTS | {
    "agent_restarted",
    "control_plane_error",
    "environment_failed",
    "machines_lost",
    "runner_vanished",
}

_NEXT: dict[str, set[AttemptState]] = {
    OFFERED: {PREPARING, DECLINED, FAILED, CANCELLED},  # FAILED: nobody can be given it
    PREPARING: {RUNNING, FAILED, CANCELLED, PREEMPTED, LOST},
    RUNNING: {UPLOADING, FAILED, CANCELLED, PREEMPTED, LOST},
    UPLOADING: {SUCCEEDED, FAILED, CANCELLED, LOST},
}

_JOB_STATE: dict[str, str] = {
    OFFERED: QUEUED,
    PREPARING: RUNNING,
    RUNNING: RUNNING,
    UPLOADING: RUNNING,
    SUCCEEDED: SUCCEEDED,
    FAILED: FAILED,
    CANCELLED: CANCELLED,
    PREEMPTED: QUEUED,
    LOST: QUEUED,
    DECLINED: QUEUED,
}


def sources(state: str) -> frozenset[str]:
    """The attempt states from which `state` may be reached in one step."""
    return frozenset(AttemptState(old) for old, following in _NEXT.items() if state in following)


def job_state(attempt_state: str) -> str:
    """The job's state that belongs to its newest attempt's state."""
    return _JOB_STATE[attempt_state]
