"""The light curve of one source, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab import _faces
from contimg_lab.services._curve_exports import CurveExports
from contimg_lab.services._curve_value import flux_unit
from contimg_lab.services.light_curve_work import CurveWork
from contimg_lab.times import datetime_from_mjd, unix_from_mjd

if TYPE_CHECKING:
    import pandas as pd
    from astropy.timeseries import TimeSeries
    from matplotlib.axes import Axes

    from contimg_lab.services._origin import Origin

__all__ = ["DETECTION_SIGMA", "Excluded", "LightCurve", "flux_unit"]

DETECTION_SIGMA = 3.0
"""A flux below this many of its errors is no detection; its upper limit is that many."""

_POSITION = ("ra_deg", "dec_deg", "nvss_flux_mjy")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Excluded:
    """Epochs that do not count, in order of time; each array has shape (k,).

    ``flux_jy`` and ``flux_err_jy`` hold what is stored, NaN where that is no number; ``mjd``
    is NaN where the time is unknown.
    """

    mjd: NDArray[np.float64]
    flux_jy: NDArray[np.float64]
    flux_err_jy: NDArray[np.float64]
    reason: NDArray[np.object_]
    row_id: NDArray[np.int64]
    image_path: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.mjd)

    def counts(self) -> dict[str, int]:
        """Count the epochs left out, by reason."""
        names, numbers = np.unique(self.reason.astype(str), return_counts=True)
        return {str(n): int(k) for n, k in zip(names, numbers, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LightCurve(CurveWork, CurveExports):
    """Flux density against time of one source.

    The arrays hold the epochs that count, in order of time, each of shape (n,), and cannot
    be written to. A non-detection (flux below 3 of its errors) counts like any other epoch.

    Attributes
    ----------
    source_id
        Name in the catalogue.
    ra_deg, dec_deg
        Position, degrees (ICRS).
    nvss_flux_mjy
        Flux density in NVSS at 1.4 GHz, mJy; NaN where unknown.
    mjd
        Time of the observation, MJD (UTC).
    time_source
        For each epoch where its time came from: ``mjd``, ``ms_mid_mjd``, ``name``,
        ``measured_at`` (when the measurement was made: not a time of observation), or
        ``unknown`` (then ``mjd`` is NaN).
    flux_jy, flux_err_jy
        Flux density and error, Jy.
    flux_column
        ``flux_jy`` or ``peak_jyb`` (then the unit is Jy/beam).
    is_detection
        Flux at least 3 of its errors.
    row_id, image_path
        Row of ``photometry`` and image that was measured.
    excluded
        The epochs left out, with the reason.
    provenance
        Database, time, version and call that it comes from; None where nobody said.

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> with cl.demo() as lab:
    ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
    >>> len(lc.mjd) == len(lc.flux_jy) == len(lc.flux_err_jy)
    True
    """

    source_id: str
    ra_deg: float
    dec_deg: float
    nvss_flux_mjy: float
    mjd: NDArray[np.float64]
    time_source: NDArray[np.object_]
    flux_jy: NDArray[np.float64]
    flux_err_jy: NDArray[np.float64]
    flux_column: NDArray[np.object_]
    is_detection: NDArray[np.bool_]
    row_id: NDArray[np.int64]
    image_path: NDArray[np.object_]
    excluded: Excluded = field(repr=False)
    provenance: Origin | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for part in (self, self.excluded):
            for name in part.__dataclass_fields__:
                value = getattr(part, name)
                if isinstance(value, np.ndarray):
                    value.setflags(write=False)

    def __len__(self) -> int:
        return len(self.mjd)

    @property
    def flux_unit(self) -> str:
        """Unit of the fluxes: ``Jy``, or ``Jy/beam`` where all are peaks, or both."""
        return flux_unit(self.flux_column == "peak_jyb")

    def __repr__(self) -> str:
        out = ", ".join(f"{k} {reason}" for reason, k in self.excluded.counts().items())
        lines = [
            f"LightCurve {self.source_id}: {len(self)} epochs, {len(self.excluded)} left out"
            + (f" ({out})" if out else "")
        ]
        known = self.mjd[np.isfinite(self.mjd)]
        if len(known):
            first, last = (datetime_from_mjd(float(t)) for t in (known[0], known[-1]))
            lines.append(
                f"  {first:%Y-%m-%d} to {last:%Y-%m-%d} UTC, "
                f"{int(np.sum(~self.is_detection))} non-detections, "
                f"median {float(np.median(self.flux_jy)) * 1e3:.4g} mJy, "
                f"times from {', '.join(sorted(set(self.time_source)))}"
            )
        return "\n".join(lines)

    def to_pandas(self, *, excluded: bool = False) -> pd.DataFrame:
        """Return the epochs as a DataFrame with units in ``attrs["units"]``.

        Parameters
        ----------
        excluded
            Add the epochs left out, with ``used`` False and the ``reason``.
        """
        import pandas as pd

        frame = pd.DataFrame(
            {
                "mjd": self.mjd,
                "flux_jy": self.flux_jy,
                "flux_err_jy": self.flux_err_jy,
                "is_detection": self.is_detection,
                "upper_limit_jy": np.where(
                    self.is_detection, np.nan, DETECTION_SIGMA * self.flux_err_jy
                ),
                "time_source": self.time_source,
                "flux_column": self.flux_column,
                "image_path": self.image_path,
                "row_id": self.row_id,
            }
        )
        if excluded:
            frame["used"], frame["reason"] = True, None
            left_out = pd.DataFrame(
                {
                    "mjd": self.excluded.mjd,
                    "flux_jy": self.excluded.flux_jy,
                    "flux_err_jy": self.excluded.flux_err_jy,
                    "image_path": self.excluded.image_path,
                    "row_id": self.excluded.row_id,
                    "used": False,
                    "reason": self.excluded.reason,
                }
            )
            if len(left_out):
                frame = pd.concat([frame.astype({"is_detection": "boolean"}), left_out])
            frame = frame.sort_values(["mjd", "row_id"], ignore_index=True)
        unix_s = unix_from_mjd(frame["mjd"].to_numpy())
        when = pd.to_datetime(pd.Series(unix_s), unit="s", utc=True, errors="coerce")
        frame.insert(1, "time", when.dt.as_unit("us"))
        frame.attrs["units"] = {"mjd": "d (MJD, UTC)", "time": "UTC"} | dict.fromkeys(
            ("flux_jy", "flux_err_jy", "upper_limit_jy"), self.flux_unit
        )
        frame.attrs |= self._told()
        return frame

    def to_astropy(self) -> TimeSeries:
        """Return the epochs as an astropy TimeSeries: times in UTC, fluxes with units.

        Epochs whose time nothing tells are left out and counted in ``meta["n_untimed"]``.
        """
        from astropy import units as u
        from astropy.time import Time
        from astropy.timeseries import TimeSeries

        known = np.isfinite(self.mjd)
        unit = u.Jy / u.beam if self.flux_unit == "Jy/beam" else u.Jy
        series = TimeSeries(
            time=Time(self.mjd[known], format="mjd", scale="utc"),
            data={
                "flux": self.flux_jy[known] * unit,
                "flux_err": self.flux_err_jy[known] * unit,
                "is_detection": self.is_detection[known],
                "time_source": self.time_source[known].astype(str),
                "flux_column": self.flux_column[known].astype(str),
                "row_id": self.row_id[known],
            },
        )
        series.meta["n_untimed"] = int(np.sum(~known))
        series.meta |= self._told()
        return series

    def _told(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in ("source_id", *_POSITION)}
        told |= {"n_excluded": len(self.excluded), "excluded": self.excluded.counts()}
        return told | ({"provenance": self.provenance.told()} if self.provenance else {})

    def clip(self, *, n_sigma: float = 5.0, most_rounds: int = 10) -> LightCurve:
        """Return the curve with epochs far from the median left out, with the reason "clipped".

        Sigma is 1.4826 times the median absolute deviation of what is left, in rounds. Clipping
        takes a flare for an error: not before searching for variability.

        Parameters
        ----------
        n_sigma
            Epochs further than this many sigma from the median are clipped.
        most_rounds
            Rounds at most.

        Raises
        ------
        InvalidInput
            ``n_sigma`` is not above 0, or sigma is 0 while fluxes differ: more than half are equal.

        References
        ----------
        |S - median(S)| > n_sigma 1.4826 median(|S - median(S)|).

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
        >>> clipped = lc.clip(n_sigma=1.0)
        >>> len(clipped) + clipped.excluded.counts()["clipped"] == len(lc)
        True
        """
        from contimg_lab.services._clip import clip_curve

        return clip_curve(self, n_sigma, most_rounds)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the light curve: error bars, upper limits, epochs left out, UTC dates above.

        Parameters
        ----------
        ax
            Axes to draw on; a new figure's where None.
        **options
            See `contimg_lab.plots.light_curve.plot_light_curve`.
        """
        return _faces.plot_light_curve(self, ax, **options)
