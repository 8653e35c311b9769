"""A row as a model sees it: by the model's own chat template and tokenizer, in a process of its own (ADR 27).

The template is a stranger's program, and the tokenizer a stranger's file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, NotFound, RowNotMade
from control_plane.domain.permissions import Actor
from control_plane.domain.preparation import Learning, Mapping, Seen, Step, read
from control_plane.services import tokenizers
from control_plane.services.datasets import at_once, drafts, preparing, rows, versions
from control_plane.store.models import ModelRecord

LONGEST = 1 << 20  # tokens that may be asked for


@dataclass(frozen=True)
class Wish:
    """As which model sees it, and how a training would be set."""

    model_id: int = 0  # 0: the one that suggests itself
    learn_from: str = Learning.COMPLETION
    max_length: int = 0  # tokens; 0: what fits into the model


@dataclass(frozen=True)
class SeenBy:
    """A row as this model sees it."""

    model: ModelRecord
    seen: Seen
    limit: int  # tokens; 0: it is not known what fits
    learn_from: Learning


def of_version(
    actor: Actor, cp: ControlPlane, version_id: int, wish: Wish, split: str = "train", number: int = 1
) -> SeenBy:
    """The row of this number (1 is the first) of a part of a version.

    Raises NotFound, Denied, InTrash, FieldInvalid, ModelNeeded, and as `at_once.answer` does.
    """
    dataset, version = versions.of_version(actor, cp, version_id)
    found = rows.page(actor, cp, version_id, split, number - 1, 1) if number > 0 and split != rows.LEFT_OUT else []
    if not found:
        raise NotFound
    return _seen(actor, cp, dataset.project_id, version.format, found[0], wish)


def of_draft(actor: Actor, cp: ControlPlane, draft_id: int, wish: Wish, number: int = 1) -> SeenBy:
    """What the draft's mapping makes of the record of this number, of those that were looked at first.

    A very long record is cut before. Raises as `of_version`, and RowNotMade.
    """
    draft = drafts.get(actor, cp, draft_id)
    mapping = read(Mapping, draft.mapping) if draft.mapping else None
    if mapping is None:
        raise RowNotMade
    made = drafts.preview(actor, cp, draft_id, mapping)
    if not 0 < number <= len(made):
        raise NotFound
    row = made[number - 1].row
    if row is None:
        raise RowNotMade
    if not wish.model_id and (model := preparing.base_model(cp, draft)):
        wish = replace(wish, model_id=int(model.id))
    return _seen(actor, cp, draft.project_id, mapping.format, row, wish)


def _seen(actor: Actor, cp: ControlPlane, project_id: int, format: str, row: dict[str, Any], wish: Wish) -> SeenBy:
    learn_from = _learning(wish.learn_from)
    if not 0 <= wish.max_length <= LONGEST:
        raise FieldInvalid(field="max_length", problem=f"0 … {LONGEST}")
    model = tokenizers.chosen(actor, cp, project_id, wish.model_id)
    limit = wish.max_length or tokenizers.context(model)
    order = at_once.order(cp, Step.SEE, model, mapping=Mapping(format), context=limit, row=row, learn_from=learn_from)
    return SeenBy(model, read(Seen, at_once.answer(cp, model, order, "seen.json")), limit, learn_from)


def _learning(said: str) -> Learning:
    try:
        return Learning(said or Learning.COMPLETION)
    except ValueError as problem:
        raise FieldInvalid(field="learn_from", problem=", ".join(Learning)) from problem
