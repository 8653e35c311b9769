"""For monitoring: whether the process lives, whether it can work, and what it counts."""

from __future__ import annotations

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from control_plane.services import measurements
from control_plane.store.database import is_reachable
from web.access import by_token, public, the_actor, the_control_plane

blueprint = Blueprint("monitoring", __name__)


@blueprint.get("/healthz")
@public
def live() -> Response:
    """The process answers: if it does not, start it anew."""
    return _said("ok", 200)


@blueprint.get("/readyz")
@public
def ready() -> Response:
    """It can do its work, which needs the database: while it cannot, send it nobody, and do not start it anew."""
    return _said("ok", 200) if is_reachable() else _said("the database does not answer", 503)


def _said(word: str, status: int) -> Response:
    """For a program, so in no language and on no page."""
    return Response(word, status=status, content_type="text/plain; charset=utf-8")


@blueprint.get("/metrics")
@by_token
def metrics() -> Response:
    """Prometheus' text, for the API token of somebody who may see it."""
    cp = the_control_plane()
    found, kept = measurements.of_installation(the_actor(), cp), cp.metrics
    kept.oldest_queued.set(found.oldest_queued_seconds)
    for gauge, counts in ((kept.jobs, found.jobs), (kept.machines, found.machines), (kept.replicas, found.replicas)):
        for state, count in counts.items():
            gauge.labels(state).set(count)
    return Response(generate_latest(kept.registry), content_type=CONTENT_TYPE_LATEST)
