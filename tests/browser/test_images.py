"""The images panel in JupyterLab: pixels, trends that are clicked, quantities by keyboard, themes.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from contimg_lab import blocking as cl
from contimg_lab.plots.chart import Chart
from contimg_lab.plots.trends import tiles_chart, trends_chart

from .conftest import ARTEFACTS

pytestmark = pytest.mark.browser

CELL = """
import contimg_lab as cl, html, ipywidgets
lab = await cl.demo(cache={cache!r})
said = ipywidgets.HTML()
said.add_class("said")
def tell(change):
    said.value = html.escape(str(lab.selection))
lab.selection.observe(tell)
def choose(button):
    lab.selection.source = "NVSS J002314+152238"
by_code = ipywidgets.Button(description="choose by code")
by_code.on_click(choose)
panel = lab.images.panel()
display(said, by_code, panel)
"""
LAST = "2025-11-06"
IMAGE = "2025-11-06T05:10:47.img-image"


@pytest.fixture(scope="module")
def charts(season_folder: Callable[..., Path]) -> dict[str, Chart]:
    """What the plots must show, made without a panel: where points must be on screen."""
    with cl.demo(cache=str(season_folder().parent)) as lab:
        tiles, nightly = lab.images.trends(nights=LAST), lab.images.nightly()
    before = float(nightly.set_index("night").loc[LAST, "noise_jy_before"])
    return {
        "tiles": tiles_chart(tiles, "noise_jy", before=before),
        "nights": trends_chart(nightly, "noise_jy"),
    }


@pytest.fixture(scope="module")
def lab(notebook: Callable[..., Page], season_folder: Callable[..., Path]) -> Page:
    """A notebook with the panel, run, on a page of its own."""
    lab = notebook("images", CELL.format(cache=str(season_folder().parent)), height=1700)
    expect(plot(lab, "nights")).to_have_attribute(
        "data-serial", re.compile(r"[1-9]"), timeout=60_000
    )
    return lab


@pytest.fixture(autouse=True)
def shot(lab: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep a screenshot of what the test ended with, to be looked at."""
    yield
    ARTEFACTS.mkdir(exist_ok=True)
    lab.screenshot(path=ARTEFACTS / f"{request.node.name}.png")


def plot(page: Page, name: str) -> Locator:
    return page.locator(".contimg-plot").nth(["tiles", "nights"].index(name))


def rows(page: Page) -> Locator:
    return page.locator(".contimg-grid [role=grid] tbody tr")


def said(page: Page) -> Locator:
    return page.locator(".said")


def picture(page: Page) -> Locator:
    return page.locator(".contimg-panel img[alt*='pixels of']")


def point(charts: dict[str, Chart], page: Page, name: str, key: str) -> tuple[float, float]:
    """Pixels on the page of the point of a key, from the limits of the chart alone."""
    chart = charts[name]
    part = next(p for p in chart.points if key in p.keys)
    over = plot(page, name).locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    i = part.keys.index(key)
    (x0, x1), (y0, y1) = chart.limits()
    x, y = (part.x[i] - x0) / (x1 - x0), (part.y[i] - y0) / (y1 - y0)
    return box["x"] + x * box["width"], box["y"] + (1.0 - y) * box["height"]


def theme(page: Page, name: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    page.locator(".lm-Menu-item").filter(has_text=re.compile(f"^{name}$")).first.click()
    dark = "false" if name == "JupyterLab Dark" else "true"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", dark)
    page.wait_for_timeout(600)


def test_the_night_is_there_with_units(lab: Page) -> None:
    """Each header has its unit, all rows are counted, and the words say what stands out."""
    head = lab.locator(".contimg-grid [role=grid] thead")
    for words in (
        "middle (UTC)",
        "noise (mJy/beam)",
        "beam (arcsec)",
        "flux / NVSS (n)",
    ):
        expect(head).to_contain_text(words)
    expect(lab.locator(".contimg-caption")).to_contain_text(f"58 of 58 images, night {LAST}")
    expect(lab.locator(".contimg-panel")).to_contain_text("2025-10-14 noise high (+4.9 σ)")
    expect(rows(lab).first).to_contain_text("37.3 × 25.5")
    missing = rows(lab).first.locator("td", has_text=re.compile("^-$")).first
    expect(missing).to_have_attribute("title", "no photometry in this image")


def test_a_click_on_a_tile_chooses_its_image(lab: Page, charts: dict[str, Chart]) -> None:
    """A point of the night's plot chooses its image: its pixels, facts and MS are shown."""
    key = next(k for k in charts["tiles"].points[0].keys if f"/{IMAGE}." in str(k))
    lab.mouse.click(*point(charts, lab, "tiles", str(key)))
    expect(said(lab)).to_contain_text(f"{IMAGE}.fits")
    expect(said(lab)).to_contain_text("/ms/2025-11-06T05:10:47.ms")
    expect(picture(lab)).to_be_visible()
    alt = picture(lab).get_attribute("alt") or ""
    assert re.search(r"128 by 128 pixels of .* noise [\d.]+ mJy/beam; beam 36\.9″ × 25\.3″", alt)
    assert picture(lab).evaluate("image => image.naturalWidth") > 400
    facts = lab.locator(".contimg-panel table.contimg-facts")
    expect(facts).to_contain_text("18.3 mJy/beam")
    expect(facts).to_contain_text("RA 00h21m36.9s")
    expect(rows(lab).filter(has_text=IMAGE).first).to_have_attribute("aria-selected", "true")
    expect(plot(lab, "tiles")).to_have_attribute("data-selected", "1")


def test_the_chosen_source_is_ringed_and_its_images_marked(lab: Page) -> None:
    """A source chosen by code marks the images that hold it, and is ringed in the cut-out."""
    lab.get_by_role("button", name="choose by code", exact=True).click()
    expect(lab.locator(".contimg-grid thead")).to_contain_text("source (mJy)")
    expect(plot(lab, "tiles")).to_contain_text("NVSS J002314+152238 was measured (1)")
    expect(picture(lab)).to_have_attribute("alt", re.compile("NVSS J002314.152238 is ringed"))
    lab.get_by_label("Cut-out").select_option("48 px around the source")
    expect(picture(lab)).to_have_attribute("alt", re.compile("^48 by 48 pixels"))
    expect(rows(lab).filter(has_text=f"{IMAGE}-pb")).to_contain_text("±")


def test_the_quantity_is_chosen_by_keyboard(lab: Page) -> None:
    """Arrow keys in the list of quantities change both plots, and their words."""
    choice = lab.get_by_label("Quantity")
    choice.focus()
    for _ in range(5):
        lab.keyboard.press("ArrowDown")
    expect(choice).to_have_value("Flux over NVSS flux")
    expect(choice).to_be_focused()
    for name in ("tiles", "nights"):
        expect(plot(lab, name)).to_contain_text("a good epoch")
        area = plot(lab, name).locator(".contimg-plot-area")
        expect(area).to_have_attribute(
            "aria-label", re.compile("Flux over NVSS flux of .*median 0.8")
        )
    for _ in range(5):
        lab.keyboard.press("ArrowUp")
    expect(plot(lab, "nights")).to_contain_text("high (> 4 σ) (1)")


@pytest.mark.parametrize("name", ["JupyterLab Dark", "JupyterLab Light"])
def test_themes(lab: Page, name: str) -> None:
    """In a dark and in a light page the plots take the page's colours, wide and narrow."""
    theme(lab, name)
    corner = (
        plot(lab, "nights")
        .locator("canvas")
        .first.evaluate(
            """c => { for (let at = c; at; at = at.parentElement) {
             const colour = getComputedStyle(at).backgroundColor;
             if (!/, 0\\)$/.test(colour) && colour !== "transparent")
               return colour.match(/[\\d.]+/g).map(Number)[0]; }
           return 255; }"""
        )
    )
    assert corner < 60 if "Dark" in name else corner > 200
    word = name.split()[1].lower()
    for width in (1400, 900):
        lab.set_viewport_size({"width": width, "height": 1700})
        lab.wait_for_timeout(500)
        lab.screenshot(path=ARTEFACTS / f"images_{word}_{width}.png")
        over = lab.locator(".contimg-panel").first.evaluate(
            "p => [...p.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1 &&"
            " getComputedStyle(e).overflowX === 'visible' && e.clientWidth > 0 &&"
            " e.getBoundingClientRect().right > p.getBoundingClientRect().right + 1).length"
        )
        assert over == 0
    lab.set_viewport_size({"width": 1400, "height": 1700})


def test_a_click_on_a_night_opens_it(lab: Page, charts: dict[str, Chart]) -> None:
    """The night that stands out, clicked, is the night of the table and of the selection."""
    lab.mouse.click(*point(charts, lab, "nights", "2025-10-14"))
    expect(lab.locator(".contimg-caption")).to_contain_text("66 of 66 images, night 2025-10-14")
    expect(said(lab)).to_contain_text("night='2025-10-14'")
    expect(lab.locator(".contimg-panel")).to_contain_text("Night 2025-10-14: noise high (+4.9 σ)")
    expect(lab.get_by_label("Night", exact=True)).to_have_value("2025-10-14")


def test_an_image_without_a_file_says_why(lab: Page) -> None:
    """Where there is no file the words stand in the picture's place, and nothing moves."""
    place = lab.get_by_label("Quantity")
    before = place.bounding_box()
    rows(lab).nth(2).click()
    words = lab.locator(".contimg-panel").get_by_text(re.compile("No picture of .*: No file"))
    expect(words).to_be_visible()
    expect(picture(lab)).to_have_count(0)
    assert place.bounding_box() == before
