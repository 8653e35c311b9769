"""A file of one's own becomes a checked version in the browser: an Excel sheet with German headings in four presses, a
mapping changed by the keyboard, a faulty table that is repaired by choosing, rows as the model sees them, and what
differs between two versions.

The pages, the services and the process that reads the files are real.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import rooms
from browser.conftest import Site, picture, served, violations, visit
from browser.test_case_path import COUNTING, counted
from openpyxl import Workbook
from playwright.sync_api import expect

from control_plane.services.datasets import rows
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.ticks import Ticks
from support import FakeClock, close_database, make_control_plane

pytestmark = pytest.mark.browser

# the first piece of a file does not get through
BREAK_ONCE = """
const send = fetch;
window.fetch = (address, options) => {
  if (!String(address).endsWith("?offset=0") || sessionStorage.getItem("broken")) return send(address, options);
  sessionStorage.setItem("broken", "yes");
  return Promise.reject(new TypeError("the line broke"));
};
"""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    cp = make_control_plane(tmp_path_factory.mktemp("drafts") / "data", FakeClock())
    ticks = Ticks(cp)
    with served(cp, rooms.with_base(cp)) as site:
        ticks.start()
        yield site
        ticks.stop()
    close_database()


def notes() -> bytes:
    """A sheet of lab notes as a laboratory keeps it."""
    book = Workbook()
    sheet = book.active
    sheet.append(["Datum", "Befund", "Beurteilung", "Patientennummer"])
    for number in range(30):
        day, found = f"2024-03-{number % 28 + 1:02}", f"Glukose {90 + number} mg/dl, nüchtern"
        sheet.append([day, found, f"Stufe {number % 5}: auffällig", number])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def choose(page: Any, name: str, data: bytes, kind: str = "text/csv") -> None:
    page.locator("#train").set_input_files([{"name": name, "mimeType": kind, "buffer": data}])
    page.get_by_role("main").get_by_role("button", name="Upload", exact=True).click()


def test_a_sheet_becomes_a_version_in_four_presses_although_the_line_breaks(browser: Any, site: Site) -> None:
    with visit(browser, site) as page:
        page.add_init_script(COUNTING)
        page.add_init_script(BREAK_ONCE)
        page.goto("/p/lab/data")
        page.get_by_role("link", name="Bring data", exact=True).click()
        choose(page, "Laborberichte März.xlsx", notes(), XLSX)
        expect(page.get_by_role("heading", name="An Excel sheet with 30 rows and 4 columns")).to_be_visible()
        assert page.evaluate("sessionStorage.getItem('broken')")
        expect(page.get_by_label("Befund")).to_have_value("prompt")
        expect(page.get_by_label("Beurteilung")).to_have_value("completion")
        picture(page, "draft")
        assert violations(page) == []
        page.get_by_role("button", name="Save version").click()
        expect(page.get_by_role("heading", name="laborberichte-maerz")).to_be_visible()
        presses, typed = counted(page)
        assert presses <= 4
        assert typed == 0
        version = DatasetVersionRecord.select().order_by(DatasetVersionRecord.id.desc()).get()
        assert (version.format, version.train_rows + version.test_rows) == ("prompt_completion", 30)


def test_a_mapping_is_changed_by_the_keyboard_and_the_rows_follow(browser: Any, site: Site) -> None:
    table = "Befund;Beurteilung;Arzt\n" + "".join(f"Wert {n} erhöht;Stufe {n};Dr. Müller {n}\n" for n in range(12))
    with visit(browser, site) as page:
        page.goto("/p/lab/data/upload")
        choose(page, "notizen.csv", table.encode("windows-1252"))
        expect(page.get_by_role("heading", name="with 12 rows and 3 columns")).to_be_visible()
        both = page.get_by_role("cell", name='{"Beurteilung": "Stufe 0", "Arzt": "Dr. Müller 0"}')
        expect(both).to_be_visible()  # several columns become one answer
        page.get_by_label("Beurteilung").focus()
        page.keyboard.press("Home")  # not used
        expect(page.get_by_role("cell", name="Dr. Müller 0", exact=True)).to_be_visible()
        expect(page.get_by_label("Beurteilung")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Home")
        expect(page.get_by_text("Choose a column for: Answer.")).to_be_visible()
        expect(page.get_by_role("button", name="Save version")).to_have_count(0)
        expect(page.get_by_label("Arzt")).to_be_focused()
        page.keyboard.press("End")
        expect(page.get_by_role("button", name="Save version")).to_be_visible()
        assert violations(page) == []


def test_a_faulty_table_is_repaired_by_choosing(browser: Any, site: Site) -> None:
    lines = [f"Is pump {n} hot?,Yes {n}" for n in range(20)]
    table = (
        "\n".join(["question,answer", *lines, *lines[:3], "Is it?,", "Who?,Ask jane.miller@clinic-north.org"]) + "\n"
    )
    with visit(browser, site) as page:
        page.goto("/p/lab/data/upload")
        choose(page, "pumps.csv", table.encode())
        doubles = page.locator("#check-duplicates")
        expect(doubles).to_contain_text("3 rows")
        expect(page.locator("#check-unreadable")).to_contain_text("one row")
        page.locator("#check-unreadable").get_by_text("Show the rows").click()
        expect(page.locator("#check-unreadable")).to_contain_text("pumps.csv, line")
        left_out = page.locator("#draft-result .facts dd").nth(2)
        expect(left_out).to_have_text("4 rows")
        doubles.get_by_label("Keep", exact=True).check()
        expect(left_out).to_have_text("one row")
        page.locator("#check-personal_data").get_by_label("Mask", exact=True).check()
        expect(page.get_by_role("button", name="Save version")).to_be_visible()
        picture(page, "draft-faulty")
        assert violations(page) == []
        page.get_by_role("button", name="Save version").click()
        expect(page.get_by_role("heading", name="pumps", exact=True)).to_be_visible()
        version = DatasetVersionRecord.select().order_by(DatasetVersionRecord.id.desc()).get()
        kept = rows.page(site.rooms.actor, site.cp, version.id, "train", 0, 100)
        assert (version.train_rows + version.test_rows, version.left_out_rows) == (24, 1)
        assert "jane.miller@clinic-north.org" not in str(kept)


def test_a_draft_and_a_version_are_shown_as_the_model_sees_them(browser: Any, site: Site) -> None:
    parts = ("Lager", "Welle", "Dichtung", "Motor", "Ventil", "Gehäuse", "Kupplung", "Flansch", "Riemen", "Sieb")
    talks = [
        {"messages": [{"role": role, "content": text} for role, text in (("user", part), ("assistant", "Ja."))] * turns}
        for turns, part in enumerate(parts, 2)
    ]
    with visit(browser, site) as page:
        page.goto("/p/lab/data/upload")
        choose(page, "talks.jsonl", "".join(json.dumps(one) + "\n" for one in talks).encode())
        expect(page.get_by_role("button", name="Save version")).to_be_visible()
        page.get_by_text("As the model sees it", exact=True).click()
        card = page.locator("#seen")
        expect(card.locator("mark")).to_have_count(2)  # every answer
        expect(card.locator("mark").first).to_have_text("Ja.<|im_end|>")
        card.get_by_label("Row").select_option("3")
        expect(card.locator("mark")).to_have_count(4)
        picture(page, "draft-seen")
        assert violations(page) == []
        page.get_by_role("button", name="Save version").click()
        expect(page.get_by_role("heading", name="talks", exact=True)).to_be_visible()
        page.get_by_role("link", name="1", exact=True).click()
        expect(card.locator("mark").first).to_have_text("Ja.<|im_end|>")
        card.get_by_label("Learned is").select_option("last")
        expect(card.locator("mark")).to_have_count(1)
        card.get_by_label("Longest example").select_option("256")
        expect(card).to_contain_text("256 fit")
        picture(page, "row-seen")
        assert violations(page) == []


def test_a_row_is_changed_and_the_difference_says_each_word(browser: Any, site: Site) -> None:
    with visit(browser, site) as page:
        page.goto("/p/lab/data/faults?version=1")
        page.get_by_role("link", name="Change rows").click()
        answer = page.get_by_label("Answer").first
        answer.fill('{"machine": "pump twelve"}')
        page.get_by_role("button", name="Save as a new version").click()
        expect(page.get_by_role("heading", name="faults", exact=True)).to_be_visible()
        page.get_by_role("link", name="What differs").click()
        page.get_by_label("From version").select_option("1")
        page.get_by_role("button", name="Compare").click()
        expect(page.locator("main ins")).to_contain_text("twelve")
        expect(page.locator("main del")).to_have_count(1)
        picture(page, "difference")
        assert violations(page) == []
