"""Data in the browser: uploading, what is wrong with a file, and looking at rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.preparation import Choice, Finding, Mapping, Report, told
from control_plane.services.datasets import versions
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.methods import MethodVersionRecord

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.empty(cp)


def send(client: FlaskClient, data: bytes, name: str = "", file: str = "Pump faults.jsonl", **more: Any) -> Any:
    headers = more.pop("headers", {})
    fields = {"train": (BytesIO(data), file), "name": name, "share": "20", "seed": "42"} | more
    return client.post("/p/lab/data/upload", data=fields, headers=headers)


def test_a_file_becomes_a_version_named_like_it(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    answer = send(client, rooms.rows(10))
    assert answer.location.endswith("/p/lab/data/pump-faults?version=1")
    page = client.get(answer.location).text
    assert page.count("is hot.") == 8
    assert "To learn from (8)" in page
    assert "Held out (2)" in page
    assert "Version 1 was saved." in page


def test_the_same_content_is_no_new_version(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    send(client, rooms.rows(10), "faults")
    page = client.get(send(client, rooms.rows(10), "faults").location).text
    assert "was there already as version 1" in page


def test_held_out_rows_may_be_a_file(room: rooms.Rooms, browser: Browser) -> None:
    test = (BytesIO(rooms.rows(3, "lathe")), "test.jsonl")
    page = browser("ada").get(send(browser("ada"), rooms.rows(4), "faults", test=test).location).text
    assert "To learn from (4)" in page
    assert "Held out (3)" in page


def test_each_faulty_row_is_named_and_nothing_is_kept(room: rooms.Rooms, browser: Browser) -> None:
    faulty = rooms.rows(2) + b'{"prompt": "x"}\n' + b"not json\n" * 24
    answer = send(browser("ada"), faulty, "faults", share="30", seed="7")
    assert answer.status_code == 400
    assert "Pump faults.jsonl, line 3: the field “completion” is missing." in answer.text
    assert "Pump faults.jsonl, line 4: this is not JSON" in answer.text
    assert "25 rows of the file have a fault" in answer.text
    assert answer.text.count("<li>Pump faults.jsonl, line") == 2  # one sentence for each cause
    assert "The same in 23 more rows: lines 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 …" in answer.text
    assert '<code class="excerpt">not json</code>' in answer.text
    assert "2 rows are sound." in answer.text
    assert 'value="faults"' in answer.text
    assert 'value="30"' in answer.text
    assert versions.list_datasets(room.actor, room.cp, "lab") == []


def test_sound_rows_are_saved_alone_and_the_faulty_ones_downloaded(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    faulty = rooms.rows(10) + b'{"prompt": "x"}\n' + "{“kaputt”\n".encode()
    answer = send(client, faulty, "faults", faulty="leave_out")
    page = client.get(answer.location).text
    assert "2 faulty rows" in page
    got = client.get("/p/lab/data/faults/left-out?version=1")
    assert got.data == b'{"prompt": "x"}\n' + "{“kaputt”\n".encode()
    assert "attachment" in got.headers["Content-Disposition"]
    send(client, rooms.rows(5), "clean")
    assert client.get("/p/lab/data/clean/left-out?version=1").status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"prompt,completion\nx,y\n", "is a table with columns (CSV)"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "is a file of the kind Excel"),
        (b'[{"prompt": "x", "completion": "y"}]', "is one JSON document"),
    ],
)
def test_another_kind_of_file_is_one_sentence(room: rooms.Rooms, browser: Browser, data: bytes, words: str) -> None:
    answer = send(browser("ada"), data, file="Labor.dat")
    assert f"“Labor.dat” {words}" in answer.text
    assert answer.text.count("<li>“Labor.dat”") == 1
    assert "Nothing was saved: this file cannot be read" in answer.text


def test_for_htmx_only_the_problems_come_back(room: rooms.Rooms, browser: Browser) -> None:
    answer = send(browser("ada"), b"\xff\xfe{\x00", "faults", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "Pump faults.jsonl is encoded as UTF-16; please save it as UTF-8." in answer.text
    assert "<html" not in answer.text


def test_for_htmx_success_is_a_redirect_header(room: rooms.Rooms, browser: Browser) -> None:
    answer = send(browser("ada"), rooms.rows(5), "faults", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/p/lab/data/faults?version=1"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"share": "80"}, "Enter a whole number from 0 to 50."),
        ({"share": "9" * 5000}, "Enter a whole number from 0 to 50."),
        ({"seed": "-1"}, "Enter a whole number."),
        ({"name": "Not Allowed"}, "is not a valid name"),
        ({"train": (BytesIO(b""), "")}, "Choose a file."),
        ({"train": (BytesIO(b""), "empty.jsonl")}, "empty.jsonl contains no rows."),
    ],
)
def test_a_wrong_field_is_named(room: rooms.Rooms, browser: Browser, sent: dict[str, Any], words: str) -> None:
    answer = send(browser("ada"), rooms.rows(5), **sent)
    assert answer.status_code == 400
    assert words in answer.text


def test_markup_in_rows_stays_text(room: rooms.Rooms, browser: Browser) -> None:
    row = b'{"prompt": "<script>alert(1)</script>", "completion": "{{ 7*7 }}"}\n' * 3
    page = browser("ada").get(send(browser("ada"), row, "odd").location).text
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7*7 }}" in page


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (
            {"messages": [{"role": "user", "content": "Hot?"}, {"role": "assistant", "content": "Yes."}]},
            ["User", "Yes."],
        ),
        ({"prompt": "Hot?", "chosen": "Yes.", "rejected": "No."}, ["Preferred answer", "Other answer", "No."]),
        ({"text": "Hot pumps are loud."}, ["Plain text", "Hot pumps are loud."]),
    ],
)
def test_every_form_of_row_is_readable(
    room: rooms.Rooms, browser: Browser, row: dict[str, Any], shown: list[str]
) -> None:
    data = "".join(json.dumps(row | {"number": number}) + "\n" for number in range(3)).encode()
    page = browser("ada").get(send(browser("ada"), data, "any", share="0").location).text
    assert all(words in page for words in shown)


def test_rows_come_in_pages(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    send(client, rooms.rows(50), "faults", share="0")
    page = client.get("/p/lab/data/faults?page=3").text
    assert "The pump 40 is hot." in page
    assert "The pump 39 is hot." not in page
    assert "page 3 of 3" in page


def test_a_version_that_does_not_exist_is_not_found(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    send(client, rooms.rows(5), "faults")
    assert client.get("/p/lab/data/faults?version=2").status_code == 404
    assert client.get("/p/lab/data/nothing").status_code == 404


def test_a_viewer_sees_and_does_not_upload(room: rooms.Rooms, browser: Browser, invite: Callable[..., str]) -> None:
    viewer = browser(invite("eve", role="Viewer"))
    assert viewer.get("/p/lab/data").status_code == 200
    assert viewer.get("/p/lab/data/upload").status_code == 403
    assert send(viewer, rooms.rows(5)).status_code == 403


def test_pairs_and_judged_answers_are_shown_as_what_they_are(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    said = [{"role": "user", "content": "Is it hot?"}]
    pairs = [{"prompt": said, "chosen": f"Yes, {n}.", "rejected": "Maybe."} for n in range(3)]
    sent = send(client, b"".join(json.dumps(row).encode() + b"\n" for row in pairs), "pairs", share="0")
    page = client.get(sent.location).text
    assert "Two answers, one preferred" in page
    assert '<dt>User</dt><dd class="said">Is it hot?</dd>' in page
    assert "Yes, 2." in page
    judged = [{"prompt": f"q{n}", "completion": "c", "label": n > 0} for n in range(3)]
    sent = send(client, b"".join(json.dumps(row).encode() + b"\n" for row in judged), "judged", share="0")
    page = client.get(sent.location).text
    assert "An answer, judged good or bad" in page
    assert (page.count("Good"), page.count("Bad"), "2 answers" in page) == (2, 1, True)


def test_training_is_offered_where_a_method_takes_the_rows(
    cp: ControlPlane, room: rooms.Rooms, browser: Browser
) -> None:
    client, none = browser("ada"), "No method of this installation learns from rows of this form."
    page = client.get(send(client, b'{"prompt": "q", "completion": "a"}\n', "taken", share="0").location).text
    assert "Use for training" in page and none not in page
    MethodVersionRecord.update(current=False).where(MethodVersionRecord.kind == "train").execute()
    page = client.get("/p/lab/data/taken").text
    assert "Use for training" not in page and none in page


def test_a_faulty_pair_is_told_in_the_users_words(room: rooms.Rooms, browser: Browser) -> None:
    same = b'{"prompt": "q", "chosen": "a", "rejected": "a"}\n' * 3
    answer = send(browser("ada"), b'{"prompt": "q", "chosen": "a", "rejected": "b"}\n' + same)
    assert "line 2: “chosen” and “rejected” are the same answer" in answer.text
    assert "The same in 2 more rows: lines 3, 4." in answer.text


def test_rows_are_found_by_their_words(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    send(client, rooms.rows(50), "faults", share="0")
    page = client.get("/p/lab/data/faults?q=PUMP+4").text
    assert page.count("is hot.") == 11  # 4, and 40 to 49
    assert "page 1 of 1" in page
    assert "No row is like that." in client.get("/p/lab/data/faults?q=valve").text


def test_a_row_stands_alone_with_its_neighbours(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    send(client, rooms.rows(3), "faults", share="0")
    page = client.get("/p/lab/data/faults/row?row=2").text
    assert "Row 2 of 3" in page and "The pump 1 is hot." in page
    assert "row=1" in page and "row=3" in page
    assert client.get("/p/lab/data/faults/row?row=4").status_code == 404
    assert client.get("/p/lab/data/faults/row?row=0").status_code == 404


def test_the_difference_of_two_versions_says_each_word(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    send(client, rooms.rows(3), "faults", share="0")
    send(client, rooms.rows(4).replace(b"pump 0 is hot", b"pump 0 is cold"), "faults", share="0")
    page = client.get("/p/lab/data/faults/difference").text
    assert "The pump 0 is <del>hot</del><ins>cold</ins>." in page
    assert "1 added, 0 removed, 1 changed" in page
    assert "The pump 3 is hot." in page
    assert "Both versions have the same rows." in client.get("/p/lab/data/faults/difference?old=2&version=2").text
    assert client.get("/p/lab/data/faults/difference?old=7").status_code == 404


def test_the_report_says_what_is_known_and_where_the_version_was_used(
    cp: ControlPlane, room: rooms.Rooms, browser: Browser
) -> None:
    client = browser("ada")
    send(client, rooms.rows(3), "faults", share="0")
    page = client.get("/p/lab/data/faults/report").text
    assert "These rows came in a known form" in page
    assert "No job has used this version yet." in page
    findings = [Finding("personal_data", 2, Choice.KEEP, [Choice.KEEP], params={"kinds": {"mail": 2}})]
    spread = {"unit": "tokens", "edges": [0, 10], "counts": [2, 1], "limit": 5}
    report = Report("prompt_completion", 3, 3, 0, 0, findings, [], {"histogram": spread})
    written, _ = cp.blobs.put(BytesIO(json.dumps(told(report)).encode()))
    mark, _ = cp.blobs.put(BytesIO(b'{"split": "train", "row": 1, "checks": ["personal_data"]}\n'))
    source = {"name": "Labor.xlsx", "kind": "xlsx", "sha256": "0" * 64, "size": 2048}
    mapping = told(Mapping("prompt_completion", {"prompt": ["Befund"], "completion": ["Urteil"]}))
    DatasetVersionRecord.update(report_sha256=written, marks_sha256=mark, source=source, mapping=mapping).execute()
    page = client.get("/p/lab/data/faults/report").text
    assert "mail address: 2" in page
    assert "limit of the model: 5" in page and "0 to 9" in page
    assert "Labor.xlsx" in page and "Befund" in page and "2\N{NO-BREAK SPACE}KiB" in page
    page = client.get("/p/lab/data/faults?check=personal_data").text
    assert "The pump 1 is hot." in page and "The pump 0 is hot." not in page
