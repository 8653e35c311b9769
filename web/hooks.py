"""The address by which another system has a workflow started (docs/developers/triggers.md)."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from control_plane.services.triggers import calling
from web.access import public, the_control_plane

blueprint = Blueprint("hooks", __name__)

_LARGEST = 65_536  # bytes of a body, of which nothing but its signature is used
_LONGEST_KEY = 200  # characters


@blueprint.post("/hooks/<int:trigger_id>")
@public
def call(trigger_id: int) -> ResponseReturnValue:
    """Start the workflow soon, for who has the trigger's key or has signed with it."""
    request.max_content_length = _LARGEST
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    firing = calling.call(
        the_control_plane(),
        trigger_id,
        bearer.strip() if scheme.lower() == "bearer" else "",
        request.headers.get("Tunesmith-Signature", ""),
        request.get_data(cache=False),
        request.headers.get("Idempotency-Key", "")[:_LONGEST_KEY],
    )
    return jsonify(firing=firing.id, run=firing.run_id), 202
