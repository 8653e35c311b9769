"""A dialog whose form was refused comes back as a dialog, and the pages of accounts hold to the rules of all pages."""

from __future__ import annotations

from typing import Any

import pytest
from browser.conftest import Site, violations, visit

pytestmark = pytest.mark.browser


def test_a_refused_invitation_is_a_dialog_again_with_what_was_typed(browser: Any, site: Site) -> None:
    with pytest.raises(AssertionError, match="409"), visit(browser, site) as page:
        page.goto("/people")
        page.click("[data-open=invite]")
        page.fill("#invite-name", "ada")  # who signed in here
        page.fill("#invite-title", "Another Ada")
        page.click("#invite [type=submit]")
        page.wait_for_selector("#invite[data-refused]:modal")
        assert page.input_value("#invite-title") == "Another Ada"
        assert page.evaluate("document.activeElement.id") == "invite-name"
        assert violations(page) == []
        page.click("#invite [data-close]")
        assert not page.is_visible("#invite")


@pytest.mark.parametrize("address", ["/people/ada", "/account", "/account/tokens", "/p/lab/members"])
def test_the_pages_of_accounts_are_for_everybody(browser: Any, site: Site, address: str) -> None:
    for options in ({}, {"viewport": {"width": 375, "height": 800}, "color_scheme": "dark", "locale": "de"}):
        with visit(browser, site, **options) as page:
            page.goto(address)
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            for opener in page.query_selector_all("main [data-open]"):
                dialog = opener.get_attribute("data-open")
                opener.click()
                assert page.is_visible(f"#{dialog}")
                assert violations(page) == []
                page.keyboard.press("Escape")
