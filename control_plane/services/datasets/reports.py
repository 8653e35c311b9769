"""What the checks found when a version was made: the report that is kept with it."""

from __future__ import annotations

import json
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.preparation import Report, read
from control_plane.services.datasets.process import Fault
from control_plane.store.datasets import DatasetVersionRecord

_FAULT = "check_fault"  # in a version's `source`: {"code", "params"} of the error for which it has no report


def of_version(cp: ControlPlane, version: DatasetVersionRecord) -> Report | None:
    """None for a version that is not checked yet (`to_check`), or could not be.

    The caller has shown that it may see the version.
    """
    if not version.report_sha256:
        return None
    with cp.blobs.open(version.report_sha256) as file:
        return read(Report, json.load(file))


def fault_of(version: DatasetVersionRecord) -> Fault | None:
    """Why the rows could not be checked; None where they were, or will be."""
    is_open = not version.report_sha256 and not version.to_check  # what was made of it has its `source`, too
    written = version.source.get(_FAULT) if is_open else None
    return Fault(written["code"], written["params"]) if written else None


def without(version: DatasetVersionRecord, fault: Fault) -> dict[str, Any]:
    """What the version's `source` is to be, once its rows could not be checked."""
    return {**version.source, _FAULT: {"code": fault.code, "params": fault.params}}
