"""The variability panel in JupyterLab: first curve, hover, click, box, lasso, keyboard, live.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

import contimg_lab as cl
from contimg_lab.panels._field_rows import Field, chart_of, field_of
from contimg_lab.plots.chart import Chart
from contimg_lab.plots.light_curve import light_curve_chart
from contimg_lab.services.light_curve import LightCurve

from .conftest import ARTEFACTS

pytestmark = pytest.mark.browser

WRITER = Path(__file__).resolve().parents[1] / "live" / "writer.py"
CELL = """
import json
import ipywidgets as widgets
import contimg_lab as cl
lab = await cl.open({folder!r})
said = widgets.Label("nothing yet")
def tell(change):
    said.value = json.dumps(lab.selection.to_dict(), ensure_ascii=False)
lab.selection.observe(tell)
panel = lab.sources.panel(source={source!r})
display(said, panel)
"""


@pytest.fixture(scope="module")
def folder(season_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A season of our own, into which a writer may write."""
    copy = tmp_path_factory.mktemp("variability") / "season"
    shutil.copytree(season_folder(), copy)
    return copy


@pytest.fixture(scope="module")
def field(folder: Path) -> Field:
    """The field as the panel reads it, read here too: where points must be on screen."""

    async def read() -> Field:
        async with cl.open(folder) as lab:
            found = await lab.sources.variability(), await lab.sources.candidates()
            return field_of(*found)

    with ThreadPoolExecutor(1) as aside:  # playwright has a loop of its own in this thread
        return aside.submit(asyncio.run, read()).result()


@pytest.fixture(scope="module")
def curve_of(folder: Path) -> Callable[[str], LightCurve]:
    """Light curves by name, read here too."""

    async def read(name: str) -> LightCurve:
        async with cl.open(folder) as lab:
            return await lab.sources.light_curve(name)

    def told(name: str) -> LightCurve:
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(asyncio.run, read(name)).result()

    return told


@pytest.fixture(scope="module")
def ranked(field: Field) -> list[str]:
    """Names of the sources, highest eta first."""
    table = field.table.sort_values("eta", ascending=False)
    names: list[str] = table["source_id"].tolist()
    return names


@pytest.fixture(scope="module")
def lab(notebook: Callable[..., Page], folder: Path, ranked: list[str]) -> Page:
    """A notebook with the panel, run, on a page of its own."""
    lab = notebook("variability", CELL.format(folder=str(folder), source=ranked[0]))
    expect(plot(lab, "field")).to_have_attribute("data-serial", "1", timeout=60_000)
    return lab


@pytest.fixture(autouse=True)
def shot(lab: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep a screenshot of what the test ended with, to be looked at."""
    yield
    ARTEFACTS.mkdir(exist_ok=True)
    lab.screenshot(path=ARTEFACTS / f"variability-{request.node.name}.png")


def plot(page: Page, name: str) -> Locator:
    return page.locator(".contimg-plot").nth(["field", "curve"].index(name))


def said(page: Page) -> Locator:
    return page.locator(".widget-label").filter(has_text=re.compile("^(nothing yet|{)")).first


def shows(page: Page, name: str) -> None:
    """Wait until the curve of a source is shown, in words too."""
    alt = re.compile(rf"Light curve of {re.escape(name)}: .* ± .* mJy")
    expect(plot(page, "curve").get_by_role("img", name=alt)).to_be_attached()


def place(page: Page, name: str, chart: Chart, x: float, y: float) -> tuple[float, float]:
    """Pixels on the page of a value, from the limits of the chart alone."""
    over = plot(page, name).locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    shares = []
    for axis, limits, value in zip((chart.x, chart.y), chart.limits(), (x, y), strict=True):
        low, high, at = np.log10([*limits, value]) if axis.log else (*limits, value)
        shares.append((at - low) / (high - low))
    return box["x"] + shares[0] * box["width"], box["y"] + (1.0 - shares[1]) * box["height"]


def point(page: Page, field: Field, name: str) -> tuple[float, float]:
    """Pixels of a source in eta against V."""
    at = field.places[name]
    eta, v = (float(field.values(column)[at]) for column in ("eta", "v"))
    return place(page, "field", chart_of(field, 2.0)[0], eta, v)


def drag(page: Page, *places: tuple[float, float]) -> None:
    page.mouse.move(*places[0])
    page.mouse.down()
    for x, y in places[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def set_shown(page: Page) -> set[str]:
    """The set of sources that Python holds."""
    text = said(page).text_content() or ""
    return set(json.loads(text).get("sources", ())) if text.startswith("{") else set()


def lying_between(field: Field, low: str, high: str) -> set[str]:
    """Sources inside the box of which two sources are opposite corners."""
    eta, v = field.values("eta"), field.values("v")
    (a, b), (c, d) = ((eta[field.places[name]], v[field.places[name]]) for name in (low, high))
    inside = (eta >= min(a, c)) & (eta <= max(a, c)) & (v >= min(b, d)) & (v <= max(b, d))
    return {name for name, keep in zip(field.names, inside, strict=True) if keep}


def test_the_named_source_the_table_and_the_field_are_there(lab, ranked, field):
    """A panel asked for a source shows its curve, the table with its row chosen, and the field."""
    shows(lab, ranked[0])
    expect(lab.locator("[role=row][aria-selected=true]")).to_contain_text(ranked[0])
    alt = re.compile(rf"η against V of {len(field.names)} sources: .*highest η .*, highest V")
    expect(plot(lab, "field").get_by_role("img", name=alt)).to_be_attached()
    expect(plot(lab, "field")).to_contain_text("selected by two-epoch")
    expect(lab.locator(".contimg-facts")).to_contain_text("p (constant)")
    expect(said(lab)).to_contain_text(ranked[0])


def test_hover_tells_an_epoch_and_a_click_chooses_its_image(lab, ranked, curve_of):
    """Under the pointer stand MJD and UTC, flux with error and image; a click chooses that."""
    curve = curve_of(ranked[0])
    chart = light_curve_chart(curve)
    part = chart.points[0]
    row, x, y = part.keys[4], float(part.x[4]), float(part.y[4])
    lab.mouse.move(*place(lab, "curve", chart, x, y))
    tip = plot(lab, "curve").locator(".contimg-plot-tip")
    expect(tip).to_contain_text(f"row {row}")
    expect(tip).to_contain_text(re.compile(rf"MJD {x:.5f} \(20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\)"))
    expect(tip).to_contain_text(re.compile(r"flux [\d.]+ ± [\d.]+ mJy"))
    image = curve.image_path[curve.row_id == row][0]
    expect(tip).to_contain_text(f"image {image.rsplit('/', 1)[-1]}")
    lab.mouse.click(*place(lab, "curve", chart, x, y))
    expect(said(lab)).to_contain_text(image)


def test_a_click_on_the_field_chooses_a_source(lab, ranked, field):
    """A click on a point moves the curve, the row and the selection; the field is not redrawn."""
    lab.mouse.click(*point(lab, field, ranked[2]))
    shows(lab, ranked[2])
    expect(lab.locator("[role=row][aria-selected=true]")).to_contain_text(ranked[2])
    expect(said(lab)).to_contain_text(f'"source": "{ranked[2]}"')
    expect(plot(lab, "field")).to_have_attribute("data-serial", "1")
    expect(plot(lab, "field")).to_have_attribute("data-selected", "1")
    tip = plot(lab, "field").locator(".contimg-plot-tip")
    expect(tip).to_contain_text(re.compile(r"mean [\d.]+ ± [\d.]+ mJy"))


def test_a_box_and_a_lasso_choose_a_set_that_the_table_shows(lab, ranked, field):
    """A dragged box or lasso is the set; the table narrows to it, and a chip lets go of it."""
    low, high = ranked[1], ranked[6]
    (ax, ay), (bx, by) = (point(lab, field, name) for name in (low, high))
    left, right, top, bottom = min(ax, bx) - 3, max(ax, bx) + 3, min(ay, by) - 3, max(ay, by) + 3
    drag(lab, (left, top), (right, bottom))
    expect(said(lab)).to_contain_text('"sources"')
    boxed = set_shown(lab)
    assert lying_between(field, low, high) <= boxed
    chip = lab.get_by_role("button", name=re.compile(rf"{len(boxed)} sources? in the set"))
    expect(chip).to_be_visible()
    lab.locator(".contimg-panel select").first.select_option(label="chosen set")
    expect(lab.locator(".contimg-caption")).to_contain_text(f"{len(boxed)} of {len(field.names)}")
    lab.screenshot(path=ARTEFACTS / "variability-set.png")
    plot(lab, "field").get_by_role("button", name="Drag a lasso to select").click()
    x, y = point(lab, field, ranked[0])
    drag(lab, (x - 12, y - 12), (x + 12, y - 12), (x + 12, y + 12), (x - 12, y + 12))
    expect(said(lab)).to_contain_text(f'"sources": ["{ranked[0]}"')
    plot(lab, "field").get_by_role("button", name="Drag a box to select").click()
    lab.get_by_role("button", name=re.compile("in the set")).click()
    expect(said(lab)).not_to_contain_text('"sources"')
    lab.locator(".contimg-panel select").first.select_option(label="all sources")
    expect(lab.locator(".contimg-caption")).to_contain_text(f"{len(field.names)} of")


def test_a_keyboard_alone_moves_the_curve(lab, ranked):
    """Arrows in the table and Enter on a point of the field each show another curve."""
    grid = lab.locator("[role=grid]").first
    grid.scroll_into_view_if_needed()
    grid.evaluate("(grid) => { grid.scrollTop = 0; grid.focus(); }")
    lab.keyboard.press("Control+Home")
    lab.keyboard.press("ArrowDown")
    shows(lab, ranked[1])
    lab.keyboard.press("ArrowDown")
    shows(lab, ranked[2])
    area = plot(lab, "field").locator(".contimg-plot-area")
    area.focus()
    lab.keyboard.press("End")
    lab.keyboard.press("Enter")
    shows(lab, ranked[0])
    expect(lab.locator("[role=row][aria-selected=true]")).to_contain_text(ranked[0])


def test_copy_as_code_is_the_table_without_the_panel(lab):
    """The button shows a cell that reads the same statistics."""
    lab.get_by_role("button", name="Copy as code").click()
    area = lab.locator("textarea.contimg-code")
    expect(area).to_be_focused()
    expect(area).to_have_value(re.compile(r"await lab\.sources\.variability\(flux_scale=False\)"))
    lab.keyboard.press("Escape")
    expect(area).to_have_count(0)


@pytest.mark.parametrize("width", [1400, 900])
@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_both_themes_and_a_narrow_page(lab, theme, width):
    """In each theme and width nothing stands out of the panel on the right."""
    lab.set_viewport_size({"width": width, "height": 1500})
    lab.get_by_role("menuitem", name="Settings", exact=True).click()
    lab.locator(".lm-Menu-item").filter(has_text=re.compile("^Theme$")).hover()
    lab.locator(".lm-Menu-item").filter(has_text=re.compile(f"^{theme}$")).click()
    dark = theme.endswith("Dark")
    expect(lab.locator("body")).to_have_attribute(
        "data-jp-theme-light", "false" if dark else "true"
    )
    plot(lab, "curve").scroll_into_view_if_needed()
    lab.wait_for_timeout(700)
    name = f"variability-{'dark' if dark else 'light'}-{width}.png"
    lab.locator(".contimg-panel").screenshot(path=ARTEFACTS / name)
    panel = lab.locator(".contimg-panel").bounding_box()
    for which in ("field", "curve"):
        box = plot(lab, which).bounding_box()
        assert box["x"] + box["width"] <= panel["x"] + panel["width"] + 1
    lab.set_viewport_size({"width": 1400, "height": 1000})


def test_what_a_writer_commits_appears(lab, folder, field):
    """New sources are counted while the pipeline writes, and the chosen curve stays."""
    curve = plot(lab, "curve").get_by_role("img").get_attribute("aria-label")
    done = subprocess.run(
        [sys.executable, str(WRITER), str(folder / "pipeline.sqlite3"), "2", "10"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert json.loads(done.stdout)["made"][0][2] == "done"
    many = len(field.names) + 5
    expect(lab.locator(".contimg-caption")).to_contain_text(f"{many} of {many} sources")
    assert plot(lab, "curve").get_by_role("img").get_attribute("aria-label") == curve
