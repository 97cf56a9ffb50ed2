"""Faults of calibration tables and of clocks."""

from __future__ import annotations

import json

from .kinds import kind
from .places import Place, Planted

__all__: list[str] = []

_BANDPASS, _GAIN = ("BP", "BA"), ("GP", "GA", "2G")


def _tables(place: Place, types: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """Tables of some types that were applied to the hour: id, path and set."""
    marks = ", ".join("?" * len(types))
    sql = (
        "SELECT DISTINCT t.id, t.path, t.set_name FROM caltables t JOIN calibration_applied a "
        f"ON a.caltable_path = t.path WHERE a.ms_path = ? AND t.table_type IN ({marks}) "
        "ORDER BY t.id"
    )
    return [
        (int(str(i)), str(path), str(name))
        for i, path, name in place.all(sql, place.tiles[0], *types)
    ]


def _every_hour(place: Place) -> Planted:
    return Planted(hours=frozenset(place.hours))


def _everywhere(place: Place, types: tuple[str, ...], sql: str, *values: object) -> Planted:
    for number, _, _ in _tables(place, types):
        place.run(f"UPDATE caltables SET {sql} WHERE id = ?", *values, number)
    return _every_hour(place)


@kind("the night's bandpass tables are retired", "calibration")
def no_bandpass(place: Place, size: float) -> Planted:
    """Found to be wrong too late, and never replaced."""
    return _everywhere(place, _BANDPASS, "status = 'retired'")


@kind("the night's gain tables are retired", "calibration_gains")
def no_gains(place: Place, size: float) -> Planted:
    """As for the bandpass."""
    return _everywhere(place, _GAIN, "status = 'retired'")


@kind(
    "the bandpass tables' windows lie {} h earlier",
    "calibration",
    size=8,
    follows="calibration_age",
)
def far_bandpass(place: Place, size: float) -> Planted:
    """The nearest table is from long before."""
    sql = "valid_start_mjd = valid_start_mjd - ?, valid_end_mjd = valid_end_mjd - ?"
    return _everywhere(place, _BANDPASS, sql, size / 24.0, size / 24.0)


@kind("the bandpass tables' windows began {} h before", "calibration_age", size=24)
def old_bandpass(place: Place, size: float) -> Planted:
    """The window still holds, but its middle is long ago."""
    return _everywhere(
        place,
        _BANDPASS,
        "valid_start_mjd = valid_start_mjd - ?, valid_end_mjd = valid_end_mjd + 0.25",
        size / 24.0,
    )


@kind("one tile has the tables of the night before", "calibration_tier")
def borrowed(place: Place, size: float) -> Planted:
    """What was applied is of another date."""
    paths = place.some(1)
    for number, table, _ in _tables(place, _BANDPASS if place.rng.random() < 0.5 else _GAIN):
        kind_of = place.all("SELECT table_type FROM caltables WHERE id = ?", number)[0][0]
        donor = place.all(
            "SELECT path FROM caltables WHERE table_type = ? AND set_name LIKE ?",
            kind_of, f"{place.earlier}%",
        )  # fmt: skip
        if not donor:  # of a type that not every set has
            continue
        place.run(
            "UPDATE calibration_applied SET caltable_path = ? WHERE ms_path = ? "
            "AND caltable_path = ?",
            donor[0][0], paths[0], table,
        )  # fmt: skip
    return place.told(paths)


def _metric(place: Place, name: str, value: float) -> Planted:
    tables = _tables(place, ("BP",) if name == "snr_mean" else ("BP", "GP"))
    number, path, _ = tables[int(place.rng.integers(len(tables)))]
    held = place.all("SELECT quality_metrics FROM caltables WHERE id = ?", number)[0][0]
    told = json.dumps({**json.loads(str(held)), name: value})
    place.run("UPDATE caltables SET quality_metrics = ? WHERE id = ?", told, number)
    return Planted(hours=frozenset({None}), rows=frozenset({path}))


@kind("a bandpass table's mean SNR is {}", "calibration_snr", size=4)
def noisy_table(place: Place, size: float) -> Planted:
    """Solutions that are noise."""
    return _metric(place, "snr_mean", size)


@kind("{} of a table is flagged", "calibration_flagged", size=0.7)
def flagged_table(place: Place, size: float) -> Planted:
    """Most of it is lost."""
    return _metric(place, "flagged_fraction", size)


@kind("a table has {} antennas", "calibration_antennas", size=60)
def few_antennas(place: Place, size: float) -> Planted:
    """Half of the array was off."""
    return _metric(place, "n_antennas", size)


_CLOCKS = (
    ("jobs", "started_at"), ("jobs", "finished_at"), ("images", "created_at"),
    ("photometry", "measured_at"), ("ms_index", "processed_at"),
)  # fmt: skip


def _clock(place: Place) -> tuple[str, str, object]:
    """Choose a stored time of the hour: table, column, row."""
    table, column = _CLOCKS[int(place.rng.integers(len(_CLOCKS)))]
    paths = place.some(1)
    if table == "ms_index":
        return table, column, place.all("SELECT rowid FROM ms_index WHERE path = ?", paths[0])[0][0]
    if table == "jobs":
        sql = f"SELECT max(id) FROM jobs WHERE ms_path = ? AND {column} IS NOT NULL"
        return table, column, place.all(sql, paths[0])[0][0]
    ids = place.images(paths) if table == "images" else place.measured(paths)
    return table, column, ids[int(place.rng.integers(len(ids)))]


def _named(place: Place, table: str, column: str, row: object) -> Planted:
    key = row
    if table == "ms_index":
        key = place.all("SELECT path FROM ms_index WHERE rowid = ?", row)[0][0]
    return place.told([f"{table}: {key}: {column}"])


@kind(
    "one stored time is an MJD where Unix seconds belong",
    "clock_kinds",
    follows="clock_order stuck",
)
def mjd_for_unix(place: Place, size: float) -> Planted:
    """A time of the wrong kind."""
    table, column, row = _clock(place)
    place.run(f"UPDATE {table} SET {column} = {column} / 86400.0 + 40587.0 WHERE rowid = ?", row)
    return _named(place, table, column, row)


@kind("one stored time is {} years ahead", "clock_future", size=10)
def ahead(place: Place, size: float) -> Planted:
    """A clock that runs ahead."""
    table, column, row = _clock(place)
    place.run(f"UPDATE {table} SET {column} = {column} + ? WHERE rowid = ?", size * 31557600.0, row)
    return _named(place, table, column, row)


@kind("one image is {} h older than its observation", "clock_order", size=8)
def too_early(place: Place, size: float) -> Planted:
    """Local time taken for UTC."""
    paths = place.some(1)
    image = place.images(paths)[0]
    place.run(
        "UPDATE images SET created_at = "
        "(SELECT (start_mjd - 40587.0) * 86400.0 FROM ms_index WHERE path = ms_path) - ? "
        "WHERE id = ?",
        size * 3600.0, image,
    )  # fmt: skip
    return place.told([image])


@kind("one step ends {} s before it starts", "clock_order", size=600)
def ends_first(place: Place, size: float) -> Planted:
    """The clocks of two hosts."""
    paths = place.some(1)
    place.each(
        "UPDATE jobs SET finished_at = "
        "(SELECT min(started_at) FROM jobs j WHERE j.ms_path = jobs.ms_path) - ?1 "
        "WHERE ms_path = ?2",
        paths,
        size,
    )
    return place.told(paths)
