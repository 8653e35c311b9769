"""A run is saved as a case by its page, found, handed on as a file, imported, rated and deleted."""

from __future__ import annotations

import io
from collections.abc import Callable

import case_support
import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.cases import archive
from control_plane.services import methods
from control_plane.store.audit import AuditRecord
from control_plane.store.cases import CaseRecord

Browser = Callable[[str], FlaskClient]
TOLD = {
    "title": "Pumps at night",
    "field": "Water",
    "task": "extraction",
    "problem": "Too many\r\nreports.",
    "data": "whole",
}


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    invite("vic", role="Viewer")
    methods.register_shipped(cp)
    return rooms.empty(cp)


def test_from_a_run_to_a_case_to_a_file_and_back(room: rooms.Rooms, browser: Browser) -> None:
    run = case_support.finished_run(room)
    client, address = browser("ada"), f"/p/lab/cases/machine_faults/run/{run.id}"
    assert f'href="{address}/save"' in client.get(f"/p/lab/runs/{run.id}").text
    form = client.get(f"{address}/save").text
    assert 'value="Maintenance"' in form and '<option value="shape" selected>' in form
    refused = client.post(f"{address}/save", data=TOLD | {"problem": " "})
    assert refused.status_code == 400 and "This is needed." in refused.text and "Pumps at night" in refused.text
    saved = client.post(f"{address}/save", data=TOLD)
    assert saved.location == "/p/lab/cases/pumps-at-night"
    page = client.get(saved.location).text
    for words in (
        "Pumps at night",
        "Water",
        "Too many\nreports.",
        "On the data of that run",
        "Only its own project sees",
    ):
        assert words in page
    assert "Try with sample data" in page
    assert 'href="/p/lab/cases/pumps-at-night"' in client.get("/p/lab/cases?field=water").text
    assert "dataset=" in client.post(f"{saved.location}/try").location

    client.post(f"{saved.location}/share", data={"shared": "true"})
    assert "Every project sees this case" in client.get(saved.location).text
    file = client.get(f"{saved.location}/export")
    assert (file.mimetype, file.headers["Content-Disposition"]) == (
        "application/zip", 'attachment; filename="pumps-at-night.zip"',
    )  # fmt: skip
    taken = client.post("/p/lab/cases/-/import", data={"archive": (io.BytesIO(file.data), "pumps.zip")})
    assert taken.status_code == 409 and "There is a case called" in taken.text
    plan, files = archive.unpacked(file.data)
    other = archive.packed(plan | {"display": {"en": "<i>Other</i>"}}, files)
    brought = client.post("/p/lab/cases/-/import", data={"archive": (io.BytesIO(other), "o.zip")})
    assert "&lt;i&gt;Other&lt;/i&gt;" in client.get(brought.location).text
    client.post(f"{saved.location}/delete")
    assert client.get(saved.location).status_code == 404
    assert client.get(f"/p/lab/runs/{run.id}").status_code == 200  # its run stays
    told = {str(one.action) for one in AuditRecord.select().where(AuditRecord.action.startswith("case."))}
    assert told == {"case.save", "case.share", "case.import", "case.delete"}


def test_a_case_of_a_shape_alone_runs_on_ones_own_data_only(room: rooms.Rooms, browser: Browser) -> None:
    run = case_support.finished_run(room)
    client = browser("ada")
    case = client.post(f"/p/lab/cases/machine_faults/run/{run.id}/save", data=TOLD | {"data": "shape"}).location
    page = client.get(case).text
    assert "it was made with 300 rows of prompt, completion" in page
    assert "Try with sample data" not in page
    assert client.post(f"{case}/try").status_code == 409


@pytest.mark.parametrize("data", [b"", b"no archive", b"x" * (archive.LARGEST + 1)])
def test_a_file_that_is_no_case_is_refused_on_the_page(room: rooms.Rooms, browser: Browser, data: bytes) -> None:
    client = browser("ada")
    for sent in ({}, {"archive": (io.BytesIO(data), "case.zip")}):
        answer = client.post("/p/lab/cases/-/import", data=sent)
        assert answer.status_code == 400
        assert "Import a case" in answer.text
    assert not CaseRecord.select().exists()


def test_colleagues_say_what_they_think(room: rooms.Rooms, browser: Browser) -> None:
    vic, ada = browser("vic"), browser("ada")
    case = "/p/lab/cases/assay_notes"
    assert "Nobody has rated this case yet." in ada.get(case).text
    assert vic.post(f"{case}/rate", data={"rating": "4", "text": "Works <b>well</b>"}).status_code == 302
    ada.post(f"{case}/rate", data={"rating": "5"})
    page = ada.get(case).text
    assert "Works &lt;b&gt;well&lt;/b&gt;" in page and "Rated 4.5 of 5 by 2 people" in page
    assert "Rated 4.5 of 5 by 2 people" in ada.get("/p/lab/cases").text
    assert ada.post(f"{case}/rate", data={"rating": "9"}).status_code == 400
    assert "Mit 4,5 von 5 bewertet, von 2 Personen" in ada.get(f"{case}?lang=de").text


def test_a_viewer_saves_and_imports_nothing(room: rooms.Rooms, browser: Browser) -> None:
    run = case_support.finished_run(room)
    vic = browser("vic")
    assert "Save as a case" not in vic.get(f"/p/lab/runs/{run.id}").text
    assert "Import a case" not in vic.get("/p/lab/cases").text
    assert vic.post(f"/p/lab/cases/machine_faults/run/{run.id}/save", data=TOLD).status_code == 403
