"""Fixtures for the services."""

import pytest

from control_plane.context import ControlPlane
from fleet_support import Fleet, make_fleet


@pytest.fixture
def fleet(cp: ControlPlane) -> Fleet:
    """A project with an owner, four methods and no machines."""
    return make_fleet(cp)
