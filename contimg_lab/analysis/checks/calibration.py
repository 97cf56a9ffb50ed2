"""Checks of calibration: which tables cover the tiles, how old and how good they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from contimg_lab.analysis.checks._declared import FAIL, PASS, WARN, Found, Limits, check
from contimg_lab.analysis.checks._hours import (
    by_hour,
    found_of,
    graded,
    listed,
    nothing,
    rows_by_hour,
)
from contimg_lab.analysis.checks._night import Columns, Night
from contimg_lab.analysis.hour_checks import HourFigures

__all__ = [
    "calibration",
    "calibration_age",
    "calibration_antennas",
    "calibration_flagged",
    "calibration_gains",
    "calibration_snr",
    "calibration_tier",
]

_GAIN_TYPES = ("GP", "GA", "2G", "G")
_BORROWED = {"A": 0.0, "B": 1.0, "C": 2.0}


def _bandpasses(night: Night) -> Columns:
    return night.covers.where(night.covers["is_bandpass"] == 1.0)


@check(
    "calibration",
    protects_against="tiles with no bandpass table, or one from far away in time",
    metric="distance of the farthest nearest bandpass table",
    unit="h",
    needs=["covers", "covers.state"],
)
def calibration(night: Night, limits: Limits) -> Iterator[Found]:
    """Count the tiles of each hour by the state of their bandpass table."""
    covers = _bandpasses(night)
    if not covers.n_rows:
        for hour in night.hours:
            yield nothing("the registry holds no bandpass table at all", hour=hour)
        return
    state = dict(zip(covers["path"], covers["state"], strict=True))
    away = dict(zip(covers["path"], covers["distance_hours"].tolist(), strict=True))
    for hour, mine in rows_by_hour(night.ms, night, night.ms["kind"] == "tile"):
        paths = night.ms["path"][mine].tolist()
        inside = [path for path in paths if state.get(path) == "inside"]
        nearest = [path for path in paths if state.get(path) == "nearest"]
        none = [path for path in paths if state.get(path) not in ("inside", "nearest")]
        known = [away[path] for path in nearest if np.isfinite(away[path])]
        figures = HourFigures(
            n_tiles=len(paths), n_inside=len(inside), n_nearest=len(nearest), n_none=len(none),
            farthest_hours=max(known, default=np.nan),
        )  # fmt: skip
        late = [path for path in nearest if away[path] > limits["warn_hours"]]
        yield found_of("calibration", hour, figures, limits, {"ms": [*none, *late]})


@check(
    "calibration_gains",
    protects_against="tiles without any gain table where the site has such tables",
    metric="tiles without a gain table within reach, of the hour's",
    unit="1",
    severity="notice",
    needs=["covers", "covers.state"],
)
def calibration_gains(night: Night, limits: Limits) -> Iterator[Found]:
    """Count the tiles of each hour that no gain table covers or is near."""
    covers = night.covers
    gain = np.isin(covers["table_type"], _GAIN_TYPES)
    if not gain.any():
        for hour in night.hours:
            yield nothing("the registry holds no gain table at all", hour=hour)
        return
    reached = set(covers["path"][gain & np.isin(covers["state"], ("inside", "nearest"))])
    for hour, mine in rows_by_hour(night.ms, night, night.ms["kind"] == "tile"):
        left = [path for path in night.ms["path"][mine] if path not in reached]
        share = len(left) / int(mine.sum())
        word = FAIL if share > limits["fail_fraction"] else WARN if left else PASS
        why = f"{len(left)} of {mine.sum()} tiles have no gain table"
        yield Found(
            word=word, why=why, value=share, limit="fail_fraction", hour=hour, rows={"ms": left}
        )


@check(
    "calibration_age",
    protects_against="a bandpass that was solved too long before or after",
    metric="largest time from a tile to the middle of its table's window",
    unit="h",
    severity="notice",
    needs=["covers", "covers.distance_hours"],
)
def calibration_age(night: Night, limits: Limits) -> Iterator[Found]:
    """Find the oldest bandpass table of each hour, inside its window or not."""
    covers = _bandpasses(night)
    away = covers["distance_hours"]
    for hour, mine in by_hour(covers, night, np.isfinite(away)):
        if not mine.any():
            yield nothing("no tile of the hour has a bandpass table", hour=hour)
            continue
        old = mine & (away > limits["warn_hours"])
        yield graded(
            float(away[mine].max()), limits,
            f"up to {away[mine].max():.1f} h from the middle of the table's window",
            warn="warn_hours", fail="fail_hours", hour=hour, rows={"ms": covers["path"][old]},
        )  # fmt: skip


@check(
    "calibration_tier",
    protects_against="tables borrowed from another date, which hold for its sky and instrument",
    metric="most tables that a tile borrows from another date (A 0, B 1, C 1 or 2)",
    unit="1",
    severity="notice",
    needs=["tiers", "tiers.tier"],
)
def calibration_tier(night: Night, limits: Limits) -> Iterator[Found]:
    """Tell the provenance tier of the tiles of each hour."""
    tiers = night.tiers
    borrowed = np.array([_BORROWED.get(tier, np.nan) for tier in tiers["tier"]], float)
    for hour, mine in rows_by_hour(tiers, night):
        known = mine & np.isfinite(borrowed)
        told = listed(f"in tier {tier}" for tier in tiers["tier"][mine])
        if not known.any():
            yield nothing(f"{told}: {listed(tiers['why'][mine])}", hour=hour)
            continue
        most = float(borrowed[known].max())
        bad = known & (borrowed > limits["most_borrowed"])
        yield Found(
            word=WARN if bad.any() else PASS, why=f"tiles {told}", value=most,
            limit="most_borrowed", hour=hour, rows={"ms": tiers["path"][bad]},
        )  # fmt: skip


def _by_set(night: Night, column: str) -> Iterator[tuple[str, Columns]]:
    """Tables of each set, and of those only the ones whose metric is known."""
    tables = night.caltables
    named = np.array([name or "no set" for name in tables["set_name"]], object)
    for name in sorted(set(named)):
        mine = tables.where(named == name)
        yield name, mine.where(np.isfinite(mine[column]))


def _lowest(night: Night, limits: Limits, column: str, told: str) -> Iterator[Found]:
    """Judge each set by the table of it in which a recorded metric is lowest."""
    for name, tables in _by_set(night, column):
        if not tables.n_rows:
            yield nothing("not recorded in quality_metrics", key=name)
            continue
        values = tables[column]
        at = int(np.argmin(values))
        why = told.format(values[at], tables["table_type"][at])
        yield graded(
            float(values[at]), limits, why, low_is_bad=True, key=name,
            rows={"caltables": tables["path"][values < limits["warn"]]},
        )  # fmt: skip


@check(
    "calibration_snr",
    protects_against="solutions that are mostly noise",
    metric="lowest mean SNR of the set's tables",
    unit="1",
    scope="cal set",
    needs=["caltables", "caltables.snr_mean"],
)
def calibration_snr(night: Night, limits: Limits) -> Iterator[Found]:
    """Judge the recorded SNR of the sets that the tiles use."""
    yield from _lowest(night, limits, "snr_mean", "mean SNR {:.1f} in {}")


@check(
    "calibration_flagged",
    protects_against="tables that lost so much that they no longer stand for the instrument",
    metric="largest flagged fraction of the set's tables beyond the floor that empty slots make",
    unit="1",
    scope="cal set",
    needs=["caltables", "caltables.flagged_fraction"],
)
def calibration_flagged(night: Night, limits: Limits) -> Iterator[Found]:
    """Judge what each set lost of the antennas that are there.

    ``(flagged - floor) / (1 - floor)``: as recorded, a good gain table of a good night has
    0.31 flagged already, of which 0.18 are slots without an antenna.
    """
    floor = limits["floor"]
    for name, tables in _by_set(night, "flagged_fraction"):
        if not tables.n_rows:
            yield nothing("not recorded in quality_metrics", key=name)
            continue
        flagged = tables["flagged_fraction"]
        lost = np.maximum(flagged - floor, 0.0) / (1.0 - floor)
        at = int(np.argmax(flagged))
        why = (
            f"{flagged[at]:.3f} flagged in {tables['table_type'][at]}: {lost[at]:.3f} of what is "
            f"left beyond the floor of {floor:.2f}"
        )
        yield graded(
            float(lost[at]), limits, why, key=name,
            rows={"caltables": tables["path"][lost > limits["warn"]]},
        )  # fmt: skip


@check(
    "calibration_antennas",
    protects_against="an array that was mostly off when the calibrator passed",
    metric="fewest antennas in the set's tables",
    unit="1",
    scope="cal set",
    severity="notice",
    needs=["caltables", "caltables.n_antennas"],
)
def calibration_antennas(night: Night, limits: Limits) -> Iterator[Found]:
    """Judge the number of antennas that the sets were solved for."""
    yield from _lowest(night, limits, "n_antennas", "{:.0f} antennas in {}")
