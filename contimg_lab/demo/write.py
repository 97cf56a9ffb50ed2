"""Write the databases, logs and truth of a season into an empty folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from contimg_lab.demo.calibration import calibration_rows
from contimg_lab.demo.figures import Figures
from contimg_lab.demo.jobrows import job_rows
from contimg_lab.demo.logs import write_run_logs, write_shared_logs
from contimg_lab.demo.ms import ARRAY_NOISE_JY, DURATION_S
from contimg_lab.demo.photometry import Block, ExtraTile, join, photometry_blocks
from contimg_lab.demo.plan import make_plan
from contimg_lab.demo.processing import Processed, process
from contimg_lab.demo.products import Rows, product_rows
from contimg_lab.demo.season import Season
from contimg_lab.demo.sources import Sky, make_sky
from contimg_lab.demo.tables import column_names, create_indexes, create_tables, files_of
from contimg_lab.demo.truth import Truth, write_truth
from contimg_lab.demo.untidy import damage, rename
from contimg_lab.times import mjd_from_unix

__all__ = ["write_season"]

_EMPTY_WHEN_OLD = ("image_qa", "calibration_qa")

Progress = Callable[[int, int], None]


def write_season(folder: Path, season: Season, progress: Progress) -> None:
    """Write a season into an empty folder; see `contimg_lab.demo.make_season`."""
    total = season.photometry_rows or season.nights
    progress(0, total)
    plan = make_plan(season)
    if season.untidy:
        rename(plan)
    done = process(plan)
    sky = make_sky(season, plan.passages_mjd, frozenset({plan.special.blind}))
    rows: Rows = {**product_rows(done), **job_rows(done), **calibration_rows(done)}
    figures = Figures(sky)
    files = files_of(season.layout, untidy=season.untidy)
    connections = {name: _open(folder / name, tables) for name, tables in files.items()}
    try:
        (main, tables), *_ = zip(connections.values(), files.values(), strict=True)
        if season.untidy:
            whole = join([block for _, block, _ in photometry_blocks(done, sky)])
            damage(done, rows, whole)
            figures.add(whole)
            _insert_columns(main, tables["photometry"], whole)
        else:
            _stream(main, tables, done, sky, figures, progress)
        rows.update(figures.rows())
        if season.layout == "split-old":
            rows = {name: part for name, part in rows.items() if name not in _EMPTY_WHEN_OLD}
        for name, connection in connections.items():
            for table, listing in files[name].items():
                _insert(connection, table, listing, rows.get(table, []), second=season.untidy)
            create_indexes(connection, files[name])
            _finish(connection)
    finally:
        for connection in connections.values():
            connection.close()
    if season.untidy:
        write_shared_logs(folder / "logs", done)
    else:
        write_run_logs(folder / "logs", done)
    write_truth(folder, _truth(done, sky))
    progress(total, total)


def _stream(
    main: sqlite3.Connection,
    tables: Mapping[str, str],
    done: Processed,
    sky: Sky,
    figures: Figures,
    progress: Progress,
) -> None:
    season = done.plan.season
    written = 0
    for night, block, tiles in photometry_blocks(done, sky):
        figures.add(block)
        _insert_columns(main, tables["photometry"], block)
        extra = _extra_rows(tiles)
        for table in ("ms_index", "images"):
            _insert(main, table, tables[table], extra[table])
        written += len(block)
        progress(
            *((night + 1, season.nights) if season.photometry_rows is None
              else (written, season.photometry_rows))
        )  # fmt: skip


def _open(path: Path, tables: Mapping[str, str]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    # nobody reads the file before it is whole and renamed, so it needs no journal yet
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-32768")
    connection.execute("BEGIN")
    create_tables(connection, tables)
    return connection


def _finish(connection: sqlite3.Connection) -> None:
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insert(
    connection: sqlite3.Connection,
    table: str,
    listing: str,
    rows: Iterable[Mapping[str, object]],
    *,
    second: bool = False,
) -> None:
    found = list(rows)
    names = [name for name in column_names(listing) if any(name in row for row in found)]
    if not names:
        return
    keys = names
    if second:  # the second shape of a table may hold a time as text
        keys = [key if (key := f"text:{name}") in found[0] else name for name in names]
    marks = ", ".join("?" * len(names))
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
        ([row.get(key) for key in keys] for row in found),
    )


def _insert_columns(connection: sqlite3.Connection, listing: str, block: Block) -> None:
    names = [name for name in column_names(listing) if name in block.columns]
    marks = ", ".join("?" * len(names))
    connection.executemany(
        f"INSERT INTO photometry ({', '.join(names)}) VALUES ({marks})",
        zip(*(block.columns[name] for name in names), strict=True),
    )


def _extra_rows(tiles: list[ExtraTile]) -> Rows:
    rows: Rows = {"ms_index": [], "images": []}
    for tile in tiles:
        path = f"/stage/dsa110-contimg/ms/{tile.group_id}.ms"
        start, end = tile.start_unix, tile.start_unix + DURATION_S
        rows["ms_index"].append({
            "path": path, "start_mjd": mjd_from_unix(start), "end_mjd": mjd_from_unix(end),
            "mid_mjd": mjd_from_unix((start + end) / 2.0), "processed_at": end + 7200.0,
            "status": "completed", "stage": "imaged", "stage_updated_at": end + 7201.0,
            "cal_applied": 1, "imagename": tile.image_path.removesuffix("-image-pb.fits"),
            "ra_deg": tile.ra_deg, "dec_deg": tile.dec_deg, "pointing_ra_deg": tile.ra_deg,
            "pointing_dec_deg": tile.dec_deg, "group_id": tile.group_id,
            "created_at": end + 240.0,
        })  # fmt: skip
        rows["images"].append({
            "path": tile.image_path, "ms_path": path, "created_at": end + 7190.0,
            "type": "image", "pbcor": 1, "noise_jy": tile.noise_jy, "format": "fits",
            "beam_major_arcsec": 36.9, "beam_minor_arcsec": 25.5, "beam_pa_deg": 6.0,
            "center_ra_deg": tile.ra_deg, "center_dec_deg": tile.dec_deg,
        })  # fmt: skip
    return rows


def _truth(done: Processed, sky: Sky) -> Truth:
    planted = sky.planted(done.plan.passages_mjd)
    imaged = [ms for ms in done.plan.science if ms.outcome == "imaged"]
    return Truth(
        season=done.plan.season,
        variables=tuple(source for source in planted if source.kind != "constant"),
        constants=tuple(source for source in planted if source.kind == "constant"),
        faults=tuple(
            sorted(done.faults, key=lambda f: (f.kind, f.night or "", f.ms_path or "", f.detail))
        ),
        image_gains={ms.image_path: ms.gain for ms in imaged},
        image_noise_jy={ms.image_path: ms.noise_jy for ms in imaged},
        array_noise_jy=ARRAY_NOISE_JY,
    )
