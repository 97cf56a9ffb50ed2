"""A live plot in JupyterLab: hover, click, box, lasso, zoom, keyboard, theme, many points, speed.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from contimg_lab.plots.chart import Chart

from .conftest import ARTEFACTS

pytestmark = pytest.mark.browser

PLOTS = """
import numpy as np
from contimg_lab.plots.chart import Column
from contimg_lab.plots.coverage import coverage_chart
from contimg_lab.plots.light_curve import light_curve_chart
from contimg_lab.plots.sky import pointings_chart
from contimg_lab.plots.variability import eta_v_chart
from contimg_lab.services.light_curve import Excluded, LightCurve


def curve(seed=1, n=40, source="NVSS J000000+160000"):
    rng = np.random.default_rng(seed)
    flux = 0.05 + 0.01 * np.sin(np.arange(n) / 4) + 0.002 * rng.standard_normal(n)
    flux[::9] = 0.002
    err = np.full(n, 0.0025)
    out = Excluded(
        mjd=60950.25 + np.array([3.3, 20.4, 21.4]), flux_jy=np.array([np.nan, 0.4, np.nan]),
        flux_err_jy=np.array([np.nan, 0.01, np.nan]),
        reason=np.array(["missing", "edge of the beam", "missing"], object),
        row_id=np.arange(9000, 9003), image_path=np.array(["/i/out.fits"] * 3, object),
    )
    return LightCurve(
        source_id=source, ra_deg=0.0, dec_deg=16.0, nvss_flux_mjy=50.0,
        mjd=60950.25 + np.arange(n), time_source=np.array(["mjd"] * n, object), flux_jy=flux,
        flux_err_jy=err, flux_column=np.array(["flux_jy"] * n, object),
        is_detection=flux >= 3 * err, row_id=np.arange(100, 100 + n),
        image_path=np.array([f"/images/img-{i:03d}.fits" for i in range(n)], object), excluded=out,
    )


def field(n, seed=2):
    rng = np.random.default_rng(seed)
    eta, v = 10 ** rng.normal(0.05, 0.12, n), 10 ** rng.normal(-1.1, 0.15, n)
    eta[:20] *= 12.0
    v[:20] *= 5.0
    fits = {"eta": {"mean": 0.05, "sigma": 0.12, "n_fitted": n, "reason": ""},
            "v": {"mean": -1.1, "sigma": 0.15, "n_fitted": n, "reason": ""}}
    cut = (eta > 10 ** 0.29) & (v > 10 ** -0.8)
    return eta_v_chart(
        eta, v, fits=fits, fitted=np.arange(n) % 11 > 0, title=f"{n:,d} sources",
        rules={"η–V": cut, "two-epoch": np.arange(n) < 9},
        keys=[f"NVSS J{i:06d}" for i in range(n)], name=f"field {n}",
    )


def strip():
    ra = np.arange(340.0, 380.0, 1.3) % 360.0
    words = ["done", "failed", None, "running", "converted"]
    return pointings_chart(ra, 16 + 0.1 * np.sin(ra), [words[i % 5] for i in range(ra.size)],
                           keys=[f"2025-10-02T{i:02d}.ms" for i in range(ra.size)], title="night")


def timeline():
    import pandas as pd
    mid = 60950.1 + 0.02 * np.arange(20)
    covers = pd.concat([
        pd.DataFrame({"mid_mjd": mid, "table_type": kind, "ms_path": [f"/ms/{i}.ms" for i in range(20)],
                      "state": np.where(mid < end, "inside", other)})
        for kind, end, other in (("K", 60950.3, "nearest"), ("BP", 60950.4, "nearest"), ("2G", 60950.2, "none"))
    ])
    tables = pd.DataFrame({
        "table_type": ["K", "BP", "BP", "2G"], "status": ["active", "active", "retired", "active"],
        "valid_start_mjd": [60950.0, 60950.05, 60949.0, 60950.0],
        "valid_end_mjd": [60950.3, 60950.4, 60950.2, 60950.2],
        "path": ["/cal/k", "/cal/bp", "/cal/old", "/cal/2g"]})
    return coverage_chart(covers, tables, title="Validity windows, night 2025-10-02")
"""  # noqa: E501

SHOW = """
import asyncio, html, json, time
import ipywidgets as widgets
from contimg_lab.panels._live_plot import LivePlot

SIZE = {"light": (7.2, 4.2), "field": (6.4, 5.0), "sky": (7.2, 3.8), "time": (7.2, 3.6)}
plots = {name: LivePlot(size) for name, size in SIZE.items()}
seen = widgets.Label("nothing yet")
arrived = []

def tell(name):
    def told(keys, how):
        arrived.append(1e3 * time.time())
        seen.value = f"{name} {how} {len(keys)}: {sorted(map(str, keys))[:3]}"
    return told

for name, plot in plots.items():
    plot.on_select(tell(name))
plots["light"].show(light_curve_chart(curve()))
plots["field"].show(field(600))
plots["sky"].show(strip())
plots["time"].show(timeline())

figures, bare = widgets.Label("0"), widgets.Label("-")
tasks = []

def button(words, make):
    def pressed(_):
        tasks.append(asyncio.ensure_future(make()))
    made = widgets.Button(description=words)
    made.on_click(pressed)
    return made

async def many():
    chart = field(100_000)
    start = 1e3 * time.time()
    plots["field"].show(chart)
    figures.value = json.dumps([start, 1e3 * time.time() - start])

async def churn():
    charts = [light_curve_chart(curve(i, 400)) for i in range(10)]
    for i in range(300):
        plots["light"].show(charts[i % 10])
        await asyncio.sleep(0.012)
    figures.value = f"churned {plots['light']._serial}"

async def pick():
    plots["light"].select([103, 104, "not there"])

async def fast():
    sent, ticked = {}, {}
    curves = [light_curve_chart(curve(i, 400)) for i in range(60)]
    for i, chart in enumerate(curves):
        ticked[i] = 1e3 * time.time()
        bare.value = str(i)
        await asyncio.sleep(0.1)
        start = 1e3 * time.time()
        plots["light"].show(chart)
        sent[plots["light"]._serial] = start
        await asyncio.sleep(0.12)
    figures.value = json.dumps([sent, ticked])

async def clicks():
    figures.value = json.dumps(arrived)

async def back():
    plots["light"].show(light_curve_chart(curve()))
    figures.value = "back"

async def size():
    state = len(json.dumps(plots["field"].widget.get_state(), default=str))
    alts = [plot.alt in html.unescape(plot.to_html()) and "±" in plots["light"].alt
            for plot in plots.values()]
    figures.value = json.dumps({"state": state, "alts": alts})

async def wipe():
    plots["sky"].clear("no night is chosen")

buttons = [button(f.__name__, f) for f in (many, fast, clicks, back, size, wipe, churn, pick)]
shown = [plot.widget for plot in plots.values()]
page = widgets.VBox([widgets.HBox([*buttons, seen]), figures, bare, *shown])
page
"""


@pytest.fixture(scope="module")
def lab(notebook: Callable[..., Page]) -> Page:
    """A notebook of four live plots, run, on a page of its own."""
    lab = notebook("live", PLOTS, SHOW)
    expect(plot(lab, "time")).to_have_attribute("data-serial", "1", timeout=60_000)
    return lab


@pytest.fixture(autouse=True)
def shot(lab: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep a screenshot of what the test ended with, to be looked at."""
    yield
    ARTEFACTS.mkdir(exist_ok=True)
    lab.screenshot(path=ARTEFACTS / f"{request.node.name}.png")


def plot(page: Page, name: str) -> Locator:
    return page.locator(".contimg-plot").nth(["light", "field", "sky", "time"].index(name))


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def said(page: Page) -> Locator:
    return page.locator(".widget-label").nth(0)


def figures(page: Page) -> Locator:
    return page.locator(".widget-label").nth(1)


@pytest.fixture(scope="module")
def charts() -> dict[str, Chart]:
    """The same charts as in the notebook, made here: where points must be on screen."""
    space: dict[str, Callable[..., Chart]] = {}
    exec(PLOTS, space)
    return {
        "light": space["light_curve_chart"](space["curve"]()),
        "field": space["field"](600),
        "sky": space["strip"](),
        "time": space["timeline"](),
    }


def place(page: Page, name: str, chart: Chart, x: float, y: float) -> tuple[float, float]:
    """Pixels on the page of a value, from the limits of the chart alone."""
    over = plot(page, name).locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    shares = []
    for axis, limits, value in zip((chart.x, chart.y), chart.limits(), (x, y), strict=True):
        low, high, at = np.log10([*limits, value]) if axis.log else (*limits, value)
        share = (at - low) / (high - low)
        shares.append(1.0 - share if axis.kind == "ra" else share)
    return box["x"] + shares[0] * box["width"], box["y"] + (1.0 - shares[1]) * box["height"]


def point(charts: dict[str, Chart], page: Page, name: str, key: object) -> tuple[float, float]:
    """Pixels of the first point of a key."""
    chart = charts[name]
    part = next(p for p in chart.points if key in p.keys and not p.overlay)
    i = part.keys.index(key)
    return place(page, name, chart, float(part.x[i]), float(part.y[i]))


def ticks_shown(page: Page, name: str) -> str:
    """What the plot tells in words."""
    return plot(page, name).locator(".contimg-plot-area").get_attribute("aria-label") or ""


def test_every_plot_is_there_in_words_too(lab):
    """Each plot has a picture with numbers in its alternative text, and a legend with counts."""
    expect(lab.locator(".contimg-plot canvas").first).to_be_visible()
    image = plot(lab, "light").get_by_role("img", name=re.compile("weighted mean .* ± .* mJy"))
    expect(image).to_be_attached()
    expect(plot(lab, "light")).to_contain_text("detection (35)")
    expect(plot(lab, "light")).to_contain_text("left out: missing (2)")
    expect(plot(lab, "field")).to_contain_text("selected by two-epoch (9)")
    assert "RA 340.0000" in ticks_shown(lab, "sky")


def test_hover_tells_the_row_of_an_epoch(lab, charts):
    """Under the pointer stand MJD to five decimals, UTC, flux with error and unit, and image."""
    lab.mouse.move(*point(charts, lab, "light", 101))
    tip = plot(lab, "light").locator(".contimg-plot-tip")
    expect(tip).to_contain_text("row 101")
    expect(tip).to_contain_text("MJD 60951.25000 (2025-10-03 06:00:00 UTC)")
    expect(tip).to_contain_text(re.compile(r"flux \d\d\.\d ± 2\.5 mJy"))
    expect(tip).to_contain_text("image img-001.fits")
    out = charts["light"].points[-1]
    box = plot(lab, "light").locator(".u-over").bounding_box()
    x, _ = place(lab, "light", charts["light"], float(out.x[0]), 10.0)
    lab.mouse.move(x, box["y"] + (1 - float(out.y[0])) * box["height"])
    expect(tip).to_contain_text("left out: missing")


def test_a_click_selects_a_key_in_python(lab, charts):
    """The key of the point that was clicked arrives in Python; the others are dimmed."""
    lab.mouse.click(*point(charts, lab, "light", 105))
    expect(said(lab)).to_have_text("light click 1: ['105']")
    expect(plot(lab, "light")).to_have_attribute("data-selected", "1")
    lab.mouse.click(*point(charts, lab, "sky", "2025-10-02T05.ms"))
    expect(said(lab)).to_have_text("sky click 1: ['2025-10-02T05.ms']")
    window = charts["time"].spans[0]
    middle = (float(window.start[0]) + float(window.end[0])) / 2
    lab.mouse.click(*place(lab, "time", charts["time"], middle, float(window.row[0])))
    expect(said(lab)).to_have_text("time click 1: ['/cal/k']")


def test_a_choice_that_moves_leaves_nothing_behind(lab: Page, charts: dict[str, Chart]) -> None:
    """What is painted above what was kept must be, to the pixel, what is painted anew."""
    canvas = plot(lab, "light").locator(".contimg-plot-image canvas").first

    def pixels() -> str:
        lab.wait_for_timeout(200)
        seen: str = canvas.evaluate("(canvas) => canvas.toDataURL()")
        return seen

    seen = []
    for n in (105, 110):
        lab.mouse.click(*point(charts, lab, "light", n))
        expect(said(lab)).to_contain_text(f"['{n}']")
        seen.append(pixels())
        lab.keyboard.press("0")  # all anew
        assert pixels() == seen[-1]
    assert seen[0] != seen[1]


def drag(page: Page, *places: tuple[float, float]) -> None:
    page.mouse.move(*places[0])
    page.mouse.down()
    for x, y in places[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def inside(chart: Chart, low: tuple[float, float], high: tuple[float, float]) -> set[object]:
    return {
        part.keys[i]
        for part in chart.points
        for i in range(len(part))
        if low[0] < part.x[i] < high[0] and low[1] < part.y[i] < high[1]
    }


def test_a_box_selects_what_lies_inside(lab, charts):
    """A box drawn on η-V selects exactly the sources between its edges."""
    low, high = (3.0, 0.2), (50.0, 3.0)
    chart = charts["field"]
    drag(lab, place(lab, "field", chart, *low), place(lab, "field", chart, *high))
    wanted = inside(chart, low, high)
    assert 5 < len(wanted) < 100
    expect(said(lab)).to_contain_text(f"field box {len(wanted)}: ")


def test_a_lasso_selects_what_lies_inside(lab, charts):
    """A lasso selects what is inside its loop and nothing of what its box would hold."""
    chart = charts["field"]
    plot(lab, "field").get_by_role("button", name="Drag a lasso to select").click()
    corners = [(1.0, 0.05), (2.0, 0.05), (1.0, 0.12)]
    places = [place(lab, "field", chart, *corner) for corner in corners]
    drag(lab, *places, places[0])
    a, b, c = np.log10(corners)

    def within(x: float, y: float) -> bool:
        p = np.log10([x, y]) - a
        s, t = np.linalg.solve(np.array([b - a, c - a]).T, p)
        return bool(s > 0 and t > 0 and s + t < 1)

    wanted = {
        part.keys[i]
        for part in chart.points
        for i in range(len(part))
        if within(float(part.x[i]), float(part.y[i]))
    }
    assert len(wanted) > 20
    expect(said(lab)).to_contain_text("field lasso")
    count = int(re.search(r"lasso (\d+):", said(lab).inner_text())[1])
    assert abs(count - len(wanted)) <= 3  # points within a pixel of the loop
    plot(lab, "field").get_by_role("button", name="Drag a box to select").click()
    plot(lab, "field").get_by_role("button", name="Clear the selection").click()
    expect(said(lab)).to_have_text("field clear 0: []")


def test_the_wheel_zooms_about_the_pointer(lab, charts):
    """After a click the wheel zooms and what is under the pointer stays; double click resets."""
    here = point(charts, lab, "light", 110)
    lab.mouse.click(*here)
    for _ in range(4):
        lab.mouse.wheel(0, -300)
        lab.wait_for_timeout(60)
    lab.mouse.move(here[0] + 1, here[1])
    tip = plot(lab, "light").locator(".contimg-plot-tip")
    expect(tip).to_contain_text("row 110")
    elsewhere = point(charts, lab, "light", 120)
    lab.mouse.move(*elsewhere)
    expect(tip).to_be_hidden()
    lab.screenshot(path=ARTEFACTS / "live_zoomed.png")
    plot(lab, "light").locator(".contimg-plot-area").press("0")
    lab.mouse.move(elsewhere[0] + 1, elsewhere[1])
    expect(tip).to_contain_text("row 120")


def test_a_plot_does_not_catch_the_wheel_unasked(lab, charts):
    """The page scrolls under a pointer that only passes by, and nothing is zoomed."""
    here = point(charts, lab, "sky", "2025-10-02T07.ms")
    lab.mouse.move(*here)
    before = plot(lab, "sky").bounding_box()["y"]
    lab.mouse.wheel(0, 40)
    lab.wait_for_timeout(300)
    assert plot(lab, "sky").bounding_box()["y"] != before
    lab.mouse.move(*point(charts, lab, "sky", "2025-10-02T07.ms"))
    expect(plot(lab, "sky").locator(".contimg-plot-tip")).to_contain_text("2025-10-02T07.ms")


def test_shift_and_drag_moves_the_plot(lab, charts):
    """With Shift held a drag moves what is shown and selects nothing."""
    before = said(lab).inner_text()
    here = point(charts, lab, "light", 110)
    lab.keyboard.down("Shift")
    drag(lab, here, (here[0] + 80, here[1]))
    lab.keyboard.up("Shift")
    lab.mouse.move(here[0] + 81, here[1])
    expect(plot(lab, "light").locator(".contimg-plot-tip")).to_contain_text("row 110")
    assert said(lab).inner_text() == before
    lab.mouse.dblclick(here[0] + 40, here[1] - 60)
    lab.mouse.move(*here)
    expect(plot(lab, "light").locator(".contimg-plot-tip")).to_contain_text("row 110")


def test_the_keyboard_alone_does_it_all(lab):
    """Arrows walk from point to point and tell each row aloud, Enter selects, Escape clears."""
    lab.mouse.move(5, 5)
    area = plot(lab, "light").locator(".contimg-plot-area")
    area.focus()
    lab.keyboard.press("Escape")
    expect(plot(lab, "light")).to_have_attribute("data-selected", "0")
    aloud = plot(lab, "light").locator("[aria-live]")
    lab.keyboard.press("Home")
    expect(aloud).to_contain_text("row 100")
    expect(aloud).to_contain_text("MJD 60950.25000")
    expect(aloud).to_contain_text("upper limit")
    lab.keyboard.press("ArrowRight")
    expect(aloud).to_contain_text("row 101")
    lab.keyboard.press("ArrowRight")
    lab.keyboard.press("ArrowLeft")
    lab.keyboard.press("Enter")
    expect(said(lab)).to_have_text("light key 1: ['101']")
    lab.keyboard.press("+")
    lab.keyboard.press("+")
    for _ in range(12):
        lab.keyboard.press("ArrowRight")
    expect(aloud).to_contain_text("row 112")
    expect(plot(lab, "light").locator(".contimg-plot-tip")).to_be_visible()
    lab.keyboard.press("0")
    lab.keyboard.press("Escape")
    expect(said(lab)).to_have_text("light clear 0: []")
    cells = lab.locator(".jp-Notebook .jp-Cell").count()
    for letter in "bad":
        lab.keyboard.press(letter)
    assert lab.locator(".jp-Notebook .jp-Cell").count() == cells  # no command of the notebook
    expect(area).to_be_focused()
    lab.keyboard.press("Shift+Tab")
    expect(plot(lab, "light").get_by_role("button", name="Clear the selection")).to_be_focused()


def pixel(page: Page, name: str) -> list[int]:
    """Colour in the upper left corner of the axes' surroundings."""
    return (
        plot(page, name)
        .locator("canvas")
        .first.evaluate(
            """c => getComputedStyle(c.closest('.contimg-plot'))
            .backgroundColor.match(/\\d+/g).map(Number)"""
        )
    )


def test_the_dark_theme_is_followed(lab, charts):
    """Page, text and points take the theme's colours at once, without a new chart."""
    assert min(pixel(lab, "light")) > 240
    point(charts, lab, "light", 110)
    lab.screenshot(path=ARTEFACTS / "live_light.png")
    page_of_axes = "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    before = plot(lab, "light").locator("canvas").first.evaluate(page_of_axes)
    lab.evaluate("document.querySelectorAll('.jp-Notebook')[0].scrollTop")
    lab.get_by_role("menuitem", name="Settings", exact=True).click()
    lab.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    lab.locator(".lm-Menu-item").filter(has_text=re.compile("^JupyterLab Dark$")).first.click()
    expect(lab.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    lab.wait_for_timeout(600)
    assert max(pixel(lab, "light")) < 40
    after = plot(lab, "light").locator("canvas").first.evaluate(page_of_axes)
    assert before != after
    for name in ("light", "field", "sky", "time"):
        plot(lab, name).scroll_into_view_if_needed()
        plot(lab, name).screenshot(path=ARTEFACTS / f"live_{name}_dark.png")
    lab.get_by_role("menuitem", name="Settings", exact=True).click()
    lab.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    lab.locator(".lm-Menu-item").filter(has_text=re.compile("^JupyterLab Light$")).first.click()
    expect(lab.locator("body")).to_have_attribute("data-jp-theme-light", "true")
    lab.wait_for_timeout(600)
    assert min(pixel(lab, "light")) > 240
    for name in ("light", "field", "sky", "time"):
        plot(lab, name).scroll_into_view_if_needed()
        plot(lab, name).screenshot(path=ARTEFACTS / f"live_{name}_light.png")


def test_a_hundred_thousand_points_show_their_density(lab):
    """Dense places look denser than thin ones, and a click still finds its source."""
    watch(lab, "field")
    press(lab, "many")
    expect(plot(lab, "field")).to_contain_text("100,000 sources", timeout=30_000)
    expect(plot(lab, "field")).to_have_attribute("data-serial", "2", timeout=30_000)
    shades = (
        plot(lab, "field")
        .locator("canvas")
        .first.evaluate("""c => {
        const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        const shades = new Set();
        for (let i = 0; i < d.length; i += 4) if (d[i + 2] > d[i]) shades.add(d[i + 3]);
        return shades.size; }""")
    )
    assert shades > 12
    expect(figures(lab)).to_contain_text("[")
    start, in_python = json.loads(figures(lab).inner_text())
    painted = lab.evaluate("window.painted['2'][1]")
    print(f"\n10^5 points: painted after {painted - start:.0f} ms, {in_python:.0f} of it in Python")
    plot(lab, "field").screenshot(path=ARTEFACTS / "live_field_dense.png")
    plot(lab, "field").locator(".contimg-plot-area").focus()
    lab.evaluate("""() => {
        window.tasks = [];
        const tell = (list) => window.tasks.push(...list.getEntries().map((e) => e.duration));
        new PerformanceObserver(tell).observe({ type: "longtask" }); }""")
    for key in "++--++--":
        lab.keyboard.press(key)
        lab.wait_for_timeout(150)
    longest = lab.evaluate("Math.max(0, ...window.tasks)")
    print(f"10^5 points: longest task of the page while zooming {longest:.0f} ms (0: below 50)")
    box = plot(lab, "field").locator(".u-over").bounding_box()
    x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"]
    drag(lab, (x, y), (x + 60, y + 40))
    expect(said(lab)).to_contain_text(re.compile(r"field box \d{3,}: "), timeout=20_000)
    plot(lab, "field").screenshot(path=ARTEFACTS / "live_field_dense_selected.png")


def test_what_is_saved_is_small_and_has_words(lab):
    """The widget's state is far below 100 kB, and each figure has its alternative text."""
    press(lab, "size")
    expect(figures(lab)).to_contain_text("state", timeout=30_000)
    told = json.loads(figures(lab).inner_text())
    print(f"\nsaved state of a plot of 10^5 points: {told['state']} bytes")
    assert told["state"] < 10_000
    assert told["alts"] == [True] * 4


def watch(page: Page, name: str) -> None:
    """Write down when each chart is drawn and on screen, and when the pointer is let go."""
    plot(page, name).evaluate("""(root) => {
        const now = () => performance.timeOrigin + performance.now();
        window.painted = {};
        window.ticked = {};
        window.ups = [];
        const bare = document.querySelectorAll(".widget-label")[2];
        new MutationObserver(() => (window.ticked[bare.textContent.trim()] = now())).observe(
            bare, { childList: true, characterData: true, subtree: true });
        new MutationObserver(() => {
            const serial = root.dataset.serial;
            const drawn = now();
            const over = () => (window.painted[serial] ??= [drawn, now()]);
            requestAnimationFrame(() => setTimeout(over));
        }).observe(root, { attributes: true, attributeFilter: ["data-serial"] });
        if (!window.watched) addEventListener("pointerup", () => window.ups.push(now()), true);
        window.watched = true;
    }""")


def test_changes_and_clicks_are_fast(lab, charts):
    """Prints how long a change takes to the screen, and a click to Python; both must arrive."""
    press(lab, "back")
    expect(figures(lab)).to_have_text("back")
    watch(lab, "light")
    keys = [101, 103, 104, 105, 106, 107, 110, 111]
    places = [point(charts, lab, "light", key) for key in keys]
    press(lab, "clicks")
    expect(figures(lab)).to_contain_text("[")
    before = len(json.loads(figures(lab).inner_text()))
    lab.evaluate("window.ups = []")
    for i in range(50):
        lab.mouse.click(*places[i % len(places)])
        lab.wait_for_timeout(40)
    ups = lab.evaluate("window.ups")
    press(lab, "back")
    expect(figures(lab)).to_have_text("back")
    press(lab, "clicks")
    expect(figures(lab)).to_contain_text("[")
    arrived = json.loads(figures(lab).inner_text())[before:]
    assert len(arrived) == len(ups) == 50
    show("click to Python", np.subtract(arrived, ups))
    press(lab, "fast")
    expect(figures(lab)).to_contain_text("[{", timeout=60_000)
    sent, ticked = json.loads(figures(lab).inner_text())
    painted, seen = lab.evaluate("[window.painted, window.ticked]")
    show("a bare label, for comparison", np.array([seen[i] - ticked[i] for i in seen]))
    both = [serial for serial in sent if serial in painted][-50:]
    assert len(both) == 50
    show("change to drawn", np.array([painted[s][0] - sent[s] for s in both]))
    show("change to painted (next frame over)", np.array([painted[s][1] - sent[s] for s in both]))


def show(what: str, times_ms: np.ndarray) -> None:
    p50, p95 = np.percentile(times_ms, [50, 95])
    print(f"\n{what}: p50 {p50:.1f} ms, p95 {p95:.1f} ms over {times_ms.size}")


def test_python_selects_too(lab):
    """Keys that Python selects are marked, those that are not there left out."""
    press(lab, "pick")
    expect(plot(lab, "light")).to_have_attribute("data-selected", "2")


def test_many_refreshes_leave_nothing_behind(lab):
    """After hundreds of charts the browser holds no more than before."""
    session = lab.context.new_cdp_session(lab)

    def heap_mb() -> float:
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6

    def churn() -> None:
        press(lab, "back")
        expect(figures(lab)).to_have_text("back")
        press(lab, "churn")
        expect(figures(lab)).to_contain_text("churned", timeout=60_000)
        serial = figures(lab).inner_text().split()[-1]
        expect(plot(lab, "light")).to_have_attribute("data-serial", serial, timeout=30_000)

    churn()  # code is compiled, caches are filled
    before = heap_mb()
    churn()
    grown = heap_mb() - before
    print(f"\nbrowser heap after 300 refreshes: {grown:+.1f} MB")
    assert grown < 5.0


def test_words_stand_where_there_is_no_plot(lab):
    """A plot that is cleared shows the words that it is given, in a box of the same height."""
    before = plot(lab, "sky").bounding_box()
    press(lab, "wipe")
    expect(plot(lab, "sky")).to_contain_text("no night is chosen")
    assert plot(lab, "sky").bounding_box()["height"] == before["height"]


def test_a_reload_brings_the_plots_back(lab, charts):
    """A page that is loaded again asks the kernel and shows what was there, selection included."""
    press(lab, "back")
    expect(figures(lab)).to_have_text("back")
    lab.mouse.click(*point(charts, lab, "light", 106))
    expect(said(lab)).to_have_text("light click 1: ['106']")
    lab.keyboard.press("Control+s")
    lab.wait_for_timeout(500)
    lab.reload()
    expect(plot(lab, "light")).to_contain_text("detection", timeout=60_000)
    expect(plot(lab, "light")).to_have_attribute("data-selected", "1")
    tip = plot(lab, "light").locator(".contimg-plot-tip")
    for _ in range(50):  # the page is still being laid out
        lab.mouse.move(*point(charts, lab, "light", 101))
        lab.wait_for_timeout(100)
        if tip.is_visible():
            break
    expect(tip).to_contain_text("row 101")
