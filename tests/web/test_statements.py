"""No page asks the database more than fifteen things, however much there is: counted over the URL map."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
import rooms
from flask import Flask
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services.datasets import json_lines
from control_plane.store.database import database

MOST = 15


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    """A furnished project with 21 datasets, so that a question for each row shows."""
    invite("ada", role="Owner", administrator=True)
    furnished = rooms.with_triggers(rooms.with_listener(rooms.furnished(cp)))
    room = rooms.with_run(rooms.with_labelling(rooms.with_draft(furnished, "ada")))
    for number in range(20):
        train = BytesIO(rooms.rows(20, f"part {number}"))
        json_lines.upload(room.actor, cp, "lab", f"more-{number}", train, None)
    return room


def test_each_page_is_drawn_with_few_statements(
    room: rooms.Rooms, app: Flask, browser: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, execute, statements = browser("ada"), database.obj.execute_sql, []
    monkeypatch.setattr(database.obj, "execute_sql", lambda sql, *given: statements.append(sql) or execute(sql, *given))
    counted = {}
    for address in list(rooms.addresses(app, room)):
        client.get(address)  # what is kept between requests is kept
        statements.clear()
        assert client.get(address).status_code < 400, address
        counted[address] = len(statements)
    too_many = {address: count for address, count in counted.items() if count > MOST}
    assert too_many == {}, "\n".join(f"{count} {address}" for address, count in too_many.items())
