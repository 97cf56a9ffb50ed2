"""The calendar of nights in a real JupyterLab: a night turns stale, is looked into, signed again.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import ARTEFACTS

pytestmark = pytest.mark.browser

NIGHT = "2025-11-06"
OPEN = """
import contimg_lab as cl
lab = await cl.open({folder!r}, ledger={ledger!r})
nights = await lab.nights()
async def sign(night, decision, **more):
    report = await lab.qa.night(night)
    failing = {{(o.check, o.hour, o.key) for o in report.outcomes if o.word == "fail"}}
    told = [dict(check=c, hour=h, key=k, reason="known, harmless here") for c, h, k in failing]
    await lab.qa.sign(report, reviewer="Ana Núñez", decision=decision, reason="as on other nights",
                      exceptions=told if decision.startswith("accept") else (), **more)
await sign(nights[-4], "reject")
await sign(nights[-3], "accept")
await sign(nights[-2], "hold")
await sign(nights[-1], "hold")
await sign(nights[-1], "accept with exceptions", corrects=4)
board = lab.dashboard(tab="calendar")
board
"""
SAY = "print('selected', lab.selection.to_dict())"
CHANGE = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=30) as db:
    db.execute("UPDATE images SET noise_jy = 0.5 WHERE id = ?", (int(sys.argv[2]),))
db.close()
"""
COLOURS = """(cell) => {
  const ground = (part) => {
    const found = getComputedStyle(part).backgroundColor;
    const clear = found === "transparent" || found.endsWith(", 0)");
    return clear && part.parentElement ? ground(part.parentElement) : found;
  };
  return [getComputedStyle(cell).color, ground(cell)];
}"""


@pytest.fixture(scope="module")
def folder(season_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A season of our own, which another process may change."""
    copy = tmp_path_factory.mktemp("calendar") / "season"
    shutil.copytree(season_folder(), copy)
    return copy


@pytest.fixture(scope="module")
def book(folder: Path, notebook: Callable[..., Page]) -> Page:
    """A notebook that signs some nights by code, and shows the dashboard on its calendar."""
    ledger = folder.parent / "ledger.sqlite3"
    page = notebook("calendar", OPEN.format(folder=str(folder), ledger=str(ledger)), SAY)
    expect(day(page, NIGHT)).to_contain_text("with exc.", timeout=90_000)
    return page


def panel(page: Page) -> Locator:
    named = page.locator(".contimg-title", has_text=re.compile(r"^Calendar$"))
    return page.locator(".contimg-panel").filter(has=named).last


def months(page: Page) -> Locator:
    return panel(page).get_by_role("grid", name="nights by month")


def day(page: Page, night: str) -> Locator:
    return months(page).locator(f"[data-key='{night}']")


def facts(page: Page) -> Locator:
    return panel(page).locator(".contimg-facts").last


def tile(folder: Path) -> tuple[int, float]:
    """Id and noise of an image of the night."""
    with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as db:
        found: tuple[int, float] = db.execute(
            "SELECT id, noise_jy FROM images WHERE path LIKE ? ORDER BY id",
            (f"%{NIGHT}%image.fits",),
        ).fetchone()
    return found


def theme(page: Page, name: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    page.locator(".lm-Menu-item").filter(has_text=re.compile(f"^JupyterLab {name}$")).click()
    light = "true" if name == "Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def test_each_night_bears_its_state(book: Page) -> None:
    """Words and signs, counts of each state, and after a while no night that is not checked."""
    words = {"2025-11-03": "rejected", "2025-11-04": "accepted", "2025-11-05": "on hold"}
    for night, word in words.items():
        expect(day(book, night)).to_contain_text(word)
    expect(day(book, "2025-11-02")).to_contain_text("○unsigned")
    expect(panel(book)).to_contain_text("26 need somebody")
    expect(day(book, NIGHT)).to_have_text("6✓!with exc.", timeout=60_000)
    expect(panel(book).locator(".contimg-status")).not_to_contain_text("not checked")


def test_arrows_walk_and_enter_chooses(book: Page) -> None:
    """The keys must go from night to night, tell each, and choose one for everybody."""
    months(book).focus()
    for key in ("Home", "ArrowDown", "ArrowRight", "PageDown", "End"):
        book.keyboard.press(key)
    reason = panel(book).locator(".contimg-months-reason")
    expect(reason).to_contain_text(f"{NIGHT} (Thursday): ✓! accept with exceptions, by Ana")
    book.keyboard.press("ArrowLeft")
    expect(reason).to_contain_text("2025-11-05 (Wednesday): ‖ hold")
    book.keyboard.press("ArrowRight")
    book.keyboard.press("Enter")
    expect(day(book, NIGHT)).to_have_attribute("aria-selected", "true")
    expect(facts(book)).to_contain_text("5, corrects entry 4")
    expect(facts(book)).to_contain_text("entry 4: hold, Ana Núñez (not listed), no key")
    expect(months(book)).to_be_focused()
    for key in "xz":  # commands of JupyterLab that change cells
        book.keyboard.press(key)
    expect(book.locator(".jp-CodeCell")).to_have_count(2)


def test_a_row_changed_behind_its_back_turns_it_stale(book: Page, folder: Path) -> None:
    """The badge must turn by itself, without a key, and its words name the row."""
    key, noise = tile(folder)
    path = str(folder / "pipeline.sqlite3")
    top = months(book).evaluate("(grid) => grid.scrollTop")
    subprocess.run([sys.executable, "-c", CHANGE, path, str(key)], check=True)
    expect(day(book, NIGHT)).to_have_text("6≠stale", timeout=60_000)
    reason = panel(book).locator(".contimg-months-reason")
    expect(reason).to_contain_text(f"images {key} (hour 03): noise_jy was {noise!r}, is 0.5")
    expect(panel(book)).to_contain_text("1 stale")
    expect(months(book)).to_be_focused()
    assert months(book).evaluate("(grid) => grid.scrollTop") == top


def test_d_shows_the_difference(book: Page, folder: Path) -> None:
    """One key must name table, row, field, old and new, and what else differs; once more: back."""
    key, _ = tile(folder)
    book.keyboard.press("d")
    row = panel(book).get_by_role("grid", name="changes").locator("tbody tr").first
    expect(row).to_contain_text("images")
    cells = row.locator("td")
    expect(cells.nth(0)).to_have_text("images")
    expect(cells.nth(1)).to_have_text(str(key))
    expect(cells.nth(2)).to_have_text("noise_jy")
    expect(cells.nth(3)).to_have_text(re.compile(r"^0\.0\d+$"))
    expect(cells.nth(4)).to_have_text("0.5")
    expect(panel(book)).to_contain_text("not given again: the data moved")
    expect(months(book)).to_be_focused()
    expect(book.locator(".jp-CodeCell")).to_have_count(2)


@pytest.mark.parametrize("name", ["Dark", "Light"])
def test_both_themes(book: Page, name: str) -> None:
    """Everything must be readable in both (4.5 to 1); and screenshots of both widths."""
    theme(book, name)
    ARTEFACTS.mkdir(exist_ok=True)
    for width in (1400, 900):
        book.set_viewport_size({"width": width, "height": 1000})
        panel(book).scroll_into_view_if_needed()
        book.wait_for_timeout(500)
        expect(day(book, NIGHT)).to_be_in_viewport()
        book.screenshot(path=ARTEFACTS / f"calendar-{name.lower()}-{width}.png")
    for night in ("2025-11-02", "2025-11-03", "2025-11-04", "2025-11-05", NIGHT):
        cell = day(book, night)
        for part in (cell.locator(".contimg-sign"), cell.locator("span").last):
            text, ground = part.evaluate(COLOURS)
            if not text:  # drawn anew in between: the element that was found is gone
                text, ground = part.evaluate(COLOURS)
            assert contrast(text, ground) >= 4.5, (name, night, text, ground)
    book.set_viewport_size({"width": 1400, "height": 1000})
    months(book).focus()
    book.keyboard.press("d")
    nights = panel(book).get_by_role("grid", name="nights", exact=True)
    expect(nights).to_be_visible()
    expect(nights.locator("tbody tr").first).to_contain_text("≠ stale")
    book.screenshot(path=ARTEFACTS / f"calendar-nights-{name.lower()}.png")
    book.keyboard.press("d")
    expect(nights).not_to_be_visible()


def test_only_what_needs_somebody(book: Page) -> None:
    """The filter must dim what was decided on, and the arrows step over it."""
    panel(book).get_by_role("button", name=re.compile("need somebody")).click()
    expect(day(book, "2025-11-05")).to_have_class(re.compile("contimg-off"))
    expect(day(book, NIGHT)).not_to_have_class(re.compile("contimg-off"))
    months(book).focus()
    book.keyboard.press("End")
    book.keyboard.press("ArrowLeft")
    reason = panel(book).locator(".contimg-months-reason")
    expect(reason).to_contain_text("2025-11-02 (Sunday): ○ unsigned")
    book.screenshot(path=ARTEFACTS / "calendar-filter.png")
    panel(book).get_by_role("button", name=re.compile("need somebody")).click()
    expect(day(book, "2025-11-05")).not_to_have_class(re.compile("contimg-off"))


def test_the_letters_are_heard_from_the_table(book: Page) -> None:
    """Where the table has the focus ``d`` must do the same, twice, and no cell be touched."""
    nights = panel(book).get_by_role("grid", name="nights", exact=True)
    months(book).focus()
    book.keyboard.press("End")
    book.keyboard.press("d")
    nights.locator("tbody tr").filter(has_text="2025-11-05").first.click()
    expect(facts(book)).to_contain_text("‖ on hold")
    book.keyboard.press("d")
    expect(panel(book)).to_contain_text("no row changed since entry 3 was signed")
    expect(months(book)).to_be_focused()
    book.keyboard.press("d")
    expect(nights).to_be_visible()
    expect(day(book, "2025-11-05")).to_have_attribute("aria-selected", "true")
    expect(book.locator(".jp-CodeCell")).to_have_count(2)


def test_s_goes_to_the_sign_off(book: Page) -> None:
    """One key must select the night and bring the sign-off's tab, the focus with it."""
    months(book).focus()
    book.keyboard.press("End")
    book.keyboard.press("s")
    tab = book.get_by_role("tab", name="Sign-off", exact=True)
    expect(tab).to_have_attribute("aria-selected", "true")
    expect(tab).to_be_focused()
    named = book.locator(".contimg-title", has_text=re.compile("^Sign-off$"))
    form = book.locator(".contimg-panel").filter(has=named).last
    expect(form).to_contain_text(re.compile(f"{NIGHT}.*entry 5", re.DOTALL), timeout=60_000)
    book.screenshot(path=ARTEFACTS / "calendar-sign.png")
    cell = book.locator(".jp-CodeCell").nth(1)
    cell.locator(".cm-content").click()
    book.keyboard.press("Control+Enter")
    expect(cell).to_contain_text(f"'night': '{NIGHT}'")


def contrast(one: str, other: str) -> float:
    """Contrast of two CSS colours, by WCAG 2.2 (relative luminance)."""

    def luminance(colour: str) -> float:
        numbers = [float(x) for x in re.findall(r"[\d.]+", colour.replace("srgb", ""))][:3]
        parts = numbers if "srgb" in colour else [x / 255 for x in numbers]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
