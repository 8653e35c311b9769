"""The tokenizers of a project's models: which model a row is shown to, and its files where a process can read them."""

from __future__ import annotations

import shutil
from pathlib import Path

from control_plane.context import ControlPlane
from control_plane.domain.errors import ModelNeeded, NotFound, TokenizerMissing
from control_plane.domain.permissions import Actor
from control_plane.services import models
from control_plane.services.access import projects
from control_plane.services.things.kinds import is_kept
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord

FORMS = ("base", "merged")  # that training starts from

_TOKENIZER = "tokenizer.json"
_FILES = (_TOKENIZER, "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")
_RECENT = 20  # jobs among which to look for the model that was used last, and models for one that can be read


def choices(actor: Actor, cp: ControlPlane, project: str, chosen: int = 0) -> list[ModelRecord]:
    """The models that rows can be shown to: the one that a training used last stands first.

    `chosen` is listed, however old. Raises NotFound, Denied.
    """
    found, _ = models.choices(actor, cp, project, FORMS, chosen)
    used = _used_last(found)
    return sorted(found, key=lambda one: one.id != used)


def proposed(actor: Actor, cp: ControlPlane, project: str) -> ModelRecord | None:
    """The model that suggests itself: the one that a training used last, else the newest; None without any.

    One whose tokenizer cannot be read here does so only where none of the first can. Raises NotFound, Denied.
    """
    found = choices(actor, cp, project)[:_RECENT]
    return next((one for one in found if is_readable(cp, one)), found[0] if found else None)


def for_lengths(actor: Actor, cp: ControlPlane, project: str) -> ModelRecord | None:
    """The model that suggests itself for lengths in tokens; None where its tokenizer cannot be read here.

    Raises NotFound.
    """
    place = projects.get(actor, cp, project)
    model = proposed(actor, cp, project) if actor.may("model.see", place.id) else None
    return model if model is not None and is_readable(cp, model) else None


def is_readable(cp: ControlPlane, model: ModelRecord) -> bool:
    """Whether a model is kept and has a tokenizer of its own, or below it."""
    try:
        return bool(_files(cp, model)) and not model.deleted_at
    except TokenizerMissing:
        return False


def chosen(actor: Actor, cp: ControlPlane, project_id: int, model_id: int) -> ModelRecord:
    """A model of this project; with 0 the one that suggests itself. Raises NotFound, InTrash, Denied, ModelNeeded."""
    if not model_id:
        model = proposed(actor, cp, projects.of_id(actor, cp, project_id).name)
        if model is None:
            raise ModelNeeded
        return model
    model = models.get(actor, cp, model_id)
    if model.project_id != project_id:
        raise NotFound
    return model


def bring(cp: ControlPlane, model: ModelRecord, folder: Path) -> Path:
    """Copy the files of a model's tokenizer into a new `folder`; the folder.

    What has none of its own has that of the model below it. Raises TokenizerMissing.
    """
    files = _files(cp, model)
    folder.mkdir()
    for name, sha256 in files.items():
        shutil.copyfile(cp.blobs.path(sha256), folder / name)
    return folder


def context(model: ModelRecord) -> int:
    """The tokens that fit into a model; 0 where its card does not say it."""
    return int(model.card.get("context_length") or 0)


def _files(cp: ControlPlane, model: ModelRecord) -> dict[str, str]:
    """name → sha256 of the tokenizer's files of a model, or of the one that it was made from."""
    below: ModelRecord | None = model
    while below is not None:
        artifact = ArtifactRecord.get_by_id(below.artifact_id)
        found = {one["path"]: one["sha256"] for one in artifact.files if one["path"] in _FILES}
        if _TOKENIZER in found and all(map(cp.blobs.has, found.values())):
            return found
        number = below.origin_id or below.base_id
        below = ModelRecord.get_by_id(number) if number else None
    raise TokenizerMissing(model=model.name)


def _used_last(found: list[ModelRecord]) -> int:
    """The id of the one that the newest training started from; of the newest model where none did."""
    if not found:
        return 0
    numbers = {int(one.id) for one in found}
    trained = JobRecord.select(JobRecord.inputs).where(
        JobRecord.project == found[0].project_id, JobRecord.kind == "train", is_kept(JobRecord)
    )
    for job in trained.order_by(JobRecord.id.desc()).limit(_RECENT):
        used = [pin["id"] for pin in job.inputs.values() if pin["kind"] == "model" and pin["id"] in numbers]
        if used:
            return int(used[0])
    return int(found[0].id)
