"""Strangers' files, read record by record: whatever stands in them, memory is bounded and what is wrong has a name.

One module a kind. A fault of one record is part of its `Raw`; what keeps all others from being read is raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice
from typing import cast

from control_plane.domain.columns import columns_of
from control_plane.domain.errors import DatasetEmpty
from control_plane.domain.mapping import propose
from control_plane.domain.preparation import Limits, Look, Source
from control_plane.preparation.reading import recognition, values
from control_plane.preparation.reading.raw import Raw, Reader, Reading
from control_plane.preparation.reading.samples import shortened

__all__ = ["Raw", "look", "records"]

_LOOKED_AT = 1000  # records
_LOOKED_BYTES = 8 << 20  # about
_SAMPLES = 20
_EVERY = 256  # records between two words about the progress

_MODULES = {
    recognition.JSONL: "jsonl",
    recognition.JSON: "document",
    recognition.CSV: "delimited",
    recognition.PARQUET: "parquet",
    recognition.XLSX: "sheets",
    recognition.TEXT: "plain",
}


def records(
    source: Source,
    limits: Limits,
    tell: Callable[[int, int], None] | None = None,
    notes: Counter[str] | None = None,
) -> Iterator[Raw]:
    """Each record of a file; `tell(done, of)` hears how many of its bytes have been read, `notes` counts peculiarities.

    Raises FileUnfit, DatasetEmpty, or a RowsInvalid behind which nothing can be read.
    """
    notes = Counter() if notes is None else notes
    reading = Reading(recognition.known(source, limits, notes), limits, notes)
    size = reading.size
    for number, raw in enumerate(_reader(reading.source.kind)(reading)):
        if tell and number % _EVERY == 0:
            tell(min(reading.done, size), size)
        yield raw
    if tell:
        tell(size, size)


def look(source: Source, limits: Limits) -> Look:
    """What a file seems to be, by its first records.

    Raises as `records` does; and where no record is sound, the first one's fault.
    """
    notes: Counter[str] = Counter()
    reading = Reading(recognition.known(source, limits, notes), limits, notes)
    taken = list(_first(_reader(reading.source.kind)(reading)))
    sound = [raw.fields for raw in taken if raw.fields is not None]
    if not sound:
        raise next((raw.fault for raw in taken if raw.fault), DatasetEmpty(file=source.name))
    columns = columns_of(sound)
    return Look(
        source=reading.source,
        columns=columns,
        samples=shortened(sound[:_SAMPLES]),
        mapping=propose(columns, sound[:_SAMPLES]),
        looked_at=len(taken),
        sheets=reading.sheets,
        peculiarities={name: times for name, times in notes.items() if times},
    )


def _reader(kind: str) -> Reader:
    """What reads this kind; imported only now, as the libraries for the others take memory and time."""
    return cast(Reader, import_module(f"{__name__}.{_MODULES[kind]}").records)


def _first(raws: Iterator[Raw]) -> Iterator[Raw]:
    """The records to be looked at: so many, or fewer where they are large."""
    taken = 0
    for raw in islice(raws, _LOOKED_AT):
        yield raw
        taken += values.size(raw.fields)
        if taken > _LOOKED_BYTES:
            return
