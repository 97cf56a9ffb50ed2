"""Faults of images and of what was measured in them."""

from __future__ import annotations

import numpy as np

from .kinds import kind
from .places import FLUXES, Place, Planted

__all__: list[str] = []

NAMED = 200  # of many rows a check names the first
_SCALE = "image_gain variables flux_ratio flux_scatter completeness"


def _images(place: Place, paths: list[str], change: str, *values: object) -> Planted:
    ids = place.images(paths)
    for number in ids:
        place.run(f"UPDATE images SET {change} WHERE id = ?", *values, number)
    return place.told(ids)


@kind(
    "the noise of an hour's images is {} times what it is", "noise", size=2.5,
    sweep=(1.1, 1.3, 1.5, 1.7, 2.0),
)  # fmt: skip
def noisy_hour(place: Place, size: float) -> Planted:
    """Every tile image of the hour, with its dynamic range."""
    _images(
        place, place.tiles, "noise_jy = noise_jy * ?, dynamic_range = dynamic_range / ?", size, size
    )
    return place.told()


@kind("the noise of one image is {} times the array's", "noise", size=6)
def noisy_image(place: Place, size: float) -> Planted:
    """One tile among good ones: 78 mJy/beam."""
    return _images(place, place.some(1), "noise_jy = ?", size * 0.013)


@kind("the dynamic range of an hour's images is {}", "dynamic_range", size=40)
def artefacts(place: Place, size: float) -> Planted:
    """Artefacts in place of sources."""
    return _images(place, place.tiles, "dynamic_range = ?", size)


@kind("an hour's beams are drawn out, {} times", "beam", size=1.8)
def drawn_out(place: Place, size: float) -> Planted:
    """Of one area, so that their size stays."""
    change = "beam_major_arcsec = beam_major_arcsec * ?, beam_minor_arcsec = beam_minor_arcsec / ?"
    _images(place, place.tiles, change, size**0.5, size**0.5)
    return place.told()


@kind("an hour's beams are {} times as wide", "beam_size", size=1.8)
def wide_beams(place: Place, size: float) -> Planted:
    """In both axes."""
    change = "beam_major_arcsec = beam_major_arcsec * ?, beam_minor_arcsec = beam_minor_arcsec * ?"
    return _images(place, place.tiles, change, size, size)


@kind("one image's beam is turned by {} deg", "beam_angle", size=45)
def turned_beam(place: Place, size: float) -> Planted:
    """Against those of its hour."""
    return _images(place, place.some(1), "beam_pa_deg = beam_pa_deg + ?", size)


@kind(
    "the fluxes of an hour are {} of what they are", "flux_ratio", size=0.6,
    follows=_SCALE, sweep=(0.95, 0.92, 0.9, 0.88, 0.86, 0.8, 0.7),
)  # fmt: skip
def flux_scale(place: Place, size: float) -> Planted:
    """A wrong flux scale."""
    ids = place.measured(place.tiles)
    place.scale(ids, [size] * len(ids))
    return place.told()


@kind(
    "the fluxes of one image are {} times what they are", "image_gain", size=1.35,
    follows=_SCALE, sweep=(1.02, 1.05, 1.08, 1.12, 1.16, 1.2, 1.25),
)  # fmt: skip
def image_scale(place: Place, size: float) -> Planted:
    """One image's own error of scale; of the five that hold most bright sources to tell it."""
    sql = (
        "SELECT count(DISTINCT p.source_id) FROM photometry p JOIN images i ON i.path = "
        "p.image_path WHERE i.ms_path = ? AND p.flux_jy > 10 * p.flux_err_jy"
    )
    bright = sorted(
        (-int(str(place.all(sql, path)[0][0])), hour, path)
        for hour, tiles in place.hours.items()
        for path in tiles
    )
    _, hour, path = bright[int(place.rng.integers(5))]
    ids = place.measured([path])
    place.scale(ids, [size] * len(ids))
    measured = place.all("SELECT image_path FROM photometry WHERE id = ?", ids[0])[0][0]
    image = place.all("SELECT id FROM images WHERE path = ?", measured)[0][0]
    return Planted(hours=frozenset({hour}), rows=frozenset({str(image)}))


@kind("half of an hour's fluxes are {} times what they are", "variables", size=2.5, follows=_SCALE)
def all_vary(place: Place, size: float) -> Planted:
    """Many sources vary at once."""
    ids = place.share(place.measured(place.tiles), 0.5)
    place.scale(ids, [size] * len(ids), errors=False)
    return place.told()


@kind(
    "each flux of an hour has a factor of its own, {} dex wide",
    "flux_scatter",
    size=0.3,
    follows=_SCALE,
)
def scattered(place: Place, size: float) -> Planted:
    """A median that is right, of fluxes that are not."""
    ids = place.measured(place.tiles)
    place.scale(ids, (10.0 ** place.rng.normal(0.0, size, len(ids))).tolist(), errors=False)
    return place.told()


@kind("{} of an hour's catalogued sources are lost", "completeness", size=0.6, follows=_SCALE)
def lost_sources(place: Place, size: float) -> Planted:
    """No measurement of them is left in the hour."""
    ids = place.measured(place.tiles)
    marks = ", ".join("?" * len(ids))
    found = place.all(f"SELECT DISTINCT source_id FROM photometry WHERE id IN ({marks})", *ids)
    lost = place.share(list(range(len(found))), size)
    for row in lost:
        place.run(
            f"DELETE FROM photometry WHERE source_id = ? AND id IN ({marks})", found[row][0], *ids
        )
    return place.told()


@kind("{} of an hour's measurements are flagged", "measurement_flags", size=0.5)
def flagged(place: Place, size: float) -> Planted:
    """By the pipeline itself."""
    ids = place.share(place.measured(place.tiles), size)
    for number in ids:
        place.run("UPDATE photometry SET flags = 4 WHERE id = ?", number)
    return place.told(ids[:NAMED])


@kind("{} of an hour's fluxes are NULL", "missing_values", size=0.3, follows="completeness")
def no_fluxes(place: Place, size: float) -> Planted:
    """Rows without a value."""
    ids = place.share(place.measured(place.tiles), size)
    empty = ", ".join(f"{name} = NULL" for name in FLUXES)
    for number in ids:
        place.run(f"UPDATE photometry SET {empty} WHERE id = ?", number)
    return place.told(ids[:NAMED])


@kind("one measurement is there twice", "duplicate_epochs")
def measured_twice(place: Place, size: float) -> Planted:
    """A second row of one source in one image."""
    (number,) = place.share(place.measured(place.tiles), 0.0)
    columns = [str(row[1]) for row in place.all("PRAGMA table_info(photometry)")]
    names = ", ".join(name for name in columns if name != "id")
    place.run(
        f"INSERT INTO photometry ({names}) SELECT {names} FROM photometry WHERE id = ?", number
    )
    return place.told()


@kind("one measurement's epoch is {} h off", "epoch_times", size=7)
def wrong_epoch(place: Place, size: float) -> Planted:
    """A zone of whole hours."""
    ids = place.share(place.measured(place.tiles), 0.0)
    place.run("UPDATE photometry SET mjd = mjd + ? WHERE id = ?", size / 24.0, ids[0])
    return place.told(ids)


@kind("an astrometric solution of every mosaic is off by {} mas", "astrometry", size=4000)
def shifted(place: Place, size: float) -> Planted:
    """A shift of positions."""
    angle = float(place.rng.uniform(0.0, 2.0 * np.pi))
    place.run(
        "UPDATE astrometric_solutions SET ra_offset_mas = ra_offset_mas + ?, "
        "dec_offset_mas = dec_offset_mas + ? WHERE mosaic_id IN "
        "(SELECT id FROM mosaics WHERE name LIKE ?)",
        size * np.cos(angle), size * np.sin(angle), f"{place.night}%",
    )  # fmt: skip
    return Planted(hours=frozenset({None}))
