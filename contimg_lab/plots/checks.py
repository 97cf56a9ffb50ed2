"""Figures of the checks of a night: the picture that a reviewer looks at, for each of them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import NotFound
from contimg_lab.plots._check_charts import check_chart
from contimg_lab.plots._check_figure import CheckFigure
from contimg_lab.plots._check_words import why_no_chart
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes, write_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from contimg_lab.plots._check_report import ReportLike
    from contimg_lab.plots.chart import Chart

__all__ = ["CheckFigure", "check_chart", "figure_of_checks", "plot_check"]

_WIDE_IN = 9.0
_HIGH_IN = 3.2
_LOW_IN = 0.7
_SQUARE_IN = 5.0
_LINE_IN, _FOOT_IN = 0.2, 0.15
_COLUMNS = 120
_TOLD = "told"
_PANEL_IN = 3.8
_PANEL = ("flux_ratio", "completeness", "noise")
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
    axes = ensure_axes(ax, (_WIDE_IN, _high_in(chart)))
    _draw(axes, report, check, chart)
    return axes


def figure_of_checks(report: ReportLike, *checks: str) -> CheckFigure:
    """Draw some checks in one figure, which says in its ``alt`` what it shows.

    Checks without a picture are told in words below. Flux ratio, completeness and noise are
    drawn as reviewers know them, in one panel.

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
    charts = {check: check_chart(report, check) for check in checks}
    is_panel = checks == _PANEL
    drawn = [check for check in checks if is_panel or charts[check] is not None]
    told = [line for check in checks if check not in drawn for line in _lines(report, check)]
    heights = [_high_in(charts[check]) for check in drawn]
    places: list[Any] = [[check] for check in drawn]
    if is_panel:
        heights, places = [_PANEL_IN, _PANEL_IN], [list(drawn[:2]), [drawn[2]] * 2]
    if told:
        heights.append(_FOOT_IN + _LINE_IN * len(told))
        places.append([_TOLD])
    figure = CheckFigure(figsize=(_WIDE_IN, sum(heights)), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes: Mapping[Any, Axes] = figure.subplot_mosaic(places, height_ratios=heights)
    for check in drawn:
        _draw(axes[check], report, check, charts[check])
    if told:
        axes[_TOLD].set_axis_off()
        axes[_TOLD].text(0.0, 0.5, "\n".join(told), va="center", fontsize="medium")
    figure.alt = " ".join(
        why_no_chart(report, check) if chart is None else chart.alt
        for check, chart in charts.items()
    )
    return figure


def _lines(report: ReportLike, check: str) -> list[str]:
    return textwrap.wrap(why_no_chart(report, check), _COLUMNS, subsequent_indent="    ")


def _draw(axes: Axes, report: ReportLike, check: str, chart: Chart | None) -> None:
    if chart is None:
        axes.set_axis_off()
        write_empty(axes, why_no_chart(report, check))
        return
    draw_chart(chart, axes)
    if chart.x.name == "UTC":
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True, steps=[1, 2, 3, 6, 10]))
    if _is_square(chart):
        axes.set_aspect("equal")


def _high_in(chart: Chart | None) -> float:
    if chart is None:
        return _LOW_IN
    if _is_square(chart):
        return _SQUARE_IN
    return _HIGH_IN if chart.y.kind != "rows" else 1.9 + _ROW_IN * len(chart.y.rows)


def _is_square(chart: Chart) -> bool:
    """Whether both axes are of one kind, as offsets on the sky are."""
    return chart.x.limits is not None and chart.x.limits == chart.y.limits
