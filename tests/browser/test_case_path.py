"""The path from a case's card to a chat with the tuned model: at most seven presses, nothing typed on the way.

The pages, the services and the live updates are real. The machine is played through the services (accept, report,
artifacts: tests/rooms.py), and its engine is a fake behind the inference port that says one sentence.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rooms
from browser.conftest import Site, picture, served, violations, visit
from data_support import settle
from playwright.sync_api import expect

from control_plane.services.datasets import preparing
from control_plane.services.workflows import steps as workflow_steps
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.jobs import JobRecord
from support import FakeClock, close_database, make_control_plane

pytestmark = pytest.mark.browser

SAID = '{"machine": "pump 3"}'
COUNTING = """
addEventListener("click", (event) => event.isTrusted && add("presses"), true);
addEventListener("input", (event) => event.isTrusted && add("typed"), true);
function add(what) { sessionStorage.setItem(what, Number(sessionStorage.getItem(what)) + 1); }
"""


class Engine:
    """Says one sentence, whatever it is asked."""

    status = 200
    content_type = "text/event-stream"
    engine_seconds = 0.0

    def ask(self, *_: Any) -> Engine:
        return self

    def __iter__(self) -> Iterator[bytes]:
        for piece in (SAID[:9], SAID[9:]):
            escaped = piece.replace('"', '\\"')
            yield f'data: {{"choices": [{{"delta": {{"content": "{escaped}"}}}}]}}\n\n'.encode()
        yield b"data: [DONE]\n\n"

    def close(self) -> None:
        """Nothing was generated."""


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A project with a machine, the shipped methods and cases, and nothing else yet."""
    cp = make_control_plane(tmp_path_factory.mktemp("case") / "data", FakeClock())
    cp = replace(cp, inference=Engine())
    with served(cp, rooms.empty(cp)) as site:
        yield site
    close_database()


def play(room: rooms.Rooms, tuned_right: int) -> None:
    """Do as a machine what the run asks for, stage by stage, until it asks for nothing more."""
    finish = {
        "import": lambda attempt: room.finish_model(attempt, "base"),
        "train": lambda attempt: room.finish_model(attempt, "adapter"),
        "evaluate": lambda attempt: room.finish_evaluation(attempt, tuned_right, 2),
        "export": lambda attempt: room.finish_model(attempt, "gguf"),
    }
    while job := JobRecord.get_or_none(JobRecord.state == "QUEUED"):
        finish[job.kind](room.run(job, rooms.STEPS if job.kind == "train" else 0))
        workflow_steps.advance(room.cp)


def counted(page: Any) -> tuple[int, int]:
    """(presses, fields typed into) since the first page."""
    values = page.evaluate("['presses', 'typed'].map((what) => Number(sessionStorage.getItem(what)))")
    return values[0], values[1]


def start_training(page: Any, case: str = "machine_faults") -> None:
    page.goto("/p/lab/cases")
    page.locator(f"a.card[href$='/{case}']").click()
    page.get_by_role("button", name="Try with sample data").click()
    page.get_by_role("link", name="Looks right").click()
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("[data-live-badge]")).to_have_attribute("data-state", "connected")


@pytest.mark.parametrize("case", ["machine_faults", "assay_notes"])
def test_from_a_case_to_a_chat_in_seven_presses(browser: Any, site: Site, case: str) -> None:
    with visit(browser, site) as page:
        page.add_init_script(COUNTING)
        start_training(page, case)
        assert violations(page) == []
        play(site.rooms, tuned_right=rooms.ROWS)
        expect(page.get_by_role("link", name="Open the deployment")).to_be_visible()  # nobody reloads the page
        page.get_by_role("link", name="See the result").click()
        expect(page.get_by_role("heading", name="The tuned model is better")).to_be_visible()
        page.get_by_role("main").get_by_role("link", name="Open the deployment").click()
        expect(page.get_by_role("heading", name="Playground")).to_be_visible()
        presses, typed = counted(page)
        assert presses <= 7
        assert typed == 0
        site.rooms.serve(DeploymentRecord.get())
        expect(page.locator("#deployment-status .status")).to_have_text("Serving")
        page.get_by_label("Your message").fill("The pump 3 is hot.")
        page.keyboard.press("Enter")
        expect(page.locator(".chat-assistant .chat-text")).to_have_text(SAID)
        picture(page, "case-chat")
        assert violations(page) == []


def test_the_playground_asks_as_the_data_did_and_shows_what_was_expected(browser: Any, site: Site) -> None:
    with visit(browser, site) as page:
        start_training(page)
        play(site.rooms, tuned_right=rooms.ROWS)
        page.get_by_role("main").get_by_role("link", name="Open the deployment").click()
        expect(page.get_by_role("button", name="Send")).to_be_disabled()  # nothing serves yet
        expect(page.get_by_text("You can write already")).to_be_visible()
        picture(page, "playground-starting")
        site.rooms.serve(DeploymentRecord.get())
        expect(page.get_by_role("button", name="Send")).to_be_enabled()
        expect(page.get_by_text("You can write already")).to_be_hidden()
        expect(page.get_by_role("link", name="Deploy (Done)")).to_be_visible()
        with page.expect_request("**/chat") as first:
            page.get_by_label("Your message").fill("Pump 3 is hot.")
            page.keyboard.press("Enter")
        asked = first.value.post_data_json
        assert asked["messages"] == [{"role": "user", "content": "Turn this report into a JSON record: Pump 3 is hot."}]
        assert asked["temperature"] == 0
        expect(page.locator(".chat-assistant .chat-text").last).to_have_text(SAID)
        page.get_by_role("button", name="Insert a held-out example").click()
        expect(page.get_by_label("Your message")).to_have_value("The pump 0 is hot.")
        page.get_by_label("Begin each question as in the data").uncheck()  # these rows are the stand-in's
        with page.expect_request("**/chat") as second:
            page.get_by_role("button", name="Send").click()
        assert [one["role"] for one in second.value.post_data_json["messages"]] == ["user"]  # each stands alone
        expect(page.locator(".chat-beside")).to_have_count(2)
        expect(page.locator(".chat-beside").first).to_contain_text('{"machine": "pump 0"}')
        picture(page, "playground")
        assert violations(page) == []
        page.reload()
        expect(page.locator(".chat-assistant")).to_have_count(2)
        page.get_by_label("Each question stands alone").uncheck()
        with page.expect_request("**/chat") as third:
            page.get_by_role("button", name="Answer again").last.click()
        assert [one["role"] for one in third.value.post_data_json["messages"]] == ["user", "assistant", "user"]
        expect(page.locator(".chat-assistant .chat-text").last).to_have_text(SAID)
        page.get_by_role("button", name="Start over").click()
        page.reload()
        expect(page.locator(".chat-turn")).to_have_count(0)


def test_the_palette_leads_anywhere_by_keys_alone(browser: Any, site: Site) -> None:
    with visit(browser, site) as page:
        start_training(page)
        page.keyboard.press("Control+k")
        page.keyboard.type("machine-fault-rep")
        expect(page.get_by_role("link", name="machine-fault-reports Data")).to_be_visible()
        picture(page, "palette")
        assert violations(page) == []
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="machine-fault-reports")).to_be_visible()


def drop(page: Any, place: Any, file: Path) -> None:
    """Let a file fall on a place of the page, as from a file manager."""
    box = place.bounding_box()
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 10}
    data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **at})


def carry_on(site: Site) -> None:
    """Prepare the draft that there is, as the control plane's ticks would."""
    until = time.monotonic() + 60
    while not DatasetDraftRecord.select().where(DatasetDraftRecord.state.in_(list(preparing.STEPS))).exists():
        assert time.monotonic() < until, "nothing was begun"
        time.sleep(0.05)
    settle(site.cp, DatasetDraftRecord.get())


def test_own_data_goes_the_same_way_with_one_file_drop(browser: Any, site: Site, tmp_path: Path) -> None:
    with visit(browser, site) as page:
        page.add_init_script(COUNTING)
        page.goto("/p/lab/cases")
        page.locator("a.card[href$='/machine_faults']").click()
        file = tmp_path / "Labor-Notizen.jsonl"
        file.write_bytes(rooms.rows(5 * rooms.ROWS))
        drop(page, page.locator(".drop").first, file)
        expect(page.get_by_text("Labor-Notizen.jsonl · ")).to_be_visible()
        picture(page, "case-own-data")
        assert violations(page) == []
        page.get_by_role("button", name="Use this file").click()
        carry_on(site)
        page.get_by_role("button", name="Save version").click()
        carry_on(site)
        page.get_by_role("link", name="Looks right").click()
        page.get_by_role("button", name="Start training").click()
        expect(page.locator("[data-live-badge]")).to_have_attribute("data-state", "connected")
        play(site.rooms, tuned_right=rooms.ROWS)
        expect(page.get_by_role("link", name="Open the deployment")).to_be_visible()
        page.get_by_role("link", name="See the result").click()
        page.get_by_role("main").get_by_role("link", name="Open the deployment").click()
        expect(page.get_by_role("heading", name="Playground")).to_be_visible()
        presses, _typed = counted(page)  # choosing a file is an input, typing is none
        assert presses <= 7
        assert DeploymentRecord.get().name == "labor-notizen"


def test_a_model_that_is_not_better_is_not_deployed(browser: Any, site: Site) -> None:
    with visit(browser, site) as page:
        start_training(page)
        play(site.rooms, tuned_right=3)
        page.get_by_role("link", name="See the result").click()
        expect(page.get_by_role("heading", name="No clear difference")).to_be_visible()
        expect(page.get_by_role("link", name="Improve the data")).to_be_visible()
        expect(page.get_by_role("main").get_by_role("link", name="Deploy", exact=True)).to_have_count(0)
        assert JobRecord.select().where(JobRecord.kind == "export").count() == 0


def press_n(page: Any) -> None:
    """Press it once the page listens: a heading can be seen before the page's scripts have run."""
    page.wait_for_load_state("load")
    page.keyboard.press("n")


def test_the_keyboard_alone_gets_there(browser: Any, site: Site) -> None:
    """`n` is the main action of each page on the way; the rest is Tab and Enter."""
    with visit(browser, site) as page:
        page.goto("/p/lab/cases/machine_faults")
        for heading in ("Is the data fine?", "Is the plan fine?"):
            press_n(page)
            expect(page.get_by_role("heading", name=heading)).to_be_visible()
        press_n(page)  # what costs something is only in focus then
        expect(page.get_by_role("button", name="Start training")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("[data-live-badge]")).to_have_attribute("data-state", "connected")
        play(site.rooms, tuned_right=rooms.ROWS)
        expect(page.get_by_role("link", name="See the result")).to_be_visible()
        press_n(page)
        expect(page.get_by_role("heading", name="The tuned model is better")).to_be_visible()
        press_n(page)
        expect(page.get_by_role("heading", name="Playground")).to_be_visible()


def test_from_a_failed_job_to_its_cause_in_two_presses(browser: Any, site: Site) -> None:
    room = site.rooms
    job = room.submit("import_base_model", "broken", {}, reference="no-such-model")
    room.fail(room.take_and_start(job), "Traceback\nModuleNotFoundError: no-such-model\n")
    with visit(browser, site) as page:
        page.goto("/p/lab/jobs")
        page.get_by_role("link", name="broken").click()
        expect(page.get_by_text("ModuleNotFoundError: no-such-model")).to_be_visible()
        page.get_by_role("link", name="Open the whole log").click()
        expect(page.locator(".log-line").last).to_contain_text("ModuleNotFoundError")


def test_a_running_job_is_followed_without_reloading(browser: Any, site: Site) -> None:
    room = site.rooms
    job = room.submit("import_base_model", "small-base", {}, reference="small-model")
    with visit(browser, site) as page:
        page.goto(f"/p/lab/jobs/{job.id}")
        expect(page.locator("#job-status .status").first).to_have_text("Queued")
        expect(page.locator("[data-live-badge]")).to_have_attribute("data-state", "connected")
        attempt = room.run(job, 3)
        expect(page.locator("#job-status .status").first).to_have_text("Running")
        expect(page.get_by_text("step 3 of 40")).to_be_visible()
        room.finish_model(attempt, "base")
        expect(page.get_by_role("link", name="Train it")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)


def test_a_change_while_the_page_asks_is_not_missed(browser: Any, site: Site) -> None:
    """The answer to the first hint is held back until the second hint has come: what it then shows is old."""
    room = site.rooms
    job = room.submit("import_base_model", "small-base", {}, reference="small-model")
    held = []

    def hold_back(route: Any) -> None:
        answer = route.fetch()
        if not held:
            held.append(answer)
            before = page.evaluate("hints")
            room.finish_model(attempt, "base")
            while page.evaluate("hints") == before:
                page.wait_for_timeout(20)
        route.fulfill(response=answer)

    with visit(browser, site) as page:
        page.add_init_script("window.hints = 0; document.addEventListener('tunesmith:hint', () => { hints += 1; });")
        page.goto(f"/p/lab/jobs/{job.id}")
        expect(page.locator("[data-live-badge]")).to_have_attribute("data-state", "connected")
        page.wait_for_load_state("load")
        attempt = room.take_and_start(job)
        expect(page.locator("#job-status .status").first).to_have_text("Running")
        page.route("**/status", hold_back)
        room.cp.signals.wake(f"job:{job.id}")
        expect(page.get_by_role("link", name="Train it")).to_be_visible()
        page.unroute_all(behavior="wait")  # the page may be asking once more; its answer must not meet a closed page
        assert held


def test_the_plan_follows_the_form(browser: Any, site: Site) -> None:
    with visit(browser, site) as page:
        page.goto("/p/lab/jobs/new?kind=import")
        page.get_by_label("Name or path").fill("small-model")
        page.get_by_label("Name or path").blur()
        expect(page.locator("#plan-command")).to_contain_text("reference=small-model")
        page.get_by_label("All settings", exact=True).check()
        expect(page.get_by_label("Seed")).to_be_visible()


def test_a_preset_fills_the_fields_and_a_kind_of_adapter_shows_its_own(browser: Any, site: Site) -> None:
    with visit(browser, site) as page:
        page.goto("/p/lab/jobs/new?method=peft")
        quick, balanced = page.get_by_label("Quick", exact=True), page.get_by_label("Balanced", exact=True)
        rounds, kind = page.locator("[id='parameter.epochs']"), page.get_by_label("Kind of adapter")
        expect(balanced).to_be_checked()
        expect(rounds).to_have_value("3")
        quick.check()
        expect(rounds).to_have_value("1")
        expect(page.locator("#plan-config")).to_contain_text('"epochs": 1.0')
        rounds.fill("2")
        rounds.blur()
        expect(quick).not_to_be_checked()
        quick.check()
        expect(rounds).to_have_value("1")
        page.get_by_label("All settings", exact=True).check()
        rank, length = page.locator("[id='parameter.lora_rank']"), page.locator("[id='parameter.virtual_tokens']")
        expect(rank).to_be_visible()
        expect(length).to_be_hidden()
        kind.select_option("prompt")
        expect(rank).to_be_hidden()
        expect(length).to_be_visible()
        expect(page.locator("#plan")).to_contain_text("cannot be packaged or deployed")
        balanced.check()
        expect(rounds).to_have_value("3")
        expect(kind).to_have_value("prompt")
