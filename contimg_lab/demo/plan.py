"""The plan of a season: nights, the Measurement Sets of each, their noise and flux scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contimg_lab.demo.ms import ARRAY_NOISE_JY, DURATION_S, Calibrator, Ms
from contimg_lab.demo.season import Season, stream
from contimg_lab.demo.sky import (
    SIDEREAL_DAY_S,
    Array,
    dec_of_date,
    meridian_icrs,
    separation_deg,
    transit_mjd,
)
from contimg_lab.demo.sources import STRIP_RA_DEG
from contimg_lab.times import (
    datetime_from_unix,
    mjd_from_unix,
    night_bounds_mjd,
    unix_from_mjd,
)

__all__ = ["Pass", "Plan", "Special", "make_plan", "observe", "plan_night"]

_MS_FOLDER = "/stage/dsa110-contimg/ms/"
_STEADY_SCALE = (0.83, 0.88, 0.93)
_LOW_SCALE = 0.70
_GAIN_SCATTER = 0.035
_BEAM_REACH_DEG = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Special:
    """Nights on which something is planted."""

    withdrawn: int
    resolved: int
    blind: int
    fallback: int
    low_scale: int
    last: int
    holes: dict[int, tuple[int, float]]

    @classmethod
    def of(cls, nights: int) -> Special:
        """Spread the planted nights over a season."""
        withdrawn, resolved, blind, fallback, low = (
            int(nights * part) for part in (0.05, 0.2, 0.4, 0.6, 0.75)
        )
        # a delay after the tile at that place: 4 min is a hole but no gap, the others are gaps
        holes = {
            resolved: (11, 240.0),
            fallback: (20, 330.0),
            low: (25, 620.0),
            int(nights * 0.5): (8, 430.0),
        }
        return cls(
            withdrawn=withdrawn, resolved=resolved, blind=blind, fallback=fallback,
            low_scale=low, last=nights - 1, holes=holes,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What the telescope saw in one passage of the strip, tile by tile."""

    night: int
    start_unix: Array
    ra_deg: Array
    dec_deg: Array
    noise_jy: Array
    gain: Array

    @property
    def mid_mjd(self) -> Array:
        """Middle of each tile (MJD)."""
        return np.array([mjd_from_unix(s + DURATION_S / 2.0) for s in self.start_unix.tolist()])


@dataclass(slots=True, kw_only=True)
class Plan:
    """A season before anything is processed."""

    season: Season
    special: Special
    dish_deg: float
    first_unix: float
    calibrators: tuple[Calibrator, Calibrator]
    science: list[Ms]
    reference: list[Ms]

    @property
    def passages_mjd(self) -> Array:
        """Middle of every night's passage (MJD)."""
        middle = self.first_unix + 5400.0
        count = self.season.nights
        return np.array([mjd_from_unix(middle + SIDEREAL_DAY_S * k) for k in range(count)])

    def date(self, night: int) -> str:
        """UTC date of a passage's first tile."""
        return f"{datetime_from_unix(self.first_unix + night * SIDEREAL_DAY_S):%Y-%m-%d}"

    def observe(self, night: int) -> Pass:
        """Tiles of a passage; nights beyond the season are plain ones."""
        return observe(self.season, self.special, self.dish_deg, self.first_unix, night)


def make_plan(season: Season) -> Plan:
    """Lay out the nights and their Measurement Sets, before any of it fails."""
    plan = _empty_plan(season)
    for night in range(season.nights):
        _add_night(plan, night)
    return plan


def plan_night(season: Season, night: int) -> Plan:
    """Lay out one night alone, of the season or beyond it."""
    plan = _empty_plan(season)
    _add_night(plan, night)
    return plan


def _empty_plan(season: Season) -> Plan:
    midnight = night_bounds_mjd(season.first_night)[0]
    middle_ra = STRIP_RA_DEG[0] + ((STRIP_RA_DEG[1] - STRIP_RA_DEG[0]) % 360.0) / 2.0
    dish = dec_of_date(midnight, middle_ra % 360.0, season.dec_deg)
    first = unix_from_mjd(transit_mjd(STRIP_RA_DEG[0], midnight, dish)) - DURATION_S / 2.0
    return Plan(
        season=season, special=Special.of(season.nights), dish_deg=dish, first_unix=first,
        calibrators=_calibrators(season), science=[], reference=[],
    )  # fmt: skip


def _add_night(plan: Plan, night: int) -> None:
    seen = plan.observe(night)
    rows = zip(
        seen.start_unix.tolist(), seen.ra_deg.tolist(), seen.dec_deg.tolist(),
        seen.noise_jy.tolist(), seen.gain.tolist(), strict=True,
    )  # fmt: skip
    for position, (start, ra, dec, noise, gain) in enumerate(rows):
        group = f"{datetime_from_unix(start):%Y-%m-%dT%H:%M:%S}"
        plan.science.append(
            Ms(path=f"{_MS_FOLDER}{group}.ms", group_id=group, start_unix=start, night=night,
               position=position, ra_deg=ra, dec_deg=dec, noise_jy=noise, gain=gain)
        )  # fmt: skip
    early, late = plan.calibrators
    for calibrator in (early, late) if night == plan.special.fallback else (early,):
        plan.reference.append(
            _calibrator_ms(plan.season, plan.dish_deg, plan.first_unix, night, calibrator)
        )


def observe(
    season: Season, special: Special, dish_deg: float, first_unix: float, night: int
) -> Pass:
    """One passage of the strip: starts, pointings, noise and flux scale of its tiles."""
    timing = stream(season, "timing", night)
    begin = first_unix + night * SIDEREAL_DAY_S + timing.uniform(-20.0, 70.0)
    length = ((STRIP_RA_DEG[1] - STRIP_RA_DEG[0]) % 360.0) / 360.0 * SIDEREAL_DAY_S
    after, delay = special.holes.get(night, (0, 0.0))
    starts = begin + DURATION_S * np.arange(int(length / DURATION_S) + 1)
    if delay:
        starts[after + 1 :] += delay
        starts = starts[starts <= begin + length]
    starts = np.floor(starts)
    middle = np.array([mjd_from_unix(start + DURATION_S / 2.0) for start in starts.tolist()])
    ra, dec = meridian_icrs(middle, dish_deg)
    count = len(starts)
    draw = stream(season, "noise", night)
    noise = ARRAY_NOISE_JY * np.exp(draw.normal(0.0, 0.12) + draw.normal(0.0, 0.36, count))
    noise[[0, -1]] *= 1.3  # the first and the last tile of a passage are habitually worse
    scale = stream(season, "gain", night)
    low, usual, high = _STEADY_SCALE
    of_hour = np.clip(scale.normal(usual, 0.02, 24), low, high)
    hours = (starts // 3600 % 24).astype(int)
    if night == special.low_scale:
        of_hour[hours[count // 2]] = _LOW_SCALE
    gain = of_hour[hours] * (1.0 + scale.normal(0.0, _GAIN_SCATTER, count))
    return Pass(
        night=night, start_unix=starts, ra_deg=ra, dec_deg=dec,
        noise_jy=np.clip(noise, 0.005, 0.05), gain=gain,
    )  # fmt: skip


def _calibrators(season: Season) -> tuple[Calibrator, Calibrator]:
    known = (
        Calibrator(name="3C454.3", ra_deg=343.4906, dec_deg=16.1482, flux_jy=12.2),
        Calibrator(name="J0738+1742", ra_deg=114.5308, dec_deg=17.7053, flux_jy=2.2),
    )
    found = []
    for one in known:
        if abs(one.dec_deg - season.dec_deg) > _BEAM_REACH_DEG:
            sign = "-" if season.dec_deg < 0 else "+"
            degrees = int(abs(season.dec_deg))
            minutes = int(abs(season.dec_deg) % 1.0 * 60.0)
            name = f"J{int(one.ra_deg / 15):02d}{int(one.ra_deg * 4) % 60:02d}"
            one = Calibrator(
                name=f"{name}{sign}{degrees:02d}{minutes:02d}",
                ra_deg=one.ra_deg, dec_deg=season.dec_deg, flux_jy=one.flux_jy,
            )  # fmt: skip
        found.append(one)
    return found[0], found[1]


def _calibrator_ms(
    season: Season, dish: float, first_unix: float, night: int, calibrator: Calibrator
) -> Ms:
    begin = mjd_from_unix(first_unix + night * SIDEREAL_DAY_S)
    late = (calibrator.ra_deg - STRIP_RA_DEG[0]) % 360.0 < 180.0
    transit = transit_mjd(calibrator.ra_deg, begin - (0.0 if late else 0.5), dish)
    draw = stream(season, f"calibrator {calibrator.name}", night)
    start = float(np.floor(unix_from_mjd(transit) - DURATION_S / 2.0 + draw.uniform(-40.0, 40.0)))
    ra, dec = meridian_icrs(mjd_from_unix(start + DURATION_S / 2.0), dish)
    off = float(separation_deg(ra, dec, calibrator.ra_deg, calibrator.dec_deg))
    group = f"{datetime_from_unix(start):%Y-%m-%dT%H:%M:%S}"
    return Ms(
        path=f"{_MS_FOLDER}calibrators/{group}.ms", group_id=group, start_unix=start,
        night=night, position=-1, ra_deg=float(ra), dec_deg=float(dec),
        noise_jy=0.02 * (1.0 + 0.1 * off), calibrator=calibrator,
    )  # fmt: skip
