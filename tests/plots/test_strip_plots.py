"""Strip, declination and drift plots, ages and histories: what is marked, and where."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import contimg_lab as cl
from contimg_lab.analysis.drift import drift_residual_deg
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots.cal_history import age_chart, metric_chart
from contimg_lab.plots.sky import pointings_chart
from contimg_lab.plots.strip import declination_chart, drift_chart, raw_places, strip_chart
from contimg_lab.services.drift import Drift


@pytest.fixture
async def drift(demo: cl.Lab) -> Drift:
    """The night with a gap of 15.5 minutes."""
    return await demo.ms.drift("2025-10-30")


def series(chart, role: str):
    return [points for points in chart.points if points.role == role]


async def test_gaps_and_the_meridian_are_drawn(drift: Drift) -> None:
    """The gap must be shaded between the tiles beside it; the line must run through the MS."""
    chart = strip_chart(drift, ["done"] * len(drift))
    (band,) = chart.bands
    (gap,) = drift.gaps
    midnight = np.floor(drift.mid_mjd[0])
    hours = [(mjd - midnight) * 24.0 for mjd in (gap.start_mjd, gap.end_mjd)]
    assert hours[0] < band.y[0] < band.y[1] == pytest.approx(hours[1])
    (line,) = chart.lines
    (points,) = chart.points
    along = np.interp(points.y, line.y, line.x)
    assert np.abs(along - points.x).max() < 0.01
    assert "1 gap over 10 min, the longest 15.5 min" in chart.alt
    assert "UTC on 2025-10-30" in chart.y.label
    assert declination_chart(drift, [None] * len(drift)).bands


async def test_a_strip_across_0h_is_one_line(drift: Drift) -> None:
    """Right ascension must rise with time without a jump, though it crosses 0 h."""
    (points,) = strip_chart(drift, ["done"] * len(drift)).points
    assert (np.diff(points.x) > 0.0).all()
    assert drift.ra_deg.min() < 40.0 < 300.0 < drift.ra_deg.max()


async def test_jumps_and_fields_off_the_meridian_are_marked(drift: Drift) -> None:
    """A declination that jumps and a field off the meridian must wear a marker, and be counted."""
    offset, state = drift.dec_offset_deg.copy(), drift.dec_state.copy()
    residual = drift.residual_deg.copy()
    offset[[3, 7]], state[3], state[7] = (0.5, -6.0), "new pointing", "wrong strip"
    residual[5] = 0.34
    moved = dataclasses.replace(
        drift, dec_offset_deg=offset, dec_state=state, residual_deg=residual
    )
    status = ["done"] * len(drift)
    chart = declination_chart(moved, status, selected=drift.path[3])
    (jumps,) = series(chart, "jump")
    assert jumps.keys == (drift.path[3], drift.path[7])
    assert jumps.y.tolist() == pytest.approx([30.0, -360.0])
    assert "1 new pointings, 1 wrong strip" in chart.alt
    assert chart.selected == {drift.path[3]}
    off = drift_chart(moved, status)
    (marked,) = series(off, "off meridian")
    assert (marked.keys, marked.y.tolist()) == ((drift.path[5],), pytest.approx([20.4]))
    assert f"1 of {len(drift)} by more than 6 arcmin" in off.alt
    assert {level.at for level in off.levels} == {-6.0, 6.0}
    for each in (chart, off, strip_chart(moved, status)):
        draw_chart(each, Figure().subplots())


async def test_raw_data_stand_where_the_telescope_looked(demo: cl.Lab) -> None:
    """Raw data without an MS must be drawn on the meridian, at the declination of the night."""
    drift = await demo.ms.drift(await demo.last_night())
    mjd, ra, dec = raw_places(drift)
    assert len(mjd) == len(drift.raw_without_ms or ()) == 2
    assert np.abs(drift_residual_deg(ra, dec, mjd)).max() < 1e-6
    assert np.abs(dec - np.median(drift.dec_deg)).max() < 0.1
    status = ["done"] * len(drift)
    for chart in (
        strip_chart(drift, status),
        pointings_chart(drift.ra_deg, drift.dec_deg, status, waiting=(ra, dec)),
    ):
        (raw,) = series(chart, "raw group")
        assert len(raw) == 2
        assert raw.keys == ()
        low, high = chart.limits()[0]
        assert ((raw.x > low) & (raw.x < high)).all()


def test_calibrators_are_named_on_the_plot_or_beside_it() -> None:
    """One within the plot must be marked by name, across 0 h too; others named in the corner."""
    chart = pointings_chart(
        [359.0, 1.0], [16.0, 16.0],
        calibrators={"near": (0.5, 17.0), "west": (180.0, 16.0), "pole": (0.0, 80.0)},
    )  # fmt: skip
    (near,) = series(chart, "calibrator")
    assert near.words == "calibrator near"
    assert near.x.tolist() == [0.5]
    low, high = chart.y.limits or (0.0, 0.0)
    assert low < 17.0 < high
    assert any("west (RA 180.00, Dec +16.00), pole" in words for words in chart.corner)
    assert "calibrator near" in chart.alt
    assert any("galactic plane is outside" in words for words in chart.corner)


def test_the_galactic_plane_crosses_a_strip_that_crosses_it() -> None:
    """A strip around 6h30 must have the line, within its plot."""
    ra = np.arange(80.0, 110.0)
    chart = pointings_chart(ra, np.full(ra.size, 16.0), calibrators={})
    (line,) = chart.lines
    inside = np.abs(line.y - 16.0) < 0.2
    assert np.abs(line.x[inside] - 94.0).max() < 2.0
    assert not chart.corner
    assert "galactic b" in chart.alt


def test_nothing_known_is_said(drift: Drift) -> None:
    """MS without a place or a time must be said, not drawn nowhere."""
    nowhere = np.full(len(drift), np.nan)
    lost = dataclasses.replace(
        drift, mid_mjd=nowhere, ra_deg=nowhere, dec_deg=nowhere, residual_deg=nowhere,
        dec_of_date_deg=nowhere, dec_offset_deg=nowhere, gaps=(),
    )  # fmt: skip
    for make in (strip_chart, declination_chart, drift_chart):
        chart = make(lost, ["done"] * len(drift))
        assert "no Measurement Set has a time" in chart.empty
        draw_chart(chart, Figure().subplots())


def test_ages_tell_who_is_old_and_who_has_none() -> None:
    """MS without a table must stand along the edge, the others at their hours."""
    covers = pd.DataFrame(
        {
            "ms_path": ["a", "b", "c"],
            "mid_mjd": pd.array([60950.1, 60950.2, 60950.5], dtype="Float64"),
            "table_type": ["BP"] * 3,
            "state": ["inside", "nearest", "none"],
            "distance_hours": pd.array([0.5, 7.0, None], dtype="Float64"),
            "caltable_path": ["t1", "t1", None],
        }
    )
    chart = age_chart(covers, "BP")
    assert [(p.role, p.pinned, p.keys) for p in chart.points] == [
        ("inside", False, ("a",)), ("nearest", False, ("b",)), ("none", True, ("c",)),
    ]  # fmt: skip
    assert "age median 3.8 h, largest 7.0 h; 1 of 2 6 h or older" in chart.alt
    assert age_chart(covers, "GP").empty
    draw_chart(chart, Figure().subplots())


async def test_a_metric_is_drawn_with_its_floor(demo: cl.Lab) -> None:
    """Tables beyond a limit must have another marker, retired ones a cross, limits a line."""
    quality = await demo.caltables.quality()
    chart = metric_chart(quality, "snr_mean", "BP")
    mine = quality[quality["table_type"] == "BP"]
    counts = mine["snr_mean_word"].value_counts()
    assert {p.role: len(p) for p in chart.points if not p.overlay} == counts.to_dict()
    (old,) = series(chart, "left out")
    assert set(old.keys) == set(mine["path"][mine["status"] != "active"])
    assert [level.at for level in chart.levels] == [10.0, 5.0]
    assert "mean SNR: warn below 10, fail below 5" in chart.alt
    flagged = metric_chart(quality, "flagged_fraction", "BP")
    assert [level.at for level in flagged.levels] == [0.3, 0.5, 0.18]
    assert metric_chart(quality, "snr_mean", "FLUX").empty
    draw_chart(flagged, Figure().subplots())
