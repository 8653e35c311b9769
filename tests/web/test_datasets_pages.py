"""Datasets in the browser: looking at rows and at what is known of them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.preparation import Choice, Finding, Mapping, Report, told
from control_plane.services.datasets import editing, json_lines, large_edits, reports, searching
from control_plane.services.datasets.process import Fault
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.methods import MethodVersionRecord

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.empty(cp)


def keep(room: rooms.Rooms, data: bytes, name: str = "faults", share: float = 0.0) -> str:
    """Keep JSON Lines as a version; the address of its page."""
    version, _ = json_lines.upload(room.actor, room.cp, "lab", name, BytesIO(data), None, test_share=share)
    return f"/p/lab/data/{name}?version={version.number}"


def test_a_version_is_shown_with_both_parts(room: rooms.Rooms, browser: Browser) -> None:
    page = browser("ada").get(keep(room, rooms.rows(10), share=0.2)).text
    assert page.count("is hot.") == 8
    assert "To learn from (8)" in page
    assert "Held out (2)" in page


def test_the_faulty_rows_that_were_left_out_are_downloaded(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    faulty = rooms.rows(10) + b'{"prompt": "x"}\n' + "{“kaputt”\n".encode()
    json_lines.upload(room.actor, room.cp, "lab", "faults", BytesIO(faulty), None, faulty="leave_out")
    assert "2 faulty rows" in client.get("/p/lab/data/faults").text
    got = client.get("/p/lab/data/faults/left-out?version=1")
    assert got.data == b'{"prompt": "x"}\n' + "{“kaputt”\n".encode()
    assert "attachment" in got.headers["Content-Disposition"]
    keep(room, rooms.rows(5), "clean")
    assert client.get("/p/lab/data/clean/left-out?version=1").status_code == 404


def test_markup_in_rows_stays_text(room: rooms.Rooms, browser: Browser) -> None:
    row = b'{"prompt": "<script>alert(1)</script>", "completion": "{{ 7*7 }}"}\n' * 3
    page = browser("ada").get(keep(room, row, "odd")).text
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
    page = browser("ada").get(keep(room, data, "any")).text
    assert all(words in page for words in shown)


def test_rows_come_in_pages(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    keep(room, rooms.rows(50), "faults")
    page = client.get("/p/lab/data/faults?page=3").text
    assert "The pump 40 is hot." in page
    assert "The pump 39 is hot." not in page
    assert "page 3 of 3" in page


def test_a_version_that_does_not_exist_is_not_found(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    keep(room, rooms.rows(5))
    assert client.get("/p/lab/data/faults?version=2").status_code == 404
    assert client.get("/p/lab/data/nothing").status_code == 404


def test_a_viewer_sees_and_does_not_upload(room: rooms.Rooms, browser: Browser, invite: Callable[..., str]) -> None:
    viewer = browser(invite("eve", role="Viewer"))
    assert viewer.get("/p/lab/data").status_code == 200
    assert viewer.get("/p/lab/data/upload").status_code == 403
    assert viewer.post("/p/lab/data/upload").status_code == 403


def test_pairs_and_judged_answers_are_shown_as_what_they_are(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    said = [{"role": "user", "content": "Is it hot?"}]
    pairs = [{"prompt": said, "chosen": f"Yes, {n}.", "rejected": "Maybe."} for n in range(3)]
    sent = keep(room, b"".join(json.dumps(row).encode() + b"\n" for row in pairs), "pairs")
    page = client.get(sent).text
    assert "Two answers, one preferred" in page
    assert '<dt>User</dt><dd class="said">Is it hot?</dd>' in page
    assert "Yes, 2." in page
    judged = [{"prompt": f"q{n}", "completion": "c", "label": n > 0} for n in range(3)]
    sent = keep(room, b"".join(json.dumps(row).encode() + b"\n" for row in judged), "judged")
    page = client.get(sent).text
    assert "An answer, judged good or bad" in page
    assert (page.count("Good"), page.count("Bad"), "2 answers" in page) == (2, 1, True)


def test_training_is_offered_where_a_method_takes_the_rows(
    cp: ControlPlane, room: rooms.Rooms, browser: Browser
) -> None:
    client, none = browser("ada"), "No method of this installation learns from rows of this form."
    page = client.get(keep(room, b'{"prompt": "q", "completion": "a"}\n', "taken")).text
    assert "Use for training" in page and none not in page
    MethodVersionRecord.update(current=False).where(MethodVersionRecord.kind == "train").execute()
    page = client.get("/p/lab/data/taken").text
    assert "Use for training" not in page and none in page


def test_rows_are_found_by_their_words(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    keep(room, rooms.rows(50), "faults")
    page = client.get("/p/lab/data/faults?q=PUMP+4").text
    assert page.count("is hot.") == 11  # 4, and 40 to 49
    assert "page 1 of 1" in page
    assert "No row is like that." in client.get("/p/lab/data/faults?q=valve").text


def test_a_search_in_a_large_version_goes_on_from_where_it_got_to(
    room: rooms.Rooms, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser("ada")
    keep(room, rooms.rows(50), "faults")
    monkeypatch.setattr(searching, "_MOST_BYTES", 1_000)
    page = client.get("/p/lab/data/faults?q=pump+49").text
    assert "None of these rows is like that." in page and "From the first row" not in page
    for _ in range(50):
        going_on = re.search(r'href="([^"]+)">Go on searching', page)
        if going_on is None:
            break
        page = client.get(f"/p/lab/data/faults{html.unescape(going_on[1])}").text
    assert "The pump 49 is hot." in page and "to 50 were looked through." in page and "From the first row" in page


def test_a_very_long_text_is_whole_on_its_own_page_alone(room: rooms.Rooms, browser: Browser) -> None:
    client, end = browser("ada"), "the very end"
    row = {
        "prompt": [{"role": "user", "content": "long " * 9_000 + end}],
        "chosen": "x " * 9_000 + end,
        "rejected": "y",
    }
    keep(room, json.dumps(row).encode(), "long")
    assert end not in client.get("/p/lab/data/long").text
    assert client.get("/p/lab/data/long/row?row=1").text.count(end) == 2


def test_a_row_stands_alone_with_its_neighbours(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    keep(room, rooms.rows(3), "faults")
    page = client.get("/p/lab/data/faults/row?row=2").text
    assert "Row 2 of 3" in page and "The pump 1 is hot." in page
    assert "row=1" in page and "row=3" in page
    assert client.get("/p/lab/data/faults/row?row=4").status_code == 404
    assert client.get("/p/lab/data/faults/row?row=0").status_code == 404


def test_a_row_is_shown_as_the_model_sees_it(room: rooms.Rooms, browser: Browser) -> None:
    job = room.submit("import_base_model", "small-base", {}, reference="small-model")
    base = room.finish_model(room.run(job, 0), "base")
    client, address = browser("ada"), "/p/lab/data/odd/row/seen?row=1"
    keep(room, b'{"prompt": "<b>&", "completion": "<script>x</script>"}\n' * 2, "odd")
    assert 'hx-get="/p/lab/data/odd/row/seen?' in client.get("/p/lab/data/odd/row?row=1").text
    page = client.get(address).text
    assert f'<option value="{base}" selected>small-base</option>' in page
    _, learned = page.split("<mark>")
    assert "&lt;" in learned
    assert "<script>x" not in page
    assert "is_special" not in page
    assert 'class="own"' in learned.split("</mark>")[0]  # the end of the turn
    assert "<h1" not in client.get(address, headers={"HX-Request": "true"}).text
    assert "training refuses this row" in client.get(f"{address}&max_length=16").text
    assert client.get(f"{address}&model={base + 1}").status_code == 404
    assert client.get("/p/lab/data/odd/row/seen?row=3").status_code == 404


def test_lengths_are_shown_in_tokens_of_a_model(room: rooms.Rooms, browser: Browser) -> None:
    job = room.submit("import_base_model", "small-base", {}, reference="small-model")
    base = room.finish_model(room.run(job, 0), "base")
    keep(room, rooms.rows(30))
    client = browser("ada")
    report = client.get("/p/lab/data/faults/report").text
    assert 'hx-get="/p/lab/data/faults/lengths?version=1" hx-trigger="load"' in report
    card = client.get("/p/lab/data/faults/lengths?version=1", headers={"HX-Request": "true"}).text
    assert f'<option value="{base}" selected>small-base</option>' in card
    assert "The limit of the model, 8,192, lies to the right of the picture." in card
    assert "tokens" in card
    assert client.get("/p/lab/data/faults/lengths?model=99").status_code == 404


def test_without_a_base_model_the_card_says_what_is_missing(room: rooms.Rooms, browser: Browser) -> None:
    keep(room, rooms.rows(3))
    page = browser("ada").get("/p/lab/data/faults/row/seen?row=1").text
    assert "This project has no base model yet." in page
    assert "/p/lab/jobs/new?kind=import" in page


def test_the_difference_of_two_versions_says_each_word(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    keep(room, rooms.rows(3), "faults")
    keep(room, rooms.rows(4).replace(b"pump 0 is hot", b"pump 0 is cold"), "faults")
    page = client.get("/p/lab/data/faults/difference").text
    assert "The pump 0 is <del>hot</del><ins>cold</ins>." in page
    assert "1 added, 0 removed, 1 changed" in page
    assert "The pump 3 is hot." in page
    assert "Both versions have the same rows." in client.get("/p/lab/data/faults/difference?old=2&version=2").text
    assert client.get("/p/lab/data/faults/difference?old=7").status_code == 404


def test_rows_are_changed_added_and_taken_out_in_the_browser(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    keep(room, rooms.rows(12))
    page = client.get("/p/lab/data/faults/edit").text
    assert "The pump 9 is hot." in page and "The pump 10 is hot." not in page and "A new row" in page
    form = {"row.1.prompt": "The pump 0 is cold.", "row.0.prompt": "New?", "row.0.completion": "Yes.", "remove": "3"}
    answer = client.post("/p/lab/data/faults/edit?version=1", data=form)
    assert answer.location == "/p/lab/data/faults?version=2&split=train"
    page = client.get("/p/lab/data/faults").text
    assert "The pump 0 is cold." in page and "New?" in page and "The pump 2 is hot." not in page
    assert "Version 2 was saved." in page
    page = client.get("/p/lab/data/faults/difference").text
    assert "The pump 0 is <del>hot</del><ins>cold</ins>." in page
    client.post("/p/lab/data/faults/edit?page=2", data={"remove": "11"})
    assert DatasetVersionRecord.get(DatasetVersionRecord.number == 3).train_rows == 11


def test_rows_of_a_large_version_are_changed_apart(
    room: rooms.Rooms, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_edits, "_MOST_ROWS", 10)
    client = browser("ada")
    keep(room, rooms.rows(24))
    edit, typed = "/p/lab/data/faults/edit?page=2&version=1", {"row.12.prompt": "The pump 11 is cold.", "remove": "13"}
    typed["row.0.prompt"], typed["row.0.completion"] = "New?", "Yes."
    page = client.post(edit, data=typed, follow_redirects=True).text
    assert "Changing the rows" in page and "others are prepared first" in page and "3 rows are changed" in page
    assert "Changing the rows" in client.get("/p/lab/data").text
    draft = DatasetDraftRecord.get()
    leak = {"state": "failed", "error": "held_out_leak", "error_params": {"count": 1, "line": 2}}
    DatasetDraftRecord.update(**leak).execute()
    page = client.get(f"/p/lab/data/drafts/{draft.id}").text
    again = f"/p/lab/data/faults/edit?version=1&amp;split=train&amp;page=2&amp;draft={draft.id}"
    assert again in page and "Changing the rows" not in page
    page = client.get(again.replace("&amp;", "&")).text
    assert all(text in page for text in ("The pump 11 is cold.", "New?", 'value="13" checked', f"draft={draft.id}"))
    assert "Changing the rows" in client.post(f"/p/lab/data/drafts/{draft.id}", follow_redirects=True).text
    client.post(f"{edit}&draft={draft.id}", data=typed)
    states = [one.state for one in DatasetDraftRecord.select().order_by(DatasetDraftRecord.id)]
    assert states == ["cancelled", "editing"]
    answer = client.post(f"/p/lab/data/drafts/{draft.id + 1}/cancel", follow_redirects=True)
    assert answer.status_code == 200 and answer.request.path == "/p/lab/data/faults"
    assert "Nothing was changed" in answer.text and DatasetVersionRecord.select().count() == 1
    assert "This draft was discarded." in client.get(f"/p/lab/data/drafts/{draft.id + 1}").text


def test_a_report_is_on_its_way_or_says_why_not(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    keep(room, rooms.rows(3), "faults")
    first = DatasetVersionRecord.get()
    made, _ = editing.edit(room.actor, room.cp, first.id, "train", {}, [1])
    for number in (1, 2):
        page = client.get(f"/p/lab/data/faults/report?version={number}").text
        assert "The rows are being checked." in page and 'data-live="project:' in page
    fault = reports.without(made, Fault("preparation_broke"))
    DatasetVersionRecord.update(to_check=False, source=fault).where(DatasetVersionRecord.id == made.id).execute()
    assert "The rows could not be checked: " in client.get("/p/lab/data/faults/report?version=2").text


def test_a_refused_change_keeps_what_was_typed(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    said = {"messages": [{"role": "user", "content": "Hot?"}, {"role": "assistant", "content": "Yes."}]}
    keep(room, json.dumps(said).encode() + b"\n", "chat")
    answer = client.post("/p/lab/data/chat/edit", data={"row.1.messages": '[{"role": "nobody"}', "remove": "7"})
    assert answer.status_code == 400
    assert "Conversation: This is not valid JSON." in answer.text and "nobody" in answer.text
    said["messages"][1]["content"] = ""
    answer = client.post("/p/lab/data/chat/edit", data={"row.1.messages": json.dumps(said["messages"])})
    assert answer.status_code == 400 and "line 1" in answer.text
    answer = client.post("/p/lab/data/chat/edit", data={"row.1.messages": ""})
    assert answer.status_code == 400
    assert "Nothing was changed." in client.post("/p/lab/data/chat/edit").text
    assert DatasetVersionRecord.select().count() == 1


def test_the_report_says_what_is_known_and_where_the_version_was_used(
    cp: ControlPlane, room: rooms.Rooms, browser: Browser
) -> None:
    client = browser("ada")
    keep(room, rooms.rows(3), "faults")
    DatasetVersionRecord.update(to_check=False).execute()
    page = client.get("/p/lab/data/faults/report").text
    assert "No job has used this version yet." in page
    findings = [
        Finding("personal_data", 2, Choice.KEEP, [Choice.KEEP], params={"kinds": {"mail": 2}}),
        Finding("leakage", 4, Choice.DROP, [Choice.DROP, Choice.KEEP], params={"exact": 1, "near": 3}),
    ]
    spread = {"unit": "tokens", "edges": [0, 10], "counts": [2, 1], "limit": 5}
    report = Report("prompt_completion", 7, 3, 0, 4, findings, [], {"histogram": spread})
    written, _ = cp.blobs.put(BytesIO(json.dumps(told(report)).encode()))
    mark, _ = cp.blobs.put(BytesIO(b'{"split": "train", "row": 1, "checks": ["personal_data"]}\n'))
    source = {"name": "Labor.xlsx", "kind": "xlsx", "sha256": "0" * 64, "size": 2048}
    mapping = told(Mapping("prompt_completion", {"prompt": ["Befund"], "completion": ["Urteil"]}))
    DatasetVersionRecord.update(report_sha256=written, marks_sha256=mark, source=source, mapping=mapping).execute()
    page = client.get("/p/lab/data/faults/report").text
    assert "mail address: 2" in page
    assert "4 of 7 rows were left out" in page
    assert "Word for word: 1, nearly: 3." in page and "shows nothing in the exam" in page
    assert "limit of the model: 5" in page and "0 to 9" in page
    assert "Labor.xlsx" in page and "Befund" in page and "2\N{NO-BREAK SPACE}KiB" in page
    page = client.get("/p/lab/data/faults?check=personal_data").text
    assert "The pump 1 is hot." in page and "The pump 0 is hot." not in page


def test_generated_rows_are_called_so_wherever_they_are_shown(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    keep(room, rooms.rows(3))
    made = {"prompt": "new", "completion": "one", "generated": {"by": "deployment faults", "row": 2, "key": ""}}
    page = keep(room, rooms.rows(3) + json.dumps(made).encode() + b"\n")
    said = "generated by deployment faults from row 2"
    assert client.get(page).text.count(said) == 1
    for address in ("row?version=2&row=4", "difference?old=1&version=2", "edit?version=2"):
        assert client.get(f"/p/lab/data/faults/{address}").text.count(said) == 1, address
    for address in ("/report?version=2", ""):
        assert "Generated by a model" in client.get(f"/p/lab/data/faults{address}").text
    assert said not in client.get("/p/lab/data/faults/row?version=2&row=1").text
