"""A night is signed by the keyboard alone in a real JupyterLab, then changed behind its back.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"
OPEN = """
import contimg_lab as cl
lab = await cl.open({folder!r}, ledger={ledger!r})
board = lab.qa.sign_panel()
board
"""
SPARE = "print('cells below are left alone')"
WHY = "03 h is the last of the run: two tiles are all there are"


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


def theme(page: Page, name: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    page.locator(".lm-Menu-item").filter(has_text=re.compile(f"^JupyterLab {name}$")).click()
    light = "true" if name == "Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


@pytest.mark.parametrize("name", ["Dark", "Light"])
def test_looks(book: Page, name: str) -> None:
    theme(book, name)
    ARTEFACTS.mkdir(exist_ok=True)
    for width in (1400, 900):
        book.set_viewport_size({"width": width, "height": 1900})
        panel(book).scroll_into_view_if_needed()
        book.wait_for_timeout(700)
        book.screenshot(path=ARTEFACTS / f"sign-off-{name.lower()}-{width}.png")
    book.set_viewport_size({"width": 1400, "height": 1000})


def test_keys(book):
    box = panel(book).get_by_label("Decision, 03 h")
    box.focus()
    for key in "addbx":
        book.keyboard.press(key)
        book.wait_for_timeout(200)
    print("cells", book.locator(".jp-CodeCell").count(), box.input_value())
    panel(book).get_by_role("button", name="Judge again").focus()
    for key in "adbx":
        book.keyboard.press(key)
        book.wait_for_timeout(200)
    print("cells", book.locator(".jp-CodeCell").count())
    order = []
    panel(book).get_by_role("button", name="Judge again").focus()
    for _ in range(30):
        book.keyboard.press("Tab")
        order.append(
            book.evaluate(
                "() => { const e = document.activeElement; return e.tagName + ' ' + (e.labels?.[0]?.textContent || e.textContent.slice(0,40)) }"
            )
        )
    print("\n".join(order))
