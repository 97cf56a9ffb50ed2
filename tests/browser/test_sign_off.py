"""A night is signed by the keyboard alone in a real JupyterLab, then changed behind its back.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from contimg_lab.ledger.store import Ledger

pytestmark = pytest.mark.browser

ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"
OPEN = """
import contimg_lab as cl
lab = await cl.open({folder!r}, ledger={ledger!r})
board = lab.qa.sign_panel()
board
"""
SPARE = "print('left alone')"
WHY = "two tiles are all there are: the run began at 03:53"
MADE = "one run failed and was made again"
LABEL = """() => {
  const e = document.activeElement;
  return (e.labels?.[0]?.textContent || e.textContent || e.tagName).trim();
}"""


@pytest.fixture(scope="module")
def site(season_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the season, to be changed behind the panel's back."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(season_folder(), folder / "season")
    return folder


@pytest.fixture(scope="module")
def book(site: Path, notebook: Callable[..., Page]) -> Page:
    """A notebook with the panel."""
    cell = OPEN.format(folder=str(site / "season"), ledger=str(site / "ledger.sqlite3"))
    page = notebook("sign-off", cell, SPARE)
    expect(panel(page)).to_contain_text("Unsigned: nobody", timeout=60_000)
    return page


def panel(page: Page) -> Locator:
    return page.locator(".contimg-panel").last


def change(site: Path, noise_jy: float) -> int:
    """Change one image of the night's last hour as the pipeline might; returns its id."""
    with closing(sqlite3.connect(site / "season" / "pipeline.sqlite3", timeout=30.0)) as db, db:
        place = db.execute("SELECT max(id) FROM images").fetchone()[0]
        db.execute("UPDATE images SET noise_jy = ? WHERE id = ?", (noise_jy, place))
        return int(place)


def tab_to(page: Page, label: str) -> None:
    """Press Tab until the focus is on a control, as its label says."""
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(LABEL))
        if seen[-1].startswith(label):
            return
    raise AssertionError(f"Tab never came to {label}; it came to {seen}")


def theme(page: Page, name: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    page.locator(".lm-Menu-item").filter(has_text=re.compile(f"^JupyterLab {name}$")).click()
    light = "true" if name == "Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def both_themes(page: Page, name: str) -> None:
    """Screenshots of both themes, to be looked at, wide and narrow."""
    ARTEFACTS.mkdir(exist_ok=True)
    for shade in ("Dark", "Light"):
        theme(page, shade)
        for width, height in ((1400, 1700), (900, 2300)):
            page.set_viewport_size({"width": width, "height": height})
            panel(page).locator(".contimg-title").scroll_into_view_if_needed()
            page.wait_for_timeout(500)
            page.screenshot(path=ARTEFACTS / f"sign-off-{name}-{shade.lower()}-{width}.png")
    page.set_viewport_size({"width": 1400, "height": 1000})


def test_the_order_is_that_of_a_review(book: Page) -> None:
    """Tab must go from the night to each hour, then to who signs; letters must harm no cell."""
    panel(book).get_by_role("button", name="Judge again").focus()
    labels = []
    for _ in range(25):
        book.keyboard.press("Tab")
        labels.append(book.evaluate(LABEL))
    wanted = [
        "Decision, night:", "Decision, 03 h:", "Class, 03 h:", "Reason, tiles in 03 h",
        "Decision, 04 h:", "Class, 04 h:", "Reason, failed in 04 h", "Decision, 05 h:",
    ]  # fmt: skip
    assert labels[: len(wanted)] == wanted
    assert labels[-5:-1] == ["Reviewer:", "Corrects:", "Reason:", "Notes:"]
    assert labels[-1].startswith("I have looked, and decide: night 2025-11-06")
    for label in ("Judge again", "Refresh"):
        panel(book).get_by_role("button", name=label).focus()
        for key in "ddabx":  # commands of JupyterLab that change cells
            book.keyboard.press(key)
    expect(book.locator(".jp-CodeCell")).to_have_count(2)
    both_themes(book, "open")


def test_a_night_is_signed_by_keyboard(book: Page, site: Path) -> None:
    """Decisions, a reason beside a failing check, who and why, and Sign: no mouse is used."""
    panel(book).get_by_role("button", name="Judge again").focus()
    sign = panel(book).get_by_role("button", name="Sign")
    expect(sign).to_be_disabled()
    tab_to(book, "Decision, 03 h")
    book.keyboard.press("ArrowUp")
    box = panel(book).get_by_label("Decision, 03 h")
    expect(box.locator("option:checked")).to_have_text("accept with exceptions")
    expect(panel(book)).to_contain_text("tiles in 03 h: it fails; write beside it why")
    tab_to(book, "Reason, tiles in 03 h")
    book.keyboard.type(WHY)
    tab_to(book, "Class, 04 h")
    book.keyboard.press("ArrowDown")
    tab_to(book, "Reason, failed in 04 h")
    book.keyboard.type(MADE)
    tab_to(book, "Reviewer")
    book.keyboard.type("Ana Núñez")
    expect(panel(book)).to_contain_text("will be unsigned: Ana Núñez has no key")
    tab_to(book, "Reason:")
    book.keyboard.type("noise and flux scale as on other nights")
    expect(sign).to_be_disabled()
    tab_to(book, "I have looked")
    book.keyboard.press("Space")
    expect(panel(book)).to_contain_text("Nothing is lacking: it can be signed.")
    expect(sign).to_be_enabled()
    book.keyboard.press("Tab")
    expect(sign).to_be_focused()
    ring = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert book.evaluate(ring) == "solid"
    both_themes(book, "ready")
    sign.focus()
    book.keyboard.press("Enter")
    expect(panel(book)).to_contain_text("Night 2025-11-06 is entry 1 of the ledger")
    expect(panel(book).get_by_role("button", name="In the ledger")).to_be_focused()
    (entry,) = Ledger(site / "ledger.sqlite3").entries()
    assert {one["check"]: one["reason"] for one in entry.body["exceptions"]} == {
        "tiles": WHY, "failed": MADE,
    }  # fmt: skip
    assert entry.body["reviewer"] == "Ana Núñez"
    assert entry.body["hours"]["04"]["promotion"] == "trusted_baseline"
    assert entry.body["hours"]["03"]["decision"] == "accept with exceptions"
    expect(panel(book)).to_contain_text(entry.hash)
    expect(panel(book)).to_contain_text("Accepted with exceptions: accept with exceptions by Ana")


def test_a_change_behind_its_back_is_seen_and_named(book: Page, site: Path) -> None:
    """The badge must turn stale and name the row, while somebody types and loses nothing."""
    notes = panel(book).get_by_label("Notes:")
    notes.focus()
    book.keyboard.type("first half, ")
    image = change(site, 9.5)
    told = panel(book).locator(".contimg-line", has_text="STALE").first
    expect(told).to_be_visible()
    expect(told).to_contain_text(
        re.compile(rf"images {image} \(hour 06\): noise_jy was 0\.\d+, is 9\.5")
    )
    expect(panel(book)).to_contain_text("Rows changed since this was judged")
    expect(notes).to_be_focused()
    book.keyboard.type("second half")
    expect(notes).to_have_value("first half, second half")
    both_themes(book, "stale")


def test_it_is_judged_again_and_signed_again(book: Page, site: Path) -> None:
    """Judging again must keep what was typed and the focus; the new entry corrects the old."""
    again = panel(book).get_by_role("button", name="Judge again")
    again.focus()
    book.keyboard.press("Enter")
    expect(panel(book)).to_contain_text(re.compile(r"judged at [-\d: ]+ UTC; its rows are unch"))
    expect(again).to_be_focused()
    expect(panel(book).get_by_label("Reason, tiles in 03 h")).to_have_value(WHY)
    expect(panel(book).get_by_label("Notes:")).to_have_value("first half, second half")
    tab_to(book, "I have looked")
    book.keyboard.press("Space")
    expect(panel(book)).to_contain_text("Nothing is lacking: it can be signed.")
    book.keyboard.press("Tab")
    book.keyboard.press("Enter")
    expect(panel(book)).to_contain_text("Night 2025-11-06 is entry 2 of the ledger")
    assert Ledger(site / "ledger.sqlite3").entries()[1].body["corrects"] == 1
    expect(panel(book)).not_to_contain_text("STALE")
    expect(book.locator(".jp-CodeCell")).to_have_count(2)
