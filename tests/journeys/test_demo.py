"""The shipped case on the real model, from an installed wheel: as `make demo` runs it, again, and in the browser.

The slowest tests, and the ones that say most. They share one installation and follow each other.
"""

import re

import pytest
from browser.conftest import Watched, violations

MINUTES = 60_000  # milliseconds


@pytest.fixture(scope="module")
def place(wheel_place):
    return wheel_place


def test_the_demo_ends_with_a_better_model(place):
    said = place.tunesmith("demo", "--data", str(place.folder))
    assert "Verdict: better" in said
    assert "used again" not in said
    assert place.trainers() == []


def test_a_second_run_uses_what_is_there(place):
    said = place.tunesmith("demo", "--data", str(place.folder))
    assert "Verdict: better" in said
    assert said.count("used again") >= 4


@pytest.mark.browser
def test_a_person_gets_there_in_seven_clicks(place, browser):
    """From the one-time link to an answer of the tuned model; the run uses again what the demo has made."""
    link = re.search(r"http\S+/welcome/\S+", place.up()).group()
    address = link.split("/welcome/")[0]
    context = browser.new_context(base_url=address, locale="en", viewport={"width": 1280, "height": 900})
    watched = Watched(context.new_page(), address)
    page = watched.page
    page.goto(link)
    page.get_by_label("Password").fill("a long enough sentence")
    page.get_by_role("button", name="Set the password").click()
    page.goto("/p/default/cases")
    page.locator("a.card[href$='/machine_faults']").click()
    page.get_by_role("button", name="Try with sample data").click()
    page.get_by_role("link", name="Looks right").click()
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("heading").first.wait_for()
    run = page.url
    page.close()  # who starts a run may leave

    watched = Watched(context.new_page(), address)
    page = watched.page
    page.goto(run)
    # ten minutes on a processor without bfloat16
    page.get_by_role("link", name="See the result").click(timeout=40 * MINUTES)
    page.get_by_role("heading", name="The tuned model is better").wait_for()
    assert violations(page) == []
    page.get_by_role("main").get_by_role("link", name="Open the deployment").click(timeout=3 * MINUTES)
    page.locator("#deployment-status").get_by_text("Serving", exact=True).wait_for(timeout=3 * MINUTES)
    page.get_by_label("Your message").fill("Turn this report into a JSON record: The belt of conveyor 8 slips. Urgent.")
    page.keyboard.press("Enter")
    answer = page.locator(".chat-assistant .chat-text")
    page.wait_for_function("element => element.textContent.trim().endsWith('}')", arg=answer.element_handle())
    assert "conveyor 8" in answer.text_content()
    context.close()
    assert watched.problems == []
