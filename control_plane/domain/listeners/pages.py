"""Where the dashboard shows what an event is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# kind of a subject → its page, below the dashboard's address; `name` and `id` are the subject's
PAGES = {
    "workflow_run": "/p/{project}/runs/{id}",
    "evaluation": "/p/{project}/evaluations/{id}",
    "job": "/p/{project}/jobs/{id}",
    "dataset": "/p/{project}/data/{name}",
    "source": "/p/{project}/data/sources/of/{name}",
    "machine": "/machines/{id}",
    "control_plane": "/",
    "prompt": "/p/{project}/prompts/{id}",
    "workflow": "/p/{project}/workflows/{id}",
    "listener": "/p/{project}/listeners/{id}",
}


def page_of(project: str, subject: Mapping[str, Any]) -> str:
    """The page of a subject, below the dashboard's address."""
    return PAGES[subject["kind"]].format(project=project, **subject)
