"""Faults of runs, raw files and Measurement Sets."""

from __future__ import annotations

from datetime import datetime, timedelta

from .kinds import kind
from .places import Place, Planted

__all__: list[str] = []

_LAST_JOB = "(SELECT max(id) FROM jobs WHERE ms_path = ?)"


@kind("{} runs of an hour fail at their last step", "failed", size=2)
def failed_runs(place: Place, size: float) -> Planted:
    """Runs that failed while imaging leave no image."""
    paths = place.some(int(size))
    place.each(f"UPDATE jobs SET status = 'failed' WHERE id = {_LAST_JOB}", paths)
    place.each("UPDATE ms_index SET status = 'failed' WHERE path = ?", paths)
    place.unmade(paths)
    return place.told(paths)


@kind("one run hangs at its last step", "stuck")
def stuck_run(place: Place, size: float) -> Planted:
    """A step that began, and never ended."""
    paths = place.some(1)
    place.each(
        f"UPDATE jobs SET status = 'running', finished_at = NULL WHERE id = {_LAST_JOB}", paths
    )
    place.each("UPDATE ms_index SET status = 'processing' WHERE path = ?", paths)
    place.unmade(paths)
    return place.told(paths)


@kind("{} runs of an hour end well, and leave no image", "missing", size=2)
def lost_images(place: Place, size: float) -> Planted:
    """Rows of images deleted."""
    paths = place.some(int(size))
    place.unmade(paths)
    return place.told(paths)


@kind("{} tiles of an hour were never worked on", "missing", size=2)
def never_run(place: Place, size: float) -> Planted:
    """Tiles that wait for ever: no job, no image."""
    paths = place.some(int(size))
    place.unmade(paths)
    place.each("DELETE FROM jobs WHERE ms_path = ?", paths)
    place.each(
        "UPDATE ms_index SET status = 'pending', stage = 'ingested', cal_applied = 0, "
        "processed_at = NULL WHERE path = ?",
        paths,
    )
    return place.told(paths)


@kind("one tile's raw files are there, its MS is not", "raw_without_ms", follows="gaps")
def raw_only(place: Place, size: float) -> Planted:
    """A group of raw files that no Measurement Set was made from."""
    paths = place.some(1, inside=True)
    groups = place.groups(paths)
    place.unseen(paths)
    return place.told(groups)


@kind("{} of 16 raw files of a tile are lost", "subbands", size=5)
def lost_subbands(place: Place, size: float) -> Planted:
    """Rows of raw files deleted."""
    (group,) = place.groups(place.some(1))
    files = [row[0] for row in place.all("SELECT path FROM hdf5_files WHERE group_id = ?", group)]
    for i in place.rng.choice(len(files), int(size), replace=False):
        place.run("DELETE FROM hdf5_files WHERE path = ?", files[int(i)])
    return place.told([group])


@kind("{} tiles are left of an hour", "tiles", size=6, follows="gaps raw_without_ms")
def few_tiles(place: Place, size: float) -> Planted:
    """All but the first tiles of the hour were never taken in."""
    place.unseen(place.tiles[int(size) :])
    return place.told()


@kind("{} neighbouring tiles are not there", "gaps", size=2, follows="raw_without_ms")
def hole(place: Place, size: float) -> Planted:
    """A hole inside an hour; the check blames the tile before it."""
    paths = place.some(int(size), inside=True)
    before = place.tiles[place.tiles.index(paths[0]) - 1]
    place.unseen(paths)
    return place.told([before])


@kind("an hour inside the night has no tile", "empty_hours", follows="gaps raw_without_ms")
def empty_hour(place: Place, size: float) -> Planted:
    """A whole hour was never taken in."""
    place.unseen(place.tiles)
    return Planted(hours=frozenset({None}))


@kind(
    "one tile's declination is off by {} deg", "declination", size=0.2,
    sweep=(0.05, 0.08, 0.1, 0.12),
)  # fmt: skip
def declination_jump(place: Place, size: float) -> Planted:
    """The tile looked at another declination than the night."""
    paths = place.some(1)
    sign = float(place.rng.choice((-1.0, 1.0)))
    place.each(
        "UPDATE ms_index SET dec_deg = dec_deg + ?1, pointing_dec_deg = pointing_dec_deg + ?1 "
        "WHERE path = ?2",
        paths,
        sign * size,
    )
    return place.told(paths)


@kind("one tile's right ascension is off by {} deg", "pointing", size=0.3)
def off_meridian(place: Place, size: float) -> Planted:
    """As J2000 taken for the place of date makes it."""
    paths = place.some(1)
    sign = float(place.rng.choice((-1.0, 1.0)))
    place.each(
        "UPDATE ms_index SET ra_deg = ra_deg + ?1, pointing_ra_deg = pointing_ra_deg + ?1 "
        "WHERE path = ?2",
        paths,
        sign * size,
    )
    return place.told(paths)


@kind(
    "one tile's recorded times are {} s late", "clock_name", size=90,
    follows="pointing ms_times epoch_times gaps",
)  # fmt: skip
def late_clock(place: Place, size: float) -> Planted:
    """A clock that is off; the name and the pointing know better."""
    paths = place.some(1, inside=True)
    place.each(
        "UPDATE ms_index SET start_mjd = start_mjd + ?1, mid_mjd = mid_mjd + ?1, "
        "end_mjd = end_mjd + ?1 WHERE path = ?2",
        paths,
        size / 86400.0,
    )
    return place.told(paths)


@kind("one tile is indexed twice, {} s apart", "ms_times", size=5, follows="tiles")
def indexed_twice(place: Place, size: float) -> Planted:
    """A second row, run and image of one observation, named by a time of its own."""
    (path,) = place.some(1)
    (group,) = place.groups([path])
    later = f"{datetime.fromisoformat(group) + timedelta(seconds=size):%Y-%m-%dT%H:%M:%S}"
    twin = path.replace(group, later)
    place.run(
        "INSERT INTO ms_index SELECT ?1, start_mjd + ?2, end_mjd + ?2, mid_mjd + ?2, processed_at,"
        " status, stage, stage_updated_at, cal_applied, imagename, field_name, pointing_ra_deg,"
        " pointing_dec_deg, ra_deg, dec_deg, group_id, created_at FROM ms_index WHERE path = ?3",
        twin, size / 86400.0, path,
    )  # fmt: skip
    place.run(
        "INSERT INTO jobs (type, status, ms_path, created_at, started_at, finished_at) SELECT "
        "type, status, ?1, created_at, started_at, finished_at FROM jobs WHERE ms_path = ?2",
        twin, path,
    )  # fmt: skip
    place.run(
        "INSERT INTO images (path, ms_path, created_at, type, noise_jy) SELECT 'again-' || path, "
        "?1, created_at, type, noise_jy FROM images WHERE ms_path = ?2 AND type = 'image'",
        twin, path,
    )  # fmt: skip
    return place.told([path, twin])


@kind("one tile ends before it starts", "ms_times")
def ends_before_start(place: Place, size: float) -> Planted:
    """The recorded end is the start of the tile before."""
    paths = place.some(1)
    place.each("UPDATE ms_index SET end_mjd = start_mjd - 309.0 / 86400.0 WHERE path = ?", paths)
    return place.told(paths)


@kind("one tile's place is text that is no number", "damaged")
def damaged_row(place: Place, size: float) -> Planted:
    """Text in a column of numbers."""
    paths = place.some(1)
    column = str(place.rng.choice(("dec_deg", "ra_deg", "mid_mjd", "end_mjd")))
    place.each(f"UPDATE ms_index SET {column} = 'n/a' WHERE path = ?", paths)
    return place.told(paths)
