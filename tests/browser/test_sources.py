"""The sources panel in JupyterLab: search, rule, keyboard, periods, gallery, lasso, dark theme.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import ARTEFACTS

pytestmark = pytest.mark.browser

PERIODIC = "NVSS J235854+163659"

CELL = """
import html, ipywidgets
import contimg_lab as cl
lab = await cl.demo()
said = ipywidgets.HTML()
said.add_class("said")
def tell(change):
    chosen = lab.selection
    said.value = html.escape(f"{chosen.source} / {len(chosen.sources)} / {chosen.image}")
lab.selection.observe(tell)
panel = lab.sources.search_panel()
display(panel, said)
"""
CLICK_ROW = """
(i) => new Promise((done) => {
  const row = document.querySelectorAll(".contimg-grid")[0].querySelectorAll("tbody tr")[i];
  const name = row.cells[0].textContent;
  const plot = document.querySelectorAll(".contimg-panel .contimg-plot")[1];
  const begun = performance.now();
  row.cells[0].click();
  const look = () => {
    if (performance.now() - begun > 20000) done(-1);
    else if (plot.querySelector(".contimg-plot-title").textContent.includes(name))
      requestAnimationFrame(() => done(performance.now() - begun));
    else requestAnimationFrame(look);
  };
  look();
})
"""


@pytest.fixture(scope="module")
def lab(notebook: Callable[..., Page]) -> Page:
    """A notebook with the panel, run, on a page of its own."""
    lab = notebook("sources", CELL, height=1700)
    expect(rows(lab).first).to_be_visible(timeout=60_000)
    expect(status(lab)).to_contain_text("200 of 200 sources")
    return lab


@pytest.fixture(autouse=True)
def shot(lab: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep a screenshot of what the test ended with, to be looked at."""
    yield
    ARTEFACTS.mkdir(exist_ok=True)
    lab.screenshot(path=ARTEFACTS / f"sources_{request.node.name}.png")


def rows(page: Page) -> Locator:
    return page.locator(".contimg-grid").first.locator("tbody tr")


def status(page: Page) -> Locator:
    return page.locator(".contimg-panel .contimg-status").first


def box(page: Page, words: str) -> Locator:
    return page.get_by_placeholder(words)


def search(page: Page, text: str) -> None:
    box(page, "name, part of it, or position").fill(text)


def plot(page: Page, at: int) -> Locator:
    """The sky, the light curve, the periodogram, the folded curve."""
    return page.locator(".contimg-panel .contimg-plot").nth(at)


def said(page: Page) -> Locator:
    return page.locator(".said")


def tab(page: Page, title: str) -> Locator:
    return page.locator(".contimg-panel").get_by_role("tab", name=title)


def test_a_part_of_a_name_is_found(lab):
    """Typing leaves the sources whose name holds the text, without Enter."""
    search(lab, "j2358")
    expect(status(lab)).to_contain_text(re.compile(r"[1-9]\d? of 200 sources, names that hold"))
    expect(rows(lab).first).to_contain_text("J2358")


def test_a_position_is_searched_nearest_first(lab):
    """Sexagesimal text is a cone: separations rise, the circle is drawn and named."""
    search(lab, "23:58:54 +16:36:59")
    lab.get_by_label("within (arcmin)").fill("60")
    lab.get_by_label("within (arcmin)").press("Enter")
    expect(status(lab)).to_contain_text("within 60 arcmin of 23:58:54.0")
    expect(status(lab)).to_contain_text("nearest first")
    expect(rows(lab).first).to_contain_text(PERIODIC)
    apart = [float(row.locator("td").nth(1).inner_text()) for row in rows(lab).all()]
    assert apart == sorted(apart)
    expect(plot(lab, 0)).to_contain_text("60 arcmin")


def test_what_is_no_position_is_told_in_words(lab):
    """A declination beyond the pole is refused in words that say how to write one."""
    search(lab, "23:58:54 +96:00:00")
    expect(status(lab)).to_contain_text("lies outside -90 to 90 degrees")
    expect(status(lab)).to_contain_text("Shown below is what was read")
    search(lab, "")
    expect(status(lab)).to_contain_text("200 of 200 sources")


def test_a_rule_is_told_what_is_wrong_with_it(lab):
    """An unfinished rule and an unknown column are told in words while it is typed."""
    rule = box(lab, "rule: eta > 3 and n_used >= 20")
    rule.fill("eta >")
    expect(status(lab)).to_contain_text("the rule is unfinished", ignore_case=True)
    rule.fill("etta > 3")
    expect(status(lab)).to_contain_text("did you mean eta")
    rule.fill("eta > 3")
    expect(status(lab)).to_contain_text(re.compile(r"\d+ of 200 sources; rule eta > 3"))
    expect(rule).to_be_focused()


def test_a_source_is_chosen_by_keyboard(lab):
    """Tab and arrows alone reach a row; its curve, numbers and periods follow."""
    box(lab, "rule: eta > 3 and n_used >= 20").fill("")
    search(lab, PERIODIC[5:])
    lab.get_by_label("within (arcmin)").fill("30")
    lab.get_by_label("within (arcmin)").press("Enter")
    expect(rows(lab).first).to_contain_text(PERIODIC)
    lab.locator(".contimg-grid").first.get_by_role("grid").focus()
    lab.keyboard.press("ArrowDown")
    lab.keyboard.press("ArrowUp")
    lab.keyboard.press("Enter")
    expect(said(lab)).to_contain_text(PERIODIC)
    expect(plot(lab, 1)).to_contain_text(PERIODIC)
    expect(lab.get_by_text(re.compile("epochs used: .* upper limits")).first).to_be_visible()


def test_the_periodogram_appears_with_its_period_in_words(lab):
    """The periodogram has its levels, the words its best period, the folded curve follows."""
    words = lab.locator(".contimg-detail").filter(has_text="Best period 7.457 ± 0.034 d")
    expect(words).to_be_visible()
    expect(plot(lab, 2)).to_contain_text("false alarm 0.1 %")
    expect(plot(lab, 3)).to_contain_text("one cycle later")
    plot(lab, 3).scroll_into_view_if_needed()
    lab.screenshot(path=ARTEFACTS / "sources_period.png")
    plot(lab, 2).locator(".contimg-plot-area").focus()
    for key in ("ArrowRight", "Home", "Enter"):
        lab.keyboard.press(key)
    folded = lab.get_by_label("folded on (days)")
    expect(folded).not_to_have_value(re.compile("7.457"))
    expect(plot(lab, 3).get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(r"folded on (?!7\.457)")
    )


def test_an_epoch_chooses_its_image(lab):
    """An epoch chosen by keyboard puts its image into the selection."""
    plot(lab, 1).locator(".contimg-plot-area").focus()
    lab.keyboard.press("ArrowRight")
    lab.keyboard.press("Enter")
    expect(said(lab)).to_contain_text(".fits")
    tab(lab, "Images").click()
    images = lab.locator(".contimg-grid").nth(1)
    expect(images.locator("tbody tr").first).to_be_visible()
    expect(images).to_contain_text("observed (UTC)")
    images.locator("tbody tr").nth(2).click()
    name = images.locator("tbody tr").nth(2).locator("td").first.inner_text()
    expect(said(lab)).to_contain_text(name)


def test_numbers_are_explained(lab):
    """Equations, sums and papers of the chosen source are a tab away, by keyboard."""
    tab(lab, "Images").focus()
    lab.keyboard.press("ArrowLeft")
    lab.keyboard.press("Enter")
    expect(lab.get_by_text("Swinbank et al. (2015)").first).to_be_visible()


def test_a_lasso_on_the_sky_selects_a_set(lab):
    """A lasso puts the sources inside it into the selection."""
    search(lab, "")
    expect(status(lab)).to_contain_text("200 of 200 sources")
    sky = plot(lab, 0)
    sky.scroll_into_view_if_needed()
    sky.get_by_role("button", name="Drag a lasso to select").click()
    at = sky.locator(".u-over").bounding_box()
    assert at is not None
    corners = [(0.2, 0.1), (0.9, 0.1), (0.9, 0.9), (0.2, 0.1)]
    places = [(at["x"] + x * at["width"], at["y"] + y * at["height"]) for x, y in corners]
    lab.mouse.move(*places[0])
    lab.mouse.down()
    for place in places[1:]:
        lab.mouse.move(*place, steps=8)
    lab.mouse.up()
    expect(said(lab)).to_contain_text(re.compile(r"/ [1-9]\d* /"))


def test_the_gallery_shows_the_set_and_is_paged(lab):
    """The set stands in the gallery, twelve at a time; a name chooses its source."""
    tab(lab, "Gallery").click()
    expect(lab.get_by_text(re.compile(r"1 to 12 of \d+ sources"))).to_be_visible()
    cells = lab.locator(".contimg-gallery .contimg-plot")
    expect(cells).to_have_count(12)
    expect(cells.last.locator("canvas").first).to_be_visible()
    cells.last.scroll_into_view_if_needed()
    lab.screenshot(path=ARTEFACTS / "sources_gallery.png")
    lab.get_by_role("button", name="Next").click()
    expect(lab.get_by_text(re.compile(r"13 to \d+ of \d+ sources"))).to_be_visible()
    name = lab.locator(".contimg-gallery .jupyter-button").nth(1)
    words = name.inner_text()
    name.press("Enter")
    expect(said(lab)).to_contain_text(words)
    expect(plot(lab, 1)).to_contain_text(words)


def test_a_click_is_quick_to_its_curve(lab):
    """A row clicked changes the curve at once, whatever else is asked for; the times are told."""
    tab(lab, "Period").click()
    plot(lab, 1).scroll_into_view_if_needed()
    times_ms = []
    for i in range(20):
        times_ms.append(lab.evaluate(CLICK_ROW, 1 + i % 6))
        lab.wait_for_timeout(250)
    times_ms.sort()
    print(f"\nclick to curve: p50 {statistics.median(times_ms):.0f}, p95 {times_ms[18]:.0f} ms")
    assert times_ms[0] > 0


def test_the_dark_theme_and_a_narrow_page(lab):
    """In the dark theme, and on a narrow page, nothing stands beyond the panel's edge."""
    lab.get_by_role("menuitem", name="Settings", exact=True).click()
    lab.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    lab.locator(".lm-Menu-item").filter(has_text=re.compile("^JupyterLab Dark$")).first.click()
    expect(lab.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    lab.wait_for_timeout(600)
    lab.screenshot(path=ARTEFACTS / "sources_dark.png")
    lab.set_viewport_size({"width": 900, "height": 1700})
    lab.wait_for_timeout(600)
    lab.screenshot(path=ARTEFACTS / "sources_narrow.png")
    panel = lab.locator(".contimg-panel").first.bounding_box()
    for at in range(2):
        inner = plot(lab, at).bounding_box()
        assert panel is not None
        assert inner is not None
        assert inner["x"] + inner["width"] <= panel["x"] + panel["width"] + 1
