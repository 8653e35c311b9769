"""A run in a real browser: its drawing by keyboard, its decision, and once more with one change."""

from __future__ import annotations

from typing import Any

import pytest
from browser.conftest import Site, picture, violations, visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_again_with_one_change_says_what_differs_before_it_starts(browser: Any, site: Site) -> None:
    run = site.rooms.made["run"]
    with visit(browser, site) as page:
        page.goto(f"/p/lab/runs/{run}")
        page.get_by_role("link", name="Again with one change").click()
        plan = page.locator("#plan")
        expect(plan).to_contain_text("Nothing yet: change something")
        assert violations(page) == []
        steps = page.get_by_label("Number of learning steps")
        steps.fill("60")
        steps.press("Tab")
        expect(plan.get_by_role("row").filter(has_text="60")).to_contain_text("40")
        expect(plan).to_contain_text("used again")
        picture(page, "again")
        assert violations(page) == []
        page.get_by_role("main").get_by_role("button", name="Start").last.click()
        expect(page.get_by_text("once more, with something changed")).to_be_visible()
        page.get_by_role("link", name="What the change did").click()
        expect(page.get_by_role("heading", name="What differs")).to_be_visible()
        picture(page, "compared")
        assert violations(page) == []


def test_each_step_of_the_drawing_is_reached_by_the_keyboard(browser: Any, site: Site) -> None:
    run = site.rooms.made["run"]
    with visit(browser, site) as page:
        page.goto(f"/p/lab/runs/{run}")
        page.locator("#box-data").focus()
        reached = ["box-data"]
        for _ in range(6):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id"))
        steps = ("data", "import", "train", "evaluate", "package", "release", "deploy")
        assert reached == [f"box-{name}" for name in steps]
        page.locator("#box-train").focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site.address}/p/lab/jobs/{site.rooms.made['train']}")


def test_the_page_fits_a_narrow_screen(browser: Any, site: Site) -> None:
    with visit(browser, site) as page:
        page.set_viewport_size({"width": 375, "height": 800})
        page.goto(f"/p/lab/runs/{site.rooms.made['run']}")
        picture(page, "run-narrow")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert violations(page) == []
