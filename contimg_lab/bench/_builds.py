"""The databases that are measured: seasons of any size, private copies, many Measurement Sets."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contimg_lab.bench._process import call
from contimg_lab.config import read_config
from contimg_lab.errors import AbsentFeature
from contimg_lab.layouts import detect

__all__ = [
    "EPOCHS",
    "jobs_season",
    "photometry_file",
    "plain_season",
    "private_copy",
    "private_folder",
    "season",
    "sources",
    "warm",
]

EPOCHS = 400
"""Measurements of each source."""

_FILE = "pipeline.sqlite3"
_CHECKED = 8
_FEWEST_SOURCES = 40  # fewer have no room for the planted variables
_MS_EVERY_S = 309.0
_FIRST_UNIX = 1704067200.0  # 2024-01-01, long before the season's first night
_BLOCK = 1 << 24


def season(n_rows: int, cache: Path) -> Path:
    """Folder of a season with so many photometry rows, made on first use."""
    from contimg_lab.demo import Season, ensure_season  # not for processes that measure

    wanted = Season(n_sources=max(_FEWEST_SOURCES, n_rows // EPOCHS), photometry_rows=n_rows)
    return ensure_season(wanted, cache)


def plain_season(cache: Path) -> Path:
    """Folder of the built-in season, made on first use."""
    from contimg_lab.demo import Season, ensure_season

    return ensure_season(Season(), cache)


def photometry_file(path: Path) -> Path:
    """Return the file that holds the photometry of what `open` would open."""
    layout = detect(read_config(path))
    return layout.files[layout.role_of("photometry")].absolute()


def warm(file: str) -> int:
    """Read a file once, so that nobody pays the disk; to be called in a process of its own."""
    read = 0
    with Path(file).open("rb", buffering=0) as opened:
        while block := opened.read(_BLOCK):
            read += len(block)
    return read


def sources(database: str) -> dict[str, Any]:
    """Return the names of all sources, some that every way must agree on, and the rows.

    Those to agree on are chosen where each row has its own time, flux and error, so that no
    rule about what counts can tell the ways apart. To be called in a process of its own.

    Parameters
    ----------
    database
        URI of the file.
    """
    with contextlib.closing(sqlite3.connect(database, uri=True)) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(photometry)")}
        if not {"mjd", "flux_jy", "flux_err_jy"} <= columns:
            raise AbsentFeature(
                "this older file has no mjd, flux_jy and flux_err_jy, on which all ways rest; "
                "give a newer one"
            )
        named = connection.execute(
            "SELECT DISTINCT source_id FROM photometry WHERE source_id IS NOT NULL"
        )
        names = [name for (name,) in named]
        n_rows = connection.execute("SELECT count(*) FROM photometry").fetchone()[0]
        spread = names[:: max(1, len(names) // (4 * _CHECKED))]
        plain = [name for name in spread if connection.execute(_PLAIN_SQL, [name]).fetchone()[0]]
    return {"names": names, "checked": plain[:_CHECKED], "n_rows": n_rows}


@contextlib.contextmanager
def private_copy(file: Path, cache: Path) -> Iterator[Path]:
    """Copy a season's database for a writer; removed at the end."""
    with private_folder(cache) as private:
        shutil.copyfile(file, private / _FILE)
        with (private / _FILE).open("rb+") as copied:
            os.fsync(copied.fileno())  # else the first checkpoint pays for the copy
        call("_builds:warm", file=str(private / _FILE))
        yield private / _FILE


@contextlib.contextmanager
def private_folder(cache: Path) -> Iterator[Path]:
    """Make a folder in the cache that lives as long as it is used."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as private:
        yield Path(private)


def jobs_season(n_ms: int, cache: Path) -> Path:
    """Folder of the built-in season with so many earlier Measurement Sets, each with its run.

    Each has the steps of a run in ``jobs``, one image, and lies in a day that has its cal set.
    """
    made = plain_season(cache)
    target = cache / f"bench-jobs-{n_ms}-{made.name}"
    if target.is_dir():
        return target
    with private_folder(cache) as private:
        building = private / "season"
        shutil.copytree(made, building)
        with contextlib.closing(sqlite3.connect(building / _FILE)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            with connection:
                _add_runs(connection, n_ms)
        with contextlib.suppress(OSError):  # another process was faster
            os.rename(building, target)  # noqa: PTH104 - Path.rename moves into nothing else either
    return target


def _add_runs(connection: sqlite3.Connection, n_ms: int) -> None:
    starts = [_FIRST_UNIX + _MS_EVERY_S * i for i in range(n_ms)]
    connection.executemany(_MS_SQL, ({"start": start} for start in starts))
    connection.executemany(_IMAGE_SQL, ({"start": start} for start in starts))
    steps = ("convert", "apply", "image")
    connection.executemany(
        _JOB_SQL,
        (
            # one run in fifty fails at its last step
            {"start": start, "type": step, "late": 300.0 * k, "failed": i % 50 == 7 and k == 2}
            for i, start in enumerate(starts)
            for k, step in enumerate(steps)
        ),
    )
    days = range(int(n_ms * _MS_EVERY_S // 86400.0) + 1)
    connection.executemany(
        _CAL_SQL,
        (
            {"start": _FIRST_UNIX + 86400.0 * day, "type": kind, "order": order}
            for day in days
            for order, kind in enumerate(("K", "BA", "BP", "GA", "GP"))
        ),
    )


_PLAIN_SQL = """
SELECT count(*) = count(mjd) AND count(*) = count(flux_jy) AND min(flux_err_jy) > 0
    AND count(*) = count(flux_err_jy) AND count(*) = count(DISTINCT image_path)
FROM photometry WHERE source_id = ?
"""

_NAME = "strftime('%Y-%m-%dT%H:%M:%S', :start, 'unixepoch')"
_PATH = f"'/stage/dsa110-contimg/ms/' || {_NAME} || '.ms'"
_MJD = ":start / 86400.0 + 40587.0"

_MS_SQL = f"""
INSERT INTO ms_index (path, start_mjd, end_mjd, mid_mjd, processed_at, status, stage,
    stage_updated_at, cal_applied, ra_deg, dec_deg, pointing_ra_deg, pointing_dec_deg, group_id,
    created_at)
VALUES ({_PATH}, {_MJD}, {_MJD} + 0.003576, {_MJD} + 0.001788, :start + 7200.0, 'completed',
    'imaged', :start + 7201.0, 1, 345.0, 16.26, 345.0, 16.26, {_NAME}, :start + 240.0)
"""

_IMAGE_SQL = f"""
INSERT INTO images (path, ms_path, created_at, type, pbcor, noise_jy, beam_major_arcsec)
VALUES ('/stage/dsa110-contimg/images/' || {_NAME} || '.img-image-pb.fits', {_PATH},
    :start + 7190.0, 'image', 1, 0.013, 36.9)
"""

_JOB_SQL = f"""
INSERT INTO jobs (type, status, ms_path, logs, created_at, started_at, finished_at)
VALUES (:type, CASE WHEN :failed THEN 'failed' ELSE 'completed' END, {_PATH},
    CASE WHEN :failed THEN 'ERROR MemoryError: cannot allocate 12 GB' END,
    :start + 300.0 + :late, :start + 310.0 + :late, :start + 590.0 + :late)
"""

_CAL_SQL = f"""
INSERT INTO caltables (set_name, path, table_type, order_index, created_at, valid_start_mjd,
    valid_end_mjd, status)
VALUES ('bench_' || {_NAME}, '/stage/dsa110-contimg/cal/' || {_NAME} || '_' || lower(:type)
    || 'cal', :type, :order, :start, {_MJD} + 0.4583, {_MJD} + 0.5417, 'active')
"""
