"""Which method code a machine's owner lets run on it: any, or the versions whose hashes they wrote down."""

from __future__ import annotations

import hashlib
import json

from tunesmith.v1 import fleet_pb2 as pb

_SHORTEST = 12  # characters of a hash, as the dashboard shows it


def is_approved(offer: pb.Offer, approved: str) -> bool:
    """Whether the setting allows the code of an offer.

    The hash is worked out here, from the files that the cache will hold to their own hashes: what the control plane
    says of it is not believed, and the requirements have to be the ones among those files.
    """
    allowed = [one for one in approved.replace(",", " ").split() if len(one) >= _SHORTEST]
    if not approved.strip():
        return True
    found = _hash(offer)
    return _has_its_requirements(offer) and any(found.startswith(one.lower()) for one in allowed)


def _hash(offer: pb.Offer) -> str:
    pairs = [(file.path, file.sha256) for file in offer.code]
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def _has_its_requirements(offer: pb.Offer) -> bool:
    named = {file.path: file.sha256 for file in offer.code}
    own = hashlib.sha256(offer.requirements.encode()).hexdigest()
    return named.get(f"{offer.method}/requirements.txt") == own and f"{offer.method}/{offer.entry}" in named
