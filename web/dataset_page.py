"""What the pages of a dataset have in common: which version and which part of its rows are asked for, and the frame."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from control_plane.domain.errors import NotFound
from control_plane.domain.rows import FORMATS
from control_plane.services import methods
from control_plane.services.datasets import sources
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from web.access import the_actor, the_control_plane
from web.paging import asked_number

SHOWN_CHARACTERS = 5_000  # of a text in a list of rows; a row's own page has all of it


def chosen(found: list[DatasetVersionRecord], argument: str = "version") -> DatasetVersionRecord:
    """The version whose number is asked for, else the newest. Raises NotFound."""
    wanted = asked_number(argument, found[0].number if found else 0)
    version = next((version for version in found if version.number == wanted), None)
    if version is None:
        raise NotFound
    return version


def drawn(
    template: str, dataset: DatasetRecord, found: list[DatasetVersionRecord], version: DatasetVersionRecord, **more: Any
) -> str:
    """A page of a dataset: what all of them show, and its own."""
    learners = methods.of_kind(the_actor(), the_control_plane(), "train", version.format)
    return render_template(
        template,
        dataset=dataset,
        versions=found,
        version=version,
        fields=FORMATS[version.format],
        is_learnt_from=bool(learners),
        shown_characters=SHOWN_CHARACTERS,
        has_source=sources.of_dataset(dataset) is not None,
        **more,
    )


def split_asked() -> str:
    """Which part of the rows is asked for."""
    return "test" if request.args.get("split") == "test" else "train"
