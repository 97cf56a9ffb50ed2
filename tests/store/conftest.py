"""A database of photometry that a test writes as it likes, in every form that readers meet."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from contimg_lab.services._epochs import OF_ROWS, OF_SOURCES, Epochs

COLUMNS = (
    "id INTEGER PRIMARY KEY, source_id TEXT, image_path TEXT, ra_deg REAL, dec_deg REAL, "
    "nvss_flux_mjy REAL, peak_jyb REAL, peak_err_jyb REAL, measured_at REAL, mjd REAL, "
    "flux_jy REAL, flux_err_jy REAL"
)


def make_database(path: Path, columns: str = COLUMNS) -> sqlite3.Connection:
    """Write an empty pipeline database, and return the writer's own connection."""
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute(
        "CREATE TABLE ms_index (path TEXT PRIMARY KEY, start_mjd REAL, end_mjd REAL, "
        "mid_mjd REAL, processed_at REAL, status TEXT, stage TEXT, stage_updated_at REAL, "
        "cal_applied INTEGER, imagename TEXT, created_at REAL)"
    )
    writer.execute(
        "CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT, ms_path TEXT, created_at REAL, "
        "type TEXT, pbcor INTEGER, noise_jy REAL, beam_major_arcsec REAL)"
    )
    writer.execute(f"CREATE TABLE photometry ({columns})")
    writer.execute("CREATE INDEX of_source ON photometry(source_id)")
    writer.execute(
        "INSERT INTO ms_index (path, mid_mjd) VALUES ('/ms/2025-10-09T06:30:00.ms', 60957.27)"
    )
    writer.execute(
        "INSERT INTO images (path, ms_path) VALUES ('/i/a.fits', '/ms/2025-10-09T06:30:00.ms')"
    )
    return writer


def assert_same(ours: Epochs, theirs: Epochs) -> None:
    """Epochs are equal to the last bit."""
    assert ours.source_ids == theirs.source_ids
    np.testing.assert_array_equal(ours.offsets, theirs.offsets)
    every = slice(None)
    np.testing.assert_array_equal(ours.image_paths(every), theirs.image_paths(every))
    for name in (*OF_ROWS, *OF_SOURCES):
        if name == "image":
            continue
        one, other = getattr(ours, name), getattr(theirs, name)
        assert one.dtype == other.dtype, name
        assert one.tobytes() == np.ascontiguousarray(other).tobytes(), name


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The pipeline's writer on a new database in ``tmp_path``."""
    connection = make_database(tmp_path / "pipeline.sqlite3")
    yield connection
    connection.close()
