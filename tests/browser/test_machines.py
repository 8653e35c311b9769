"""A machine joins while its administrator looks on: the page of the steps turns green by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import rooms
from browser.conftest import Site, picture, served, violations, visit
from playwright.sync_api import expect

from control_plane.domain.presence import Hello
from control_plane.services.fleet import enrollment, machines
from control_plane.store.machines import MachineRecord
from link_support import new_key, signing_request
from support import FakeClock, close_database, make_control_plane

pytestmark = pytest.mark.browser


@pytest.fixture
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A control plane with an address that others reach."""
    cp = make_control_plane(tmp_path_factory.mktemp("forge") / "data", FakeClock(), public_host="forge.example")
    with served(cp, rooms.empty(cp)) as site:
        yield site
    close_database()


def test_the_page_turns_green_as_the_machine_joins(browser: Any, forge: Site) -> None:
    with visit(browser, forge) as page:
        page.goto("/machines")
        page.get_by_role("button", name="Add a machine").click()
        page.get_by_role("button", name="Make the join token").click()
        expect(page.locator("#joined")).to_contain_text("Waiting for the machine")
        steps = page.locator("main ol:has(#join-token) > li")  # numbered
        assert steps.evaluate_all("all => all.map(one => getComputedStyle(one).display)") == ["list-item"] * 4
        expect(page.locator("[data-live-badge]")).to_have_attribute("data-state", "connected")
        picture(page, "join-waiting")
        page.get_by_role("button", name="Do this by API").click()
        assert violations(page) == []
        picture(page, "drawer")
        page.locator("dialog[open]").get_by_role("button", name="Close").click()
        token = ".".join(page.locator("#join-token").inner_text().split(".")[:2])
        joined = enrollment.enroll(forge.cp, token, signing_request(new_key()), "bench-7", "0.1.0").machine_id
        expect(page.locator("#joined")).to_contain_text("Its agent does not run yet")
        actor = replace(forge.rooms.machine, id=joined, name="bench-7")
        machines.hello(actor, forge.cp, Hello("0.1.0", "boot", {}, ()))
        expect(page.locator("#joined .note-succeeded")).to_contain_text("“bench-7” has joined")
        assert violations(page) == []
        picture(page, "join-green")
        page.get_by_role("link", name="To the machine", exact=True).click()
        page.get_by_role("button", name="Remove").click()
        assert violations(page) == []
        picture(page, "machine-remove")
        page.locator("dialog[open]").get_by_role("button", name="Remove").click()
        expect(page.locator("#machines")).not_to_contain_text("bench-7")
        assert MachineRecord.get_by_id(joined).removed_at
