"""What pages show of a dataset's source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from control_plane.domain.errors import ConnectorUnknown
from control_plane.domain.preparation import DraftState, read
from control_plane.domain.schedules import Schedule
from control_plane.services.datasets import connectors, fetching, sources
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.sources import SourceRecord
from control_plane.wording import say
from web import schedule_form, words
from web.access import the_control_plane
from web.languages import locale


@dataclass(frozen=True)
class Seen:
    """A source, in words."""

    id: int
    connector: str
    display: str
    label: str
    given: list[tuple[str, str]]  # parameters that have a value, by their titles
    has_secrets: bool
    looked_at: float
    changed_at: float
    failure: str  # a sentence; empty: the last refresh went well
    schedule: str
    next_at: str  # on the schedule's clock
    working: str  # what a refresh is doing; empty: there is none
    is_stopped: bool  # it has times and is not fetched at them: whoever set them may no longer, or they are none
    overtaken: int  # the number of the newest version where that did not come of the source; 0: it did
    share: float | None  # how much of that is done; None: it waits for its turn


def seen(source: SourceRecord, newest: DatasetVersionRecord) -> Seen:
    """A source as it stands, with the newest version of its dataset."""
    wished, running = schedule_of(source), sources.refreshing(source)
    display, given = _said(source)
    waits = running is None or not running.started_at
    return Seen(
        id=int(source.id),
        connector=source.connector,
        display=display,
        label=source.label,
        given=given,
        has_secrets=source.secret_id is not None,
        looked_at=source.looked_at,
        changed_at=source.changed_at,
        failure=say(source.error, source.error_params, locale()) if source.error else "",
        schedule=schedule_form.said(wished),
        next_at=schedule_form.moment(source.next_at, wished),
        working=words.draft_state(DraftState(running.state)) if running else "",
        is_stopped=bool(source.schedule) and not source.next_at and source.error != fetching.OVERTAKEN,
        overtaken=0 if newest.id == source.follows_id else int(newest.number),
        share=None if waits or running is None else running.done_bytes / (running.of_bytes or 1),
    )


def schedule_of(source: SourceRecord) -> Schedule:
    """When a source is fetched by itself."""
    return read(Schedule, source.schedule)


def _said(source: SourceRecord) -> tuple[str, list[tuple[str, str]]]:
    """What its connector calls itself and the parameters; by their names where the connector is no longer there."""
    try:
        offered = connectors.get(the_control_plane(), source.connector, locale())
        display, titles = offered.display, offered.parameters["properties"]
    except ConnectorUnknown:
        display, titles = source.connector, {}
    given = ((name, value) for name, value in source.parameters.items() if value not in ("", None))
    return display, [(titles.get(name, {}).get("title", name), _shown(value)) for name, value in given]


def _shown(value: Any) -> str:
    return value.partition("?")[0] if isinstance(value, str) and "://" in value else str(value)
