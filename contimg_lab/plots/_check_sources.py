"""Figures of the checks of sources: the flux scale, what is lost, and measured astrometry."""

from __future__ import annotations

import dataclasses

import numpy as np

from contimg_lab.analysis.checks import NOT_APPLICABLE, WARN
from contimg_lab.analysis.checks.sources import catalogued
from contimg_lab.plots._check_bounds import Bound, bounds_of, levels_of, whose, words_by
from contimg_lab.plots._check_marks import word_points
from contimg_lab.plots._check_outcomes import bars_chart
from contimg_lab.plots._check_report import Floats, ReportLike
from contimg_lab.plots._check_words import headline, in_words
from contimg_lab.plots.chart import Axis, Band, Chart, Column, Level, Line, Points

__all__ = ["astrometry_chart", "completeness_chart", "ratio_chart"]

_BIN = 0.05
_LEAST_TOP = 2.0
_MOST_TOP = 4.0
_ARCSEC = 1e3


def ratio_chart(report: ReportLike, check: str) -> Chart:
    """Histogram of flux over catalogued flux, with the band of a good hour and hours' medians."""
    night = report.columns
    _, found, ratio = catalogued(night, report.thresholds.of(check))
    mine = found & np.isin(night.photometry["hour"], night.hours)
    values = ratio[mine]
    n_sources = len(set(night.photometry["source_id"][mine].tolist()))
    judged = [
        one for one in report.of(check) if one.value is not None and one.word != NOT_APPLICABLE
    ]
    medians = np.array([one.value for one in judged], float)
    top = float(np.clip(np.percentile(values, 99) if len(values) else 0.0, _LEAST_TOP, _MOST_TOP))
    top = max(top, float(medians.max(initial=0.0)) + _BIN)
    edges = np.arange(0.0, top + _BIN, _BIN)
    counts, _ = np.histogram(values, edges)
    beyond = int((values > edges[-1]).sum() + (values < 0.0).sum())
    low, high = (report.thresholds.limits[f"{check}.{name}"] for name in ("low", "high"))
    most = float(counts.max(initial=1))
    # the hours' medians stand one above the other over the bars
    step = min(0.05, 0.3 / max(len(judged), 1))
    place = np.array([0.97 - i * step for i in range(len(judged))], float)
    marks = tuple(
        Points(
            role=part.role, name=part.name, label=part.label, x=part.x, y=part.y, pinned=True,
            columns=part.columns, overlay=True,
        )
        for part in word_points(
            medians, place, [one.word for one in judged], "median of an hour",
            columns=(
                Column(name="hour", values=tuple(f"{one.hour:02d} UTC" for one in judged)),
                Column(name="why", values=tuple(one.why for one in judged)),
            ),
        )
    )  # fmt: skip
    stairs = Line(
        role="hour median", x=np.repeat(edges, 2), y=np.concatenate([[0.0], np.repeat(counts, 2),
                                                                   [0.0]]),
        label=f"measurements (N = {len(values)} of {n_sources} sources"
        f"{f', {beyond} beyond the plot' if beyond else ''})",
    )  # fmt: skip
    words = f"fail outside {low.value:g} to {high.value:g} ({whose(low.source)})"
    told = [
        f"{len(values)} measurements of {n_sources} catalogued sources found in all hours",
        *(f"hour {one.hour:02d} median {one.value:.3g}" for one in judged),
    ]
    bounds = (Bound("fail", "below", low.value, low.source),
              Bound("fail", "above", high.value, high.source))  # fmt: skip
    return Chart(
        name=f"check {check}", noun="hour",
        title=headline(report, check, f"{len(values)} measurements"),
        x=Axis(label="Measured over catalogued (NVSS) flux", name="ratio", limits=(0.0, edges[-1])),
        y=Axis(label=f"Measurements in a bin of {_BIN:g}", name="measurements",
               limits=(0.0, most * (1.5 if judged else 1.1))),
        points=marks, lines=(stairs,),
        levels=(Level(role="fail line", axis="x", at=low.value, label=words),
                Level(role="fail line", axis="x", at=high.value)),
        bands=(Band(role="good band", x=(low.value, high.value)),
               *(Band(role="bar", x=(left, left + _BIN), y=(0.0, float(n)))
                 for left, n in zip(edges[:-1].tolist(), counts.tolist(), strict=True) if n)),
        columns=1,
        alt=in_words(report, check, "Measured over catalogued flux", values, "", bounds, told),
    )  # fmt: skip


def completeness_chart(report: ReportLike, check: str) -> Chart:
    """Share of an hour's catalogued sources that its images show, as bars with the limits."""
    chart = bars_chart(
        report, check, bounds_of(report, check, "below"),
        Axis(label="Catalogued sources found", name="share found"), top=1.05,
    )  # fmt: skip
    return dataclasses.replace(chart, columns=1)  # it stands beside another, in half the width


def astrometry_chart(report: ReportLike, check: str) -> Chart:
    """Measured offsets in right ascension and declination, with the circle of the limit."""
    rows = report.columns.astrometry
    least = report.thresholds.of(check)["fewest"]
    east, north = rows["ra_offset_mas"] / _ARCSEC, rows["dec_offset_mas"] / _ARCSEC
    known = np.isfinite(east) & np.isfinite(north) & (rows["n_matches"] >= least)
    offset: Floats = np.where(known, np.hypot(east, north), np.nan)
    bounds = tuple(
        Bound(b.word, b.side, b.at / _ARCSEC, b.source, "arcsec")
        for b in bounds_of(report, check, "above", warn_offset_mas=WARN)
    )
    turn = np.linspace(0.0, 2.0 * np.pi, 121)
    _, far = levels_of(bounds, offset)
    rings = tuple(
        Line(role="cut", x=b.at * np.cos(turn), y=b.at * np.sin(turn), label=b.words)
        for b in bounds if not far
    )  # fmt: skip
    reach = float(np.nanmax(offset)) if known.any() else 1.0
    edge = 1.15 * max([reach, *(b.at for b in bounds if not far)])
    columns = (
        Column(name="matches", values=rows["n_matches"]),
        Column(name="rms", values=rows["rms_residual_mas"] / _ARCSEC, unit="arcsec"),
    )
    return Chart(
        name=f"check {check}", noun="solution",
        title=headline(report, check, f"{int(known.sum())} solutions"),
        x=Axis(label="Offset in right ascension (arcsec)", name="RA offset", unit="arcsec",
               limits=(-edge, edge)),
        y=Axis(label="Offset in declination (arcsec)", name="dec offset", unit="arcsec",
               limits=(-edge, edge)),
        points=word_points(east, np.where(known, north, np.nan), words_by(offset, bounds),
                           "solution", keys=tuple(rows["id"]), columns=columns),
        lines=rings,
        levels=(*far, Level(role="constant", axis="x", at=0.0),
                Level(role="constant", axis="y", at=0.0)),
        alt=in_words(report, check, "Measured offset of positions", offset, "arcsec", bounds),
    )  # fmt: skip
