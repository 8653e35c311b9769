"""A short storm with a fixed seed, so that the long one of `storm.py` cannot rot."""

from pathlib import Path

import pytest

from faults import invariants
from faults.storm import Storm

pytestmark = [pytest.mark.journey, pytest.mark.torch]

FAULTS = 8


def test_every_invariant_holds_after_a_short_storm(tmp_path: Path) -> None:
    storm = Storm(tmp_path, seed=7)
    try:
        storm.run(FAULTS)
        storm.settle()
        seen = invariants.check(storm)
    finally:
        storm.close()
    assert sum(seen["jobs"].values()) == len(storm.jobs) + 1  # and the import
    assert seen["logs equal"] > 0
    assert seen["files hashed"] > 0
