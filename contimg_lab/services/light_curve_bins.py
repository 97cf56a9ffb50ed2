"""A light curve averaged: in bins of time, relative to its level, and in Bayesian blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab import _faces
from contimg_lab.analysis import curves, timescales
from contimg_lab.errors import InvalidInput
from contimg_lab.services._curve_value import (
    Curve,
    Floats,
    Result,
    brief_unit,
    flux_unit,
    table,
    timed,
    times_told,
)
from contimg_lab.services.light_curve import DETECTION_SIGMA, Excluded
from contimg_lab.services.light_curve_work import CurveWork

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "BinnedCurve",
    "Blocks",
    "NormalizedCurve",
    "bin_curve",
    "find_blocks",
    "normalize_curve",
]

_AND = " + "
_IN_BIN = ("mjd", "start_mjd", "end_mjd", "flux_jy", "flux_err_jy", "n", "chi_squared")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BinnedCurve(CurveWork, Result, curves.Bins):
    """A light curve in bins of time, each array of shape (k,); empty bins are left out.

    It has the arrays and methods of a light curve, so that it can be folded or drawn like one.

    Attributes
    ----------
    source_id, ra_deg, dec_deg
        The source, and its position in degrees (ICRS).
    width_d
        Width of a bin, days.
    start_mjd, end_mjd, mjd
        Edges of each bin and the weighted mean time of its epochs, MJD (UTC).
    flux_jy, flux_err_jy
        Weighted mean and its error, Jy.
    n
        Epochs in the bin.
    chi_squared
        Of the bin's epochs about its mean, n - 1 degrees of freedom; NaN where n is 1.
    is_detection
        Flux at least 3 of its errors.
    time_source, flux_column
        As in the light curve; joined by `` + `` where a bin's epochs differ.
    n_untimed
        Epochs left out because nothing tells their time.
    excluded
        Epochs that the light curve leaves out.
    """

    source_id: str
    ra_deg: float
    dec_deg: float
    width_d: float
    is_detection: NDArray[np.bool_]
    time_source: NDArray[np.object_]
    flux_column: NDArray[np.object_]
    n_untimed: int
    excluded: Excluded

    def __len__(self) -> int:
        return len(self.mjd)

    @property
    def flux_unit(self) -> str:
        """Unit of the fluxes, as in the light curve."""
        columns = {one for words in set(self.flux_column) for one in words.split(_AND)}
        return flux_unit(np.array([one == "peak_jyb" for one in sorted(columns)], bool))

    def __repr__(self) -> str:
        lines = [
            f"BinnedCurve {self.source_id}: {int(self.n.sum())} epochs in {len(self)} bins of "
            f"{self.width_d:g} d"
        ]
        shared = self.n > 1
        if shared.any():
            free = float(np.sum(self.n[shared] - 1))
            lines.append(
                f"  chi-squared within bins {float(np.sum(self.chi_squared[shared])):.4g} "
                f"with {free:.0f} degrees of freedom"
            )
        told = times_told(self, self.n_untimed)
        return "\n".join(lines + ([f"  {told}"] if told else []))

    def to_pandas(self) -> pd.DataFrame:
        """Return the bins as a DataFrame with units in ``attrs["units"]``."""
        told = ("is_detection", "time_source", "flux_column")
        names = (*_IN_BIN, *told)
        units = dict.fromkeys(("mjd", "start_mjd", "end_mjd"), "d (MJD, UTC)")
        units |= dict.fromkeys(("flux_jy", "flux_err_jy"), self.flux_unit)
        data = {name: getattr(self, name) for name in names}
        return table(data, units, self, "width_d", "n_untimed")

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the bins as a light curve, on ``ax`` or on a new figure's axes."""
        return _faces.plot_light_curve(self, ax, **options)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class NormalizedCurve(Result):
    """A light curve relative to one flux; each array has shape (n,), in order of time.

    Attributes
    ----------
    source_id
        Name in the catalogue.
    mjd
        Times, MJD (UTC); NaN where unknown.
    flux, flux_err
        Relative flux and error, no unit. The error of the level is not added: it is common to
        all epochs.
    level_jy, by
        What they were divided by, and how that was found.
    flux_unit
        Unit of the level.
    """

    source_id: str
    mjd: Floats
    flux: Floats
    flux_err: Floats
    level_jy: float
    by: str
    flux_unit: str

    def __len__(self) -> int:
        return len(self.mjd)

    def __repr__(self) -> str:
        return (
            f"NormalizedCurve {self.source_id}: {len(self)} epochs over {self.level_jy:.6g} "
            f"{brief_unit(self.flux_unit)} ({self.by.replace('_', ' ')})"
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the epochs as a DataFrame with units in ``attrs["units"]``."""
        data = {"mjd": self.mjd, "flux": self.flux, "flux_err": self.flux_err}
        units = {"mjd": "d (MJD, UTC)", "flux": "", "flux_err": ""}
        return table(data, units, self, "level_jy", "by")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw relative flux against time, on ``ax`` or on a new figure's axes."""
        return _faces.plot_normalized(self, ax)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Blocks(Result, timescales.Blocks):
    """A light curve as steps where its level changes, each array of shape (k,).

    Attributes
    ----------
    source_id
        Name in the catalogue.
    start_mjd, end_mjd
        Edges, MJD (UTC).
    flux_jy, flux_err_jy
        Weighted mean of the block's epochs and its error, Jy.
    n
        Epochs of the block.
    false_alarm
        Probability of a false change of level that was asked for.
    n_untimed
        Epochs left out because nothing tells their time.
    curve
        The curve that was split.
    """

    source_id: str
    false_alarm: float
    n_untimed: int
    curve: Curve

    def __len__(self) -> int:
        return len(self.n)

    def __repr__(self) -> str:
        lines = [
            f"Blocks {self.source_id}: {int(self.n.sum())} epochs in {len(self)} "
            f"block{'s' if len(self) != 1 else ''} (false alarm {self.false_alarm:g})"
        ]
        unit = brief_unit(self.curve.flux_unit)
        lines += [
            f"  MJD {a:.3f} to {b:.3f}: {s * 1e3:.4g} +- {e * 1e3:.2g} m{unit}, "
            f"{n} epoch{'s' if n != 1 else ''}"
            for a, b, s, e, n in zip(
                self.start_mjd, self.end_mjd, self.flux_jy, self.flux_err_jy, self.n, strict=True
            )
        ]
        told = times_told(self.curve, self.n_untimed)
        return "\n".join(lines + ([f"  {told}"] if told else []))

    def to_pandas(self) -> pd.DataFrame:
        """Return the blocks as a DataFrame with units in ``attrs["units"]``."""
        names = ("start_mjd", "end_mjd", "flux_jy", "flux_err_jy", "n")
        units = dict.fromkeys(("start_mjd", "end_mjd"), "d (MJD, UTC)")
        units |= dict.fromkeys(("flux_jy", "flux_err_jy"), self.curve.flux_unit)
        data = {name: getattr(self, name) for name in names}
        return table(data, units, self, "false_alarm", "n_untimed")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the light curve with its blocks, on ``ax`` or on a new figure's axes."""
        return _faces.plot_blocks(self, ax)


def bin_curve(curve: Curve, width_d: float, start_mjd: float | None = None) -> BinnedCurve:
    """Average in bins of equal width; `LightCurve.bin` says how."""
    mjd, flux, err, known, n_untimed = timed(curve)
    origin = start_mjd if start_mjd is not None else (float(mjd.min()) if len(mjd) else 0.0)
    if not math.isfinite(origin):
        raise InvalidInput(f"start_mjd {start_mjd!r} is no time")
    found = curves.bin_weighted(mjd, flux, err, width_d, start_mjd=origin)
    number = np.floor((mjd - origin) / width_d)
    which = np.unique(number, return_inverse=True)[1]
    return BinnedCurve(
        **{one.name: getattr(found, one.name) for one in fields(found)},
        source_id=curve.source_id,
        ra_deg=curve.ra_deg,
        dec_deg=curve.dec_deg,
        width_d=float(width_d),
        is_detection=found.flux_jy >= DETECTION_SIGMA * found.flux_err_jy,
        time_source=_joined(curve.time_source[known], which, len(found.n)),
        flux_column=_joined(curve.flux_column[known], which, len(found.n)),
        n_untimed=n_untimed,
        excluded=curve.excluded,
    )


def normalize_curve(curve: Curve, by: str | float) -> NormalizedCurve:
    """Divide by one flux; `LightCurve.normalize` says how."""
    flux, err, level_jy = curves.normalize(curve.flux_jy, curve.flux_err_jy, by=by)
    return NormalizedCurve(
        source_id=curve.source_id,
        mjd=curve.mjd,
        flux=flux,
        flux_err=err,
        level_jy=level_jy,
        by=by if isinstance(by, str) else "given",
        flux_unit=curve.flux_unit,
    )


def find_blocks(curve: Curve, false_alarm: float) -> Blocks:
    """Split where the level changes; `LightCurve.bayesian_blocks` says how."""
    mjd, flux, err, _, n_untimed = timed(curve)
    found = timescales.bayesian_blocks(mjd, flux, err, false_alarm=false_alarm)
    return Blocks(
        **{one.name: getattr(found, one.name) for one in fields(found)},
        source_id=curve.source_id,
        false_alarm=false_alarm,
        n_untimed=n_untimed,
        curve=curve,
    )


def _joined(values: NDArray[np.object_], which: NDArray[np.int64], k: int) -> NDArray[np.object_]:
    words: list[list[str]] = [[] for _ in range(k)]
    for value, one in zip(values, which, strict=True):
        if value not in words[one]:
            words[one].append(value)
    made = np.empty(k, object)
    made[:] = [_AND.join(sorted(parts)) for parts in words]
    return made
