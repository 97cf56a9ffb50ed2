"""A chart says everything once: what is drawn by matplotlib and what is sent are the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure

import contimg_lab.panels
from contimg_lab.errors import InvalidInput
from contimg_lab.panels._chart_message import chart_message
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._roles import PALETTES, ROLES, look_of
from contimg_lab.plots.chart import Axis, Band, Chart, Column, Level, Line, Points, Spans
from contimg_lab.plots.coverage import coverage_chart
from contimg_lab.plots.light_curve import light_curve_chart
from contimg_lab.plots.sky import pointings_chart
from contimg_lab.plots.variability import eta_v_chart

from .test_field_plots import coverage
from .test_light_curve_plot import make

FRONT = Path(contimg_lab.panels.__file__).parent / "front" / "src"
VALUES = st.floats(-1e6, 1e6) | st.just(float("nan"))
LOOKS = [look_of(role, i) for role in ROLES for i in range(6)]


@st.composite
def some_points(draw: st.DrawFn) -> Points:
    n = draw(st.integers(1, 12))
    x, y = (draw(arrays(np.float64, n, elements=VALUES)) for _ in range(2))
    err = draw(st.none() | arrays(np.float64, n, elements=st.floats(0, 1e3)))
    keys = draw(st.just(()) | st.lists(st.integers(0, 30), min_size=n, max_size=n).map(tuple))
    role = draw(st.sampled_from([role for role in ROLES if ROLES[role].marker]))
    told = (Column(name="flux", values=x, err=err), Column(name="image", values=("i\n",) * n))
    return Points(role=role, name=role, x=x, y=y, err=err, keys=keys, columns=told)


charts = st.lists(some_points(), min_size=1, max_size=4).map(
    lambda parts: Chart(
        name="c", x=Axis(label="x"), y=Axis(label="y"), points=tuple(parts), alt="a"
    )
)


def read(buffers: list[Any], index: int | None, kind: Any = np.float64) -> Any:
    return None if index is None else np.frombuffer(buffers[index], kind)


@settings(deadline=None)  # matplotlib draws
@given(charts)
def test_both_renderers_are_given_the_same_arrays(chart: Chart) -> None:
    """What matplotlib draws and what the browser is sent is equal to the last bit."""
    message = chart_message(chart, 1)
    axes = draw_chart(chart, Figure().subplots())
    drawn = [line for line in axes.lines if line.get_label() != ""]
    by_label = [container[0] for container in axes.containers] + list(drawn)
    keys = list(message.numbers)
    for points, sent in zip(chart.points, message.content["points"], strict=True):
        x, y, err = (read(message.buffers, sent[name]) for name in ("x", "y", "err"))
        assert x.tobytes() == points.x.tobytes()
        assert y.tobytes() == points.y.tobytes()
        assert (err is None) == (points.err is None)
        if err is not None:
            assert err.tobytes() == points.err.tobytes()
        assert any(
            np.array_equal(line.get_xdata(), x, equal_nan=True)
            and np.array_equal(line.get_ydata(), y, equal_nan=True)
            for line in by_label
        )
        numbers = read(message.buffers, sent["keys"], np.uint32)
        assert points.keys == (() if numbers is None else tuple(keys[n] for n in numbers))
        texts = bytes(message.buffers[sent["columns"][1]["texts"]]).decode().split("\x1f")
        assert tuple(texts) == points.columns[1].values
        assert sent["label"] == points.words


@given(charts)
def test_limits_hold_every_point_with_its_error(chart: Chart) -> None:
    """At first nothing that can be drawn is out of sight, error bars included."""
    (low_x, high_x), (low_y, high_y) = chart.limits()
    for points in chart.points:
        err = np.zeros(len(points)) if points.err is None else points.err
        seen = np.isfinite(points.x)
        assert ((points.x[seen] >= low_x) & (points.x[seen] <= high_x)).all()
        seen = np.isfinite(points.y)
        assert ((points.y - err)[seen] >= low_y).all()
        assert ((points.y + err)[seen] <= high_y).all()


def test_every_shape_is_known_to_the_browser() -> None:
    """Each marker of each role has its drawing in the live plot too."""
    shapes = (FRONT / "_marks.js").read_text().split("const SHAPES = {")[1].split("\n};")[0]
    known = set(re.findall(r'^  "?([^\s":]+)"?: \(c, r\)', shapes, flags=re.MULTILINE))
    assert {look.marker for look in LOOKS if look.marker} <= known


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(("palette", "page"), [("light", "#FFFFFF"), ("dark", "#111111")])
def test_colours_stand_out_from_the_page(palette: str, page: str) -> None:
    """Each colour of the live plot has a contrast of 3 to 1 with JupyterLab's page."""
    for name in {look.colour for look in LOOKS} | {look.edge_colour for look in LOOKS} - {""}:
        bright, dark = sorted((luminance(PALETTES[palette][name]), luminance(page)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 3.0, name


def test_roles_of_one_plot_differ_in_shape() -> None:
    """Colour is never the only sign."""
    for roles in (
        ("detection", "peak", "limit", "late"),
        ("inside", "nearest", "none", "unknown"),
        ("completed", "failed", "running", "pending", "converted", "other status"),
    ):
        assert len({ROLES[role].marker for role in roles}) == len(roles)
    for role, count in (("left out", 6), ("selected rule", 5)):
        assert len({look_of(role, i).marker for i in range(count)}) == count


def test_a_light_curve_tells_every_epoch() -> None:
    """Each epoch used, and each one left out that has a time, is a point with its row and image."""
    lc = make()
    chart = light_curve_chart(lc)
    walked = [points for points in chart.points if not points.overlay]
    assert sum(len(points) for points in walked) == len(lc) + 2
    assert set(chart.keys()) == {*lc.row_id.tolist(), 0, 2}
    limit = next(points for points in walked if points.role == "limit")
    measured = limit.columns[0]
    assert measured.values == pytest.approx(1e3 * lc.flux_jy[-2:])
    assert measured.err == pytest.approx(1e3 * lc.flux_err_jy[-2:])
    assert all(points.columns[-1].name == "image" for points in walked)
    assert re.search(r"detection \(6\), upper limit, 3 errors \(2\), .*left out", chart.alt)
    assert re.search(r"flux from 5\.0 ± 2\.5 to 50\.0 ± 2\.5 mJy, weighted mean .* ± ", chart.alt)


def test_other_charts_tell_theirs_in_words() -> None:
    """Counts, ranges and cuts of a field, a strip and a timeline stand in their words."""
    fits = {name: {"mean": 0.0, "sigma": 0.1, "n_fitted": 9, "reason": ""} for name in ("eta", "v")}
    field = eta_v_chart([1.0, 4.0, np.nan], [0.1, 2.0, 0.1], fits=fits, keys=["A", "B", "C"])
    assert field.keys() == ("A", "B")
    assert field.alt == (
        "η against V of 3 sources: source (2); highest η 4, highest V 2; "
        "2σ above the field: η > 1.58, V > 1.58; 1 of 3 not drawn: 1 undefined."
    )
    sky = pointings_chart([359.0, 1.0, np.nan], [16.0, 17.0, 16.0], ["failed", "done", None])
    assert "failed (1), no status (1)" in sky.alt
    assert "RA 359.0000 to 1.0000 deg, Dec +16.0000 to +17.0000 deg" in sky.alt
    covers, tables = coverage()
    timeline = coverage_chart(covers.assign(ms_path="m.ms"), tables.assign(path=["a", "b"]))
    assert set(timeline.keys()) == {"m.ms", "a", "b"}
    assert "BP 2 inside a window, 1 nearest within 12 h" in timeline.alt


def test_a_set_is_ringed_and_counted() -> None:
    """Selected keys are ringed where they stand, once each, and counted in the legend."""
    chart = pointings_chart([1.0, 2.0, 3.0], [16.0] * 3, keys=["a", "b", "c"])
    chosen = Chart(
        name="c", x=chart.x, y=chart.y, alt="", points=chart.points, selected=frozenset("ac")
    )
    axes = draw_chart(chosen, Figure().subplots())
    ring = next(line for line in axes.lines if line.get_label() == "selected (2)")
    assert ring.get_xdata().tolist() == [1.0, 3.0]


def test_a_crowd_is_drawn_by_its_density() -> None:
    """Of very many points each is drawn, a lone one in the role's colour, crowds darker."""
    rng = np.random.default_rng(1)
    x = np.append(10.0 ** rng.normal(0.0, 0.1, 20_000), 1e3)
    y = np.append(10.0 ** rng.normal(-1.0, 0.1, 20_000), 10.0)
    axes = draw_chart(eta_v_chart(x, y), Figure().subplots())
    crowd = axes.collections[0]
    assert crowd.get_offsets().tolist() == np.column_stack([x, y]).tolist()
    colours = crowd.get_facecolors()
    assert colours[-1] == pytest.approx([0.0, 0x72 / 255, 0xB2 / 255, 0.55])
    assert colours[:, 2].min() < 0.3 * colours[-1, 2]
    assert crowd.get_rasterized()


def test_everything_that_a_chart_holds_is_sent() -> None:
    """Lines, levels, bands and spans go with the points, open ends as such."""
    chart = Chart(
        name="c", x=Axis(label="x", limits=(0.0, 9.0)), y=Axis(label="y"), alt="",
        lines=(Line(role="mean", x=np.arange(3.0), y=np.ones(3)),),
        levels=(Level(role="mean", axis="y", at=2.0, label="level"),),
        bands=(Band(role="cut", x=(1.0, np.inf)),),
        spans=(Spans(role="window", name="w", start=np.zeros(1), end=np.full(1, np.inf),
                     row=np.zeros(1), keys=("k",)),),
    )  # fmt: skip
    message = chart_message(chart, 3)
    sent = message.content
    assert read(message.buffers, sent["lines"][0]["y"]).tolist() == [1.0, 1.0, 1.0]
    assert (sent["levels"][0]["at"], sent["levels"][0]["label"]) == (2.0, "level")
    assert (sent["bands"][0]["x"], sent["bands"][0]["y"]) == ([1.0, None], [None, None])
    assert read(message.buffers, sent["spans"][0]["end"]).tolist() == [np.inf]
    axes = draw_chart(chart, Figure().subplots())
    assert len(axes.patches) == 2
    assert [line.get_ydata()[0] for line in axes.lines] == [2.0, 1.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "hero"},
        {"y": [1.0]},
        {"err": [1.0, 2.0, 3.0]},
        {"keys": ("a",)},
        {"columns": (Column(name="c", values=("a",)),)},
        {"x": [[1.0], [2.0]], "y": [[1.0], [2.0]]},
    ],
)
def test_what_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    """A role that nobody draws, and arrays of other lengths, are refused at once."""
    right = {"role": "point", "name": "p", "x": [1.0, 2.0], "y": [1.0, 2.0]}
    Points(**right)
    with pytest.raises(InvalidInput):
        Points(**(right | wrong))


def test_an_unknown_axis_is_refused() -> None:
    """An axis whose kind no renderer knows is refused."""
    with pytest.raises(InvalidInput):
        Axis(label="x", kind="parsec")  # type: ignore[arg-type]
