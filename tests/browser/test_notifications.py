"""The browser's own notifications: asked for by a press, and then said once for each thing that is new."""

from __future__ import annotations

from typing import Any

import pytest
from browser.conftest import Site, visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# what a desktop would show, kept in the page instead
PLAYED = """
window.said = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() { return (Notification.permission = "granted"); }
  constructor(title, options) { window.said.push([title, options.body]); }
};
"""


def test_what_happens_is_said_once_and_only_after_a_press(browser: Any, site: Site) -> None:
    room = site.rooms
    with visit(browser, site) as page:
        page.add_init_script(PLAYED)
        page.goto("/notifications")
        expect(page.locator("#bell")).to_have_accessible_name("Notifications")  # the page has been seen
        assert page.evaluate("Notification.permission") == "default"
        page.get_by_role("button", name="Notify me in this browser").click()
        expect(page.get_by_text("Switched on")).to_be_visible()
        room.fail(room.latest(room.made["running"]), "MemoryError\n")
        expect(page.locator("#bell")).to_have_accessible_name("Notifications: 1 is new")
        ((title, text),) = page.evaluate("said")
        assert title == "faults-again"
        assert text
        site.cp.signals.wake("fleet")  # the bell is drawn again, with the same in it
        with page.expect_response("**/notifications/bell"):
            site.cp.signals.wake("fleet")
        assert len(page.evaluate("said")) == 1
        page.get_by_role("button", name="Switch off").click()
        expect(page.get_by_role("button", name="Notify me in this browser")).to_be_visible()
