"""Quality metrics of cal tables as columns, and the tier of each Measurement Set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.cal_quality import FLOORS, judge, metrics_of, tier_of
from contimg_lab.records.caltables import AppliedCalTable, CalTable, Coverage, Tier
from contimg_lab.services._directory import Entry
from contimg_lab.services._frames import frame
from contimg_lab.times import mjd_from_name, mjd_from_value, night_of_mjd

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["quality_frame", "solved_night", "tiers"]

_METRICS = ("snr_mean", "snr_min", "flagged_fraction", "n_antennas", "n_solutions")
_BANDPASS = ("BP", "BA", "G")
_GAIN = ("GP", "GA", "2G", "G")


def solved_night(table: CalTable) -> str | None:
    """Return the UTC date that a table was solved on: of its MS's name, else of its window."""
    mjd = mjd_from_name(table.source_ms_path or "")
    mjd = _middle(table) if mjd is None else mjd
    return None if mjd is None else night_of_mjd(mjd).isoformat()


def quality_frame(tables: Sequence[CalTable]) -> pd.DataFrame:
    """Return one row a table: when it was solved, its metrics, and the words about them."""
    found = [metrics_of(table.quality_metrics) for table in tables]
    data: dict[str, Any] = {
        "path": [t.path for t in tables],
        "table_type": [t.table_type for t in tables],
        "status": [t.status for t in tables],
        "night": [solved_night(t) for t in tables],
        "valid_mid_mjd": [_middle(t) for t in tables],
    }
    data |= {name: [metrics.get(name) for metrics in found] for name in _METRICS}
    for name, floor in FLOORS.items():
        data[f"{name}_word"] = [floor.word(metrics.get(name, math.nan)) for metrics in found]
    data["word"] = [judge(metrics) for metrics in found]
    kind: dict[str, type] = dict.fromkeys(data, str)
    kind |= dict.fromkeys(("valid_mid_mjd", *_METRICS), float)
    units = {"valid_mid_mjd": "d (MJD, UTC)"} | dict.fromkeys(_METRICS, "1")
    made = frame(data, kind, units=units)
    made.attrs["floors"] = {
        name: {"warn": floor.warn, "fail": floor.fail, "told": floor.told, "source": floor.source}
        for name, floor in FLOORS.items()
    }
    return made


def _middle(table: CalTable) -> float | None:
    start, end = mjd_from_value(table.valid_start_mjd), mjd_from_value(table.valid_end_mjd)
    return start if start is None or end is None else 0.5 * (start + end)


def tiers(
    entries: Sequence[Entry],
    covers: Sequence[Coverage],
    applied: Mapping[str, Sequence[AppliedCalTable]],
    tables: Sequence[CalTable],
) -> list[Tier]:
    """Return the tier of each MS: by what was applied where that is recorded, else by validity."""
    by_path = {table.path: table for table in tables}
    valid: dict[str, dict[str, str]] = {}
    for cover in covers:
        if cover.caltable_path is not None:
            valid.setdefault(cover.ms_path, {})[cover.table_type] = cover.caltable_path
    made = []
    for entry in entries:
        used: dict[str, str] = {}
        for row in applied.get(entry.ms.path, ()):
            table = by_path.get(row.caltable_path)
            if table is not None and table.path and table.table_type and row.success != 0:
                used[table.table_type] = table.path
        named = used or valid.get(entry.ms.path, {})
        paths = [_first(named, wanted) for wanted in (_BANDPASS, _GAIN)]
        dates = [None if path is None else solved_night(by_path[path]) for path in paths]
        tier, why = tier_of(entry.night, dates[0], dates[1])
        made.append(
            Tier(
                ms_path=entry.ms.path, tier=tier, bandpass_path=paths[0], bandpass_date=dates[0],
                gain_path=paths[1], gain_date=dates[1],
                told_by="applied" if used else "validity", why=why,
            )
        )  # fmt: skip
    return made


def _first(named: Mapping[str, str], wanted: Sequence[str]) -> str | None:
    return next((named[kind] for kind in wanted if kind in named), None)
