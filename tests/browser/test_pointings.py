"""Pointings and cal tables in JupyterLab: clicked, walked by keys, followed, played live.

The tests follow one another on one page, as a person would: three panels on one Lab, on a copy
of the season that a writer adds to.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import ARTEFACTS

pytestmark = pytest.mark.browser

OPEN = """
import contimg_lab as cl
lab = await cl.open({folder!r})
"""
PANELS = (
    "lab.ms.panel(night='2025-10-30')",
    "lab.caltables.panel(night='2025-10-26')",
    "lab.jobs.panel(night='2025-10-30')",
    """import html, json, ipywidgets
said = ipywidgets.HTML()
said.add_class('said')
def tell(change):
    said.value = html.escape(json.dumps(lab.selection.to_dict()))
lab.selection.observe(tell)
said""",
)
GAP_BEFORE = "2025-10-30T06:29:44"
BP = "2025-10-26T13:09:48_J0738+1742_bpcal"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, season_folder: Callable[..., Path]) -> Path:
    """A private copy of the season."""
    copy = tmp_path_factory.mktemp("live") / "season"
    shutil.copytree(season_folder(), copy)
    return copy


@pytest.fixture(scope="module")
def book(notebook: Callable[..., Page], folder: Path) -> Page:
    """A notebook of the panels, run, on a page of its own."""
    book = notebook("pointings", OPEN.format(folder=str(folder)), *PANELS)
    expect(panel(book, "Jobs")).to_contain_text("34 runs", timeout=60_000)
    return book


@pytest.fixture(autouse=True)
def shot(book: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep a screenshot of what the test ended with, to be looked at."""
    yield
    ARTEFACTS.mkdir(exist_ok=True)
    book.screenshot(path=ARTEFACTS / f"{request.node.name}.png")


def panel(page: Page, title: str) -> Locator:
    named = page.locator(".contimg-title", has_text=re.compile(rf"^{title}$"))
    return page.locator(".contimg-panel").filter(has=named).first


def plot(page: Page, title: str, index: int = 0) -> Locator:
    return panel(page, title).locator(".contimg-plot").nth(index)


def area(page: Page, title: str, index: int = 0) -> Locator:
    return plot(page, title, index).locator(".contimg-plot-area")


def choose(page: Page, title: str, label: str, option: str) -> None:
    """Choose in a drop-down of a panel by its label."""
    panel(page, title).get_by_label(label, exact=True).select_option(label=option)


def said(page: Page) -> dict[str, str]:
    """What is selected, as Python says it."""
    text = page.locator(".said .widget-html-content").text_content()
    return json.loads(text) if text else {}


def until_said(page: Page, words: str) -> dict[str, str]:
    expect(page.locator(".said")).to_contain_text(words)
    return said(page)


def hover_until(page: Page, where: Locator, words: str, steps: int = 120) -> tuple[float, float]:
    """Go over a plot as somebody who looks for a point or a bar; where its row was told."""
    over = where.locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    tip = where.locator(".contimg-plot-tip")
    rows = 8 if steps > 60 else 30  # points reach further than a bar is high
    shares = sorted((row / rows for row in range(1, rows)), key=lambda share: abs(share - 0.5))
    for share_y in shares:
        for step in range(1, steps):
            x, y = box["x"] + box["width"] * step / steps, box["y"] + box["height"] * share_y
            page.mouse.move(x, y)
            if tip.is_visible() and words in tip.inner_text():
                return x, y
    raise AssertionError(f"no point of the plot tells {words!r}")


def test_the_sky_is_there_in_words_too(book: Page) -> None:
    """The sky plot has a picture with its numbers in words, and what is amiss is listed."""
    pointings = panel(book, "Pointings")
    pointings.scroll_into_view_if_needed()
    words = re.compile(r"completed \(33\), failed \(1\); RA 343\.\d+ to 29\.\d+ deg.*3C454\.3")
    expect(pointings.get_by_role("img", name=words)).to_be_attached()
    expect(plot(book, "Pointings")).to_contain_text("calibrator 3C454.3")
    expect(pointings).to_contain_text("Gaps over 10 min: 1")
    gap = pointings.get_by_role("row").filter(has_text=GAP_BEFORE).filter(has_text="15.5")
    expect(gap).to_contain_text("2025-10-30 06:29:44")
    expect(pointings).to_contain_text("0 of 34 off the meridian (median RA − LST +0.34 arcmin)")
    expect(pointings).to_contain_text("Declination jumps: none")
    expect(pointings).to_contain_text("Raw data without an MS: the table of raw files")


def test_a_point_chooses_its_ms_everywhere(book: Page) -> None:
    """A click on a point marks its row, and the jobs panel follows to the same MS."""
    x, y = hover_until(book, plot(book, "Pointings"), "completed")
    tip = plot(book, "Pointings").locator(".contimg-plot-tip").inner_text()
    name = re.search(r"(2025-10-30T\d\d:\d\d:\d\d)\.ms", tip)
    assert name is not None, tip
    book.mouse.click(x, y)
    assert name[1] in until_said(book, name[1])["ms_path"]
    expect(plot(book, "Pointings")).to_have_attribute("data-selected", "1")
    expect(panel(book, "Pointings")).to_contain_text("RA − LST")
    for title in ("Pointings", "Jobs"):
        chosen = panel(book, title).locator("tr[aria-selected=true]")
        expect(chosen).to_contain_text(name[1])


def test_the_strip_shows_the_gap(book: Page) -> None:
    """In the strip view time runs upwards, the gap is told, and what was chosen stays chosen."""
    choose(book, "Pointings", "Plot", "strip: RA against time")
    words = re.compile("Right ascension against time: .*1 gap over 10 min, the longest 15.5 min")
    expect(panel(book, "Pointings").get_by_role("img", name=words)).to_be_attached()
    expect(plot(book, "Pointings")).to_have_attribute("data-selected", "1")
    for option, told in (
        ("declination against time", "0 new pointings, 0 wrong strip"),
        ("drift: RA − LST", r"RA less LST median \+0.34 arcmin"),
    ):
        choose(book, "Pointings", "Plot", option)
        found = panel(book, "Pointings").get_by_role("img", name=re.compile(told))
        expect(found).to_be_attached()
        book.wait_for_timeout(400)
        book.screenshot(path=ARTEFACTS / f"pointings-{option[:5]}.png")
    choose(book, "Pointings", "Plot", "strip: RA against time")
    expect(panel(book, "Pointings").get_by_role("img", name=words)).to_be_attached()


def test_a_box_marks_several(book: Page) -> None:
    """A box marks what lies inside and tells of it together; the choice stays as it was."""
    before = said(book)
    over = plot(book, "Pointings").locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    book.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.05 * box["height"])
    book.mouse.down()
    book.mouse.move(box["x"] + 0.98 * box["width"], box["y"] + 0.98 * box["height"], steps=6)
    book.mouse.up()
    expect(panel(book, "Pointings")).to_contain_text(re.compile(r"Marked\s*\d+ MS"))
    assert int(plot(book, "Pointings").get_attribute("data-selected") or 0) > 5
    assert said(book) == before


def test_keys_alone_walk_the_sky(book: Page) -> None:
    """With keys alone a point is reached, told aloud and chosen; Escape chooses nothing."""
    choose(book, "Pointings", "Plot", "sky: RA, Dec")
    sky = area(book, "Pointings")
    expect(sky).to_have_attribute("aria-label", re.compile("Sky plot"))
    book.mouse.move(5, 5)
    sky.focus()
    book.keyboard.press("Home")
    for _ in range(6):
        book.keyboard.press("ArrowRight")
    loud = plot(book, "Pointings").locator("[aria-live=polite]")
    expect(loud).to_contain_text("2025-10-30T")
    name = re.search(r"2025-10-30T\d\d:\d\d:\d\d", loud.inner_text())
    assert name is not None
    book.keyboard.press("Enter")
    until_said(book, name[0])
    book.keyboard.press("Escape")
    expect(plot(book, "Pointings")).to_have_attribute("data-selected", "0")
    expect(book.locator(".said")).not_to_contain_text("ms_path")


def test_windows_choose_tables(book: Page) -> None:
    """A click on a window chooses its table, shown with its solver and the floor of its SNR."""
    tables = panel(book, "Cal tables")
    tables.scroll_into_view_if_needed()
    expect(tables).to_contain_text("BP: 1 inside, 34 nearest (max 8.7 h), 0 none. Tier 35 A")
    expect(tables).to_contain_text("mean SNR: warn below 10, fail below 5")
    expect(tables).to_contain_text("✖ fail 0")
    x, y = hover_until(book, plot(book, "Cal tables"), "bpcal", 24)
    book.mouse.click(x, y)
    chosen = until_said(book, "caltable")["caltable"]
    assert chosen.endswith("_bpcal")
    expect(tables.locator("tr[aria-selected=true]")).to_contain_text("bpcal")
    expect(tables).to_contain_text("solint=inf, minsnr=3.0, refant=103")
    expect(tables).to_contain_text(re.compile(r"bandpass 6\.7\.0"))
    expect(plot(book, "Cal tables", 1)).to_have_attribute("data-selected", "1")


def test_an_ms_chooses_its_bandpass_table(book: Page) -> None:
    """An MS on the windows chooses its bandpass table and tells its age in hours and its tier."""
    hover = hover_until(book, plot(book, "Cal tables"), "nearest within 12 h")
    assert "distance" in plot(book, "Cal tables").locator(".contimg-plot-tip").inner_text()
    book.mouse.click(*hover)
    told = until_said(book, "ms_path")
    assert "2025-10-26T" in told["ms_path"]
    tables = panel(book, "Cal tables")
    expect(tables.locator("tr[aria-selected=true]")).to_contain_text(BP)
    expect(tables).to_contain_text(re.compile(r"nearest; \d\.\d h from its middle"))
    expect(tables).to_contain_text("A: bandpass and gains of the same date")


def test_ages_and_histories(book: Page) -> None:
    """Ages are drawn with the hour from which they are old; flagging has its floor."""
    tables = panel(book, "Cal tables")
    choose(book, "Cal tables", "Plot", "age at each MS")
    age = tables.get_by_role("img", name=re.compile("age median 7.2 h, largest 8.7 h; 30 of 35"))
    expect(age).to_be_attached()
    expect(plot(book, "Cal tables")).to_contain_text("aging from 6 h")
    choose(book, "Cal tables", "History", "flagged fraction")
    expect(plot(book, "Cal tables", 1)).to_contain_text("fail above 0.5")
    choose(book, "Cal tables", "Type", "GP")
    expect(tables.get_by_role("img", name=re.compile("Flagged fraction of GP"))).to_be_attached()
    history = area(book, "Cal tables", 1)
    book.mouse.move(5, 5)
    history.focus()
    book.keyboard.press("End")
    book.keyboard.press("Enter")
    assert until_said(book, "2025-11-06")["caltable"].endswith("_gpcal")


def test_a_new_ms_appears_without_a_jump(book: Page, folder: Path) -> None:
    """A committed MS is drawn and counted as new; page and table stay where they were."""
    pointings = panel(book, "Pointings")
    choose(book, "Pointings", "Plot", "strip: RA against time")
    control = pointings.get_by_label("Plot", exact=True)
    control.scroll_into_view_if_needed()
    control.focus()
    before = control.bounding_box()
    height = pointings.bounding_box()
    assert before is not None
    assert height is not None
    db = sqlite3.connect(folder / "pipeline.sqlite3", timeout=30.0)
    with db:
        # where the telescope looked 13 minutes after the last tile of the night
        db.execute(
            "INSERT INTO ms_index (path, mid_mjd, start_mjd, status, stage, ra_deg, dec_deg) "
            "SELECT '/live/2025-10-30T07:31:00.ms', 60978.3150, 60978.3132, 'pending', "
            "'conversion', 33.5, dec_deg FROM ms_index WHERE path LIKE '%2025-10-30T06:%' LIMIT 1"
        )
        db.execute(
            "INSERT INTO jobs (type, status, ms_path, created_at) "
            "VALUES ('convert', 'pending', '/live/2025-10-30T07:31:00.ms', 1761809460.0)"
        )
    db.close()
    expect(plot(book, "Pointings")).to_contain_text("pending (1)")
    expect(pointings).to_contain_text("35 Measurement Sets")
    expect(pointings).to_contain_text("new or changed since the update before")
    expect(control).to_be_focused()
    assert control.bounding_box() == before
    now = pointings.bounding_box()
    assert now is not None
    assert now["height"] == height["height"]


@pytest.mark.parametrize(("theme", "width"), [("Dark", 1400), ("Dark", 900), ("Light", 900)])
def test_both_themes_and_a_narrow_page(book: Page, theme: str, width: int) -> None:
    """In either theme, wide or narrow, nothing is wider than its panel."""
    book.set_viewport_size({"width": width, "height": 1000})
    book.get_by_role("menuitem", name="Settings", exact=True).click()
    book.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    item = book.locator(".lm-Menu-item").filter(has_text=re.compile(f"^JupyterLab {theme}$"))
    item.click()
    expect(book.locator("body")).to_have_attribute(
        "data-jp-theme-light", "false" if theme == "Dark" else "true"
    )
    expect(book.locator("#jupyterlab-splash")).to_have_count(0)
    for title in ("Pointings", "Cal tables"):
        shown = panel(book, title)
        shown.scroll_into_view_if_needed()
        book.wait_for_timeout(500)
        around = shown.bounding_box()
        assert around is not None
        for part in shown.locator(".contimg-plot, .contimg-grid").all():
            box = part.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= around["x"] + around["width"] + 1
        shown.screenshot(path=ARTEFACTS / f"{title[:3].lower()}-{theme.lower()}-{width}.png")
