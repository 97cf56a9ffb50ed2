"""A night at a glance in a real JupyterLab: read, walked by keys, chosen.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"
OPEN = """
import contimg_lab as cl
lab = await cl.open({folder!r})
board = lab.dashboard()
board
"""
SAY = "print('selected', lab.selection.to_dict())"


@pytest.fixture(scope="module")
def book(season_folder: Callable[..., Path], notebook: Callable[..., Page]) -> Page:
    """A notebook with the dashboard."""
    page = notebook("night", OPEN.format(folder=str(season_folder())), SAY)
    expect(night(page)).to_contain_text("hours by checks: 2 fail", timeout=60_000)
    return page


def night(page: Page) -> Locator:
    named = page.locator(".contimg-title", has_text=re.compile(r"^Night$"))
    return page.locator(".contimg-panel").filter(has=named).last


def grid(page: Page) -> Locator:
    return night(page).get_by_role("grid", name="UTC hours by checks")


def active(page: Page) -> str:
    return page.evaluate(
        "() => document.getElementById("
        "document.activeElement.getAttribute('aria-activedescendant')).textContent"
    )


def theme(page: Page, name: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    page.locator(".lm-Menu-item").filter(has_text=re.compile(f"^JupyterLab {name}$")).click()
    light = "true" if name == "Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def test_the_night_is_the_first_thing_seen(book: Page) -> None:
    """The verdict and the whole grid are in sight, each cell with sign, number and word."""
    expect(book.get_by_role("tab", name="Night", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    expect(night(book)).to_contain_text("✗ 4 of 36 runs failed: 1 timeout, 1 io")
    expect(grid(book)).to_have_attribute("aria-rowcount", "5")
    expect(grid(book).get_by_role("rowheader")).to_have_text(["✗03 h", "!04 h", "✗05 h", "!06 h"])
    row = grid(book).get_by_role("row").nth(3).get_by_role("gridcell")
    expect(row).to_have_count(8)
    expect(row.nth(1)).to_have_text("✗3fail")
    expect(row.nth(1)).to_have_attribute("title", "fail: 3 of 12 runs failed")
    expect(row.nth(0)).to_have_text("✓12pass")
    box = night(book).locator(".contimg-matrix-scroll").bounding_box()
    assert box["y"] + box["height"] < 1000


def test_arrows_go_from_cell_to_cell_and_tell_why(book: Page) -> None:
    """Each cell that the keys reach tells its reason and its limits, before it is chosen."""
    grid(book).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        book.keyboard.press(key)
    assert active(book) == "✗3fail"
    expect(night(book)).to_contain_text(
        "05 h UTC, failed runs: ✗ fail, 3 of 12 runs failed. warn if any failed run"
    )
    book.keyboard.press("Enter")
    expect(night(book)).to_contain_text("more than 10 % of the runs")
    expect(night(book)).to_contain_text("3 of 3 rows")
    expect(night(book).locator("[role=gridcell][aria-selected=true]")).to_have_text("✗3fail")
    expect(grid(book)).to_be_focused()
    book.keyboard.press("End")
    assert active(book).startswith("✓")
    for key in "ddx":  # commands of JupyterLab that change or delete cells
        book.keyboard.press(key)
    expect(book.locator(".jp-CodeCell")).to_have_count(2)


def test_what_is_chosen_is_the_labs_selection(book: Page) -> None:
    """Night and hour of the cell, and the MS of a row behind it, are what code sees."""
    night(book).locator("tbody tr").filter(has_text="conversion").first.click()
    cell = book.locator(".jp-CodeCell").nth(1)
    cell.locator(".cm-content").click()
    book.keyboard.press("Control+Enter")
    expect(cell).to_contain_text("'night': '2025-11-06', 'hour': 5, 'ms_path'")
    expect(cell).to_contain_text("2025-11-06T05:26:15.ms")


@pytest.mark.parametrize("name", ["Dark", "Light"])
def test_both_themes(book: Page, name: str) -> None:
    """Screenshots of both, to be looked at, wide and narrow."""
    theme(book, name)
    ARTEFACTS.mkdir(exist_ok=True)
    for width in (1400, 900):
        book.set_viewport_size({"width": width, "height": 1000})
        night(book).scroll_into_view_if_needed()
        book.wait_for_timeout(500)
        expect(grid(book)).to_be_visible()
        book.screenshot(path=ARTEFACTS / f"night-{name.lower()}-{width}.png")
    book.set_viewport_size({"width": 1400, "height": 1000})
