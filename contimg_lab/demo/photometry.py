"""Forced photometry of every source in every tile that sees it, as blocks of columns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from contimg_lab.demo.ms import DURATION_S, Ms
from contimg_lab.demo.plan import Pass
from contimg_lab.demo.processing import Processed
from contimg_lab.demo.products import image_made_unix, mosaic_paths
from contimg_lab.demo.season import stream
from contimg_lab.demo.sky import Array, separation_deg
from contimg_lab.demo.sources import Sky
from contimg_lab.demo.truth import PlantedFault
from contimg_lab.errors import InvalidInput
from contimg_lab.times import datetime_from_unix

__all__ = [
    "Block",
    "ExtraTile",
    "beam_response",
    "extra_tiles",
    "join",
    "measure_night",
    "photometry_blocks",
]

_BEAM_FWHM_DEG = 3.2
_REACH_DEG = 1.6
_SCALE_ERROR = 0.03
_BLOCK_ROWS = 40_000
_LATE_EVERY, _LATE_S = 6, 20.0 * 86400.0
_NULL_FLUXES, _NULL_ERRORS = 8, 4
_MAX_NIGHTS = 30_000
_HALF_A_NIGHT = 15


@dataclass(slots=True, kw_only=True)
class Block:
    """Rows of photometry as columns, and the numbers behind them as arrays.

    Attributes
    ----------
    columns
        Column name and its values, ready for SQLite.
    source
        Position of each row's source in the sky's arrays.
    flux_jy, error_jy
        What the row says (Jy), whichever pair it says it in.
    mjd, measured_unix
        Time of observation (MJD) and of measurement (Unix seconds).
    usable
        Rows that make an epoch.
    """

    columns: dict[str, list[Any]]
    source: np.ndarray
    flux_jy: Array
    error_jy: Array
    mjd: Array
    measured_unix: Array
    usable: np.ndarray

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraTile:
    """A tile of a night beyond the season: imaged and measured, nothing else."""

    group_id: str
    start_unix: float
    ra_deg: float
    dec_deg: float
    noise_jy: float
    image_path: str


def beam_response(separation_deg_: Array) -> Array:
    """Primary beam response (0 to 1) at distances from the pointing, a Gaussian."""
    response: Array = np.exp(-4.0 * math.log(2.0) * (separation_deg_ / _BEAM_FWHM_DEG) ** 2)
    return response


def extra_tiles(seen: Pass) -> list[ExtraTile]:
    """Every tile of a night beyond the season."""
    tiles: list[ExtraTile] = []
    for start, ra, dec, noise in zip(
        seen.start_unix.tolist(), seen.ra_deg.tolist(), seen.dec_deg.tolist(),
        seen.noise_jy.tolist(), strict=True,
    ):  # fmt: skip
        group = f"{datetime_from_unix(start):%Y-%m-%dT%H:%M:%S}"
        path = f"/stage/dsa110-contimg/images/{group}.img-image-pb.fits"
        tiles.append(
            ExtraTile(group_id=group, start_unix=start, ra_deg=ra, dec_deg=dec,
                      noise_jy=noise, image_path=path)
        )  # fmt: skip
    return tiles


def photometry_blocks(done: Processed, sky: Sky) -> Iterator[tuple[int, Block, list[ExtraTile]]]:
    """Measure the season night by night, and more nights where more rows are asked for.

    Yields
    ------
    night, block, tiles
        The last night in the block, its rows, and the tiles of nights beyond the season that
        the block measures.

    Raises
    ------
    InvalidInput
        The sources are too few to give `photometry_rows` in a lifetime.
    """
    season = done.plan.season
    wanted = season.photometry_rows
    survey = _Survey(done, sky)
    written = 0
    waiting: list[Block] = []
    tiles: list[ExtraTile] = []
    night = 0
    while night < season.nights if wanted is None else written < wanted:
        if night >= _MAX_NIGHTS:
            raise InvalidInput(
                f"n_sources {season.n_sources!r} is too few for {wanted} photometry rows"
            )
        block, extra = survey.measure(night)
        tiles += extra
        if wanted is not None and written + len(block) > wanted:
            block = _first(block, wanted - written)
        written += len(block)
        waiting.append(block)
        if sum(map(len, waiting)) >= _BLOCK_ROWS:
            yield night, join(waiting), tiles
            waiting, tiles = [], []
        night += 1
    if waiting:
        yield night - 1, join(waiting), tiles


def measure_night(done: Processed, sky: Sky, night: int) -> Block:
    """Rows of one night that was processed."""
    return _Survey(done, sky).measure(night)[0]


def join(blocks: list[Block]) -> Block:
    """One block of many."""
    if len(blocks) == 1:
        return blocks[0]
    columns: dict[str, list[Any]] = {name: [] for name in blocks[0].columns}
    for block in blocks:
        for name, values in block.columns.items():
            columns[name] += values
    return Block(
        columns=columns,
        source=np.concatenate([block.source for block in blocks]),
        flux_jy=np.concatenate([block.flux_jy for block in blocks]),
        error_jy=np.concatenate([block.error_jy for block in blocks]),
        mjd=np.concatenate([block.mjd for block in blocks]),
        measured_unix=np.concatenate([block.measured_unix for block in blocks]),
        usable=np.concatenate([block.usable for block in blocks]),
    )


def _first(block: Block, count: int) -> Block:
    return Block(
        columns={name: values[:count] for name, values in block.columns.items()},
        source=block.source[:count], flux_jy=block.flux_jy[:count],
        error_jy=block.error_jy[:count], mjd=block.mjd[:count],
        measured_unix=block.measured_unix[:count], usable=block.usable[:count],
    )  # fmt: skip


class _Survey:
    """Measures one night after another."""

    def __init__(self, done: Processed, sky: Sky) -> None:
        self._done, self._sky = done, sky
        self._season = done.plan.season
        self._mosaics = mosaic_paths(done)
        self._nvss = [None if math.isnan(s) else s for s in sky.nvss_mjy.tolist()]
        self._places = list(
            zip(sky.names, sky.ra_deg.tolist(), sky.dec_deg.tolist(), self._nvss, strict=True)
        )
        self._imaged: dict[int, list[Ms]] = {}
        for ms in done.plan.science:
            if ms.outcome == "imaged" and not ms.twin:
                self._imaged.setdefault(ms.night, []).append(ms)
        draw = stream(self._season, "null photometry")
        self._nulls: dict[int, list[tuple[float, bool]]] = {}
        nights = [night for night, tiles in self._imaged.items() if len(tiles) > _HALF_A_NIGHT]
        for number in range(_NULL_FLUXES + _NULL_ERRORS):
            night = nights[int(draw.integers(len(nights)))]
            kind = number < _NULL_FLUXES
            self._nulls.setdefault(night, []).append((float(draw.random()), kind))

    def measure(self, night: int) -> tuple[Block, list[ExtraTile]]:
        """Rows of one night, and its tiles where it lies beyond the season."""
        seen, sky = self._done.plan.observe(night), self._sky
        near = np.abs((sky.ra_deg - seen.ra_deg[:, None] + 180.0) % 360.0 - 180.0)
        near *= math.cos(math.radians(self._season.dec_deg))
        tile, source = np.nonzero(near < _REACH_DEG * 1.03)
        apart = separation_deg(
            sky.ra_deg[source], sky.dec_deg[source], seen.ra_deg[tile], seen.dec_deg[tile]
        )
        inside = apart < _REACH_DEG
        tile, source, apart = tile[inside], source[inside], apart[inside]
        draw = stream(self._season, "photometry", night)
        z = draw.standard_normal((len(tile), 2))
        correction = 1.0 / (seen.gain * (1.0 + 0.01 * draw.standard_normal(len(seen.gain))))

        noise = seen.noise_jy.copy()
        made = seen.start_unix + DURATION_S + 7200.0
        paths: list[str] = [""] * len(noise)
        mosaics: list[str | None] = [None] * len(noise)
        beyond = night >= self._season.nights and night not in self._imaged
        extra = extra_tiles(seen) if beyond else []
        for position, one in enumerate(extra):
            paths[position] = one.image_path
        for ms in self._imaged.get(night, ()):
            noise[ms.position], made[ms.position] = ms.noise_jy, image_made_unix(ms)
            paths[ms.position], mosaics[ms.position] = ms.image_path, self._mosaics.get(ms.path)
        # a tile that failed was drawn all the same: a fault moves no other number
        kept = np.array([bool(path) for path in paths])[tile]
        tile, source, apart, z = tile[kept], source[kept], apart[kept], z[kept]

        mjd = seen.mid_mjd[tile]
        true = sky.flux_jy(source, mjd) * seen.gain[tile]
        local = noise[tile] / beam_response(apart)
        extent = sky.extent[source]
        peak = true / extent + local * z[:, 0]
        flux = extent * peak + 0.4 * local * z[:, 1]
        error = np.hypot(1.08 * local, _SCALE_ERROR * np.abs(flux))
        measured = made[tile] + 600.0 + 0.3 * np.arange(len(tile))
        if night % _LATE_EVERY == _LATE_EVERY - 1:
            measured += _LATE_S
        of_source = [self._places[index] for index in source.tolist()]
        where = tile.tolist()
        peaks = peak.tolist()
        columns: dict[str, list[Any]] = {
            "source_id": [place[0] for place in of_source],
            "image_path": [paths[index] for index in where],
            "ra_deg": [place[1] for place in of_source],
            "dec_deg": [place[2] for place in of_source],
            "nvss_flux_mjy": [place[3] for place in of_source],
            "peak_jyb": peaks,
            "peak_err_jyb": local.tolist(),
            "measured_at": measured.tolist(),
            "snr": (peak / local).tolist(),
            "mjd": mjd.tolist(),
            "flux_jy": flux.tolist(),
            "flux_err_jy": error.tolist(),
            "normalized_flux_jy": (flux * correction[tile]).tolist(),
            "normalized_flux_err_jy": (error * correction[tile]).tolist(),
            "mosaic_path": [mosaics[index] for index in where],
            "sep_from_center_deg": apart.tolist(),
            "local_rms": local.tolist(),
            "rms_jy": noise[tile].tolist(),
            "peak_flux_jy": list(peaks),
            "quality_flag": [None] * len(where),
            "flags": [0] * len(where),
        }
        block = Block(
            columns=columns, source=source, flux_jy=flux, error_jy=error, mjd=mjd,
            measured_unix=measured, usable=np.ones(len(where), dtype=bool),
        )  # fmt: skip
        for fraction, flux_only in self._nulls.get(night, ()):
            self._plant_null(night, block, int(fraction * len(block)), flux_only=flux_only)
        return block, extra

    def _plant_null(self, night: int, block: Block, row: int, *, flux_only: bool) -> None:
        columns = block.columns
        if flux_only and self._season.layout == "split-old":
            return
        names = ("flux_jy", "flux_err_jy") if flux_only else ("peak_err_jyb", "flux_err_jy")
        for name in names:
            columns[name][row] = None
        if flux_only:
            block.flux_jy[row] = columns["peak_jyb"][row]
            block.error_jy[row] = columns["peak_err_jyb"][row]
            block.usable[row] = columns["peak_err_jyb"][row] is not None
        else:
            block.usable[row] = False
        self._done.faults.append(
            PlantedFault(
                kind="null_value", night=self._done.plan.date(night),
                image_path=columns["image_path"][row],
                detail=f"{' and '.join(names)} of {columns['source_id'][row]}",
            )
        )  # fmt: skip
