"""The chain over the audit record, and its head: what shows that an entry was changed, removed or put in.

Each seal is HMAC-SHA256 over the previous seal and the canonical JSON of its entry, both as UTF-8 text, beginning with
an empty seal. The JSON holds `_SEALED_FIELDS` and nothing else. The head says how many seals there are and what the
last one is; it lies beside the database, in `<data>/audit.head`, and at the end of each export, so that a shorter
chain shows. The key follows from the authority's: who has the data folder can forge it all, who has the database not.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from control_plane.authority import open_authority, write_private
from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    AuditColumnsOther,
    AuditEndMissing,
    AuditEntryChanged,
    AuditEntryUnsealed,
    AuditFinding,
    AuditHeadMissing,
)
from control_plane.domain.permissions import SYSTEM, Actor, require
from control_plane.services import audit
from control_plane.store.audit import AuditRecord, AuditSealRecord, columns
from control_plane.store.database import first, transaction

log = logging.getLogger(__name__)

_SEALED_AT_ONCE = 5_000
_LATE_ENTRIES = 5_000
_BATCH = 1_000
_CHECK_SECONDS = 86_400.0  # between two checks that nobody asked for

# by name: a column that a later migration adds must not break the seals that stand. Never change this tuple; a new
# field of an entry belongs into `details`.
_SEALED_FIELDS = (
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "action",
    "subject",
    "project_id",
    "details",
)


@dataclass(frozen=True)
class Head:
    """How long the chain is: seals, the last one's number and value, and its entry; `mac` says that we wrote it."""

    count: int
    seal: int
    entry: int
    hash: str
    mac: str = ""

    @property
    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True)
class Check:
    """What a check of the record found: sealed entries, and what is wrong as code and parameters, if anything is."""

    at: float
    count: int
    code: str
    params: dict[str, object]


def seal(cp: ControlPlane) -> int:
    """Chain what was committed since the last call; how many entries that were. Called by a tick, never by writers."""
    key = open_authority(cp.settings.data).audit_key
    with transaction():
        last = AuditSealRecord.select().order_by(AuditSealRecord.id.desc()).first()
        link = last.hash if last else ""
        # an entry is looked for by the lack of a seal, not by its number alone: numbers are given before the commit,
        # so a slow writer's entry may appear below entries that are sealed already
        recent = (last.entry if last else 0) - _LATE_ENTRIES
        sealed = AuditSealRecord.select(AuditSealRecord.entry).where(AuditSealRecord.entry > recent)
        entries = list(
            AuditRecord.select()
            .where(AuditRecord.id > recent, AuditRecord.id.not_in(sealed))
            .order_by(AuditRecord.id)
            .limit(_SEALED_AT_ONCE)
        )
        for entry in entries:
            link = _hash(key, link, entry)
            AuditSealRecord.create(entry=entry.id, hash=link)
    if entries or last:
        _advance(cp, anew=last is None)
    return len(entries)


def head_text(cp: ControlPlane) -> str:
    """The head as it was last written, for an export; empty if there is none yet."""
    path = cp.settings.data / "audit.head"
    return path.read_text("ascii").strip() if path.is_file() else ""


def check(actor: Actor, cp: ControlPlane, evidence: str = "") -> Check:
    """Look at the whole record, and write down that this was done and what was found.

    `evidence` is the head of an earlier export, which must be in the chain too. Raises Denied.
    """
    require(actor, "user.see")
    found: AuditFinding | None = None
    try:
        heads = [_read(cp, text) for text in (head_text(cp), evidence) if text]
        count, found = _walk(cp, heads)
    except AuditFinding as problem:
        count, found = AuditSealRecord.select().count(), problem
    done = Check(cp.clock(), count, found.code if found else "", dict(found.params) if found else {})
    with transaction():
        audit.record(actor, cp, "audit.verify", "audit", count=count, code=done.code, params=done.params)
    if found:
        log.error("audit: %s %s", done.code, done.params)
    return done


def last_check() -> Check | None:
    """What the newest check found, whoever asked for it."""
    done = first(
        AuditRecord.select()
        .where(AuditRecord.subject == "audit", AuditRecord.action == "audit.verify")
        .order_by(AuditRecord.id.desc())
    )
    return Check(done.at, done.details["count"], done.details["code"], done.details["params"]) if done else None


def check_daily(cp: ControlPlane) -> None:
    """Check by itself where nobody has for a day. Called by a tick."""
    done = last_check()
    if done is None or done.at <= cp.clock() - _CHECK_SECONDS:
        check(SYSTEM, cp)


def _advance(cp: ControlPlane, anew: bool) -> None:
    """Write the head of what is sealed now, unless the one that stands is not in the chain: then it is the evidence."""
    text, last = head_text(cp), AuditSealRecord.select().order_by(AuditSealRecord.id.desc()).first()
    known = Head(0, 0, 0, "")
    if text:
        try:
            known = _read(cp, text)
        except AuditFinding:
            return
        if (known.seal, known.hash) == (last.id, last.hash):
            return
        if not AuditSealRecord.select().where(AuditSealRecord.id == known.seal, AuditSealRecord.hash == known.hash):
            return
    elif not anew:
        with transaction():  # somebody took it away: that it was made again stays in the record
            audit.record(SYSTEM, cp, "audit.head", "audit")
    count = known.count + AuditSealRecord.select().where(AuditSealRecord.id > known.seal).count()
    head = Head(count, int(last.id), int(last.entry), str(last.hash))
    signed = replace(head, mac=_mac(cp, head))
    write_private(cp.settings.data / "audit.head", f"{signed.text}\n".encode("ascii"))


def _read(cp: ControlPlane, text: str) -> Head:
    """A head that we wrote. Raises AuditHeadMissing for any other text."""
    try:
        head = Head(**json.loads(text))
        good = hmac.compare_digest(str(head.mac), _mac(cp, head))
    except (TypeError, ValueError) as problem:
        raise AuditHeadMissing from problem
    if not good:
        raise AuditHeadMissing
    return head


def _walk(cp: ControlPlane, heads: list[Head]) -> tuple[int, AuditFinding | None]:
    """How many entries the chain holds, and the first thing that is wrong."""
    if other := columns() ^ set(_SEALED_FIELDS):
        return AuditSealRecord.select().count(), AuditColumnsOther(columns=sorted(other))
    key, link, count, newest = open_authority(cp.settings.data).audit_key, "", 0, 0
    ends = {head.seal: head for head in heads}
    for number, entry_id, value, entry in _links():
        count, newest = count + 1, max(newest, entry_id)
        if entry is None or _hash(key, link, entry) != value:
            return count, AuditEntryChanged(entry=entry_id)
        link, head = value, ends.pop(number, None)
        if head and (head.count, head.hash) != (count, value):
            return count, AuditEndMissing(count=head.count, entry=head.entry)
    for head in ends.values():
        return count, AuditEndMissing(count=head.count, entry=head.entry)
    if count and not heads:
        return count, AuditHeadMissing()
    sealed = AuditSealRecord.select(AuditSealRecord.entry)
    extra = first(AuditRecord.select().where(AuditRecord.id <= newest - _LATE_ENTRIES, AuditRecord.id.not_in(sealed)))
    return count, AuditEntryUnsealed(entry=extra.id) if extra else None


def _links() -> Iterator[tuple[int, int, str, AuditRecord | None]]:
    """Each seal's number, entry's id and value, in order, with its entry."""
    last = 0
    while True:
        seals = list(
            AuditSealRecord.select().where(AuditSealRecord.id > last).order_by(AuditSealRecord.id).limit(_BATCH)
        )
        entries = AuditRecord.select().where(AuditRecord.id.in_([one.entry for one in seals]))
        theirs = {entry.id: entry for entry in entries}
        yield from ((one.id, one.entry, one.hash, theirs.get(one.entry)) for one in seals)
        if len(seals) < _BATCH:
            return
        last = seals[-1].id


def _hash(key: bytes, previous: str, entry: AuditRecord) -> str:
    sealed = {name: entry.__data__[name] for name in _SEALED_FIELDS}
    text = json.dumps(sealed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.digest(key, (previous + text).encode("utf-8", "surrogatepass"), "sha256").hex()


def _mac(cp: ControlPlane, head: Head) -> str:
    key = open_authority(cp.settings.data).audit_key
    return hmac.digest(key, b"head" + replace(head, mac="").text.encode(), "sha256").hex()
