"""The states of jobs and attempts, and which may follow which.

A wish to cancel is a timestamp and connectivity is another column: neither is a state.
"""

# Attempts
OFFERED = "OFFERED"  # planned for a machine, which has not answered yet
PREPARING = "PREPARING"  # accepted under a lease; blobs and environment are being fetched and built
RUNNING = "RUNNING"  # the trainer's process runs
UPLOADING = "UPLOADING"  # the trainer ended well; its outputs are on their way
SUCCEEDED = "SUCCEEDED"  # all promised outputs are committed
FAILED = "FAILED"  # the trainer or a step around it ended badly; `reason` says how
CANCELLED = "CANCELLED"  # ended by somebody's wish
PREEMPTED = "PREEMPTED"  # gave its device to a more urgent job after a checkpoint
LOST = "LOST"  # its lease expired
DECLINED = "DECLINED"  # the machine said no, or did not answer the offer in time

# Jobs (with SUCCEEDED, FAILED, CANCELLED and RUNNING as above)
QUEUED = "QUEUED"  # waits for a machine; `waiting_code` says why

JOB_STATES = (QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED)
ATTEMPT_OVER = frozenset({SUCCEEDED, FAILED, CANCELLED, PREEMPTED, LOST, DECLINED})
ATTEMPT_OPEN = frozenset({OFFERED, PREPARING, RUNNING, UPLOADING})
ATTEMPT_HELD = ATTEMPT_OPEN - {OFFERED}
JOB_OVER = frozenset({SUCCEEDED, FAILED, CANCELLED})

_NEXT = {
    OFFERED: {PREPARING, DECLINED, CANCELLED},
    PREPARING: {RUNNING, FAILED, CANCELLED, PREEMPTED, LOST},
    RUNNING: {UPLOADING, FAILED, CANCELLED, PREEMPTED, LOST},
    UPLOADING: {SUCCEEDED, FAILED, CANCELLED, LOST},
}

_JOB_STATE = {
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
    return frozenset(old for old, following in _NEXT.items() if state in following)


def job_state(attempt_state: str) -> str:
    """The job's state that belongs to its newest attempt's state."""
    return _JOB_STATE[attempt_state]


# Connectivity of a machine
ONLINE = "ONLINE"  # heard from within the stale limit
STALE = "STALE"  # a heartbeat is overdue
DISCONNECTED = "DISCONNECTED"  # silent; its leases still stand
ASLEEP = "ASLEEP"  # said goodbye to sleep

# Replicas: the wish is SERVING or STOPPED; what is observed is one of these
STARTING = "STARTING"
SERVING = "SERVING"
STOPPED = "STOPPED"
