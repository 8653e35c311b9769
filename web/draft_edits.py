"""What the page of edits shows that are carried out on a large version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for

from control_plane.domain.edits import Edits
from control_plane.domain.preparation import DraftState
from control_plane.services.datasets import drafts, versions
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.wording import say
from web import draft_page, words
from web.access import the_actor, the_control_plane, the_project
from web.languages import locale

ROWS_SHOWN = 10  # of a page on which rows are changed


@dataclass(frozen=True)
class Seen:
    """Edits on their way to a version."""

    id: int
    name: str  # of the dataset
    number: int  # of the version whose rows they are
    count: int
    address: str  # of that version
    again: str  # where the rows can be changed as they were typed; empty where that is not one page
    working: str  # what is going on, in words; empty where nothing is
    share: float | None  # how much is done, from 0 to 1; None: it waits for its turn
    left: str  # how long it still takes, in words
    failure: str  # a sentence
    is_cancelled: bool


def seen(draft: DatasetDraftRecord) -> Seen:
    """The edits of a draft as they stand. Raises NotFound where the version is gone."""
    actor, cp = the_actor(), the_control_plane()
    dataset, version = versions.of_version(actor, cp, int(draft.edits_id or 0))
    edits = drafts.edits(actor, cp, int(draft.id)) if draft.state not in drafts.OVER else Edits("train")
    place: dict[str, Any] = {"project": the_project().name, "name": dataset.name, "version": version.number}
    place["split"], page = edits.split, _page(edits)
    again = url_for("row_edits.show", **place, page=page, draft=draft.id) if page else ""
    return Seen(
        id=int(draft.id),
        name=dataset.label,
        number=int(version.number),
        count=edits.count,
        address=url_for("datasets.show", **place),
        again=again,
        working=words.draft_state(draft.state) if draft.state == DraftState.EDITING else "",
        share=None if drafts.waits(draft) else draft.done_bytes / (draft.of_bytes or 1),
        left=draft_page.time_left(draft, cp.clock()),
        failure=say(draft.error, draft.error_params, locale()) if draft.state == DraftState.FAILED else "",
        is_cancelled=draft.state == DraftState.CANCELLED,
    )


def _page(edits: Edits) -> int:
    """The page of rows on which all of the edits stand; 0 where they do not."""
    numbers = [*map(int, edits.changed), *edits.removed]
    pages = {(number - 1) // ROWS_SHOWN + 1 for number in numbers} or {1}
    return pages.pop() if len(pages) == 1 and len(edits.added) <= 1 else 0
