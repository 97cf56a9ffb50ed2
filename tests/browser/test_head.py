"""The head of a panel in a real JupyterLab: downloads, units, history, help, by keyboard too.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from astropy.table import Table
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"
OPEN = """
import contimg_lab as cl
lab = await cl.demo()
from contimg_lab.panels.pointings import PointingsPanel
PointingsPanel.has_flux = PointingsPanel.has_positions = True
panel = lab.ms.panel()
panel
"""
COLOURS = """
(part) => {
  let under = part;
  while (under && /, 0\\)$/.test(getComputedStyle(under).backgroundColor))
    under = under.parentElement;
  const probe = document.createElement("div");
  probe.style.background = "var(--jp-layout-color0)";
  document.body.append(probe);
  const page = getComputedStyle(probe).backgroundColor;
  probe.remove();
  const style = getComputedStyle(part);
  return {
    text: style.color, ground: under ? getComputedStyle(under).backgroundColor : page,
    ring: style.outlineColor, ringed: style.outlineStyle, words: part.textContent.slice(0, 30),
  };
}
"""


@pytest.fixture(scope="module")
def lab_page(notebook: Callable[..., Page]) -> Page:
    """A notebook with one panel, run, on a page of its own."""
    opened = notebook("head", OPEN)
    expect(rows(opened).first).to_be_visible(timeout=60_000)
    return opened


def panel(page: Page) -> Locator:
    return page.locator(".contimg-panel")


def rows(page: Page) -> Locator:
    return panel(page).locator(".contimg-grid tbody tr")


def tool(page: Page, name: str | re.Pattern[str]) -> Locator:
    return panel(page).locator(".contimg-tools > button").filter(has_text=name)


def count(page: Page) -> int:
    found = re.match(r"(\d+) of", panel(page).locator(".contimg-caption").inner_text())
    assert found
    return int(found[1])


def test_rows_are_downloaded(lab_page: Page, tmp_path: Path) -> None:
    """Each form in the menu must save a file with all rows; ECSV has the units in it."""
    for words, read in (
        ("CSV", pd.read_csv),
        ("ECSV", Table.read),
        ("Parquet", pd.read_parquet),
    ):
        tool(lab_page, "Export").click()
        with lab_page.expect_download() as waiting:
            lab_page.get_by_role("menuitem", name=re.compile(f"^{words}")).click()
        name = waiting.value.suggested_filename
        assert re.fullmatch(rf"pointings-\d{{4}}-\d\d-\d\d\.{words.lower()}", name)
        path = tmp_path / name
        waiting.value.save_as(path)
        table = read(path)
        assert len(table) == count(lab_page)
        if words == "ECSV":
            assert str(table["ra_deg"].unit) == "deg"
            assert table.meta["provenance"]["call"]
        expect(lab_page.get_by_role("menu")).to_have_count(0)
        expect(tool(lab_page, "Export")).to_be_focused()


def test_the_menu_is_worked_by_keyboard(lab_page: Page, tmp_path: Path) -> None:
    """With keys alone the menu must open, walk round, close, and save the figure."""
    keys = lab_page.keyboard
    tool(lab_page, "Export").focus()
    keys.press("Enter")
    expect(lab_page.get_by_role("menuitem", name=re.compile("^CSV"))).to_be_focused()
    expect(tool(lab_page, "Export")).to_have_attribute("aria-expanded", "true")
    lab_page.screenshot(path=ARTEFACTS / "head-menu.png")
    keys.press("Escape")
    expect(lab_page.get_by_role("menu")).to_have_count(0)
    expect(tool(lab_page, "Export")).to_be_focused()
    keys.press("Enter")
    keys.press("ArrowUp")
    expect(lab_page.get_by_role("menuitem", name=re.compile("^SVG"))).to_be_focused()
    keys.press("ArrowUp")
    with lab_page.expect_download() as waiting:
        keys.press("Enter")
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.suffix == ".png"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_back_and_forward(lab_page: Page) -> None:
    """The buttons, and Alt with an arrow, must go through what was chosen; an end is told."""
    selected = panel(lab_page).locator("tr[aria-selected=true]")
    back, forward = tool(lab_page, "←"), tool(lab_page, "→")
    expect(back).to_have_attribute("aria-disabled", "true")
    names = []
    for i in (1, 3):
        rows(lab_page).nth(i).click()
        names.append(rows(lab_page).nth(i).locator("td").first.inner_text())
        expect(selected).to_contain_text(names[-1])
        expect(panel(lab_page).locator(".contimg-facts").first).to_contain_text(names[-1])
    expect(back).to_have_attribute("aria-disabled", "false")
    back.click()
    expect(selected).to_contain_text(names[0])
    forward.click()
    expect(selected).to_contain_text(names[1])
    expect(forward).to_have_attribute("aria-disabled", "true")
    expect(forward).to_be_focused()
    panel(lab_page).locator("[role=grid]").focus()
    lab_page.keyboard.press("Alt+ArrowLeft")
    expect(selected).to_contain_text(names[0])
    lab_page.keyboard.press("Alt+ArrowRight")
    expect(selected).to_contain_text(names[1])
    assert "/tree/head.ipynb" in lab_page.url  # the browser did not go back itself


def test_units_are_shared_with_code(lab_page: Page) -> None:
    """A unit chosen in the head must be the Lab's; the control keeps the focus."""
    flux = panel(lab_page).get_by_label("Unit of fluxes")
    flux.focus()
    flux.select_option("uJy")
    expect(flux).to_be_focused()
    expect(flux).to_have_value("uJy")
    panel(lab_page).get_by_label("Form of positions").select_option("sexagesimal")
    flux.select_option("mJy")


def test_help_lists_the_keys(lab_page: Page) -> None:
    """The help must open on top, take the focus, list keys by place, and close by Escape."""
    tool(lab_page, "?").click()
    dialog = lab_page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_focused()
    expect(dialog).to_contain_text("In a table")
    expect(dialog).to_contain_text("back and forward through what was chosen")
    lab_page.screenshot(path=ARTEFACTS / "head-help.png")
    lab_page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(tool(lab_page, "?")).to_be_focused()


def test_the_head_stays_tidy(lab_page: Page) -> None:
    """On a narrow page the head must need two rows at most, and nothing may be cut off."""
    head = panel(lab_page).locator(".contimg-head")
    lab_page.keyboard.press("Control+b")  # the file browser takes a third of a narrow page
    for width in (900, 1400):
        lab_page.set_viewport_size({"width": width, "height": 1000})
        lab_page.wait_for_timeout(500)
        box = head.bounding_box()
        assert box is not None
        assert box["height"] <= 2 * 36, width
        assert head.evaluate(
            "(e) => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight"
        )
        lab_page.screenshot(path=ARTEFACTS / f"head-{width}.png")


def test_contrast_in_both_themes(lab_page: Page) -> None:
    """Text must stand out from its ground by 4.5 at least, the ring of the focus by 3 (WCAG)."""
    rows(lab_page).nth(2).click()
    for name in ("JupyterLab Dark", "JupyterLab Light"):
        lab_page.get_by_role("menuitem", name="Settings", exact=True).click()
        lab_page.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
        lab_page.locator(".lm-Menu-item").filter(has_text=re.compile(f"^{name}$")).click()
        dark = name.endswith("Dark")
        expect(lab_page.locator("body")).to_have_attribute(
            "data-jp-theme-light", "false" if dark else "true"
        )
        expect(lab_page.locator("#jupyterlab-splash")).to_have_count(0)
        lab_page.wait_for_function(
            "() => getComputedStyle(document.body).getPropertyValue('--jp-layout-color0')"
        )
        inside = panel(lab_page)
        texts = [
            inside.locator(".contimg-title .widget-html-content"),
            inside.locator(".contimg-status .widget-html-content"),
            inside.locator(".contimg-status .contimg-quiet"),
            inside.locator(".contimg-caption .widget-html-content"),
            inside.locator(".contimg-detail th").first,
            inside.locator(".contimg-detail td").first,
            inside.locator(".contimg-grid thead th").first,
            inside.locator(".contimg-grid tbody td").nth(9),
            inside.locator(".contimg-grid tr[aria-selected=true] td").first,
            inside.locator("button.jupyter-button").first,
            inside.locator(".contimg-tools > button").nth(2),
            inside.get_by_label("Unit of fluxes"),
        ]
        for part in texts:
            told = part.evaluate(COLOURS)
            found = contrast(told["text"], told["ground"])
            print(f"\n{name}: {told['words']!r} {found:.1f}", end="")
            assert found >= 4.5, (name, told)
        for part in (tool(lab_page, "Export"), inside.locator("button.jupyter-button").first,
                     inside.get_by_label("Unit of fluxes")):  # fmt: skip
            part.focus()
            lab_page.keyboard.press("Tab")
            lab_page.keyboard.press("Shift+Tab")
            told = part.evaluate(COLOURS)
            around = part.locator("xpath=..").evaluate(COLOURS)["ground"]
            assert told["ringed"] != "none", told
            assert contrast(told["ring"], around) >= 3.0, (name, told, around)
        lab_page.screenshot(path=ARTEFACTS / f"head-{'dark' if dark else 'light'}.png")


def contrast(one: str, other: str) -> float:
    """Contrast of two CSS colours, by WCAG 2.2 (relative luminance)."""

    def read(colour: str) -> list[float]:
        """Red, green, blue and opacity from 0 to 1."""
        numbers = [float(x) for x in re.findall(r"[\d.]+", colour.replace("srgb", ""))]
        parts = numbers[:3] if "srgb" in colour else [x / 255 for x in numbers[:3]]
        return [*parts, *(numbers[3:] or [1.0])]

    def luminance(colour: str) -> float:
        *parts, opacity = read(colour)  # over the other one
        parts = [
            opacity * x + (1.0 - opacity) * y for x, y in zip(parts, read(other), strict=False)
        ]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
