"""Uploads and drafts in the browser: pieces of a file, what it is, what its columns become, and what is chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.preparation import DraftState
from control_plane.services.access import identity
from control_plane.services.datasets import json_lines, preparing
from control_plane.store.drafts import DatasetDraftRecord, UploadRecord
from control_plane.store.people import UserRecord
from web import live

Browser = Callable[[str], FlaskClient]
JSON = {"Accept": "application/json"}


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.with_draft(rooms.empty(cp), "ada")


@pytest.fixture
def page(room: rooms.Rooms) -> str:
    return f"/p/lab/data/drafts/{room.made['draft']}"


def draft(room: rooms.Rooms) -> DatasetDraftRecord:
    return DatasetDraftRecord.get_by_id(room.made["draft"])


def change(client: FlaskClient, page: str, what: str, **form: str) -> str:
    return client.post(page, data={"what": what} | form, headers={"HX-Request": "true"}).text


def test_a_file_is_sent_in_pieces_and_goes_on_where_it_stopped(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    begun = client.post("/p/lab/data/uploads", data={"file_name": "a.csv", "size": "10"}, headers=JSON).get_json()
    assert (begun["received"], begun["size"]) == (0, 10)
    sent = client.post(f"{begun['address']}?offset=0", data=b"a,b\n", headers=JSON)
    assert sent.get_json()["received"] == 4
    assert client.post(f"{begun['address']}?offset=0", data=b"a,b\n", headers=JSON).status_code == 409
    assert client.get(begun["address"], headers=JSON).get_json()["received"] == 4
    assert client.post(f"{begun['address']}?offset=4", data=b"1,2\n3\n", headers=JSON).get_json()["received"] == 10
    made = client.post("/p/lab/data/upload", data={"train_upload": str(begun["id"])})
    newest = DatasetDraftRecord.select().order_by(DatasetDraftRecord.id.desc()).get()
    assert made.location == f"/p/lab/data/drafts/{newest.id}"
    assert newest.state == DraftState.LOOKING
    assert "Looking at the file" in client.get(made.location).text


def test_without_script_the_form_alone_does(room: rooms.Rooms, browser: Browser) -> None:
    files = {"train": (BytesIO(rooms.rows(3)), "Labor März.jsonl"), "test": (BytesIO(rooms.rows(2)), "test.jsonl")}
    answer = browser("ada").post("/p/lab/data/upload", data=files)
    made = DatasetDraftRecord.get(DatasetDraftRecord.test_upload.is_null(False))
    assert answer.location == f"/p/lab/data/drafts/{made.id}"
    assert made.name == "labor-maerz"


@pytest.mark.parametrize(
    "sent",
    [{"test": (BytesIO(b""), "empty.jsonl")}, {"test_upload": "99"}, {"dataset": "no name"}],
)
def test_nothing_is_kept_of_a_form_that_is_refused(room: rooms.Rooms, browser: Browser, sent: dict[str, Any]) -> None:
    before = UploadRecord.select().where(UploadRecord.over_at == 0.0).count()
    answer = browser("ada").post("/p/lab/data/upload", data={"train": (BytesIO(rooms.rows(3)), "a.jsonl")} | sent)
    assert answer.status_code >= 400
    assert UploadRecord.select().where(UploadRecord.over_at == 0.0).count() == before


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Choose a file."),
        ({"train": (BytesIO(b""), "empty.csv")}, "empty.csv"),
        ({"train_upload": "99"}, "does not exist"),
    ],
)
def test_what_cannot_be_taken_is_said_on_the_form(
    room: rooms.Rooms, browser: Browser, sent: dict[str, Any], words: str
) -> None:
    answer = browser("ada").post("/p/lab/data/upload", data=sent)
    assert answer.status_code >= 400
    assert words in answer.text
    assert "What happens then" in answer.text
    assert UploadRecord.select().count() == 1


def test_a_draft_says_what_the_file_is_and_what_was_found(room: rooms.Rooms, browser: Browser, page: str) -> None:
    text = browser("ada").get(page).text
    assert "A table of text (CSV) with 11 rows and 2 columns" in text
    assert '<option value="prompt" selected>Question</option>' in text
    assert "Duplicates" in text and "Nothing was found of: Training rows that are also held out." in text
    assert 'id="choice-duplicates-drop" name="choice.duplicates" value="drop" checked' in text
    assert "Like line 1." in text
    assert "8 rows" in text and 'value="laborberichte"' in text
    index = browser("ada").get("/p/lab/data").text
    assert "Laborberichte.csv" in index and "Waits for you" in index and f'href="{page}"' in index


def test_a_mapping_that_is_whole_is_checked_and_shown_at_once(room: rooms.Rooms, browser: Browser, page: str) -> None:
    form = {"format": "prompt_completion", "column.0": "completion", "column.1": "prompt"}
    text = change(browser("ada"), page, "mapping", **form)
    assert draft(room).state == DraftState.CHECKING
    assert draft(room).mapping["parts"] == {"prompt": ["Urteil"], "completion": ["Befund"]}
    assert "<html" not in text and "Checking every row" in text
    assert text.rindex(">Lager<") < text.rindex(">Pumpe 1 ist warm<")


def test_a_mapping_that_lacks_a_field_says_which_and_changes_nothing(
    room: rooms.Rooms, browser: Browser, page: str
) -> None:
    text = change(browser("ada"), page, "mapping", **{"format": "preference", "column.0": "prompt"})
    assert "Choose a column for: Preferred answer, Other answer." in text
    assert "Save version" not in text
    assert draft(room).state == DraftState.READY
    assert draft(room).mapping["format"] == "prompt_completion"


def test_choices_split_and_reading_are_changed_alone(room: rooms.Rooms, browser: Browser, page: str) -> None:
    client = browser("ada")
    change(client, page, "choices", **{"choice.duplicates": "keep", "choice.leakage": "fix"})
    assert draft(room).choices == {"duplicates": "keep"}
    DatasetDraftRecord.update(state=DraftState.READY).execute()
    assert "Enter a whole number from 0 to 50." in change(client, page, "split", share="80", seed="7")
    change(client, page, "split", share="30", seed="7", by="0", stratify="")
    assert draft(room).split == {"share": 0.3, "seed": 7, "by": "Befund", "stratify": ""}
    text = change(client, page, "source", encoding="gb18030", delimiter=";")
    assert (draft(room).state, draft(room).train["encoding"]) == (DraftState.LOOKING, "gb18030")
    assert "Looking at the file" in text


def test_the_model_of_the_lengths_is_chosen(room: rooms.Rooms, browser: Browser, page: str) -> None:
    job = room.submit("import_base_model", "small-base", {}, reference="small-model")
    base = room.finish_model(room.run(job, 0), "base")
    facts = {"histogram": {"unit": "tokens", "edges": [0, 10], "counts": [3, 1], "limit": 15}}
    path = preparing.folder(room.cp, draft(room)) / preparing.REPORT
    written = json.loads(path.read_bytes())
    path.write_text(json.dumps(written | {"facts": facts}))
    client = browser("ada")
    text = client.get(page).text
    assert f'<option value="{base}">small-base</option>' in text
    assert '<option value="0" selected>no model: in characters</option>' in text
    assert "from 10 tokens" in " ".join(text.split())
    change(client, page, "model", model=str(base))
    assert (draft(room).state, draft(room).base_model_id) == (DraftState.CHECKING, base)
    DatasetDraftRecord.update(state=DraftState.READY).execute()
    failed = {"uncounted": {"code": "tokenizer_unreadable", "params": {}}}
    path.write_text(json.dumps(written | {"facts": facts | failed}))
    assert "no tokenizer that can be read here" in client.get(page).text
    change(client, page, "model", model="none")
    assert draft(room).base_model_id is None


def test_a_failed_draft_says_why_and_can_be_read_differently(room: rooms.Rooms, browser: Browser, page: str) -> None:
    said = {"file": "x.pdf", "kind": "PDF"}
    DatasetDraftRecord.update(state="failed", error="file_kind_unsupported", error_params=said).execute()
    text = browser("ada").get(page).text
    assert "x.pdf" in text and "Read it differently" in text
    DatasetDraftRecord.update(error="mapping_needed", mapping=None).execute()
    text = browser("ada").get(page).text
    assert "nothing suggested itself" in text and "choose one" in text


def test_saving_leads_to_the_version_and_discarding_back_to_the_data(
    room: rooms.Rooms, browser: Browser, page: str
) -> None:
    client = browser("ada")
    refused = client.post(f"{page}/save", data={"name": "Not Allowed"})
    assert refused.status_code == 400 and "is not a valid name" in refused.text and "Not Allowed" in refused.text
    assert client.post(f"{page}/save", data={"name": "notes"}).location == page
    assert "Saving the version" in client.get(page).text
    assert client.post(f"{page}/save", data={"name": "notes"}).status_code == 409
    version, _ = json_lines.upload(room.actor, room.cp, "lab", "notes", BytesIO(rooms.rows(5)), None)
    DatasetDraftRecord.update(state=DraftState.SAVED, dataset_version=version).execute()
    assert client.get(page).location == "/p/lab/data/notes?version=1"
    seen_by_htmx = client.get(page, headers={"HX-Request": "true"})
    assert seen_by_htmx.headers["HX-Redirect"] == "/p/lab/data/notes?version=1"
    DatasetDraftRecord.update(state=DraftState.READY).execute()
    assert client.post(f"{page}/cancel").location == "/p/lab/data"
    assert "was discarded" in client.get(page).text


def test_a_draft_is_its_makers_alone(
    room: rooms.Rooms, browser: Browser, page: str, invite: Callable[..., str]
) -> None:
    other = browser(invite("bob", role="Owner"))
    topic = f"draft:{room.made['draft']}"
    watching = [identity.actor_of(UserRecord.get(UserRecord.name == name), "") for name in ("ada", "bob")]
    assert [live.visible(actor, room.cp, [topic]) for actor in watching] == [{topic}, set()]
    assert other.get(page).status_code == 404
    assert other.post(f"{page}/cancel").status_code == 404
    assert "Laborberichte.csv" not in other.get("/p/lab/data").text
