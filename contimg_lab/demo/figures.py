"""The pipeline's own variability figures, in its own way: divided by N, in cancelling forms.

They are what a reader will find beside its own figures, so they keep the pipeline's habits:
standard deviation and V divide by N, eta is the difference of two means, chi-squared is about
the unweighted mean, sigma deviation alone divides by N - 1.
"""

from __future__ import annotations

import numpy as np

from contimg_lab.demo.photometry import Block
from contimg_lab.demo.products import Row, Rows
from contimg_lab.demo.sky import Array
from contimg_lab.demo.sources import Sky
from contimg_lab.times import datetime_from_unix

__all__ = ["Figures"]

_FEWEST_EPOCHS = 2
_ETA_VARIABLE, _V_VARIABLE = 2.0, 0.1
_ESE_SIGMA, _ESE_ETA = 3.0, 10.0
_MONITORED_JY = 0.2
_UPDATED_AFTER_S = 4000.0


class Figures:
    """Sums over photometry as it streams by, and the rows made of them.

    Parameters
    ----------
    sky
        The sources that are summed over.
    """

    def __init__(self, sky: Sky) -> None:
        count = len(sky.names)
        self._sky = sky
        self._n, self._s, self._ss = (np.zeros(count) for _ in range(3))
        self._w, self._ws, self._wss = (np.zeros(count) for _ in range(3))
        self._low, self._high = np.full(count, np.inf), np.full(count, -np.inf)
        self._mjd, self._measured = np.zeros(count), np.zeros(count)
        self._first = np.full(count, np.inf)

    def add(self, block: Block) -> None:
        """Sum the usable rows of a block (in mJy)."""
        rows = block.usable
        which = block.source[rows]
        flux, error = 1000.0 * block.flux_jy[rows], 1000.0 * block.error_jy[rows]
        weight = error**-2.0
        count = len(self._n)
        for total, values in (
            (self._n, np.ones_like(flux)), (self._s, flux), (self._ss, flux**2),
            (self._w, weight), (self._ws, weight * flux), (self._wss, weight * flux**2),
        ):  # fmt: skip
            total += np.bincount(which, weights=values, minlength=count)
        np.minimum.at(self._low, which, flux)
        np.maximum.at(self._high, which, flux)
        np.maximum.at(self._mjd, which, block.mjd[rows])
        np.maximum.at(self._measured, which, block.measured_unix[rows])
        np.minimum.at(self._first, which, block.measured_unix[rows])

    def rows(self) -> Rows:
        """Rows of the tables that hold the pipeline's figures."""
        enough = np.flatnonzero(self._n >= _FEWEST_EPOCHS)
        n, mean = self._n[enough], self._s[enough] / self._n[enough]
        variance = np.maximum(self._ss[enough] / n - mean**2, 0.0)
        std = np.sqrt(variance)
        w, ws, wss = self._w[enough], self._ws[enough], self._wss[enough]
        eta = n / (n - 1.0) * (wss / n - (ws / n) ** 2 / (w / n))
        chi2 = (wss - 2.0 * mean * ws + mean**2 * w) / (n - 1.0)
        farthest = np.maximum(self._high[enough] - mean, mean - self._low[enough])
        sigma = farthest / np.where(std > 0, std * np.sqrt(n / (n - 1.0)), np.inf)
        stats: list[Row] = []
        watched: list[Row] = []
        candidates: list[Row] = []
        fresh: list[Row] = []
        for index, *values in zip(
            enough.tolist(), *(column.tolist() for column in (n, mean, std, eta, chi2, sigma)),
            strict=True,
        ):  # fmt: skip
            stats.append(self._stats(index, *values))
            if self._watch(index):
                watched.append(self._monitoring(index, *values))
            if values[5] > _ESE_SIGMA and values[3] > _ESE_ETA:
                candidates.append({
                    "source_id": self._sky.names[index], "flagged_at": self._updated(index),
                    "flagged_by": "auto", "significance": values[5],
                    "flag_type": "variability", "status": "active",
                })  # fmt: skip
            if np.isnan(self._sky.nvss_mjy[index]):
                fresh.append(self._transient(index, values[2]))
        return {
            "variability_stats": stats, "monitoring_sources": watched,
            "ese_candidates": candidates, "transient_candidates": fresh,
        }  # fmt: skip

    def _watch(self, index: int) -> bool:
        return index in self._sky.variables or bool(self._sky.base_jy[index] > _MONITORED_JY)

    def _updated(self, index: int) -> float:
        return float(self._measured[index]) + _UPDATED_AFTER_S

    def _place(self, index: int) -> Row:
        return {
            "ra_deg": float(self._sky.ra_deg[index]),
            "dec_deg": float(self._sky.dec_deg[index]),
        }

    def _stats(
        self, index: int, n: float, mean: float, std: float, eta: float, chi2: float, sigma: float
    ) -> Row:
        nvss = float(self._sky.nvss_mjy[index])
        measured, updated = float(self._measured[index]), self._updated(index)
        return {
            "source_id": self._sky.names[index], **self._place(index),
            "nvss_flux_mjy": None if np.isnan(nvss) else nvss, "n_obs": int(n),
            "mean_flux_mjy": mean, "std_flux_mjy": std,
            "min_flux_mjy": float(self._low[index]), "max_flux_mjy": float(self._high[index]),
            "chi2_nu": chi2, "sigma_deviation": sigma, "last_measured_at": measured,
            "last_mjd": float(self._mjd[index]), "updated_at": updated, "eta_metric": eta,
            # the second shape of the table
            "eta": eta, "v": std / mean, "n_epochs": int(n),
            "text:last_measured_at": f"{datetime_from_unix(measured):%Y-%m-%dT%H:%M:%S}",
            "text:updated_at": datetime_from_unix(updated).replace(tzinfo=None).isoformat(),
        }  # fmt: skip

    def _monitoring(
        self, index: int, n: float, mean: float, std: float, eta: float, chi2: float, sigma: float
    ) -> Row:
        name = self._sky.names[index]
        variable = eta > _ETA_VARIABLE and std / mean > _V_VARIABLE
        return {
            "source_id": name, "name": name, **self._place(index), "catalog": "nvss",
            "priority": "high" if variable else "normal", "n_detections": int(n),
            "mean_flux_jy": mean / 1000.0, "std_flux_jy": std / 1000.0, "eta": eta,
            "v_index": std / mean, "chi_squared": chi2 * (n - 1.0),
            "is_variable": int(variable),
            "ese_candidate": int(sigma > _ESE_SIGMA and eta > _ESE_ETA),
            "first_detected_at": float(self._first[index]),
            "last_detected_at": float(self._measured[index]),
            "last_updated": self._updated(index),
        }  # fmt: skip

    def _transient(self, index: int, std: float) -> Row:
        high: Array = self._high[index]
        return {
            "source_name": self._sky.names[index], **self._place(index), "detection_type": "new",
            "flux_obs_mjy": float(high), "flux_baseline_mjy": 0.0,
            "significance_sigma": float(high) / std, "baseline_catalog": "NVSS",
            "detected_at": float(self._first[index]), "last_updated": self._updated(index),
        }  # fmt: skip
