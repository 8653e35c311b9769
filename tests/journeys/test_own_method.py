"""Custom01, edited in the browser, tried on the machine, published, and used by a job: real processes all the way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browser.conftest import Watched, picture, violations
from playwright.sync_api import expect

from place import Place

MINUTES = 60_000  # milliseconds
SMALL = {"steps": 3, "batch_size": 4, "max_length": 128, "precision": "float32", "lora_rank": 4, "lora_alpha": 8}


@pytest.mark.browser
def test_custom01_is_edited_tried_published_and_used(place: Place, tiny: Path, browser: Any) -> None:
    link = re.search(r"http\S+/welcome/\S+", place.up())
    assert link is not None
    context = browser.new_context(base_url=link[0].split("/welcome/")[0], locale="en")
    watched = Watched(context.new_page(), link[0].split("/welcome/")[0])
    page = watched.page
    page.goto(link[0])
    page.get_by_label("Password").fill("a long enough sentence")
    page.get_by_role("button", name="Set the password").click()

    page.goto("/methods/custom01")
    page.get_by_role("link", name="Edit").click()
    expect(page.locator(".cm-content")).to_contain_text("A training loop of your own")
    assert violations(page) == []
    picture(page, "own-method-editor")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# ours\n")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Saved as version 2, a draft.")).to_be_visible()
    page.get_by_role("link", name="Dry run and publish").click()
    expect(page.get_by_role("button", name="Publish")).to_be_disabled()
    assert violations(page) == []
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#job-status").get_by_text("Succeeded", exact=True)).to_be_visible(timeout=8 * MINUTES)

    page.goto("/methods/custom01")
    picture(page, "own-method-draft")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 is what new jobs take from now on.")).to_be_visible()
    page.get_by_role("link", name="What differs").first.click()
    expect(page.get_by_text("+# ours")).to_be_visible()
    assert violations(page) == []
    picture(page, "own-method-difference")

    with place.client() as client:
        (current,) = [one for one in client.list_method_versions("custom01") if one.current]
        assert (current.number, current.source) == (2, "ours")
        source = {"source": "folder", "reference": str(tiny / "llama")}
        base = finished(client, client.submit_job("default", "import_base_model", name="tiny", parameters=source))
        rows = client.upload_dataset("default", "rows", tiny / "train.jsonl", tiny / "test.jsonl")
        inputs = {"base": base.model_id, "dataset": rows.id}
        used = finished(client, client.submit_job("default", "custom01", "mine", SMALL, inputs))
        assert used.method_hash == current.hash and client.get_model(used.model_id).form == "adapter"
    page.goto("/methods/custom01")
    expect(page.get_by_role("link", name=re.compile("mine"))).to_be_visible()
    context.close()
    assert watched.problems == []


def finished(client: Any, job: Any) -> Any:
    """The job at its end, which has to be good."""
    for seen, _ in client.wait_job(job.id):
        job = seen
    assert job.state == "SUCCEEDED", job.message
    return client.get_job(job.id)
