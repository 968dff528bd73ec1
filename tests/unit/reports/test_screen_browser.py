"""The page for screens in headless Chromium: no network, zoom, keyboard, phone, dark, print."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reports.screen.page import build_page
from tests.unit.reports.sample_stress import ENDLESS, HOSTILE, write_stress_run


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed; make test installs it")
    with sync_playwright() as playwright:
        # Without a sandbox of its own: as root and in containers there is none to be had.
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def url(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_page(samples["failing"], tmp_path_factory.mktemp("page") / "x.html").as_uri()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    yield from _opened(browser, url)


def _opened(browser: Browser, url: str, width: int = 1280) -> Iterator[Page]:
    """Open a page; after the test: it asked for nothing else and wrote nothing to the console."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(url)
    yield page
    assert {one.partition("#")[0] for one in asked} == {url}
    assert said == []
    page.close()


def _range(page: Page) -> tuple[float, float]:
    """Return what the first timeline shows, in ms after the fault."""
    page.wait_for_selector("figure[data-range]")
    start, end = (page.locator("figure").first.get_attribute("data-range") or "").split()
    return float(start), float(end)


def _open_first_fault(page: Page) -> None:
    page.locator("#faults-by-verdict tbody tr").first.locator("td").first.click()


def test_a_row_of_the_matrix_leads_to_its_fault_time_and_again(page: Page) -> None:
    row = page.locator("#faults-by-verdict tbody tr").nth(2)
    name = row.locator("a").inner_text()
    fault = page.locator(f"#{row.get_attribute('data-goes-to')}")
    assert fault.locator("h3").first.inner_text().startswith(name)
    for _ in range(2):
        row.locator("td").nth(1).click()
        assert fault.evaluate("one => one === document.activeElement")
        seen = "one => one.getBoundingClientRect().top < innerHeight"
        page.wait_for_function(seen, arg=fault.element_handle())
        page.locator("#faults-by-verdict").evaluate("one => one.parentElement.focus()")


def test_buttons_zoom_move_and_return(page: Page) -> None:
    _open_first_fault(page)
    start, end = _range(page)
    tools = page.locator("figure").first.locator(".tools")
    tools.get_by_text("Zoom in").click()
    nearer = _range(page)
    assert nearer[1] - nearer[0] == pytest.approx((end - start) / 2)
    tools.get_by_text("Later").click()
    assert _range(page)[0] > nearer[0]
    tools.get_by_text("All").click()
    assert _range(page) == (start, end)


def test_wheel_and_drag_change_the_range(page: Page) -> None:
    _open_first_fault(page)
    start, end = _range(page)
    box = page.locator(".plot").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 100
    page.locator(".plot").first.focus()
    page.mouse.move(x, y)
    page.mouse.wheel(0, -100)
    page.wait_for_function(
        f"() => !document.querySelector('figure').dataset.range.includes('{end}')"
    )
    zoomed = _range(page)
    assert zoomed[1] - zoomed[0] < end - start
    page.mouse.down()
    page.mouse.move(x - 100, y, steps=3)
    page.mouse.up()
    moved = _range(page)
    assert moved[0] > zoomed[0]
    assert moved[1] - moved[0] == pytest.approx(zoomed[1] - zoomed[0])


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "matrix"
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#faults-by-verdict a')"):
            break
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.classList.contains('fault')")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.plot')"):
            break
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    whole = _range(page)
    page.keyboard.press("+")
    page.keyboard.press("+")
    zoomed = _range(page)
    assert zoomed[1] - zoomed[0] == pytest.approx((whole[1] - whole[0]) / 4)
    page.keyboard.press("ArrowRight")
    assert _range(page)[0] > zoomed[0]
    page.keyboard.press("Home")
    assert _range(page) == whole


def test_nothing_can_be_shown_beyond_the_recording(page: Page) -> None:
    _open_first_fault(page)
    whole = _range(page)
    plot = page.locator(".plot").first
    plot.press("-")
    assert _range(page) == whole
    for _ in range(40):
        plot.press("+")
    start, end = _range(page)
    assert end - start == pytest.approx(1.0)
    for _ in range(5):
        plot.press("ArrowLeft")
    assert _range(page)[0] >= whole[0]


def test_the_line_below_names_the_slowest_io_of_what_is_shown(page: Page) -> None:
    _open_first_fault(page)
    _range(page)
    figure = page.locator("figure").first
    slowest = page.evaluate("Math.max(...JSON.parse(courses.textContent)[0].took)")
    assert f"{slowest / 1000:.3f} s" in figure.locator("output").inner_text()
    figure.locator("summary").click()
    assert f"{slowest / 1000:.3f}" in figure.locator("table").first.inner_text()


def test_something_is_drawn_in_light_and_dark_with_other_colours(page: Page) -> None:
    _open_first_fault(page)
    _range(page)
    pixels = "document.querySelector('canvas').toDataURL()"
    light = page.evaluate(pixels)
    blank = page.evaluate(
        "(() => { const c = document.querySelector('canvas'), o = document.createElement('canvas');"
        " o.width = c.width; o.height = c.height; return o.toDataURL(); })()"
    )
    assert light != blank
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "before => document.querySelector('canvas').toDataURL() !== before", arg=light
    )
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"


def test_the_assertions_can_be_filtered(page: Page) -> None:
    rows = page.locator("#assertions tbody tr")
    every = rows.count()
    page.select_option("#assertion-verdict", "PASS")
    passed = page.locator("#assertions tbody tr:visible").count()
    assert passed == page.locator("#assertions tr[data-verdict=PASS]").count()
    page.fill("#assertion-words", "surely nothing of this name")
    assert page.locator("#assertions tbody tr:visible").count() == 0
    assert page.locator("#assertion-count").inner_text() == f"0 / {every}"


def test_print_has_every_chart_and_no_buttons(page: Page) -> None:
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("figure[data-range]").count() == page.locator("figure").count()
    page.emulate_media(media="print")
    assert page.locator(".tools").first.is_hidden()


@pytest.mark.parametrize("text", ["", HOSTILE, ENDLESS], ids=["plain", "hostile", "endless"])
def test_a_phone_shows_it_without_sideways_scrolling(
    browser: Browser, url: str, tmp_path: Path, text: str
) -> None:
    if text:
        folder = write_stress_run(tmp_path / "run", text)
        url = build_page(folder).as_uri()
    for page in _opened(browser, url, 360):
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_policy_stops_what_somebody_put_in(browser: Browser, url: str, tmp_path: Path) -> None:
    page_file = Path(url.removeprefix("file://"))
    foreign = b"<img src='http://127.0.0.1:9/x.png'><script>window.ran = 1</script></body>"
    changed = tmp_path / "changed.html"
    changed.write_bytes(page_file.read_bytes().replace(b"</body>", foreign))
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(changed.as_uri())
    assert page.evaluate("window.ran") is None
    assert sum("Content Security Policy" in one for one in said) == 2
    page.close()
