"""Figures of the checks of a night: the picture that a reviewer looks at, for each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.checks import NOT_APPLICABLE
from contimg_lab.errors import NotFound
from contimg_lab.plots import (
    _check_calibration,
    _check_images,
    _check_scatter,
    _check_sources,
    _check_work,
)
from contimg_lab.plots._check_figure import CheckFigure
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes, write_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from contimg_lab.plots._check_marks import ReportLike
    from contimg_lab.plots.chart import Chart

__all__ = ["check_chart", "figure_of_checks", "plot_check"]

_WIDE_IN = 9.0
_HIGH_IN = 3.6
_LOW_IN = 0.7
_ROW_IN = 0.22

_CHARTS: Mapping[str, Callable[[ReportLike, str], Chart | None]] = {
    "astrometry": _check_sources.astrometry_chart,
    "beam": _check_images.axis_ratio_chart,
    "beam_angle": _check_images.angle_chart,
    "beam_size": _check_images.size_chart,
    "calibration": _check_calibration.windows_chart,
    "calibration_age": _check_calibration.age_chart,
    "calibration_antennas": _check_calibration.antennas_chart,
    "calibration_flagged": _check_calibration.flagged_chart,
    "calibration_gains": _check_calibration.gains_coverage_chart,
    "calibration_snr": _check_calibration.snr_chart,
    "calibration_tier": _check_calibration.tier_chart,
    "completeness": _check_sources.completeness_chart,
    "declination": _check_work.declination_chart,
    "dynamic_range": _check_images.dynamic_range_chart,
    "failed": _check_work.failed_chart,
    "flux_ratio": _check_sources.ratio_chart,
    "gaps": _check_work.gaps_chart,
    "image_gain": _check_images.gain_chart,
    "noise": _check_images.noise_chart,
    "pointing": _check_work.pointing_chart,
    "tiles": _check_work.tiles_chart,
}


def check_chart(report: ReportLike, check: str) -> Chart | None:
    """Describe what a reviewer looks at for one check.

    Parameters
    ----------
    report
        A `NightReport`.
    check
        Name of a check.

    Returns
    -------
    Chart or None
        Points marked by their word in shape and colour, the limits with whose they are, hours
        of UTC. None where nothing could be judged, and where a picture says no more than a
        number does.

    Raises
    ------
    NotFound
        The report has no such check.
    """
    outcomes = report.of(check)
    if not outcomes:
        raise NotFound("check", check, "report.words() names those that there are")
    if all(one.word == NOT_APPLICABLE for one in outcomes):
        return None
    return _CHARTS.get(check, _check_scatter.outcome_chart)(report, check)


def plot_check(report: ReportLike, check: str, ax: Axes | None = None) -> Axes:
    """Draw what a reviewer looks at for one check; words where there is no picture.

    Parameters
    ----------
    report, check
        As for `check_chart`.
    ax
        Axes to draw on; new ones where there are none.

    Raises
    ------
    NotFound
        The report has no such check.
    """
    chart = check_chart(report, check)
    axes = ensure_axes(ax, (_WIDE_IN, _LOW_IN if chart is None else _high_in(chart)))
    _draw(axes, report, check, chart)
    return axes


def figure_of_checks(report: ReportLike, *checks: str) -> CheckFigure:
    """Draw some checks in one figure, which says in its ``alt`` what it shows.

    Three are drawn as reviewers know them: two above, and the third below in full width.

    Parameters
    ----------
    report
        A `NightReport`.
    *checks
        Names of checks; one at least.

    Raises
    ------
    NotFound
        The report has no such check, or none was named.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if not checks:
        raise NotFound("check", "", "name one at least")
    charts = [check_chart(report, check) for check in checks]
    heights = [_LOW_IN if chart is None else _high_in(chart) for chart in charts]
    above = len(checks) == 3
    if above:
        heights = [max(_HIGH_IN, *heights[:2]), heights[2]]
    figure = CheckFigure(figsize=(_WIDE_IN, sum(heights)), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    places = [[0, 1], [2, 2]] if above else [[i] for i in range(len(checks))]
    axes: Mapping[Any, Axes] = figure.subplot_mosaic(places, height_ratios=heights)
    for i, (check, chart) in enumerate(zip(checks, charts, strict=True)):
        _draw(axes[i], report, check, chart)
    figure.alt = " ".join(
        _why_none(report, check) if chart is None else chart.alt
        for check, chart in zip(checks, charts, strict=True)
    )
    return figure


def _draw(axes: Axes, report: ReportLike, check: str, chart: Chart | None) -> None:
    if chart is None:
        axes.set_axis_off()
        write_empty(axes, _why_none(report, check))
        return
    draw_chart(chart, axes)
    if chart.x.name == "UTC":
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True, steps=[1, 2, 3, 6, 10]))
    if chart.y.name == "dec offset":
        axes.set_aspect("equal")


def _high_in(chart: Chart) -> float:
    if chart.y.name == "dec offset":
        return 5.0
    return _HIGH_IN if chart.y.kind != "rows" else 1.9 + _ROW_IN * len(chart.y.rows)


def _why_none(report: ReportLike, check: str) -> str:
    """Say why a check has no picture."""
    outcomes = report.of(check)
    unjudged = dict.fromkeys(one.why for one in outcomes if one.word == NOT_APPLICABLE)
    if len(unjudged) and all(one.word == NOT_APPLICABLE for one in outcomes):
        return f"{check}: not applicable; {'; '.join(list(unjudged)[:2])}."
    told = dict.fromkeys(f"{one.word}: {one.why}" for one in outcomes)
    return f"{check}: {'; '.join(list(told)[:2])}."
