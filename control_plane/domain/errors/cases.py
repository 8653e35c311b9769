"""Cases: what of a run cannot be saved, and what is wrong with a file that somebody brings."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid


class CaseArchiveUnreadable(Invalid):
    """This is no case: a ZIP archive as “Export” writes it, with case.json in it, is needed."""


class CaseFileRefused(Invalid):
    """The archive holds “{path}”. A case has case.json, train.jsonl and test.jsonl, and nothing else."""


class CaseTooLarge(Invalid):
    """The case is too large: there can be {limit} bytes at most. Save it with the shape of its data only."""


class CasePlanFaulty(Invalid):
    """case.json, {place}: this does not fit. What can stand here: {wanted}."""


class CaseDataUnnamed(Invalid):
    """The archive and its case.json do not name the same files of data."""


class CaseNameTaken(Conflict):
    """There is a case called “{name}” already. Take another title."""


class CaseRunUnfinished(Conflict):
    """The run has not ended well. Only one that has can be saved as a case."""


class CaseShipped(Conflict):
    """“{name}” came with Tunesmith. It can be neither changed nor deleted."""


class CaseWithoutData(Conflict):
    """This case brings only the shape of its data. Run it on data of your own."""
