"""Which blobs are named, and by what. A blob that nothing names is garbage."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from control_plane.context import ControlPlane
from control_plane.store.references import BlobReferenceRecord

ARTIFACT, DATASET, METHOD, LOG, EVALUATION = "artifact", "dataset_version", "method_version", "log", "evaluation"
CASE = "case"

_AT_ONCE = 300  # rows or values of one statement


def add(cp: ControlPlane, owner_kind: str, owner_id: int, sha256s: Iterable[str]) -> None:
    """Write down what a row names; called inside the transaction that makes the row name it.

    Raises NotFound for a blob that is not there: no row ever names one. The caller holds the blobs since it stored them
    (`Blobs.holding`), so that nobody collects them meanwhile.
    """
    named = sorted({sha256 for sha256 in sha256s if sha256})
    for sha256 in named:
        cp.blobs.path(sha256)
    rows = [(sha256, owner_kind, owner_id) for sha256 in named]
    fields = [BlobReferenceRecord.sha256, BlobReferenceRecord.owner_kind, BlobReferenceRecord.owner_id]
    for first in range(0, len(rows), _AT_ONCE):
        BlobReferenceRecord.insert_many(rows[first : first + _AT_ONCE], fields).on_conflict_ignore().execute()


def drop(owner_kind: str, owner_ids: Collection[int]) -> list[str]:
    """Forget what these rows named, and what that was; called inside the transaction that deletes them."""
    mine = (BlobReferenceRecord.owner_kind == owner_kind, BlobReferenceRecord.owner_id.in_(list(owner_ids)))
    dropped = {str(one.sha256) for one in BlobReferenceRecord.select(BlobReferenceRecord.sha256).where(*mine)}
    BlobReferenceRecord.delete().where(*mine).execute()
    return sorted(dropped)


def unnamed(sha256s: Iterable[str]) -> list[str]:
    """Those of the blobs that no row names."""
    wanted = sorted(set(sha256s))
    named: set[str] = set()
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        query = BlobReferenceRecord.select(BlobReferenceRecord.sha256).where(BlobReferenceRecord.sha256.in_(some))
        named |= {str(one.sha256) for one in query}
    return [sha256 for sha256 in wanted if sha256 not in named]


def is_named(sha256: str) -> bool:
    """Whether a row names the blob."""
    return bool(BlobReferenceRecord.select().where(BlobReferenceRecord.sha256 == sha256).exists())
