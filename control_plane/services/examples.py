"""Held-out questions to try a model with, and how questions are put that it has learnt from."""

from __future__ import annotations

from dataclasses import dataclass

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor, require
from control_plane.services import evaluation_rows
from control_plane.services.datasets import rows
from control_plane.services.models import Lineage

_PAIRS = "prompt_completion"


@dataclass(frozen=True)
class Asked:
    """How the questions of a model's data are put."""

    examples: bool  # whether there are held-out ones
    alone: bool  # each stands alone: there are no conversations
    prefix: str  # how each of them begins


@dataclass(frozen=True)
class Example:
    """A held-out question."""

    prompt: str
    expected: str
    base: str  # what the model that training started from answered, as the evaluation has it; empty: nobody asked it


def asked_like(training: Lineage) -> Asked:
    """How a model's questions were put: by the data of the training that it comes from."""
    version = training.dataset_version
    if version is None:
        return Asked(examples=False, alone=False, prefix="")
    pairs = version.format == _PAIRS
    return Asked(pairs and bool(version.test_rows), pairs, str(version.facts.get("prompt_prefix", "")))


def held_out(actor: Actor, cp: ControlPlane, training: Lineage, at: int) -> Example:
    """The held-out question number `at`, 0 and up; after the last comes the first again.

    From the newest evaluation where there is one, as it has the base model's answers. Raises NotFound, Denied.
    """
    require(actor, "dataset.see", training.model.project_id)
    version = training.dataset_version
    if version is None or not asked_like(training).examples:
        raise NotFound
    scored = [one for one in training.evaluations if one.dataset_version_id == version.id and one.row_count]
    if scored:
        row = evaluation_rows.read(cp, scored[-1], "", at % scored[-1].row_count, 1)[0]
        return Example(row["prompt"], row["expected"], row["answers"].get("baseline", ""))
    row = rows.page(actor, cp, version.id, "test", at % version.test_rows, 1)[0]
    return Example(row["prompt"], row["completion"], "")
