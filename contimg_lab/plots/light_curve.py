"""One source's flux against time: errors, upper limits, epochs left out, weighted mean."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes, pad_limits
from contimg_lab.plots.chart import Axis, Band, Chart, Column, Level, Points
from contimg_lab.services.light_curve import DETECTION_SIGMA

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = [
    "ExcludedLike",
    "LightCurveLike",
    "display_unit",
    "light_curve_chart",
    "plot_light_curve",
]

_LOW, _HIGH = 0.03, 0.97  # shares of the height at which marks of time alone stand


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
    return draw_chart(light_curve_chart(lc), ensure_axes(ax, (7.2, 4.0)))


def light_curve_chart(lc: LightCurveLike) -> Chart:
    """Describe a light curve as `plot_light_curve` draws it.

    Where the curve tells ids of rows (``row_id``), these are the keys of its points; where it
    tells images (``image_path``), they stand in the row of each point.

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> with cl.demo() as lab:
    ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
    >>> chart = light_curve_chart(lc)
    >>> chart.x.kind, chart.y.label
    ('mjd', 'Flux density (mJy)')
    >>> set(lc.row_id.tolist()) <= set(chart.keys())
    True
    """
    mjd = np.asarray(lc.mjd, dtype=np.float64)
    scale, unit = display_unit(np.asarray(lc.flux_jy, dtype=np.float64))
    flux = np.asarray(lc.flux_jy, dtype=np.float64) * scale
    err = np.asarray(lc.flux_err_jy, dtype=np.float64) * scale
    peak = np.asarray(lc.flux_column) == "peak_jyb"
    found = np.asarray(lc.is_detection, dtype=bool)
    keys = _keys(lc)
    images = _texts(lc, "image_path", "image")

    def part(mask: NDArray[np.bool_], role: str, name: str, **options: Any) -> Points:
        told = options.pop("columns", ()) + images
        return Points(
            role=role, name=name, x=mjd[mask],
            keys=tuple(key for key, keep in zip(keys, mask.tolist(), strict=False) if keep),
            columns=tuple(column.take(mask) for column in told), **options,
        )  # fmt: skip

    points = [
        part(mask, role, name, y=flux[mask], err=err[mask])
        for mask, role, name in (
            (found & ~peak, "detection", "detection"),
            (found & peak, "peak", "detection (peak)"),
        )
        if mask.any()
    ]
    faint = ~found
    if faint.any():
        measured = Column(name="measured", values=flux, err=err, unit=unit)
        points += [
            part(faint, "measured", "below 3 errors", y=flux[faint], err=err[faint], overlay=True,
                 label=f"measured, below 3 errors ({int(faint.sum())})"),
            part(faint, "limit", "upper limit, 3 errors", y=DETECTION_SIGMA * err[faint],
                 columns=(measured,)),
        ]  # fmt: skip
    points += _left_out(lc, scale, unit)
    source = np.asarray(lc.time_source)
    late = source == "measured_at" if source.size == mjd.size else np.zeros(mjd.size, dtype=bool)
    if late.any():
        points.append(
            part(late, "late", "time of measurement only", y=np.full(int(late.sum()), _HIGH),
                 pinned=True, overlay=True)
        )  # fmt: skip
    mean, half = _weighted_mean(flux, err)
    known = np.isfinite(mean)
    told_mean = f"weighted mean {_with_error(mean, half)} {unit}" if known else ""
    return Chart(
        name=f"light curve of {lc.source_id}",
        title=_title(lc),
        noun="row",
        x=Axis(
            label="MJD (UTC, days)", name="MJD", kind="mjd",
            limits=_time_limits(np.concatenate([mjd, np.asarray(lc.excluded.mjd, dtype=float)])),
        ),
        y=Axis(label=_flux_label(peak, unit), name="flux", unit=unit),
        points=tuple(points),
        levels=(Level(role="mean", axis="y", at=mean, label=told_mean),) if known else (),
        bands=(Band(role="mean", y=(mean - half, mean + half)),) if known else (),
        empty="" if mjd.size else "no epoch with a valid flux and error",
        alt=_words(lc, points, told_mean, flux, err, unit),
    )  # fmt: skip


def display_unit(flux_jy: NDArray[np.float64]) -> tuple[float, str]:
    """Factor and unit in which fluxes are drawn: mJy where most are below 1 Jy, else Jy."""
    # np.median would import numpy.ma, for which a first light curve would have to wait
    if flux_jy.size == 0 or median(np.abs(flux_jy).tolist()) < 1.0:
        return 1e3, "mJy"
    return 1.0, "Jy"


def _keys(values: object) -> tuple[Any, ...]:
    rows = getattr(values, "row_id", None)
    return () if rows is None else tuple(np.asarray(rows).tolist())


def _texts(values: object, attribute: str, name: str) -> tuple[Column, ...]:
    """A column of paths without their folders, where there is one."""
    paths = getattr(values, attribute, None)
    if paths is None:
        return ()
    texts = tuple("" if path is None else str(path).rsplit("/", 1)[-1] for path in paths)
    return (Column(name=name, values=texts),)


def _left_out(lc: LightCurveLike, scale: float, unit: str) -> list[Points]:
    """Marks along the lower edge, one shape a reason."""
    out = lc.excluded
    mjd = np.asarray(out.mjd, dtype=np.float64)
    reasons = np.asarray([str(reason) for reason in out.reason], dtype=object)
    columns = _texts(out, "image_path", "image")
    flux = getattr(out, "flux_jy", None)
    if flux is not None:
        values = np.asarray(flux, dtype=np.float64) * scale
        err = np.asarray(getattr(out, "flux_err_jy", np.full(mjd.size, np.nan)), dtype=np.float64)
        columns = (Column(name="flux", values=values, err=err * scale, unit=unit), *columns)
    marks = []
    for i, (reason, count) in enumerate(sorted(Counter(reasons.tolist()).items())):
        mask = (reasons == reason) & np.isfinite(mjd)
        timed = int(mask.sum())
        untimed = f", {count - timed} without a time" if timed < count else ""
        keys = tuple(key for key, keep in zip(_keys(out), mask.tolist(), strict=False) if keep)
        marks.append(
            Points(
                role="left out", variant=i, name=f"left out: {reason}", x=mjd[mask],
                y=np.full(timed, _LOW), pinned=True, keys=keys,
                label=f"left out: {reason} ({count}{untimed})",
                columns=tuple(column.take(mask) for column in columns),
            )
        )  # fmt: skip
    return marks


def _weighted_mean(flux: NDArray[np.float64], err: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and its error over detections and non-detections alike; NaN where there is none."""
    weight = err**-2.0
    total = float(weight.sum())
    if not (np.isfinite(total) and total > 0.0):
        return np.nan, np.nan
    return float((weight * flux).sum()) / total, total**-0.5


def _words(
    lc: LightCurveLike,
    points: list[Points],
    mean: str,
    flux: NDArray[np.float64],
    err: NDArray[np.float64],
    unit: str,
) -> str:
    """The light curve in one sentence, for who cannot see it."""
    told = [part.words for part in points if not part.overlay]
    mjd = np.asarray(lc.mjd, dtype=np.float64)
    timed = mjd[np.isfinite(mjd)]
    if timed.size:
        told.append(f"MJD {timed.min():.5f} to {timed.max():.5f}")
    if flux.size:
        low, high = int(flux.argmin()), int(flux.argmax())
        told.append(
            f"flux from {_with_error(float(flux[low]), float(err[low]))} "
            f"to {_with_error(float(flux[high]), float(err[high]))} {unit}"
        )
    if mean:
        told.append(mean)
    return f"Light curve of {lc.source_id}: {', '.join(told) or 'no epoch'}."


def _time_limits(mjd: NDArray[np.float64]) -> tuple[float, float] | None:
    timed = mjd[np.isfinite(mjd)]
    return pad_limits(float(timed.min()), float(timed.max()), 0.03, 0.01) if timed.size else None


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
