"""Write a whole season into a folder, or not at all; and keep seasons in the user's cache."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from platformdirs import user_cache_path

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
from contimg_lab.demo.truth import Truth, read_truth, write_truth
from contimg_lab.demo.untidy import damage, rename
from contimg_lab.errors import InvalidInput, NotFound
from contimg_lab.times import mjd_from_unix

__all__ = ["SEASON_VERSION", "ensure_season", "make_season", "season_folder"]

SEASON_VERSION = 1
"""Raised whenever the same arguments would give other rows than before."""
_FORMAT_VERSION = 1
_EMPTY_WHEN_OLD = ("image_qa", "calibration_qa")

Progress = Callable[[int, int], None]


def make_season(
    folder: Path | str, season: Season | None = None, *, progress: Progress | None = None
) -> Path:
    """Write the databases, logs and truth of a season into a folder.

    The season is built beside the folder and renamed into place when it is whole. A folder
    that holds the same season already is left as it is.

    Parameters
    ----------
    folder
        Missing, empty, or holding the same season.
    season
        What to simulate; the default season where none is given.
    progress
        Called with what is done and what is to do: nights, or photometry rows where
        `photometry_rows` is given. What it raises stops the work, and nothing is left.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InvalidInput
        The folder holds something else.
    """
    season = season or Season()
    target = Path(folder).absolute()
    if _holds(target, season):
        return target
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInput(f"{target} is not empty and holds another season or other files")
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        _build(building, season, progress or _no_progress)
        building.chmod(0o755)
        try:
            _move(building, target)
        except OSError:
            if not _holds(target, season):  # else another process was faster
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def season_folder(season: Season | None = None, cache: Path | str | None = None) -> Path:
    """Folder of a season in a cache: by default the user's own for this package."""
    season = season or Season()
    kept = [_FORMAT_VERSION, SEASON_VERSION, dataclasses.asdict(season)]
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:10]
    base = user_cache_path("contimg_lab") if cache is None else Path(cache)
    kind = season.layout + "-untidy" * season.untidy
    return base / f"season-{_FORMAT_VERSION}.{SEASON_VERSION}-{kind}-{season.nights}n-{digest}"


def ensure_season(
    season: Season | None = None,
    cache: Path | str | None = None,
    *,
    progress: Progress | None = None,
) -> Path:
    """Folder of a season in the cache, made on first use; see `make_season`."""
    return make_season(season_folder(season, cache), season, progress=progress)


def _no_progress(done: int, total: int) -> None:
    """Nobody watches."""


def _holds(folder: Path, season: Season) -> bool:
    try:
        return read_truth(folder).season == season
    except (NotFound, OSError, ValueError, TypeError, KeyError):
        return False


def _move(building: Path, target: Path) -> None:
    with contextlib.suppress(OSError):
        target.rmdir()  # an empty folder in the way: some systems do not rename over it
    os.rename(building, target)  # noqa: PTH104 - Path.rename moves into nothing else either


def _build(folder: Path, season: Season, progress: Progress) -> None:
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
