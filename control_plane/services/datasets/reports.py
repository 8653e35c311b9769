"""What the checks found when a version was made: the report that is kept with it."""

from __future__ import annotations

import json

from control_plane.context import ControlPlane
from control_plane.domain.preparation import Report, read
from control_plane.store.datasets import DatasetVersionRecord


def of_version(cp: ControlPlane, version: DatasetVersionRecord) -> Report | None:
    """None for a version that was made without a draft. The caller has shown that it may see the version."""
    if not version.report_sha256:
        return None
    with cp.blobs.open(version.report_sha256) as file:
        return read(Report, json.load(file))
