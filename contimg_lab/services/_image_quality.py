"""Every image with its time, what it measures, and what photometry found in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.runs import stage_grade
from contimg_lab.analysis.trends import Rollup, axis_ratio, roll_up
from contimg_lab.database import heartbeat
from contimg_lab.records._fields import meanings, units
from contimg_lab.records.images import Image
from contimg_lab.services._field import all_epochs
from contimg_lab.services._frames import add_datetimes, frame
from contimg_lab.services._trends import (
    NO_CATALOGUE,
    QUANTITIES,
    cells,
    enough_sources,
    nights_of,
    nvss_ratios,
    positive,
)

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.services._context import Context
    from contimg_lab.services._epochs import Epochs

__all__ = ["quality_frame"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STORED = ("noise_jy", "dynamic_range", "beam_major_arcsec", "beam_minor_arcsec")
_READ = ("id", "path", "ms_path", "type", "created_at", *_STORED, "beam_pa_deg")
_UNSEEN = "no photometry in this image"
_NOT_LOOKED_UP = "not looked up"
_NO_TABLE = "no photometry in this database"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What photometry found in n images: sources that count, and the flux ratio of each image."""

    n_sources: Ints
    flux: Rollup
    why: NDArray[np.object_]


async def quality_frame(
    context: Context,
    *,
    night: str | date | None,
    type: str | None,
    text: str | None,
    photometry: bool,
    max_age_s: float,
) -> tuple[pd.DataFrame, datetime | None]:
    """Make the table of `ImagesService.quality`, and say of when its photometry is (None: now)."""
    filters: dict[str, object] = {} if type is None else {"type": type}
    directory = await context.directory()
    facts = await asyncio.to_thread(directory.facts, night)
    if night is not None:
        filters["ms_path"] = list(facts)
    rows = await context.images.columns(*_READ, **filters)
    absent = set(await context.images.absent())
    ms_filter = {} if night is None else {"path": list(facts)}
    ms = await context.ms.columns("path", "stage", **ms_filter)
    epochs, as_of, why_none = None, None, "" if photometry else _NOT_LOOKED_UP
    if photometry:
        table = await context.database.find_table("photometry")
        if table is None:
            why_none = _NO_TABLE
        else:
            why_none = "" if table.has("nvss_flux_mjy") else NO_CATALOGUE
            epochs, as_of = await all_epochs(context, max_age_s)

    def make() -> pd.DataFrame:
        # one step in C over so many objects would hold the interpreter's lock
        stages = {path: stage for path, stage in zip(ms["path"], ms["stage"], strict=True)}
        return _frame(rows, text, facts, stages, absent, epochs, why_none)

    with heartbeat():
        return await asyncio.to_thread(make), as_of


def _frame(
    rows: dict[str, NDArray[Any]],
    text: str | None,
    facts: Mapping[str, tuple[float | None, int | None, str]],
    stages: Mapping[str, str | None],
    absent: set[str],
    epochs: Epochs | None,
    why_none: str,
) -> pd.DataFrame:
    unknown = (None, None, None)
    told = [facts.get(path, unknown) for path in rows["ms_path"]]
    mid = np.array([np.nan if t[0] is None else t[0] for t in told], float)
    order = np.lexsort((rows["id"], mid))  # NaN last
    if text is not None:
        wanted = text.casefold()
        has = [path is not None and wanted in path.casefold() for path in rows["path"]]
        order = order[np.array(has, bool)[order]]
    at = order.tolist()
    rows = {name: values[order] for name, values in rows.items()}
    hours = [told[i][1] for i in at]
    stage = [stages.get(path) for path in rows["ms_path"]]
    found = _measured(epochs, rows["path"], why_none)
    figures = {name: positive(rows[name]) for name in _STORED}
    angle = rows["beam_pa_deg"]
    data: dict[str, Any] = {
        "id": rows["id"].astype(np.int64),
        "path": rows["path"],
        "ms_path": rows["ms_path"],
        "night": nights_of(hours),
        "hour": [None if h is None else h % 24 for h in hours],
        "mid_mjd": cells(mid[order]),
        "type": rows["type"],
        **{name: cells(values) for name, values in figures.items()},
        "axis_ratio": cells(axis_ratio(figures["beam_major_arcsec"], figures["beam_minor_arcsec"])),
        "beam_pa_deg": cells(np.where(np.isfinite(angle), angle, np.nan)),
        "flux_ratio": cells(found.flux.median),
        "flux_ratio_mad": cells(found.flux.mad),
        "flux_ratio_n": found.flux.n,
        "flux_ratio_reason": found.why,
        "n_sources": found.n_sources,
        "stage": stage,
        "stage_grade": [
            None if path not in stages else stage_grade(word)
            for path, word in zip(rows["ms_path"], stage, strict=True)
        ],
        "kind": [told[i][2] for i in at],
        "created_at": cells(rows["created_at"]),
    }
    if epochs is None:
        data["flux_ratio_n"] = data["n_sources"] = [None] * len(at)
    kind: dict[str, type] = dict.fromkeys(data, str)
    kind |= dict.fromkeys((*QUANTITIES, *_STORED, "beam_pa_deg", "flux_ratio_mad"), float)
    kind |= dict.fromkeys(("mid_mjd", "created_at"), float)
    kind |= dict.fromkeys(("id", "hour", "flux_ratio_n", "n_sources"), int)
    made = frame(
        data,
        kind,
        units=units(Image)
        | {name: unit for name, (unit, _) in QUANTITIES.items()}
        | {"hour": "h (UTC)", "mid_mjd": "d (MJD, UTC)", "flux_ratio_mad": "1"}
        | {"flux_ratio_n": "1", "n_sources": "1"},
        meanings=meanings(Image)
        | {name: meaning for name, (_, meaning) in QUANTITIES.items()}
        | {
            "mid_mjd": "middle of the observation",
            "flux_ratio_mad": "median absolute deviation of the sources' ratios (not scaled)",
            "flux_ratio_n": "sources that made it",
            "flux_ratio_reason": "why there is no flux ratio",
            "n_sources": "sources with a measurement in this image that counts",
            "stage_grade": "the older system's grade by the stage of the MS: good, warn or fail",
            "kind": "of the MS: tile, calibrator, or twin (made again)",
        },
        absent=[name for name in _READ if name in absent],
    )
    return add_datetimes(made, {"mid_datetime": "mid_mjd", "created_datetime": "created_at"})


def _measured(epochs: Epochs | None, paths: NDArray[np.object_], why_none: str) -> _Measured:
    count = len(paths)
    if epochs is None:
        none = np.full(count, np.nan)
        why = np.full(count, why_none, object)
        zero = np.zeros(count, np.int64)
        return _Measured(n_sources=zero, flux=Rollup(none, none, zero), why=why)
    n_images = len(epochs.images)
    code_of = {path: code for code, path in enumerate(epochs.images)}
    code = np.fromiter((code_of.get(path, n_images) for path in paths), np.int64, count)
    counted = epochs.image[(epochs.reason == 0) & (epochs.image >= 0)]
    # of an image the photometry does not know, the last: no source
    n_sources = np.append(np.bincount(counted, minlength=n_images), 0)[code]
    ratio, image = nvss_ratios(epochs)
    every = roll_up(ratio, image, n_images + 1)
    flux, why = enough_sources(
        Rollup(every.median[code], every.mad[code], every.n[code]),
        code < n_images,
        _UNSEEN,
        catalogued=why_none != NO_CATALOGUE,
    )
    return _Measured(n_sources=n_sources, flux=flux, why=why)
