"""Figures of the checks of a night: the picture that a reviewer looks at, for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.checks import NOT_APPLICABLE
from contimg_lab.errors import NotFound
from contimg_lab.plots._check_charts import check_chart
from contimg_lab.plots._check_figure import CheckFigure
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes, write_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from contimg_lab.plots._check_report import ReportLike
    from contimg_lab.plots.chart import Chart

__all__ = ["CheckFigure", "check_chart", "figure_of_checks", "plot_check"]

_WIDE_IN = 9.0
_HIGH_IN = 3.6
_LOW_IN = 0.7
_SQUARE_IN = 5.0
_ROW_IN = 0.22


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
    places: list[Any] = [[0, 1], [2, 2]] if above else [[i] for i in range(len(checks))]
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
    if _is_square(chart):
        axes.set_aspect("equal")


def _high_in(chart: Chart) -> float:
    if _is_square(chart):
        return _SQUARE_IN
    return _HIGH_IN if chart.y.kind != "rows" else 1.9 + _ROW_IN * len(chart.y.rows)


def _is_square(chart: Chart) -> bool:
    """Whether both axes are of one kind, as offsets on the sky are."""
    return chart.x.limits is not None and chart.x.limits == chart.y.limits


def _why_none(report: ReportLike, check: str) -> str:
    """Say why a check has no picture."""
    outcomes = report.of(check)
    unjudged = dict.fromkeys(one.why for one in outcomes if one.word == NOT_APPLICABLE)
    if all(one.word == NOT_APPLICABLE for one in outcomes):
        return f"{check}: not applicable; {'; '.join(list(unjudged)[:2])}."
    told = dict.fromkeys(f"{one.word}: {one.why}" for one in outcomes)
    return f"{check}: {'; '.join(list(told)[:2])}."
