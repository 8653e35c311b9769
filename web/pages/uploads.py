"""Files on their way in: begun, sent in pieces from any byte, and then a draft. The page's script speaks JSON here."""

from __future__ import annotations

from typing import BinaryIO, cast

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from control_plane.domain.errors import NotFound
from control_plane.services.datasets import uploads
from control_plane.store.drafts import UploadRecord
from web.access import requires, the_actor, the_control_plane
from web.paging import asked_number, whole_number
from web.security import takes_upload

blueprint = Blueprint("uploads", __name__, url_prefix="/p/<project>/data/uploads")


@blueprint.post("")
@requires("dataset.upload")
def begin(project: str) -> ResponseReturnValue:
    """A file of this name and size is about to come."""
    name, size = request.form.get("file_name", ""), whole_number(request.form.get("size", ""))
    return _told(project, uploads.begin(the_actor(), the_control_plane(), project, name, size))


@blueprint.get("/<int:upload_id>")
@requires("dataset.upload")
def show(project: str, upload_id: int) -> ResponseReturnValue:
    """How much of it is there. Raises NotFound where something was made of it, or it was thrown away."""
    upload = uploads.get(the_actor(), the_control_plane(), upload_id)
    if upload.over_at:
        raise NotFound
    return _told(project, upload)


@blueprint.post("/<int:upload_id>")
@requires("dataset.upload")
def append(project: str, upload_id: int) -> ResponseReturnValue:
    """The body is what follows the byte `offset`."""
    stream = cast(BinaryIO, request.stream)
    return _told(
        project, uploads.append(the_actor(), the_control_plane(), upload_id, asked_number("offset", 0), stream)
    )


takes_upload(append)


def _told(project: str, upload: UploadRecord) -> ResponseReturnValue:
    address = url_for("uploads.show", project=project, upload_id=upload.id)
    return jsonify(id=upload.id, address=address, size=upload.size, received=upload.arrived)
