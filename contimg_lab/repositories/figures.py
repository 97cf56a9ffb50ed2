"""The pipeline's own variability figures: ``variability_stats`` and ``monitoring_sources``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.database import Database
from contimg_lab.layouts import ALIASES
from contimg_lab.repositories._base import json_list, number

__all__ = ["FiguresRepository", "PipelineFigures"]

_SHAPES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "variability_stats": {
        "n": ALIASES["variability_stats"]["n_epochs"],
        "mean_mjy": ("mean_flux_mjy",),
        "std_mjy": ("std_flux_mjy",),
        "eta": ALIASES["variability_stats"]["eta"],
        "v": ("v",),
        "chi2_nu": ("chi2_nu",),
        "sigma_deviation": ("sigma_deviation",),
    },
    "monitoring_sources": {
        "n": ("n_detections",),
        "mean_jy": ("mean_flux_jy",),
        "std_jy": ("std_flux_jy",),
        "eta": ("eta",),
        "v": ("v_index",),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFigures:
    """Figures of k sources, each of shape (k,); NaN where the table says nothing.

    Attributes
    ----------
    source_id
        In order.
    table
        ``variability_stats``, else ``monitoring_sources`` for a source that only it has.
    n, mean_jy, std_jy, v, eta, chi2_nu, sigma_deviation
        As stored (Jy), whatever they divide by; ``v`` is std over mean where no column has it.
    """

    source_id: NDArray[np.object_]
    table: NDArray[np.object_]
    n: NDArray[np.float64]
    mean_jy: NDArray[np.float64]
    std_jy: NDArray[np.float64]
    v: NDArray[np.float64]
    eta: NDArray[np.float64]
    chi2_nu: NDArray[np.float64]
    sigma_deviation: NDArray[np.float64]


class FiguresRepository:
    """Both tables in one view; either may be absent."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def read(self, source_ids: Sequence[str] | None) -> PipelineFigures:
        """Return the figures of some sources, or of all that have any (None)."""
        stats = await self._read("variability_stats", source_ids)
        watched = await self._read("monitoring_sources", source_ids)
        known = set(stats)
        rows = stats | {name: row for name, row in watched.items() if name not in known}
        names = sorted(rows)
        values = np.array([rows[name] for name in names], float).reshape(len(names), 7)
        n, mean, std, v, eta, chi2_nu, sigma = values.T
        with np.errstate(all="ignore"):
            ratio = std / mean
        source_id, table = np.empty(len(names), object), np.empty(len(names), object)
        source_id[:] = names
        table[:] = ["variability_stats" if x in known else "monitoring_sources" for x in names]
        return PipelineFigures(
            source_id=source_id, table=table, n=n, mean_jy=mean, std_jy=std,
            v=np.where(np.isnan(v), ratio, v), eta=eta, chi2_nu=chi2_nu, sigma_deviation=sigma,
        )  # fmt: skip

    async def _read(
        self, name: str, source_ids: Sequence[str] | None
    ) -> dict[str, tuple[float, ...]]:
        table = await self.database.find_table(name)
        if table is None or not table.has("source_id"):
            return {}
        shape = _SHAPES[name]
        found = {
            ours: next((c for c in columns if table.has(c)), None)
            for ours, columns in shape.items()
        }

        def sql(ours: str) -> str:
            column = found.get(ours)
            return "NULL" if column is None else number(column)

        milli = "mean_mjy" in shape
        mean, std = ("mean_mjy", "std_mjy") if milli else ("mean_jy", "std_jy")
        picked = [sql(k) for k in ("n", mean, std, "v", "eta", "chi2_nu", "sigma_deviation")]
        where, values = "source_id IS NOT NULL", list[object]()
        if source_ids is not None:
            where, values = "source_id IN (SELECT value FROM json_each(?))", [json_list(source_ids)]
        rows = await self.database.fetch(
            name, f"SELECT source_id, {', '.join(picked)} FROM {name} WHERE {where}", values
        )
        scale = 1e-3 if milli else 1.0
        out: dict[str, tuple[float, ...]] = {}
        for source_id, *numbers in rows:
            n, mean_, std_, *rest = [np.nan if x is None else float(x) for x in numbers]
            out[str(source_id)] = (n, mean_ * scale, std_ * scale, *rest)
        return out
