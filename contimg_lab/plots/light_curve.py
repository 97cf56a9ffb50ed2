"""One source's flux against time: errors, upper limits, epochs left out, weighted mean."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from contimg_lab.plots._style import (
    COLOURS,
    add_mjd_axis,
    draw_legend,
    ensure_axes,
    pad_limits,
    write_empty,
)
from contimg_lab.services.light_curve import DETECTION_SIGMA

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["ExcludedLike", "LightCurveLike", "display_unit", "plot_light_curve"]

_REASON_MARKERS = ("x", "+", "1", "2", "3", "4")


class ExcludedLike(Protocol):
    """Epochs that do not count."""

    @property
    def mjd(self) -> NDArray[np.float64]:
        """Their times; NaN where even that is unknown."""

    @property
    def reason(self) -> NDArray[Any]:
        """Why each was left out."""


class LightCurveLike(Protocol):
    """What a light curve must have to be drawn; `services.light_curve.LightCurve` has it."""

    @property
    def source_id(self) -> str:
        """Name of the source."""

    @property
    def ra_deg(self) -> float:
        """Right ascension in degrees; NaN where unknown."""

    @property
    def dec_deg(self) -> float:
        """Declination in degrees; NaN where unknown."""

    @property
    def mjd(self) -> NDArray[np.float64]:
        """Epochs used, in time order."""

    @property
    def flux_jy(self) -> NDArray[np.float64]:
        """Flux densities of the epochs used."""

    @property
    def flux_err_jy(self) -> NDArray[np.float64]:
        """Errors of the flux densities."""

    @property
    def flux_column(self) -> NDArray[Any]:
        """Column that each flux came from: flux_jy or peak_jyb."""

    @property
    def time_source(self) -> NDArray[Any]:
        """Where each epoch's time came from."""

    @property
    def is_detection(self) -> NDArray[np.bool_]:
        """True where the flux is at least three errors."""

    @property
    def excluded(self) -> ExcludedLike:
        """Epochs left out."""


def plot_light_curve(lc: LightCurveLike, ax: Axes | None = None) -> Axes:
    """Draw a light curve.

    Detections stand with their errors. A flux below 3 of its errors is an upper limit: an
    arrow hangs from 3 errors, and the measured value stays visible, faint. Epochs left out
    are marked along the lower edge by reason. The line and its band are the weighted mean
    and its error, over detections and non-detections alike.

    Parameters
    ----------
    lc
        The light curve.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes, with MJD written out below and UTC dates above.
    """
    axes = ensure_axes(ax, (7.2, 4.0))
    mjd = np.asarray(lc.mjd, dtype=np.float64)
    err_jy = np.asarray(lc.flux_err_jy, dtype=np.float64)
    flux_jy = np.asarray(lc.flux_jy, dtype=np.float64)
    peak = np.asarray(lc.flux_column) == "peak_jyb"
    found = np.asarray(lc.is_detection, dtype=bool)
    scale, unit = display_unit(flux_jy)
    _set_time_limits(axes, np.concatenate([mjd, np.asarray(lc.excluded.mjd, dtype=np.float64)]))
    if mjd.size:
        _draw_mean(axes, flux_jy * scale, err_jy * scale, unit)
        for mask, label, marker in (
            (found & ~peak, "detection", "o"),
            (found & peak, "detection (peak)", "s"),
        ):
            _draw_points(
                axes, mjd[mask], flux_jy[mask] * scale, err_jy[mask] * scale, label, marker
            )
        _draw_limits(axes, mjd[~found], flux_jy[~found] * scale, err_jy[~found] * scale)
    else:
        write_empty(axes, "no epoch with a valid flux and error")
    _draw_excluded(axes, lc)
    _draw_doubtful_times(axes, mjd, np.asarray(lc.time_source))
    add_mjd_axis(axes)
    axes.set_ylabel(_flux_label(peak, unit))
    axes.set_title(_title(lc), fontsize="medium")
    axes.grid(visible=True, alpha=0.25, linewidth=0.5)
    draw_legend(axes)
    return axes


def display_unit(flux_jy: NDArray[np.float64]) -> tuple[float, str]:
    """Factor and unit in which fluxes are drawn: mJy where most are below 1 Jy, else Jy."""
    if flux_jy.size == 0 or float(np.median(np.abs(flux_jy))) < 1.0:
        return 1e3, "mJy"
    return 1.0, "Jy"


def _draw_points(
    ax: Axes,
    mjd: NDArray[np.float64],
    flux: NDArray[np.float64],
    err: NDArray[np.float64],
    label: str,
    marker: str,
) -> None:
    if mjd.size:
        ax.errorbar(
            mjd, flux, yerr=err, fmt=marker, ms=3.5, lw=0, elinewidth=0.9, capsize=0,
            color=COLOURS["blue"], label=f"{label} ({mjd.size})", zorder=3,
        )  # fmt: skip


def _draw_limits(
    ax: Axes, mjd: NDArray[np.float64], flux: NDArray[np.float64], err: NDArray[np.float64]
) -> None:
    if not mjd.size:
        return
    from matplotlib.path import Path

    codes = [Path.MOVETO, Path.LINETO] * 4
    arrow = Path(
        [(-0.5, 0), (0.5, 0), (0, 0), (0, -1), (-0.3, -0.65), (0, -1), (0.3, -0.65), (0, -1)],
        codes,
    )
    ax.errorbar(
        mjd, flux, yerr=err, fmt="o", ms=3, mfc="none", lw=0, elinewidth=0.6, alpha=0.35,
        color=COLOURS["grey"], zorder=2,
    )  # fmt: skip
    ax.plot(
        mjd, DETECTION_SIGMA * err, ls="", marker=arrow, ms=12, mew=1.1, mfc="none",
        color=COLOURS["vermilion"], label=f"upper limit, 3 errors ({mjd.size})", zorder=3,
    )  # fmt: skip


def _draw_mean(ax: Axes, flux: NDArray[np.float64], err: NDArray[np.float64], unit: str) -> None:
    weight = err**-2.0
    total = float(weight.sum())
    if not (np.isfinite(total) and total > 0.0):
        return
    mean = float((weight * flux).sum()) / total
    half = total**-0.5
    ax.axhspan(mean - half, mean + half, color=COLOURS["orange"], alpha=0.3, lw=0, zorder=1)
    ax.axhline(
        mean, color=COLOURS["orange"], lw=1.2, zorder=1,
        label=f"weighted mean {_with_error(mean, half)} {unit}",
    )  # fmt: skip


def _draw_excluded(ax: Axes, lc: LightCurveLike) -> None:
    mjd = np.asarray(lc.excluded.mjd, dtype=np.float64)
    reasons = np.asarray([str(reason) for reason in lc.excluded.reason], dtype=object)
    for i, (reason, count) in enumerate(sorted(Counter(reasons.tolist()).items())):
        at = mjd[reasons == reason]
        timed = at[np.isfinite(at)]
        untimed = f", {count - timed.size} without a time" if timed.size < count else ""
        ax.plot(
            timed, np.full(timed.size, 0.03), ls="", transform=ax.get_xaxis_transform(),
            marker=_REASON_MARKERS[i % len(_REASON_MARKERS)], ms=6, mew=1.2,
            color=COLOURS["black"], label=f"left out: {reason} ({count}{untimed})", zorder=4,
        )  # fmt: skip


def _draw_doubtful_times(ax: Axes, mjd: NDArray[np.float64], source: NDArray[Any]) -> None:
    late = mjd[source == "measured_at"] if source.size == mjd.size else mjd[:0]
    if late.size:
        ax.plot(
            late, np.full(late.size, 0.97), ls="", marker="|", ms=6, color=COLOURS["purple"],
            transform=ax.get_xaxis_transform(), label=f"time of measurement only ({late.size})",
        )  # fmt: skip


def _set_time_limits(ax: Axes, mjd: NDArray[np.float64]) -> None:
    timed = mjd[np.isfinite(mjd)]
    if timed.size:
        ax.set_xlim(*pad_limits(float(timed.min()), float(timed.max()), 0.03, 0.01))


def _flux_label(peak: NDArray[np.bool_], unit: str) -> str:
    if peak.size and peak.all():
        return f"Peak flux density ({unit}/beam)"
    if peak.any():
        return f"Flux density ({unit}; peaks {unit}/beam)"
    return f"Flux density ({unit})"


def _title(lc: LightCurveLike) -> str:
    if not (np.isfinite(lc.ra_deg) and np.isfinite(lc.dec_deg)):
        return str(lc.source_id)
    return f"{lc.source_id}   RA {lc.ra_deg:.4f}°, Dec {lc.dec_deg:+.4f}°"


def _with_error(value: float, error: float) -> str:
    """Write a value and its error to two digits of the error."""
    digits = max(0, 1 - int(np.floor(np.log10(error)))) if error > 0.0 else 3
    return f"{value:.{digits}f} ± {error:.{digits}f}"
