"""Seasons in folders: the same one is never made twice, and a half-made one is never seen."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

from contimg_lab.demo.season import Season
from contimg_lab.demo.truth import read_truth
from contimg_lab.errors import InvalidInput, NotFound

__all__ = ["SEASON_VERSION", "ensure_season", "make_season", "season_folder", "write_images"]

SEASON_VERSION = 1
"""Raised whenever the same arguments would give other rows than before."""
_FORMAT_VERSION = 1
_IMAGES = "images"

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
    # only here: who opens a season that is there already needs none of what makes one
    from contimg_lab.demo.write import write_season

    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        write_season(building, season, progress or _no_progress)
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


def write_images(folder: Path | str, season: Season | None = None) -> tuple[Path, ...]:
    """Write a few small FITS images into ``images/`` of a season's folder; once.

    They are built beside it and renamed into place when all are there; an ``images/`` that is
    there already is left as it is, and the databases are never touched.

    Parameters
    ----------
    folder
        Holds the season.
    season
        Its arguments; the default season where none are given.

    Returns
    -------
    tuple of pathlib.Path
        The files, by name: tiles of the last two nights under the names in ``images.path``.

    Raises
    ------
    InvalidInput
        The folder holds another season, or none.
    """
    season = season or Season()
    base = Path(folder).absolute()
    target = base / _IMAGES
    if not _holds(base, season):
        raise InvalidInput(f"{base} does not hold this season; make_season writes it")
    if not target.is_dir():
        from contimg_lab.demo.images import draw_images

        building = Path(tempfile.mkdtemp(prefix=f".{_IMAGES}-", dir=base))
        try:
            draw_images(building, season)
            building.chmod(0o755)
            try:
                _move(building, target)
            except OSError:
                if not target.is_dir():  # else another process was faster
                    raise
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return tuple(sorted(target.glob("*.fits")))


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
