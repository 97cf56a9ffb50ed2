"""A table of a million rows in a real JupyterLab: scrolled, sorted, chosen, with a keyboard only.

The tests follow one another on one page, as a person would; they print what they measured.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

ROWS = 1_000_000
PLANTED = 654_321
ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"

MAKE = f"""
import asyncio, html, json, time
import ipywidgets
import numpy as np
from contimg_lab.panels._table import Column, Table, Written, numbers
from contimg_lab.panels._words import number
random = np.random.default_rng(3)
at = np.arange({ROWS})
flux = random.lognormal(0.0, 1.0, len(at))
flux[{PLANTED}] = 1e6
flux[::1000] = np.nan
mjd = 60900.0 + at * 1e-4
names = np.char.mod("J%07d", at)
names[5] = "<b>J</b>"
said, chosen = ipywidgets.HTML(), []
said.add_class("said")
def tell(key):
    chosen.append((key, time.time()))
    said.value = html.escape(json.dumps(chosen[-1]))
    if key == "J0000010":  # the pipeline commits a little later
        asyncio.get_running_loop().call_later(1.0, refresh)
def refresh():
    table.show(columns, names, total=len(names), selected="J0000010", note=", read again")
table = Table("sources", 300, tell)
grid, handler, name = table.watched
grid.observe(handler, name)
columns = [
    Column(title="source", texts=names),
    numbers("flux (mJy)", flux, lambda x: number(x, 4), "no image covers it"),
    numbers("MJD (UTC)", mjd, lambda x: f"{{x:.5f}}"),
    Column(title="step", texts=np.array(["mask", "clean", "image"])[at % 3]),
    Column(title="remark", texts=Written(at, lambda i: f"row {{i}} of a long remark " * 4)),
]
"""
SHOW = """
begun = time.time()
table.show(columns, names, total=len(names), marked={"J0000002"})
display(table.widget, said)
print("begun", begun)
"""
FIRST_PAINT = """
() => { window.painted = new Promise((done) => {
  const look = () => {
    const cell = document.querySelector(".contimg-grid tbody td");
    if (cell && cell.textContent.startsWith("J")) requestAnimationFrame(() => done(Date.now()));
    else requestAnimationFrame(look);
  };
  look();
}) }
"""
CLICK_UNTIL = """
([header, wanted]) => new Promise((done) => {
  const grid = document.querySelector(".contimg-grid");
  const begun = performance.now();
  grid.querySelectorAll("thead th")[header].click();
  const look = () => {
    const cell = grid.querySelectorAll("tbody tr:first-child td")[header];
    if (cell && cell.textContent === wanted) done(performance.now() - begun);
    else requestAnimationFrame(look);
  };
  look();
})
"""
CLICK_ROW = """
(i) => {
  const row = document.querySelectorAll(".contimg-grid tbody tr")[i];
  row.cells[0].click();
  return [row.cells[0].textContent, performance.timeOrigin + performance.now()];
}
"""
COLOURS = """
(cell) => {
  let under = cell;
  while (/, 0\\)$/.test(getComputedStyle(under).backgroundColor)) under = under.parentElement;
  return [getComputedStyle(cell).color, getComputedStyle(under).backgroundColor];
}
"""


@pytest.fixture(scope="module")
def lab_page(notebook: Callable[..., Page]) -> Page:
    """A notebook with the table, run, on a page of its own."""
    opened = notebook("grid", MAKE, SHOW, before=FIRST_PAINT)
    expect(grid(opened).locator("tbody tr").first).to_contain_text("J0000000", timeout=60_000)
    return opened


def grid(page: Page) -> Locator:
    return page.locator(".contimg-grid [role=grid]")


def top(page: Page) -> Locator:
    return grid(page).locator("tbody tr").first


def chosen(page: Page) -> tuple[str, float]:
    key, at_s = json.loads(page.locator(".said").inner_text())
    return key, at_s


def active_row(page: Page) -> int:
    """Row number (0 is the header) of the cell that assistive software is told of."""
    found = page.wait_for_function(
        """() => {
          const id = document.activeElement.getAttribute("aria-activedescendant");
          return document.getElementById(id)?.parentElement.getAttribute("aria-rowindex");
        }"""
    )
    return int(found.json_value()) - 1


def test_a_million_rows_are_shown(lab_page: Page) -> None:
    """All rows are there, the first page of them is drawn, and N is told."""
    painted_s = lab_page.evaluate("window.painted") / 1e3
    begun = re.search(r"begun ([\d.]+)", lab_page.locator(".jp-OutputArea").last.inner_text())
    assert begun is not None
    print(f"\n{ROWS:,} rows shown in {1e3 * (painted_s - float(begun[1])):.0f} ms")
    expect(lab_page.locator(".contimg-caption")).to_have_text("1,000,000 of 1,000,000 sources")
    expect(grid(lab_page)).to_have_attribute("aria-rowcount", str(ROWS + 1))
    expect(grid(lab_page)).to_have_attribute("aria-label", "sources")
    assert grid(lab_page).locator("tbody tr").count() < 40
    missing = top(lab_page).locator("td").nth(1)
    expect(missing).to_have_text("-")
    expect(missing).to_have_attribute("title", "no image covers it")
    expect(grid(lab_page).locator("tbody tr").nth(5)).to_contain_text("<b>J</b>")  # as text
    expect(grid(lab_page).locator("tbody tr").nth(2)).to_have_class("contimg-new")


def test_the_scroll_bar_reaches_the_last_row(lab_page: Page) -> None:
    """The end of the scroll bar is the end of the rows, though no page is that high."""
    grid(lab_page).evaluate("(grid) => { grid.scrollTop = grid.scrollHeight }")
    last = grid(lab_page).locator("tbody tr").filter(has_text=f"J{ROWS - 1:07d}")
    expect(last).to_be_visible()
    expect(last).to_have_attribute("aria-rowindex", str(ROWS + 1))
    grid(lab_page).evaluate("(grid) => { grid.scrollTop = grid.scrollHeight / 2 }")
    expect(top(lab_page)).to_contain_text(re.compile("J04999|J05000"))
    grid(lab_page).evaluate("(grid) => { grid.scrollTop = 0 }")
    expect(top(lab_page)).to_contain_text("J0000000")


def test_sorting_covers_every_row(lab_page: Page) -> None:
    """A header sorts all rows: the planted maximum comes first, and the choice stays."""
    grid(lab_page).locator("tbody tr").nth(3).click()
    expect(lab_page.locator(".said")).to_contain_text("J0000003")
    heads = grid(lab_page).locator("thead th")
    heads.nth(2).click()
    expect(lab_page.locator(".contimg-caption")).to_contain_text("sorted by MJD (UTC), up")
    down_ms = lab_page.evaluate(CLICK_UNTIL, [2, f"{60900.0 + (ROWS - 1) * 1e-4:.5f}"])
    print(f"\nsorted by a column in order: down {down_ms:.0f} ms")
    heads.nth(1).click()
    expect(heads.nth(1)).to_have_attribute("aria-sort", "ascending")
    expect(lab_page.locator(".contimg-caption")).to_contain_text("sorted by flux (mJy), up")
    down_ms = lab_page.evaluate(CLICK_UNTIL, [1, "1000000"])
    print(f"sorted by a column in no order: down {down_ms:.0f} ms")
    expect(top(lab_page)).to_contain_text(f"J{PLANTED:07d}")
    expect(heads.nth(1)).to_have_attribute("aria-sort", "descending")
    assert chosen(lab_page)[0] == "J0000003"
    heads.nth(1).click()  # as they came
    expect(top(lab_page)).to_contain_text("J0000000")
    selected = grid(lab_page).locator("tr[aria-selected=true]")
    expect(selected).to_have_count(1)
    expect(selected).to_contain_text("J0000003")


def test_texts_sort_over_every_row(lab_page: Page) -> None:
    """A column of words sorts as well, and Enter on its header goes on to the next order."""
    taken_ms = lab_page.evaluate(CLICK_UNTIL, [3, "clean"])
    print(f"\nsorted by words: {taken_ms:.0f} ms")
    lab_page.keyboard.press("Enter")
    expect(top(lab_page)).to_contain_text("mask")
    expect(lab_page.locator(".contimg-caption")).to_contain_text("sorted by step, down")
    lab_page.keyboard.press("Enter")
    expect(lab_page.locator(".contimg-caption")).not_to_contain_text("sorted")


def test_a_keyboard_is_enough(lab_page: Page) -> None:
    """With keys alone every row and header is reached, seen, chosen and sorted by."""
    keys = lab_page.keyboard
    grid(lab_page).focus()
    keys.press("Home")
    for _ in range(14):
        keys.press("ArrowDown")
    assert active_row(lab_page) == 15
    expect(lab_page.locator(".said")).to_contain_text("J0000014")  # the plot moves along
    outline = lab_page.locator(".contimg-active").evaluate(
        "(c) => getComputedStyle(c).outlineStyle"
    )
    assert outline == "solid"
    box = lab_page.locator(".contimg-active").bounding_box()
    around = grid(lab_page).bounding_box()
    assert box["y"] + box["height"] <= around["y"] + around["height"]
    keys.press("PageDown")
    assert 22 < active_row(lab_page) < 30
    keys.press("End")
    expect(lab_page.locator(".said")).to_contain_text(f"J{ROWS - 1:07d}")
    keys.press("PageUp")
    keys.press("Space")
    assert ROWS - 20 < active_row(lab_page) < ROWS
    keys.press("Home")
    keys.press("ArrowUp")  # the header
    assert active_row(lab_page) == 0
    for key in ("ArrowLeft", "ArrowLeft", "Enter", "Enter"):
        keys.press(key)
    expect(top(lab_page)).to_contain_text(f"J{PLANTED:07d}")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(lab_page.locator(".said")).to_contain_text(f"J{PLANTED:07d}")
    expect(top(lab_page)).to_have_attribute("aria-selected", "true")
    keys.press("Escape")
    expect(lab_page.locator(".said")).to_contain_text("null")
    for key in "ddxabm":  # commands of JupyterLab that change or delete cells
        keys.press(key)
    expect(lab_page.locator(".jp-CodeCell")).to_have_count(2)


def test_a_refresh_moves_nothing(lab_page: Page) -> None:
    """Rows that are read again leave scroll, focus, active row, order and choice alone."""
    keys = lab_page.keyboard
    grid(lab_page).locator("thead th").nth(1).click()  # as they came
    expect(lab_page.locator(".contimg-caption")).not_to_contain_text("sorted")
    grid(lab_page).locator("thead th").first.click()
    expect(lab_page.locator(".contimg-caption")).to_contain_text("sorted by source, up")
    expect(top(lab_page)).to_contain_text("<b>J</b>")
    grid(lab_page).locator("tbody tr").filter(has_text="J0000010").click()
    expect(lab_page.locator(".said")).to_contain_text("J0000010")
    grid(lab_page).evaluate("(grid) => { grid.scrollTop = 1000 }")
    expect(top(lab_page)).not_to_contain_text("<b>J</b>")
    expect(lab_page.locator(".contimg-caption")).to_contain_text("read again")
    lab_page.wait_for_timeout(300)
    assert grid(lab_page).evaluate("(grid) => grid.scrollTop") == 1000
    expect(grid(lab_page)).to_be_focused()
    expect(lab_page.locator(".contimg-caption")).to_contain_text("sorted by source, up")
    keys.press("ArrowUp")
    assert active_row(lab_page) == 10
    keys.press("ArrowDown")
    selected = grid(lab_page).locator("tr[aria-selected=true]")
    expect(selected).to_contain_text("J0000010")
    for _ in range(2):
        grid(lab_page).locator("thead th").first.click()
    expect(lab_page.locator(".contimg-caption")).not_to_contain_text("sorted")
    for _ in range(2):
        grid(lab_page).locator("thead th").nth(1).click()
    expect(top(lab_page)).to_contain_text(f"J{PLANTED:07d}")


def test_the_chosen_row_can_be_copied(lab_page: Page) -> None:
    """Ctrl-C takes the row and its header as tab-separated text."""
    lab_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    grid(lab_page).locator("tbody tr").first.click()
    lab_page.keyboard.press("Control+c")
    copied = lab_page.evaluate("navigator.clipboard.readText()").splitlines()
    assert copied[0].split("\t")[:2] == ["source", "flux (mJy)"]
    assert copied[1].split("\t")[:2] == [f"J{PLANTED:07d}", "1000000"]


def test_python_hears_a_click_at_once(lab_page: Page) -> None:
    """Every click on a row reaches Python; the time that it takes is printed."""
    lags_ms = []
    for i in range(60):
        name, clicked_ms = lab_page.evaluate(CLICK_ROW, 1 + i % 9)
        expect(lab_page.locator(".said")).to_contain_text(name)
        lags_ms.append(1e3 * chosen(lab_page)[1] - clicked_ms)
    cuts = statistics.quantiles(lags_ms, n=20)
    print(f"\nrow clicked to Python: p50 {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms")
    assert len(lags_ms) == 60


def test_both_themes(lab_page: Page) -> None:
    """Text and background follow the theme, with contrast enough to read."""
    for name in ("JupyterLab Dark", "JupyterLab Light"):
        lab_page.get_by_role("menuitem", name="Settings", exact=True).click()
        lab_page.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
        lab_page.locator(".lm-Menu-item").filter(has_text=re.compile(f"^{name}$")).click()
        dark = name.endswith("Dark")
        expect(lab_page.locator("body")).to_have_attribute(
            "data-jp-theme-light", "false" if dark else "true"
        )
        expect(lab_page.locator("#jupyterlab-splash")).to_have_count(0)
        ARTEFACTS.mkdir(exist_ok=True)
        for cell in (grid(lab_page).locator("tbody td").nth(7), grid(lab_page).locator("th").first,
                     grid(lab_page).locator("tr[aria-selected=true] td").first):  # fmt: skip
            text, ground = cell.evaluate(COLOURS)
            assert contrast(text, ground) >= 4.5, (name, text, ground)
        lab_page.screenshot(path=ARTEFACTS / f"grid-{'dark' if dark else 'light'}.png")


def contrast(one: str, other: str) -> float:
    """Contrast of two CSS colours, by WCAG 2.2 (relative luminance)."""

    def luminance(colour: str) -> float:
        numbers = [float(x) for x in re.findall(r"[\d.]+", colour.replace("srgb", ""))][:3]
        parts = numbers if "srgb" in colour else [x / 255 for x in numbers]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_row_cut_in_two_does_not_cover_the_header(lab_page: Page) -> None:
    """Wherever the table is scrolled to, its header must look as it does at the top."""
    lab_page.mouse.move(5, 5)

    def header(top: int) -> bytes:
        grid(lab_page).evaluate("(grid, top) => { grid.scrollTop = top }", top)
        lab_page.wait_for_timeout(400)
        box = grid(lab_page).locator("thead th").first.bounding_box()
        assert box is not None
        inside = {"x": box["x"] + 2, "y": box["y"], "width": box["width"] - 4}
        return lab_page.screenshot(clip=inside | {"height": box["height"] - 1})

    whole = header(0)
    assert [top for top in (1007, 1013, 1018) if header(top) != whole] == []
