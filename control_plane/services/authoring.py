"""Methods of one's own: versions that somebody hands in, publishes, deletes and takes back.

A version is code and never changes; an edit is another version. A draft is offered to nobody: it can be run on one
chosen machine (`dry_runs.py`), and once that has gone well it can be published, by whoever may approve code for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain import manifest_text, method_files
from control_plane.domain.errors import Denied, MethodDeleted, MethodNotTried, MethodTaken, NotFound
from control_plane.domain.lifecycle import DRY_RUN, SUCCEEDED
from control_plane.domain.names import checked
from control_plane.domain.permissions import Actor, require
from control_plane.services import audit, method_folders, methods
from control_plane.services.methods import DELETED, DRAFT, OURS, PUBLISHED
from control_plane.services.things.kinds import is_kept
from control_plane.store.database import transaction
from control_plane.store.jobs import JobRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.projects import ProjectRecord


@dataclass(frozen=True)
class Listed:
    """A method in the list: the version that stands for it, how often it was used, and its newest draft, if any."""

    version: MethodVersionRecord
    uses: int
    draft: MethodVersionRecord | None

    @property
    def is_deleted(self) -> bool:
        return bool(self.version.state == DELETED)


def overview(actor: Actor, cp: ControlPlane) -> list[Listed]:
    """Every method by name, drafts and deleted ones among them for those who may write methods. Raises Denied."""
    require(actor, "method.see")
    rows = list(MethodVersionRecord.select().order_by(MethodVersionRecord.name, MethodVersionRecord.number.desc()))
    used = _uses()
    by_name: dict[str, list[MethodVersionRecord]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    found = [_listed(versions, sum(used.get(one.id, 0) for one in versions)) for versions in by_name.values()]
    if actor.may("method.write"):
        return found
    return [one for one in found if one.version.state == PUBLISHED]


def _listed(versions: list[MethodVersionRecord], uses: int) -> Listed:
    """`versions` are the newest first."""
    shown = next((one for one in versions if one.current), versions[0])
    draft = next((one for one in versions if one.state == DRAFT), None)
    return Listed(shown, uses, draft)


def _uses() -> dict[int, int]:
    """Version → how many jobs took it, dry runs apart."""
    query = JobRecord.select(JobRecord.method_version, fn.COUNT(JobRecord.id)).where(JobRecord.kind != DRY_RUN)
    counted: Any = query.group_by(JobRecord.method_version).tuples()
    return {int(number): int(count) for number, count in counted}


def versions(actor: Actor, cp: ControlPlane, name: str) -> list[MethodVersionRecord]:
    """A method's versions, the newest first; those that were never published only for who may write methods.

    Raises Denied, NotFound.
    """
    require(actor, "method.see")
    query = MethodVersionRecord.select().where(MethodVersionRecord.name == name)
    found = [one for one in query.order_by(MethodVersionRecord.number.desc()) if _may_see(actor, one)]
    if not found:
        raise NotFound
    return found


def version(actor: Actor, cp: ControlPlane, version_id: int, permission: str = "method.see") -> MethodVersionRecord:
    """One version. Raises Denied, NotFound."""
    require(actor, permission)
    found: MethodVersionRecord | None = MethodVersionRecord.get_or_none(MethodVersionRecord.id == version_id)
    if found is None or not _may_see(actor, found):
        raise NotFound
    return found


def _may_see(actor: Actor, one: MethodVersionRecord) -> bool:
    return _was_published(one) or actor.may("method.write")


def _was_published(one: MethodVersionRecord) -> bool:
    """Whether it is, or once was, the version that new jobs took."""
    return bool(one.current or one.source == methods.SHIPPED or one.approved_at)


def used_by(actor: Actor, cp: ControlPlane, name: str, limit: int = 10) -> list[tuple[JobRecord, ProjectRecord]]:
    """The newest jobs that took any version of a method, of projects whose jobs the actor may see. Raises Denied."""
    require(actor, "method.see")
    seen = [one for one in ProjectRecord.select().where(is_kept(ProjectRecord)) if actor.may("job.see", one.id)]
    projects = {one.id: one for one in seen}
    versions_of = MethodVersionRecord.select(MethodVersionRecord.id).where(MethodVersionRecord.name == name)
    query = JobRecord.select().where(JobRecord.method_version.in_(versions_of), JobRecord.project.in_(list(projects)))
    found = query.where(JobRecord.kind != DRY_RUN, is_kept(JobRecord)).order_by(JobRecord.id.desc()).limit(limit)
    return [(job, projects[job.project_id]) for job in found]


def own_files(record: MethodVersionRecord) -> dict[str, dict[str, Any]]:
    """The files of a version's own folder by their paths in it: {"path", "sha256", "size"}."""
    folder = f"{record.name}/"
    return {one["path"].removeprefix(folder): one for one in record.files if one["path"].startswith(folder)}


def read_file(actor: Actor, cp: ControlPlane, version_id: int, path: str) -> bytes:
    """A file of a version's own folder. Raises Denied, NotFound."""
    found = own_files(version(actor, cp, version_id)).get(path)
    if found is None:
        raise NotFound
    return content(cp, found)


def check(actor: Actor, cp: ControlPlane, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest of a method that could be added with these files; nothing is kept.

    Raises Denied, and what `add` raises for the files.
    """
    require(actor, "method.write")
    return method_folders.checked_manifest(cp, method_files.checked(files))


def add(
    actor: Actor, cp: ControlPlane, files: Mapping[str, bytes], only_new: bool = False
) -> tuple[MethodVersionRecord, bool]:
    """A draft with these files, and whether the very same version was there already.

    `only_new`: a method of its name must not be there. Raises Denied, ManifestFaulty, MethodBroken, MethodFileMissing,
    MethodFileRefused, MethodFilesTooMany, MethodTooLarge, MethodTaken, DiskFull.
    """
    require(actor, "method.write")
    kept = method_files.checked(files)
    with cp.blobs.holding():
        folder = method_folders.read(cp, kept)
        name = folder.manifest["name"]
        with transaction():
            same_name = MethodVersionRecord.select().where(MethodVersionRecord.name == name)
            if only_new and same_name.exists():
                raise MethodTaken(method=name)
            known = same_name.where(MethodVersionRecord.hash == folder.hash).get_or_none()
            if known is not None and known.state != DELETED:
                return known, True
            if known is not None:  # what was thrown away is wanted after all
                if known.current:  # … by new jobs, too
                    require(actor, "method.publish")
                return _revive(actor, cp, known), True
            made = methods.record(cp, folder, source=OURS, state=DRAFT, current=False, author=actor.name[:64])
            audit.record(actor, cp, "method.draft", _subject(made), **_facts(made))
    return made, False


def edit(
    actor: Actor, cp: ControlPlane, version_id: int, changed: Mapping[str, bytes | None]
) -> tuple[MethodVersionRecord, bool]:
    """A draft like a version but for the `changed` files; None takes one away. Raises what `add` raises, NotFound."""
    before = version(actor, cp, version_id, "method.write")
    files = {path: content(cp, one) for path, one in own_files(before).items() if path not in changed}
    return add(actor, cp, files | {path: data for path, data in changed.items() if data is not None})


def copy(
    actor: Actor,
    cp: ControlPlane,
    source_id: int,
    name: str,
    kind_of_method: str = "",
    words: Mapping[str, Mapping[str, str]] | None = None,
    options: str = "",
) -> MethodVersionRecord:
    """The draft of a new method that begins as a version of another one, which may be a template.

    `kind_of_method` is its type and `words` its {"display": {language: text}, "description": …}, where given;
    `options` is TOML that is added to its manifest. Raises what `add` raises, NotFound, NameInvalid.
    """
    before = version(actor, cp, source_id, "method.write")
    checked(name)
    files = {path: content(cp, one) for path, one in own_files(before).items()}
    text = files[method_files.MANIFEST].decode("utf-8")
    files[method_files.MANIFEST] = (manifest_text.renamed(text, name, kind_of_method, words or {}) + options).encode()
    if "example.json" in files:
        old, new = f'"method": "{before.name}"'.encode(), f'"method": "{name}"'.encode()
        files["example.json"] = files["example.json"].replace(old, new)
    return add(actor, cp, files, only_new=True)[0]


def publish(actor: Actor, cp: ControlPlane, version_id: int) -> MethodVersionRecord:
    """New jobs take this version from now on; a draft has to have come through its dry run.

    An earlier version can be published again. Raises Denied, NotFound, MethodNotTried, MethodDeleted.
    """
    require(actor, "method.publish")
    with transaction():
        found = version(actor, cp, version_id, "method.publish")
        if found.state == DELETED:
            raise MethodDeleted(method=found.name)
        if found.state == DRAFT and not is_tried(found):
            raise MethodNotTried(method=found.name, number=found.number)
        approval = {"approved_by": actor.name[:64], "approved_at": cp.clock()}
        MethodVersionRecord.update(**approval).where(MethodVersionRecord.id == found.id).execute()
        methods.make_current(found)
        audit.record(actor, cp, "method.publish", _subject(found), **_facts(found))
    return _again(found)


def delete(actor: Actor, cp: ControlPlane, version_id: int) -> MethodVersionRecord:
    """Take a method out of what is offered, or throw a draft away; what used it keeps working. Raises Denied, NotFound.

    `version_id` is the method's current version, or the draft's. A draft is its author's to throw away.
    """
    with transaction():
        found = version(actor, cp, version_id, "method.write")
        _refuse_others(actor, found)
        if found.state == PUBLISHED and not found.current:
            raise NotFound
        if found.state != DELETED:
            MethodVersionRecord.update(state=DELETED).where(MethodVersionRecord.id == found.id).execute()
            audit.record(actor, cp, "method.delete", _subject(found), **_facts(found))
    return _again(found)


def may_delete(actor: Actor, one: MethodVersionRecord) -> bool:
    """Whether the actor may delete a version and restore it: a draft of one's own, or any for who publishes."""
    return (one.author == actor.name and not _was_published(one)) or actor.may("method.publish")


def _refuse_others(actor: Actor, one: MethodVersionRecord) -> None:
    if not may_delete(actor, one):
        raise Denied(permission="method.publish")


def restore(actor: Actor, cp: ControlPlane, version_id: int) -> MethodVersionRecord:
    """Undo `delete`. Raises Denied, NotFound."""
    with transaction():
        found = version(actor, cp, version_id, "method.write")
        _refuse_others(actor, found)
        if found.state == DELETED:
            _revive(actor, cp, found)
    return _again(found)


def _revive(actor: Actor, cp: ControlPlane, found: MethodVersionRecord) -> MethodVersionRecord:
    state = PUBLISHED if _was_published(found) else DRAFT
    MethodVersionRecord.update(state=state).where(MethodVersionRecord.id == found.id).execute()
    audit.record(actor, cp, "method.restore", _subject(found), **_facts(found))
    return _again(found)


def is_tried(record: MethodVersionRecord) -> bool:
    """Whether the newest dry run of this very version has succeeded."""
    job = JobRecord.get_or_none(JobRecord.id == record.dry_run_job) if record.dry_run_job else None
    return job is not None and bool(job.state == SUCCEEDED)


def content(cp: ControlPlane, one: Mapping[str, Any]) -> bytes:
    """The bytes of a file of a version."""
    with cp.blobs.open(one["sha256"]) as source:
        return source.read()


def _subject(one: MethodVersionRecord) -> str:
    return f"method:{one.id}"


def _facts(one: MethodVersionRecord) -> dict[str, Any]:
    """What the audit tells of a version."""
    return {"name": one.name, "number": one.number, "hash": one.hash}


def _again(one: MethodVersionRecord) -> MethodVersionRecord:
    found: MethodVersionRecord = MethodVersionRecord.get_by_id(one.id)
    return found
