"""A light curve from an astropy table or time series, and as lightkurve's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.errors import AbsentFeature, InvalidInput
from contimg_lab.services._origin import Origin
from contimg_lab.services.exports._tables import OURS
from contimg_lab.services.light_curve import DETECTION_SIGMA, Excluded, LightCurve

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["light_curve_of", "lightkurve_of"]


def light_curve_of(table: Table, source_id: str | None) -> LightCurve:
    """Make a light curve of a table; see `contimg_lab.services.exports.from_astropy`."""
    if not hasattr(table, "colnames"):
        raise InvalidInput(f"{type(table).__name__} is no astropy Table and no TimeSeries")
    told = _told(table)
    mjd = _mjd(table)
    flux, is_peak = _fluxes(table, "flux")
    error, error_is_peak = _fluxes(table, "flux_err")
    kind = _texts(table, "flux_column")
    if kind is None:
        if is_peak != error_is_peak:
            raise InvalidInput("columns flux and flux_err: one is Jy/beam, the other Jy")
        kind = np.full(len(mjd), "peak_jyb" if is_peak else "flux_jy", object)
    reason = _reasons(table, flux, error)
    row_id = np.full(len(mjd), -1, np.int64)
    if "row_id" in table.colnames:
        row_id = np.asarray(np.ma.filled(np.ma.asarray(table["row_id"]), -1), np.int64)
    path = _texts(table, "image_path")
    source = _texts(table, "time_source")
    if source is None:
        source = np.full(len(mjd), "mjd", object)
    source[~np.isfinite(mjd)] = "unknown"
    order = np.lexsort((row_id, mjd))  # NaN last
    used, out = (order[(reason[order] == "") == yes] for yes in (True, False))
    path = np.full(len(mjd), None, object) if path is None else path
    return LightCurve(
        source_id=str(source_id or told.get("source_id") or told.get("LABEL") or "unnamed"),
        ra_deg=_number(told, "ra_deg", "RA"),
        dec_deg=_number(told, "dec_deg", "DEC"),
        nvss_flux_mjy=_number(told, "nvss_flux_mjy"),
        mjd=mjd[used],
        time_source=source[used],
        flux_jy=flux[used],
        flux_err_jy=error[used],
        flux_column=kind[used],
        is_detection=flux[used] >= DETECTION_SIGMA * error[used],
        row_id=row_id[used],
        image_path=path[used],
        excluded=Excluded(
            mjd=mjd[out],
            flux_jy=flux[out],
            flux_err_jy=error[out],
            reason=reason[out],
            row_id=row_id[out],
            image_path=path[out],
        ),
        provenance=_origin(table),
    )


def lightkurve_of(curve: LightCurve) -> Any:
    """Make a ``lightkurve.LightCurve``; see `contimg_lab.services.exports.to_lightkurve`."""
    try:
        import lightkurve
    except ImportError as error:
        raise AbsentFeature(
            "lightkurve is not installed here; pip install 'contimg-lab[lightkurve]'"
        ) from error
    series = curve.to_astropy()
    names = [name for name in series.colnames if name not in ("time", "flux", "flux_err")]
    made = lightkurve.LightCurve(
        time=series["time"],
        flux=series["flux"],
        flux_err=series["flux_err"],
        meta={
            **series.meta,
            "LABEL": curve.source_id,
            "RA": curve.ra_deg,
            "DEC": curve.dec_deg,
        },
    )
    for name in names:
        made[name] = series[name]
    return made


def _told(table: Table) -> dict[str, Any]:
    ours = table.meta.get(OURS)
    attrs = ours.get("attrs") if isinstance(ours, Mapping) else None
    return {**table.meta, **(attrs if isinstance(attrs, Mapping) else {})}


def _origin(table: Table) -> Origin | None:
    told = table.meta.get("provenance")
    return Origin.from_mapping(told) if isinstance(told, Mapping) else None


def _number(told: Mapping[str, Any], *names: str) -> float:
    for name in names:
        value = told.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    return float("nan")


def _mjd(table: Table) -> NDArray[np.float64]:
    from astropy.time import Time

    for name in ("time", "mjd"):
        column = table[name] if name in table.colnames else None
        if isinstance(column, Time):
            return _filled(column.utc.mjd)
        if name == "mjd" and column is not None:
            return _filled(getattr(column, "value", column))
    raise InvalidInput("the table has no column time (an astropy Time) and no column mjd")


def _fluxes(table: Table, name: str) -> tuple[NDArray[np.float64], bool]:
    """Numbers in Jy, or in Jy/beam (then True)."""
    from astropy import units as u

    found = next((n for n in (f"{name}_jy", name) if n in table.colnames), None)
    if found is None:
        raise InvalidInput(f"the table has no column {name} and no column {name}_jy")
    column = table[found]
    unit = column.unit
    if unit is None:
        if not found.endswith("_jy"):
            raise InvalidInput(f"column {found} has no unit; give it one that Jy is made of")
        unit = u.Jy
    values = _filled(getattr(column, "value", column))
    for wanted, is_peak in ((u.Jy, False), (u.Jy / u.beam, True)):
        if unit == wanted:  # no factor, so no rounding
            return values, is_peak
        if unit.is_equivalent(wanted):
            return values * unit.to(wanted), is_peak
    raise InvalidInput(f"column {found} is in {unit}, which is neither Jy nor Jy/beam")


def _filled(values: Any) -> NDArray[np.float64]:
    numbers = getattr(values, "unmasked", values)
    mask = np.broadcast_to(getattr(values, "mask", False), np.shape(numbers))
    try:
        # a copy: the light curve's arrays are locked, the table's are not ours
        filled = np.array(np.ma.getdata(numbers), np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"a column of times or fluxes holds no numbers: {error}") from error
    filled[mask] = np.nan
    return filled


def _texts(table: Table, name: str) -> NDArray[np.object_] | None:
    if name not in table.colnames:
        return None
    column = np.ma.asarray(table[name])
    texts = column.data.astype(object)
    texts[np.ma.getmaskarray(column)] = None
    texts[texts == ""] = None
    return np.asarray(texts, object)


def _reasons(
    table: Table, flux: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.object_]:
    """Why each row does not count; "" where it does."""
    reason = np.full(len(flux), "", object)
    if "used" in table.colnames:
        used = np.ma.filled(np.ma.asarray(table["used"]), False).astype(bool)
        told = _texts(table, "reason")
        for k in np.flatnonzero(~used):
            reason[k] = (told[k] if told is not None else None) or "not used"
    free = reason == ""
    with np.errstate(invalid="ignore"):
        reason[free & (error <= 0)] = "error not positive"
    reason[free & ~(np.isfinite(flux) & np.isfinite(error))] = "not finite"
    reason[free & (np.isnan(flux) | np.isnan(error))] = "missing"
    return reason
