"""Somebody who may run a case, and the case's data."""

from __future__ import annotations

from io import BytesIO

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services import cases, methods
from control_plane.services.access import identity, people, projects
from control_plane.services.datasets import json_lines
from control_plane.services.workflows import sources
from control_plane.store.people import UserRecord
from workflow_support import CASE


@pytest.fixture
def ada(cp: ControlPlane) -> Actor:
    """An expert of the project "lab", on a control plane with the shipped methods."""
    methods.register_shipped(cp)
    people.invite(SYSTEM, cp, "ada", "Ada", False)
    projects.create(SYSTEM, cp, "lab", "Lab")
    projects.set_member(SYSTEM, cp, "lab", "ada", "Expert")
    return identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")


@pytest.fixture
def version(cp: ControlPlane, ada: Actor) -> int:
    plan = sources.plan_of(cases.get(ada, cp, CASE))
    parts = [BytesIO(cases.read_file(ada, cp, CASE, file)) for file in (plan.dataset.train, plan.dataset.test)]
    return int(json_lines.upload(ada, cp, "lab", plan.dataset.name, *parts, plan.dataset.format)[0].id)
