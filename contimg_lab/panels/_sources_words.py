"""What the sources panel says: the columns of its table, and one source's numbers in words."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._table import Column, Table, Written, numbers
from contimg_lab.panels._words import escape, number, plain, probability, short_ms, utc

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.panels._units import UnitColumns
    from contimg_lab.services.light_curve import LightCurve
    from contimg_lab.services.light_curve_periods import Periodogram

__all__ = [
    "brief_html",
    "columns_of",
    "image_columns",
    "mean_words",
    "numbers_words",
    "period_words",
    "row_of",
    "show_sources",
    "sky_columns",
    "with_error",
]

PEAK = "*"
_FEW = "too few epochs are used"
_SURE, _DOUBTFUL = 0.001, 0.01


def show_sources(
    table: Table,
    frame: pd.DataFrame,
    units: UnitColumns,
    *,
    total: int,
    selected: str | None,
    marked: Collection[str],
) -> None:
    """Show sources in a table."""
    keys = frame["source_id"].tolist()
    note = ""
    if _has_peaks(frame).any():
        note = f"; {PEAK} some or all of its epochs are peaks, in {units.flux_unit}/beam"
    columns = columns_of(frame, units)
    table.show(columns, keys, total=total, selected=selected, note=note, marked=marked)


def columns_of(sources: pd.DataFrame, units: UnitColumns) -> list[Column]:
    """Return the columns of the table of sources; a separation where there was a search."""

    def values(name: str) -> np.ndarray[Any, Any]:
        return sources[name].to_numpy(dtype=np.float64, na_value=np.nan)

    columns = [Column(title="source", texts=sources["source_id"].tolist())]
    if "separation_arcsec" in sources and sources["separation_arcsec"].notna().any():
        apart = values("separation_arcsec") / 60.0
        columns.append(numbers("from (arcmin)", apart, _three, "found by name, not by place"))
    nowhere = "no position is recorded"
    columns += [
        units.ra(values("ra_deg"), nowhere),
        units.dec(values("dec_deg"), nowhere),
        numbers("epochs", sources["n_used"].to_numpy()),
        _means(values("weighted_mean_jy"), values("weighted_mean_err_jy"), sources, units),
        numbers("η", values("eta"), number, _FEW),
        numbers("V", values("v"), number, _FEW),
        numbers("m (debiased)", values("m_debiased"), number, "less scatter than the errors"),
        numbers("p (constant)", values("p_constant"), probability, _FEW),
        numbers("largest Vs", values("vs_max"), number, "no two epochs are used"),
        units.flux("NVSS", values("nvss_flux_mjy") * 1e-3, "no NVSS flux is recorded"),
        numbers("left out", sources["n_excluded"].to_numpy()),
    ]
    return columns


def _means(mean_jy: Any, err_jy: Any, sources: pd.DataFrame, units: UnitColumns) -> Column:
    """Weighted means with their errors in one column, sorted by the mean."""
    peaks, scale = _has_peaks(sources), units.flux_scale
    rows = np.where(np.isfinite(mean_jy), np.arange(len(mean_jy)), np.nan)

    def write(row: float) -> str:
        at = int(row)
        return with_error(mean_jy[at] * scale, err_jy[at] * scale) + PEAK * bool(peaks[at])

    return Column(
        title=f"mean ({units.flux_unit})", name="mean", texts=Written(rows, write),
        sort_by=mean_jy, kind="number", missing=_FEW,
    )  # fmt: skip


def _has_peaks(sources: pd.DataFrame) -> np.ndarray[Any, Any]:
    found: Any = sources["flux_column"].str.contains("peak_jyb", regex=False)
    mask: np.ndarray[Any, Any] = found.to_numpy(dtype=bool)
    return mask


def sky_columns(sources: pd.DataFrame, units: UnitColumns) -> list[Any]:
    """Return what else the row of a source on the sky tells."""
    from contimg_lab.plots.chart import Column as Told

    def told(name: str, column: str, unit: str = "", factor: float = 1.0) -> Any:
        values = sources[column].to_numpy(dtype=np.float64, na_value=np.nan) * factor
        return Told(name=name, values=values, unit=unit)

    return [
        told("mean", "weighted_mean_jy", units.flux_unit, units.flux_scale),
        told("η", "eta"),
        told("V", "v"),
        told("epochs", "n_used"),
    ]


def image_columns(images: pd.DataFrame, units: UnitColumns) -> list[Column]:
    """Return the columns of the table of images in which a source was measured."""
    mjd, flux, err = (
        images[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name in ("mjd", "flux_jy", "flux_err_jy")
    )
    beam = set(plain(images["flux_column"])) == {"peak_jyb"}
    observed = plain(images["observed_at"])
    used = [reason or "yes" for reason in plain(images["reason"])]
    none, timeless = "none was measured", "nothing tells its time"
    return [
        Column(title="image", texts=Written(plain(images["image_path"]), short_ms),
               missing="the row names no image"),
        Column(title="observed (UTC)", texts=Written(observed, utc), sort_by=observed,
               kind="time", missing=timeless),
        numbers("MJD (UTC)", mjd, "{:.5f}".format, timeless),
        units.flux("flux", flux, none, per_beam=beam),
        units.flux("±", err, none, digits=2, per_beam=beam),
        Column(title="used, or why not", texts=used),
        Column(title="night", texts=Written(plain(images["night"]))),
    ]  # fmt: skip


def brief_html(key: str, curve: LightCurve, row: pd.Series[Any] | None, units: UnitColumns) -> str:
    """Return one source's numbers as two lines."""
    known = math.isfinite(curve.ra_deg + curve.dec_deg)
    place = units.position_words(curve.ra_deg, curve.dec_deg)
    where = f"RA, Dec {place}" if known else "no position is recorded"
    found = int(np.sum(curve.is_detection))
    left = curve.excluded.counts()
    why = f" ({', '.join(f'{n} {reason}' for reason, n in left.items())})" if left else ""
    epochs = (
        f"{len(curve)} epochs used: {found} detections, {len(curve) - found} upper limits; "
        f"{sum(left.values())} left out{why}"
    )
    nvss_jy = curve.nvss_flux_mjy * 1e-3
    nvss = f"NVSS {units.flux_words(nvss_jy)}" if math.isfinite(nvss_jy) else ""
    told = "" if row is None else f"{mean_words(row, units)}; {numbers_words(row)}"
    second = "; ".join(part for part in (told, nvss) if part)
    return f"<b>{escape(key)}</b>  {escape(where)}; {escape(epochs)}<br>{escape(second)}"


def row_of(sources: pd.DataFrame | None, key: str) -> pd.Series[Any] | None:
    """Return the row of a source in a table by name; None where it is not there."""
    if sources is None or key not in sources.index:
        return None
    row: pd.Series[Any] = sources.loc[key]  # type: ignore[assignment]
    return row


def mean_words(row: pd.Series[Any], units: UnitColumns) -> str:
    """Write a weighted mean with its error."""
    mean, error = (
        float(row[f"weighted_mean_{name}jy"]) * units.flux_scale for name in ("", "err_")
    )
    if not math.isfinite(mean):
        return "no mean"
    beam = "/beam" if row["flux_column"] == "peak_jyb" else ""
    return f"mean {with_error(mean, error)} {units.flux_unit}{beam}"


def with_error(value: float, error: float) -> str:
    """Write a value and its error, both to two digits of the error.

    Examples
    --------
    >>> with_error(218.43, 2.21), with_error(7.45738, 0.0341), with_error(1.5, float("nan"))
    ('218.4 ± 2.2', '7.457 ± 0.034', '1.50')
    """
    if not (math.isfinite(error) and error > 0.0):
        return number(value)
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def numbers_words(row: pd.Series[Any], *, short: bool = False) -> str:
    """Write what tells whether a source varies."""
    told = [f"η {number(row['eta'])}", f"V {number(row['v'])}"]
    if math.isfinite(row["m_debiased"]) and not short:
        told.append(f"m {number(row['m_debiased'])}")
    if math.isfinite(row["p_constant"]):
        told.append(f"p {probability(float(row['p_constant']))}")
    return ", ".join(told).replace("nan", "undefined")


def period_words(found: Periodogram) -> str:
    """Say what a periodogram found, and how far to trust it."""
    alarm = found.false_alarm_probability
    low, high = 1.0 / found.frequency_per_d[-1], 1.0 / found.frequency_per_d[0]
    searched = f"{found.n} epochs, periods {low:.4g} to {high:.4g} d searched"
    if found.n_untimed:
        searched += f", {found.n_untimed} epochs without a time"
    if found.at_edge:
        return f"No period: the power is highest at the edge of the range, a trend ({searched})."
    period = f"{with_error(found.best_period_d, found.best_period_err_d)} d"
    chance = f"false-alarm probability {probability(alarm)}"
    if alarm <= _SURE:
        sure = "more than noise, if the images' gains do not vary so"
    else:
        sure = "doubtful" if alarm <= _DOUBTFUL else "no more than noise would give"
    return (
        f"Best period {period}, {chance}: {sure}. {searched}; one visit a sidereal day aliases "
        "every period. Click a peak to fold on it."
    )


def _three(value: float) -> str:
    return f"{value:.3f}"
