"""Each page of the URL map, in both themes and three languages: no axe violation, no error, no scrolling sideways.

The pages come from the application itself, so a new one is looked at from its first day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from browser.conftest import Site, picture, violations, visit
from playwright.sync_api import expect
from rooms import NO_PAGES, addresses

pytestmark = pytest.mark.browser

REQUESTS, WITH_A_CHART = 12, 15  # of a page without anything in the browser's cache

LANGUAGES = ("en", "de", "zh")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 375, "height": 800}
# of axe: an empty or a missing text, a language that is not said
RULES_OF_WORDS = (
    "aria-command-name", "aria-dialog-name", "aria-input-field-name", "aria-meter-name", "aria-progressbar-name",
    "aria-toggle-field-name", "aria-tooltip-name", "button-name", "document-title", "empty-heading",
    "empty-table-header", "frame-title", "html-has-lang", "html-lang-valid", "image-alt", "input-button-name", "label",
    "link-name", "select-name", "summary-name", "svg-img-alt", "valid-lang",
)  # fmt: skip


def test_each_page_is_found(site: Site) -> None:
    """A page whose arguments this test cannot fill in would otherwise be left out in silence."""
    known = {
        "project",
        "job_id",
        "model_id",
        "deployment_id",
        "evaluation_id",
        "machine_id",
        "sweep_id",
        "workflow_id",
        "prompt_id",
        "draft_id",
        "labelling_id",
        "item_id",
        "connector",
        "listener_id",
        "way",
        "name",
        "run_id",
    }
    rules = [rule for rule in site.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    left_out = {rule.endpoint for rule in rules if rule.endpoint not in NO_PAGES and not rule.arguments <= known}
    assert left_out <= {"sign_in.welcome"}
    assert {rule.endpoint for rule in rules} >= NO_PAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_quiet(browser: Any, site: Site, language: str) -> None:
    """In English by every rule, then in the dark and on a narrow screen; elsewhere by what words can break."""
    found: dict[str, list[str]] = {}
    with visit(browser, site, locale=language) as page:
        for number, address in enumerate(addresses(site.app, site.rooms)):
            name = f"{language}-{number:02}-{slug(address)}"
            wrong = look_at(page, address, name, () if language == "en" else RULES_OF_WORDS)
            if language == "en":
                wrong += in_the_dark(page, name)
            if wrong := [*wrong, *on_a_narrow_screen(page, name, language)]:
                found[address] = wrong
        assert found == {}


def test_a_cold_page_takes_few_requests(browser: Any, site: Site) -> None:
    """The stream of hints, and what it makes the page ask for again at once, among them."""
    found = {}
    with visit(browser, site) as page:
        asked: list[str] = []
        page.on("request", lambda sent: asked.append(sent.url))
        debugger = page.context.new_cdp_session(page)
        page.goto("/notifications")  # what is unread is said to be read, once: two requests that no other visit has
        for address in addresses(site.app, site.rooms):
            page.goto("about:blank")  # ends the stream of the page before
            debugger.send("Network.clearBrowserCache")
            asked.clear()
            page.goto(address, wait_until="load")
            for chart in page.locator("ts-chart:visible").all():
                expect(chart.locator(".chart-read")).not_to_have_text(str(chart.get_attribute("data-word-loading")))
            if len(asked) > (WITH_A_CHART if page.locator("ts-chart").count() else REQUESTS):
                found[address] = [one.rpartition("/")[2] for one in asked]
    assert found == {}, {address: len(asked) for address, asked in found.items()}


def look_at(page: Any, address: str, name: str, rules: Sequence[str]) -> list[str]:
    """What is wrong with the page at this address, once its live parts have drawn themselves; by all rules or some."""
    answer = page.goto(address, wait_until="load")
    if answer.status != 200:
        return [f"HTTP {answer.status}"]
    for chart in page.locator("ts-chart:visible").all():
        loading = str(chart.get_attribute("data-word-loading"))
        expect(chart.locator(".chart-read")).not_to_have_text(loading)
    if page.locator("ts-log").count():
        page.wait_for_selector("ts-log .log-line, ts-log [role=status]:not(:empty)", state="attached")
    picture(page, name)
    return violations(page, rules)


def in_the_dark(page: Any, name: str) -> list[str]:
    """What the colours of the other theme break; only they differ."""
    page.emulate_media(color_scheme="dark")
    picture(page, f"{name}-dark")
    wrong = violations(page, ["color-contrast", "link-in-text-block"])
    page.emulate_media(color_scheme="light")
    return wrong


def on_a_narrow_screen(page: Any, name: str, language: str) -> list[str]:
    """Whether it would scroll sideways, and in English what else is wrong there. German runs longest."""
    page.set_viewport_size(NARROW)
    picture(page, f"{name}-narrow")
    wrong = violations(page) if language == "en" else []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    page.set_viewport_size(WIDE)
    return [*wrong, f"{wide} px too wide"] if wide > 0 else wrong


def slug(address: str) -> str:
    return address.strip("/").replace("/", "-").replace("?", "-").replace("&", "-").replace("=", "-") or "home"
