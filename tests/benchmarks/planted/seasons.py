"""Seasons to plant faults in: the built-in one with other seeds, and its nights without a fault."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contimg_lab.demo import Season, Truth, ensure_season, read_truth

from .places import Place

__all__ = ["HARMLESS", "Ready", "ready"]

HARMLESS = frozenset({"retried_run", "null_value"})
"""Kinds of the season's own faults that leave a night well: what went away, three NULL rows."""
FILE = "pipeline.sqlite3"
_FIRST = 6  # nights that the later ones are compared with
_SEEN_MJY = 200.0  # 5 sigma of a good tile where its beam is down to a third
_WHOLE = range(10, 13)  # tiles of an hour that faults are planted in


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """One season, with the tables filled that the built-in one leaves empty.

    Attributes
    ----------
    folder
        Holds the database.
    truth
        What the season planted itself.
    clean
        Its nights without a fault of the season's own (but `HARMLESS` ones), from the seventh
        on: the first have too few before them to be compared with.
    tiles
        By night and UTC hour: paths of the tiles, in order of time.
    """

    folder: Path
    truth: Truth
    clean: tuple[str, ...]
    tiles: dict[str, dict[int, list[str]]]

    def choose(self, rng: np.random.Generator, inner: bool) -> tuple[str, int]:
        """Choose a clean night, and a whole hour of it; ``inner``: with hours around it."""
        found = []
        for night in self.clean:
            hours = sorted(self.tiles[night])
            for hour in hours[1:-1] if inner else hours:
                if len(self.tiles[night][hour]) in _WHOLE:
                    found.append((night, hour))
        return found[int(rng.integers(len(found)))]

    def copy(self, folder: Path) -> Path:
        """Copy the database, to plant a fault in it."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.folder / FILE, folder / FILE)
        return folder

    def place(
        self, db: sqlite3.Connection, rng: np.random.Generator, night: str, hour: int
    ) -> Place:
        """One hour of a copy, to plant a fault in."""
        sets = {str(row[0])[:10] for row in db.execute("SELECT set_name FROM caltables")}
        earlier = max(one for one in sets if one < night)
        return Place(
            db=db, rng=rng, night=night, hour=hour, hours=self.tiles[night], earlier=earlier
        )


def ready(folder: Path, season: Season, cache: Path | None = None) -> Ready:
    """Make a season, and fill raw files, catalogue and astrometry of every night.

    Parameters
    ----------
    folder
        Where its copy is put.
    season
        What to simulate, of the unified layout.
    cache
        Where made seasons are kept.
    """
    made = ensure_season(season, cache)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made / FILE, folder / FILE)
    truth = read_truth(made)
    with contextlib.closing(sqlite3.connect(folder / FILE)) as db:
        _fill(db, truth)
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        tiles: dict[str, dict[int, list[str]]] = {}
        for path, group in db.execute(
            "SELECT path, group_id FROM ms_index WHERE path NOT LIKE '%calibrators%' "
            "ORDER BY start_mjd"
        ):
            tiles.setdefault(group[:10], {}).setdefault(int(group[11:13]), []).append(path)
    bad = {fault.night for fault in truth.faults if fault.kind not in HARMLESS}
    clean = tuple(night for night in sorted(tiles)[_FIRST:] if night not in bad)
    return Ready(folder=folder, truth=truth, clean=clean, tiles=tiles)


def _fill(db: sqlite3.Connection, truth: Truth) -> None:
    held = {row[0] for row in db.execute("SELECT group_id FROM hdf5_files")}
    raw = [
        (f"/incoming/{group}_sb{band:02d}.hdf5", f"{group}_sb{band:02d}.hdf5", group,
         f"sb{band:02d}", start, created)
        for group, start, created in db.execute(
            "SELECT group_id, start_mjd, created_at FROM ms_index"
        )
        for band in range(16) if group not in held
    ]  # fmt: skip
    db.executemany(
        "INSERT INTO hdf5_files (path, filename, group_id, subband_code, timestamp_mjd, "
        "indexed_at) VALUES (?, ?, ?, ?, ?, ?)",
        raw,
    )
    sources = [
        (one.source_id, one.ra_deg, one.dec_deg, one.nvss_flux_mjy / 1e3, one.source_id)
        for one in (*truth.variables, *truth.constants)
        if one.nvss_flux_mjy is not None and one.nvss_flux_mjy >= _SEEN_MJY
    ]
    db.executemany(
        "INSERT INTO catalog_sources (source_name, ra_deg, dec_deg, flux_jy, catalog, catalog_id, "
        "created_at, updated_at) VALUES (?, ?, ?, ?, 'NVSS', ?, 1.7e9, 1.7e9)",
        sources,
    )
    rng = np.random.default_rng(truth.season.seed)
    mosaics = db.execute("SELECT id, created_at FROM mosaics ORDER BY id").fetchall()
    offsets = rng.normal(0.0, 300.0, (len(mosaics), 2)).tolist()
    db.executemany(
        "INSERT INTO astrometric_solutions (mosaic_id, reference_catalog, n_matches, ra_offset_mas,"
        " dec_offset_mas, ra_offset_err_mas, dec_offset_err_mas, rms_residual_mas, computed_at) "
        "VALUES (?, 'NVSS', 40, ?, ?, 90, 90, 900, ?)",
        [(number, ra, dec, at) for (number, at), (ra, dec) in zip(mosaics, offsets, strict=True)],
    )
