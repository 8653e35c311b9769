"""The components in a real browser: no console error, no CSP violation, no axe violation, and each one works."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from browser.kit.kitchen import LINES, State, create_kitchen
from playwright.sync_api import Browser, Error, Page, Route, expect, sync_playwright
from werkzeug.serving import make_server

from patience import PATIENCE

pytestmark = pytest.mark.browser
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
AXE = Path(__file__).parents[1] / "vendor/axe.min.js"
PICTURES = os.environ.get("TUNESMITH_PICTURES")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    expect.set_options(timeout=PATIENCE * 1_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def address(state: State) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_kitchen(state), threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that fails its test on any console error; a CSP violation is one."""
    theme, width = getattr(request, "param", ("light", 1280))
    context = browser.new_context(base_url=address, color_scheme=theme, viewport={"width": width, "height": 900})
    context.set_default_timeout(PATIENCE * 1_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith((address, "data:")) else problems.append(sent.url))
    yield page
    context.close()
    assert problems == []


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())  # By the debugger, which the policy does not bind.
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [f"{item['id']}: {[node['target'] for node in item['nodes']]}" for item in found]


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1280, 375)]


@pytest.mark.parametrize("page", LOOKS, indirect=True, ids=lambda look: f"{look[0]}-{look[1]}")
def test_every_component_is_accessible(page: Page, request: pytest.FixtureRequest) -> None:
    page.goto("/")
    expect(page.locator("ts-chart canvas")).to_be_visible()
    expect(page.locator(".log-line").last).to_contain_text(f"step {LINES}")
    expect(page.locator("[data-live-badge]")).to_have_attribute("data-state", "connected")
    name = request.node.callspec.id
    picture(page, f"kitchen-{name}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "scrolls sideways"
    for path in ("/bare", "/error/404"):
        page.goto(path)
        picture(page, f"{path.strip('/').replace('/', '-')}-{name}")
        assert violations(page) == []


@pytest.mark.parametrize("page", [("light", 320)], indirect=True)
def test_the_narrowest_screen_needs_no_sideways_scrolling(page: Page) -> None:
    page.goto("/")
    expect(page.locator("ts-chart canvas")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Machines")).to_be_visible()


def test_a_chart_never_widens_its_page_not_even_before_it_has_followed_a_narrower_window(page: Page) -> None:
    page.goto("/")
    expect(page.locator("ts-chart canvas")).to_be_visible()
    # read in the task that narrows it: no frame lies between, so the observer of its size has not been called
    drawn, wide = page.evaluate(
        "() => { const chart = document.querySelector('ts-chart'); chart.style.width = '300px';"
        " return [chart.querySelector('canvas').offsetWidth, chart.scrollWidth]; }"
    )
    assert drawn > 300
    assert wide == 300


def test_open_parts_are_accessible_too(page: Page) -> None:
    page.goto("/")
    for opener in ("Do this by API", "Cancel", "Keyboard shortcuts and help"):
        page.get_by_role("button", name=opener, exact=True).click()
        expect(page.locator("dialog[open]")).to_be_visible()
        assert violations(page) == []
        picture(page, "open-" + opener.replace(" ", "-").lower())
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)


def test_a_chosen_theme_is_there_before_the_next_page_is_drawn(page: Page) -> None:
    page.goto("/")
    page.locator("summary[aria-label=Theme]").click()
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == "rgb(13, 17, 23)"
    page.goto("/bare", wait_until="commit")
    page.wait_for_selector("body")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_hint_brings_the_new_points_lines_and_fragment(page: Page, state: State) -> None:
    page.goto("/")
    expect(page.locator("[data-live-badge]")).to_have_text("Live")
    expect(page.locator("#fragment")).to_have_text("fresh")  # The catch-up when the stream opened.
    expect(page.locator(".chart-read")).to_contain_text("Step 40: loss")
    state.steps, state.log = 55, state.log + b"one more line\nhalf a li"
    state.hint("chart")
    state.hint("log")
    expect(page.locator(".chart-read")).to_contain_text("Step 55: loss")
    expect(page.locator(".log-line").last).to_contain_text("one more line")


def test_a_hint_that_comes_before_the_chart_library_is_not_lost(page: Page) -> None:
    held: list[Route] = []
    page.route("**/uPlot.iife.min.js", lambda route: held.append(route))
    page.goto("/", wait_until="domcontentloaded")
    expect(page.locator("#fragment")).to_have_text("fresh")  # by the catch-up at the stream's opening, the chart's too
    while not held:
        page.wait_for_timeout(20)  # lets the browser speak
    held.pop().continue_()
    expect(page.locator(".chart-read")).to_contain_text("Step 40: loss")
    expect(page.locator("ts-chart canvas")).to_be_visible()


def test_one_stream_serves_all_tabs(page: Page, state: State) -> None:
    page.goto("/")
    expect(page.locator("[data-live-badge]")).to_have_text("Live")
    second = page.context.new_page()
    second.goto("/")
    expect(second.locator("[data-live-badge]")).to_have_text("Live")
    expect(second.locator(".chart-read")).to_contain_text("Step 40")
    assert len(state.listeners) == 1
    state.steps = 41
    state.hint("chart")
    expect(second.locator(".chart-read")).to_contain_text("Step 41")
    page.goto("/bare")  # The leader leaves; the other takes over.
    expect(second.locator("[data-live-badge]")).to_have_text("Live")
    state.steps = 42
    state.hint("chart")
    expect(second.locator(".chart-read")).to_contain_text("Step 42")


def test_a_tab_that_takes_over_from_one_that_died_asks_what_it_missed(page: Page, state: State) -> None:
    page.goto("/")
    expect(page.locator("[data-live-badge]")).to_have_text("Live")
    second = page.context.new_page()
    second.goto("/")
    expect(second.locator(".chart-read")).to_contain_text("Step 40")
    state.steps = 42  # nobody hints at it
    with suppress(Error):
        page.goto("chrome://crash")
    expect(second.locator(".chart-read")).to_contain_text("Step 42")


def test_a_refused_stream_turns_into_polling(page: Page, state: State) -> None:
    state.streams = False
    page.goto("/")
    expect(page.locator("[data-live-badge]")).to_have_text("Updates every 5 s")
    expect(page.locator(".chart-read")).to_contain_text("Step 40")
    state.steps = 44
    expect(page.locator(".chart-read")).to_contain_text("Step 44")


def test_the_chart_is_saved_as_a_table_and_as_a_picture(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".chart-read")).to_contain_text("Step 40")
    with page.expect_download() as table:
        page.get_by_role("button", name="Save as CSV").click()
    lines = table.value.path().read_text().splitlines()
    assert lines[0] == 'step,"loss","baseline"'
    assert lines[1].startswith("1,")
    assert len(lines) == 41
    page.get_by_role("button", name="Logarithmic").click()
    with page.expect_download() as picture:
        page.get_by_role("button", name="Save as picture").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")


def test_the_chart_speaks_to_the_keyboard_and_as_a_table(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".chart-read")).to_contain_text("Step 40")
    page.locator(".chart-plot").focus()
    page.keyboard.press("Home")
    expect(page.locator(".chart-read")).to_contain_text("Step 1: loss")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".chart-read")).to_contain_text("Step 2: loss")
    page.get_by_role("button", name="Show as table").click()
    expect(page.locator(".chart-table tbody tr")).to_have_count(40)
    assert violations(page) == []


def test_a_few_values_are_shown_as_they_were_measured(page: Page) -> None:
    page.goto("/")
    few, last = page.evaluate("""async () => {
        const app = [...document.scripts].find((one) => one.src.endsWith("/app.js")).src;
        const { smooth } = await import(new URL("chart.js", app));
        return [smooth([2, 1, 0], 0.6), smooth([...Array(39).fill(0), 1], 0.6).at(-1)];
    }""")
    assert few == [2, 1, 0]
    assert last == pytest.approx(0.4, abs=0.01)


def test_the_log_links_to_lines_and_reads_on_in_both_directions(page: Page) -> None:
    page.goto("/#L1500")
    expect(page.locator("#L1500")).to_be_in_viewport()
    expect(page.locator("#L1500")).to_contain_text("step 1500 ")
    expect(page.locator("#L1500 b")).to_have_count(0)
    page.locator(".log-lines").evaluate("lines => { lines.scrollTop = 0 }")
    expect(page.locator("#L1400")).to_contain_text("step 1400 ")
    page.get_by_role("button", name="Follow").click()
    expect(page.locator(".log-line").last).to_contain_text(f"step {LINES}")
    page.get_by_role("searchbox", name="Search the lines shown").fill("step 2999")
    expect(page.locator(".log-line:visible")).to_have_count(1)
    assert "q=step+2999" in page.url


def test_the_chat_streams_text_as_text(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Your message").fill("The pump leaks")
    page.keyboard.press("Enter")
    expect(page.locator(".chat-assistant .chat-text")).to_have_text('{"machine": "pump <3>"}')
    expect(page.locator(".chat-figures").last).to_contain_text("3 tokens")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()


def test_levels_reveal_and_conditions_hide(page: Page) -> None:
    page.goto("/")
    rank = page.get_by_label("Adapter rank")
    expect(rank).to_be_hidden()
    page.get_by_label("All settings").check()
    expect(rank).to_be_visible()
    page.get_by_label("What is trained").select_option("full")
    expect(rank).to_be_hidden()
    expect(rank).to_have_value("16")
    expect(page.get_by_label("Rounds over the data", exact=True)).to_have_attribute("aria-invalid", "true")


def test_shortcuts_work_until_they_are_switched_off(page: Page) -> None:
    page.goto("/", wait_until="load")  # from then on it listens
    page.evaluate("document.activeElement.blur()")  # the field that is wrong; in a field a key is a letter
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Filter")).to_be_focused()
    page.get_by_role("searchbox", name="Filter").blur()
    page.keyboard.press("?")
    page.get_by_label("Use keyboard shortcuts in this browser").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Filter")).not_to_be_focused()
