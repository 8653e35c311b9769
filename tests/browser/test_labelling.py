"""Two people at one queue, by keys alone: nobody has what the other has, and what is written is no key."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
import rooms
from browser.conftest import Site, picture, violations, visit
from playwright.sync_api import expect

from control_plane.domain.permissions import SYSTEM
from control_plane.services.access import people, projects
from control_plane.services.datasets import json_lines
from control_plane.services.labelling import making
from control_plane.services.labelling.making import Wanted
from control_plane.store.labelling import LabelItemRecord, LabellingRecord

pytestmark = pytest.mark.browser


def queue(site: Site, name: str, count: int, overlap: float = 0.0) -> LabellingRecord:
    """A labelling of so many rows' own answers."""
    data = BytesIO(rooms.rows(count, name))
    version, _ = json_lines.upload(site.rooms.actor, site.cp, "lab", name, data, None, test_share=0.0)
    return making.start(site.rooms.actor, site.cp, "lab", Wanted(version.id, overlap=overlap))


def colleague(site: Site, name: str) -> Site:
    """The same site, seen by an expert who is signed in."""
    link = people.invite(SYSTEM, site.cp, name, name.title(), administrator=False)
    secret = people.redeem_link(site.cp, link.rsplit("/", 1)[1], "a long enough sentence", "127.0.0.1")
    projects.set_member(SYSTEM, site.cp, "lab", name, "Expert")
    with site.app.test_request_context():
        signer = site.app.session_interface.get_signing_serializer(site.app)
    cookie = site.cookies[0] | {"value": signer.dumps({"_user_id": secret})}
    return replace(site, cookies=[cookie])


def outcomes(labelling: LabellingRecord) -> list[str]:
    query = LabelItemRecord.select().where(LabelItemRecord.labelling == labelling.id).order_by(LabelItemRecord.place)
    return [item.outcome for item in query]


def test_two_browsers_at_one_queue_judge_by_keys(browser: Any, site: Site) -> None:
    labelling = queue(site, "valves", 5)
    with visit(browser, site) as ada, visit(browser, colleague(site, "bea")) as bea:
        for page in (ada, bea):
            page.goto(f"/p/lab/labelling/{labelling.id}/next")
        expect(ada.get_by_role("heading", name="Row 1")).to_be_visible()
        expect(bea.get_by_role("heading", name="Row 2")).to_be_visible()
        picture(ada, "labelling-item")
        assert violations(ada) == []
        ada.keyboard.press("a")
        expect(ada.get_by_role("heading", name="Row 3")).to_be_visible()
        bea.keyboard.press("r")
        expect(bea.get_by_role("heading", name="Row 4")).to_be_visible()
        ada.keyboard.press("e")
        expect(ada.get_by_label("Answer e")).to_be_focused()
        ada.keyboard.press("Control+A")
        ada.keyboard.type("a rare case")  # letters that are keys elsewhere
        ada.keyboard.press("Tab")
        expect(ada.get_by_role("button", name="Accept a")).to_be_focused()
        ada.keyboard.press("Enter")
        expect(ada.get_by_role("heading", name="Row 5")).to_be_visible()
        bea.close()  # in the middle of row 4
        ada.keyboard.press("s")
        expect(ada.get_by_role("heading", name="Nothing is left for you to judge")).to_be_visible()
        assert violations(ada) == []
        assert outcomes(labelling) == ["accept", "reject", "correct", "", ""]
    with visit(browser, site) as ada:
        site.cp.clock.advance(10_000)  # type: ignore[attr-defined]  # bea does not come back
        ada.goto(f"/p/lab/labelling/{labelling.id}/next")
        expect(ada.get_by_role("heading", name="Row 4")).to_be_visible()
        ada.keyboard.press("b")
        expect(ada.get_by_text("You said")).to_be_visible()


def test_without_shortcuts_letters_judge_nothing(browser: Any, site: Site) -> None:
    labelling = queue(site, "taps", 2)
    with visit(browser, site) as page:
        page.goto(f"/p/lab/labelling/{labelling.id}/next")
        page.keyboard.press("?")
        expect(page.get_by_text("Labelling: accept, reject, skip")).to_be_visible()
        page.get_by_label("Use keyboard shortcuts in this browser").uncheck()
        page.keyboard.press("Escape")
        for key in "arcs":
            page.keyboard.press(key)
        expect(page.get_by_role("heading", name="Row 1")).to_be_visible()
        assert outcomes(labelling) == ["", ""]
        page.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("heading", name="Row 2")).to_be_visible()
        assert outcomes(labelling) == ["accept", ""]


def test_the_page_follows_what_others_do(browser: Any, site: Site) -> None:
    labelling = queue(site, "pipes", 2)
    with visit(browser, site) as watching, visit(browser, site) as judging:
        watching.goto(f"/p/lab/labelling/{labelling.id}")
        judging.goto(f"/p/lab/labelling/{labelling.id}/next")
        judging.keyboard.press("a")
        expect(watching.get_by_text("1 of 2 are judged").first).to_be_visible()
        picture(watching, "labelling")
        watching.get_by_role("button", name="Save version").click()
        expect(watching.get_by_role("heading", name="pipes")).to_be_visible()
