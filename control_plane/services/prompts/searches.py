"""What searches for a prompt found: a version of a prompt with the job's success, and all that was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import documents
from control_plane.domain.errors import NotFound, OutputUnreadable
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.prompts import search
from control_plane.domain.prompts.search import Search
from control_plane.services.access import projects
from control_plane.services.prompts import kept
from control_plane.services.prompts.kept import Kept
from control_plane.services.prompts.kept import save as keep
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.prompts import PromptVersionRecord

KIND = "prompt"  # of an output
_LARGEST = 16 << 20  # bytes


@dataclass(frozen=True)
class Seen:
    """A search that has ended, and the version that it became; None where nothing beat the base, or that is gone."""

    search: Search
    version: Kept | None


def read(
    cp: ControlPlane, promised: Mapping[str, Mapping[str, Any]], committed: Mapping[str, ArtifactRecord]
) -> Search | None:
    """The search among the committed artifacts, if one is promised; called outside every transaction.

    Raises OutputUnreadable.
    """
    name = next((name for name, output in promised.items() if output["kind"] == KIND), None)
    return None if name is None else _read(cp, name, committed[name])


def register(cp: ControlPlane, job: JobRecord, found: Search | None) -> Kept | None:
    """Keep the winner as the newest version of the prompt that is called like the job.

    Called inside the transaction of the job's success. Where nothing beat the base there is nothing to keep.
    """
    if found is None or found.winner == 0:
        return None
    saved, _made = kept.add(
        SYSTEM, cp, job.project_id, job.name, found.prompt, title=job.title, author=job.created_by,
        job_id=job.id, found=found.told,
    )  # fmt: skip
    return saved


def of_job(cp: ControlPlane, job: JobRecord) -> Seen | None:
    """What a search found, for a caller that has shown that it may see the job; None before its success."""
    manifest = MethodVersionRecord.get_by_id(job.method_version_id).manifest
    name = next((name for name, output in manifest["outputs"].items() if output["kind"] == KIND), None)
    if name is None:
        return None
    joined = ArtifactRecord.select(ArtifactRecord).join(AttemptRecord, on=(ArtifactRecord.attempt == AttemptRecord.id))
    mine = joined.where(AttemptRecord.job == job.id, ArtifactRecord.name == name, ArtifactRecord.committed_at > 0)
    artifact = mine.order_by(ArtifactRecord.id.desc()).first()
    if artifact is None:
        return None
    try:
        found = _read(cp, name, artifact)
    except OutputUnreadable:  # then the job has failed, and says so
        return None
    version = PromptVersionRecord.get_or_none(PromptVersionRecord.job == job.id)
    known = kept.of_version(version.id) if version is not None else None
    return Seen(found, known if known is not None and not known.prompt.deleted_at else None)


def take(actor: Actor, cp: ControlPlane, project: str, job_id: int, number: int) -> Kept:
    """Keep any candidate of a search as the newest version of the prompt called like the job.

    Raises NotFound, Denied and as `kept.save`.
    """
    job: JobRecord = projects.inside(actor, JobRecord, job_id, "job.see")
    if job.project_id != projects.get(actor, cp, project, "prompt.change").id:
        raise NotFound
    seen = of_job(cp, job)
    chosen = next((one for one in seen.search.tried if one.number == number), None) if seen else None
    if chosen is None or number == 0:
        raise NotFound
    saved, _made = keep(actor, cp, project, job.name, chosen.prompt, title=job.title)
    return saved


def _read(cp: ControlPlane, name: str, artifact: ArtifactRecord) -> Search:
    file = next((one for one in artifact.files if one["path"].endswith(".json")), None)
    if file is None or file["size"] > _LARGEST:
        raise OutputUnreadable(output=name, problem="prompt.json")
    try:
        with cp.blobs.open(file["sha256"]) as source:
            return search.read(documents.parse(source.read()))
    except ValueError as problem:
        raise OutputUnreadable(output=name, problem=f"prompt.json: {str(problem)[:400]}") from problem
