"""The figures of the checks of a night: what is judged is marked, and every limit is drawn."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from contimg_lab.analysis.checks import Found, Night, all_checks, check, run_checks
from contimg_lab.errors import NotFound
from contimg_lab.panels._chart_message import chart_message
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots.checks import check_chart, figure_of_checks, plot_check
from contimg_lab.records.qa import Outcome
from contimg_lab.services._proof import METADATA, seal, shown_digests
from contimg_lab.thresholds import Threshold, Thresholds, packaged_thresholds

from ..analysis.check_night import DATE, N, clean, night_of

LIMITS = packaged_thresholds()
NAMES = [one.name for one in all_checks(others=[])]
DRAWN = (
    "astrometry", "beam", "beam_angle", "beam_size", "calibration", "calibration_age",
    "calibration_antennas", "calibration_flagged", "calibration_gains", "calibration_snr",
    "calibration_tier", "completeness", "declination", "dynamic_range", "failed", "flux_ratio",
    "gaps", "image_gain", "noise", "pointing", "tiles",
)  # fmt: skip
MARKS = {"pass": "good", "warn": "doubtful", "fail": "bad"}


@dataclass
class Judged:
    """A night with what every check says of it, as a report holds it."""

    columns: Night
    outcomes: tuple[Outcome, ...]
    thresholds: Thresholds = LIMITS
    night: str = DATE

    def of(self, name: str) -> tuple[Outcome, ...]:
        return tuple(one for one in self.outcomes if one.check == name)


def judged(tables: Any = None, limits: Thresholds = LIMITS, checks: Any = None) -> Judged:
    """Judge a night, a clean one by default."""
    night = night_of(clean() if tables is None else tables)
    run = all_checks(others=[]) if checks is None else checks
    return Judged(night, run_checks(night, limits, run), limits)


def with_value(name: str, value: float) -> Thresholds:
    """The package's limits, one of them another."""
    return replace(LIMITS, limits={**LIMITS.limits, name: Threshold(value, "1", "a site: its own")})


def marked(chart: Any, role: str) -> list[Any]:
    """Keys of the points that wear a role."""
    return [key for points in chart.points if points.role == role for key in points.keys]


def levels(chart: Any) -> dict[float, str]:
    """Places of the limits, with their words."""
    return {level.at: level.label for level in chart.levels}


@pytest.mark.parametrize("name", NAMES)
def test_each_check_is_drawn_and_sent_and_told(name: str) -> None:
    """A chart is drawn without a warning, can be sent to a browser, and is told with numbers."""
    report = judged()
    chart = check_chart(report, name)
    assert (chart is not None) == (name in DRAWN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = figure_of_checks(report, name)
        data, _ = figure._repr_mimebundle_()
    assert re.search(r"\d", figure.alt)
    assert "nan" not in figure.alt.split()
    assert data["text/html"].startswith("<img")
    if chart is not None:
        assert chart_message(chart, 1).content["alt"] == figure.alt == chart.alt
        assert figure.axes[0].get_xlabel()
        assert figure.axes[0].get_ylabel()
        assert "MJD (UTC, days)" in chart.x.label or chart.x.name != "UTC" or DATE in chart.x.label


@pytest.mark.parametrize("name", DRAWN)
def test_a_number_of_things_is_shown(name: str) -> None:
    """How many are drawn stands in the legend, and what was said of how many in the title."""
    report = judged()
    chart = check_chart(report, name)
    words = " ".join(points.words for points in chart.points) + " ".join(
        line.label for line in chart.lines
    )
    assert re.search(r"\((N = )?\d+", words)
    said = [one.word for one in report.of(name)]
    assert f"{said.count('pass')} pass" in chart.title


def test_a_noisy_tile_is_marked_and_its_hour_is_judged_by_the_median() -> None:
    """One tile far over its field's noise wears a cross; the hour's black line stays."""
    tables = clean()
    tables["images"]["noise_jy"][3] = 0.1
    tables["images"]["path"] = [f"/images/{k}.fits" for k in range(N)]
    chart = check_chart(judged(tables), "noise")
    assert marked(chart, "bad") == ["/images/3.fits"]
    assert len(marked(chart, "good")) == N - 1
    assert sorted(marked(chart, "edge tile")) == sorted(
        f"/images/{k}.fits" for k in (0, 10, 11, 21)
    )
    medians = [line.y.tolist() for line in chart.lines if line.role == "hour median"]
    assert medians == [[13.0, 13.0]] * 2
    fails = [line.y[0] for line in chart.lines if line.role == "fail line"]
    np.testing.assert_allclose(fails, [2.0 * 12.8] * 2)


@pytest.mark.parametrize(
    ("name", "limit", "axis"),
    [("beam", "beam.fail", "y"), ("completeness", "completeness.fail", "y"),
     ("flux_ratio", "flux_ratio.low", "x"), ("calibration_snr", "calibration_snr.fail", "x"),
     ("dynamic_range", "dynamic_range.warn", "y"), ("image_gain", "image_gain.fail", "y"),
     ("tiles", "tiles.fewest", "y")],
)  # fmt: skip
def test_a_limit_is_drawn_where_the_set_has_it(name: str, limit: str, axis: str) -> None:
    """A site that moves a limit finds its line moved, and itself named."""
    scale = 100.0 if name == "image_gain" else 1.0
    before = check_chart(judged(), name)
    assert LIMITS[limit] * scale in levels(before)
    value = LIMITS[limit] * 0.9375
    after = check_chart(judged(limits=with_value(limit, value)), name)
    (moved,) = [one for one in after.levels if one.at == value * scale]
    assert moved.axis == axis
    assert "(a site)" in moved.label
    assert LIMITS[limit] * scale not in levels(after)


def test_a_limit_far_away_is_named_and_does_not_press_the_values_flat() -> None:
    """Of tiles on the meridian the legend names the far limit, and the plot leaves it out."""
    chart = check_chart(judged(), "pointing")
    (far,) = [one for one in chart.levels if one.label.endswith("off the plot")]
    assert far.at == LIMITS["pointing.fail_deg"]
    assert chart.y.limits[1] < far.at
    near = clean()
    near["ms"]["lst_residual_deg"][0] = 1.0
    assert check_chart(judged(near), "pointing").y.limits[1] > far.at


def test_the_histogram_holds_every_ratio_once() -> None:
    """The bars of the flux ratio add up to the measurements that count."""
    tables = clean()
    tables["photometry"]["reason"][:7] = ["late"] * 7
    chart = check_chart(judged(tables), "flux_ratio")
    bars = sum(band.y[1] for band in chart.bands if band.role == "bar")
    assert bars == len(tables["photometry"]["id"]) - 7
    assert f"N = {bars:.0f} of" in next(line.label for line in chart.lines)
    (band,) = [band for band in chart.bands if band.role == "good band"]
    assert band.x == (LIMITS["flux_ratio.low"], LIMITS["flux_ratio.high"])


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_a_gain_keeps_its_sign(factor: float) -> None:
    """An image that is too faint stands below, one too bright above, each with its error bar."""
    tables = clean()
    mine = [i for i, at in enumerate(tables["photometry"]["image"]) if at == 4]
    for i in mine:
        tables["photometry"]["flux_jy"][i] *= factor
    tables["images"]["path"] = [f"/images/{k}.fits" for k in range(N)]
    chart = check_chart(judged(tables), "image_gain")
    (points,) = [points for points in chart.points if points.role == "bad"]
    assert points.keys == ("/images/4.fits",)
    assert points.y[0] == pytest.approx((factor - 1.0) * 100.0, abs=3.0)
    assert points.err[0] > 0.0


def test_failures_are_told_by_cause_and_time() -> None:
    """Each run stands once, in the row of its status or of its cause, at its own time."""
    tables = clean()
    tables["runs"]["status"][2:5] = ["failed", "failed", "running"]
    tables["runs"]["cause"][2] = "memory"
    chart = check_chart(judged(tables), "failed")
    assert chart.y.rows == ("completed", "running", "failed: cause in no row", "failed: memory")
    held = {
        chart.y.rows[int(row)]: points.x.tolist()
        for points in chart.points
        for row in set(points.y.tolist())
    }
    assert sum(map(len, held.values())) == N
    middle = (tables["ms"]["mid_mjd"][2] % 1.0) * 24.0
    assert held["failed: memory"] == pytest.approx([middle])


def test_a_turned_beam_is_marked_against_its_own_hour() -> None:
    """A beam across the others' direction wears a triangle; 178 and 2 degrees are neighbours."""
    tables = clean()
    tables["images"]["beam_pa_deg"][12] = 90.0
    tables["images"]["path"] = [f"/images/{k}.fits" for k in range(N)]
    chart = check_chart(judged(tables), "beam_angle")
    assert marked(chart, "doubtful") == ["/images/12.fits"]


def test_flagging_is_held_against_the_floor_of_empty_slots() -> None:
    """The line of a fail stands where a stored fraction fails, not where the limit's number is."""
    tables = clean()
    floor, fail = LIMITS["calibration_flagged.floor"], LIMITS["calibration_flagged.fail"]
    edge = floor + fail * (1.0 - floor)
    tables["caltables"]["flagged_fraction"] = [edge + 1e-6, edge - 1e-6]
    chart = check_chart(judged(tables), "calibration_flagged")
    assert marked(chart, "bad") == ["/cal/bp"]
    assert marked(chart, "doubtful") == ["/cal/gp"]
    assert any(at == pytest.approx(edge) for at in levels(chart))


def test_measured_astrometry_is_drawn_in_arcseconds_within_its_ring() -> None:
    """Offsets of 300 and 100 mas stand at 0.3 and 0.1 arcsec, on axes of equal scale."""
    chart = check_chart(judged(), "astrometry")
    (points,) = [points for points in chart.points if points.role == "good"]
    np.testing.assert_allclose(points.x, [0.3, -0.2])
    np.testing.assert_allclose(points.y, [0.1, 0.05])
    (axes,) = figure_of_checks(judged(), "astrometry").axes
    assert axes.get_aspect() == 1.0
    assert axes.get_xlim() == axes.get_ylim()


@pytest.mark.parametrize("name", ["noise", "completeness", "image_gain", "astrometry"])
def test_what_could_not_be_judged_has_no_picture_and_says_why(name: str) -> None:
    """Where nothing was measured there is no chart, and the figure holds the reason."""
    tables = clean()
    for table in ("images", "catalogue", "photometry", "astrometry"):
        del tables[table]
    report = judged(tables)
    why = report.of(name)[0].why
    assert check_chart(report, name) is None
    figure = figure_of_checks(report, name)
    assert why in figure.alt
    assert why in " ".join(" ".join(text.get_text() for text in figure.axes[0].texts).split())
    assert plot_check(report, name, Figure().subplots()).texts


def test_hours_that_could_not_be_judged_are_marked_beside_those_that_were() -> None:
    """An hour without a reference stands as an open square at the foot, with its reason."""
    tables = clean()
    tables["references"]["noise_median_jy"][1] = None
    chart = check_chart(judged(tables), "noise")
    (points,) = [points for points in chart.points if points.role == "not applicable"]
    assert points.x.tolist() == [7.5]
    assert points.pinned
    assert "to compare with" in points.columns[0].values[0]


def test_a_check_that_is_not_there_is_told() -> None:
    """A name that no check has, and no name at all, are errors and no empty pictures."""
    with pytest.raises(NotFound, match="nose"):
        check_chart(judged(), "nose")
    with pytest.raises(NotFound):
        figure_of_checks(judged())


VALUES = st.floats(-1e6, 1e6) | st.just(float("nan"))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([6, 7]), VALUES), min_size=1, max_size=12))
def test_a_check_of_another_package_is_drawn_by_its_outcomes(found: list[Any]) -> None:
    """Each value that was measured stands once, under its word, and its own limit is a line."""

    @check(
        "others.depth", protects_against="a test", metric="depth", unit="mag",
        needs=["ms"], limits={"warn": Threshold(3.0, "mag", "its makers: so")},
    )  # fmt: skip
    def depth(night: Night, limits: Any) -> Any:
        for hour, value in found:
            word = "warn" if value > limits["warn"] else "pass"
            kept = "not applicable" if np.isnan(value) else word
            yield Found(word=kept, why="so", value=value, limit="warn", hour=hour)

    report = judged(checks=[depth])
    chart = check_chart(report, "others.depth")
    known = [one for one in report.of("others.depth") if one.value is not None]
    words = {one.word for one in known}
    values = {one.value for one in known}
    is_plain = len(values) == 1 or max(map(abs, values), default=0.0) <= 0.1 * 3.0
    if len(known) < 2 or (is_plain and words == {"pass"}):
        assert chart is None
        return
    for word in ("pass", "warn"):
        drawn = [
            y for p in chart.points if p.role == MARKS[word] for y in p.y.tolist() if not p.pinned
        ]
        assert sorted(drawn) == sorted(one.value for one in known if one.word == word)
    assert {level.at for level in chart.levels} == {3.0}
    assert "(its makers)" in next(iter(chart.levels)).label
    assert "mag" in chart.y.label
    draw_chart(chart, Figure().subplots())


def test_three_gates_make_one_panel() -> None:
    """Flux ratio and completeness stand above, noise below them in full width."""
    figure = figure_of_checks(judged(), "flux_ratio", "completeness", "noise")
    figure.canvas.draw()
    ratio, found, noise = (axes.get_position() for axes in figure.axes)
    assert ratio.x1 < found.x0
    assert noise.y1 < min(ratio.y0, found.y0)
    assert noise.width > ratio.width + found.width
    for axes in figure.axes:
        legend = axes.get_legend().get_window_extent()
        assert 0.0 <= legend.x0 < legend.x1 <= figure.bbox.width


async def test_a_report_draws_its_checks_with_what_they_stand_on(demo: Any) -> None:
    """A figure of a report brings, in its metadata, a whole proof of the parts that it shows."""
    report = await demo.qa.night(await demo.last_night())
    figure = report.figure("noise", "beam")
    data, metadata = figure._repr_mimebundle_()
    proof = metadata[METADATA]
    assert proof["part"] == "noise, beam"
    assert proof["seal"] == seal(proof)
    assert proof["shown"] == shown_digests(data)
    assert {"images", "ms_index"} <= set(proof["tables"])
    assert f'alt="{figure.alt[:20]}' in data["text/html"]
    assert data["text/plain"] == figure.alt
    assert set(proof["thresholds"]["values"]) == {
        name for name in LIMITS.limits if name.startswith(("noise.", "beam."))
    }
