"""Which blobs a machine may read: those that its open attempts and its replicas need.

What an attempt needs is worked out once, not for each slice of a blob: an offer of 14 GB is read in thousands of them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import ATTEMPT_OPEN, SERVING
from control_plane.domain.permissions import Actor
from control_plane.services import deployments
from control_plane.services.fleet import offers
from control_plane.store.deployments import ReplicaRecord
from control_plane.store.jobs import AttemptRecord

_KEPT = 2_048  # sets; each holds some hundred hashes at most

_Key = tuple[Path, str, int, int]  # the data folder, what, its id, its fence or generation
_lock = threading.Lock()
_known: OrderedDict[_Key, frozenset[str]] = OrderedDict()


def may_read(actor: Actor, cp: ControlPlane, sha256: str) -> bool:
    """Whether one of the machine's open attempts or replicas needs the blob.

    The rows are looked at each time, so that a right ends with its attempt; the sets belong to a fence or generation
    and are worked out again only where they lack the blob.
    """
    attempts = AttemptRecord.select(AttemptRecord.id, AttemptRecord.fence).where(
        AttemptRecord.machine == actor.id, AttemptRecord.state.in_(ATTEMPT_OPEN)
    )
    replicas = ReplicaRecord.select(ReplicaRecord.id, ReplicaRecord.generation).where(
        ReplicaRecord.machine == actor.id, ReplicaRecord.desired_state == SERVING
    )
    data = cp.settings.data
    keys = [(data, "attempt", int(one.id), int(one.fence)) for one in attempts]
    keys += [(data, "replica", int(one.id), int(one.generation)) for one in replicas]
    with _lock:
        if any(sha256 in _known.get(key, ()) for key in keys):
            return True
    return any(sha256 in _learn(cp, key) for key in keys)


def _learn(cp: ControlPlane, key: _Key) -> frozenset[str]:
    found = frozenset(_WORKED_OUT[key[1]](cp, key[2]))
    with _lock:
        _known[key] = found
        _known.move_to_end(key)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return found


def _of_attempt(cp: ControlPlane, attempt_id: int) -> Iterable[str]:
    return offers.files_of(offers.offer_of(cp, AttemptRecord.get_by_id(attempt_id)))


def _of_replica(cp: ControlPlane, replica_id: int) -> Iterable[str]:
    wanted = deployments.serve_of(ReplicaRecord.get_by_id(replica_id)).model
    return (ref.sha256 for ref in offers.files_of_input(wanted))


_WORKED_OUT: dict[str, Callable[[ControlPlane, int], Iterable[str]]] = {
    "attempt": _of_attempt,
    "replica": _of_replica,
}
