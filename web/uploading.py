"""The form that takes any file for a dataset, on the data page and on a case's page: what was sent becomes a draft."""

from __future__ import annotations

import os
from typing import BinaryIO, cast

from flask import request
from flask_babel import gettext
from werkzeug.datastructures import FileStorage

from control_plane.domain.errors import FieldInvalid, TunesmithError
from control_plane.services.datasets import drafts, uploads
from control_plane.store.drafts import DatasetDraftRecord
from web.access import the_actor, the_control_plane
from web.paging import whole_number


def receive(project: str) -> DatasetDraftRecord:
    """A draft of the files, whether they came with the form or in pieces before it.

    Of what came with a form that is refused nothing is kept. Raises FieldInvalid where there is no file, and what
    `uploads` and `drafts` raise.
    """
    came: list[int] = []
    try:
        train, test = _sent(project, "train", came), _sent(project, "test", came)
        if not train:
            raise FieldInvalid(field="train", problem=gettext("Choose a file."))
        name = request.form.get("dataset", "")
        return drafts.begin(the_actor(), the_control_plane(), project, train, test or None, name)
    except TunesmithError:
        for number in came:
            uploads.cancel(the_actor(), the_control_plane(), number)
        raise


def _sent(project: str, control: str, came: list[int]) -> int:
    """The upload that a control of the form stands for; 0 for none. One that came with the form is added to `came`."""
    if number := whole_number(request.form.get(f"{control}_upload", "")):
        return number
    file = request.files.get(control)
    return _kept(project, file, came) if file is not None and file.filename else 0


def _kept(project: str, file: FileStorage, came: list[int]) -> int:
    """The upload of a file that came with the form."""
    size = file.stream.seek(0, os.SEEK_END)
    file.stream.seek(0)
    upload = uploads.begin(the_actor(), the_control_plane(), project, str(file.filename), size)
    came.append(int(upload.id))
    uploads.append(the_actor(), the_control_plane(), upload.id, 0, cast(BinaryIO, file.stream))
    return int(upload.id)
