"""The form of a new job says what it will take, and says it again when a field changes."""

from __future__ import annotations

from typing import Any

import pytest
from browser.conftest import Site, picture, violations, visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "title"), [("en", "What it will take"), ("de", "Was gebraucht wird")])
def test_the_form_says_what_the_job_will_take(browser: Any, site: Site, language: str, title: str) -> None:
    version = site.rooms.made["version"]
    with visit(browser, site, locale=language) as page:
        page.goto(f"/p/lab/jobs/new?kind=train&dataset={version}", wait_until="load")
        card = page.get_by_role("region", name=title)
        expect(card).to_be_visible()
        assert violations(page) == []
        picture(page, f"forecast-{language}")
        page.emulate_media(color_scheme="dark")
        picture(page, f"forecast-{language}-dark")
        page.locator("select[name='input.dataset']").select_option("")
        expect(card).to_have_count(0)
