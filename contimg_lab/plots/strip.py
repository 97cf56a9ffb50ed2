"""A drift scan in time: right ascension against the clock, declination, and the meridian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from contimg_lab.analysis.drift import (
    NEW_POINTING_DEG,
    OFF_MERIDIAN_DEG,
    apparent_sidereal_deg,
    meridian_icrs,
)
from contimg_lab.analysis.sky import unwrap_ra
from contimg_lab.plots._style import pad_limits
from contimg_lab.plots.chart import Axis, Band, Chart, Column, Key, Level, Line, Points, pick
from contimg_lab.plots.sky import status_points
from contimg_lab.times import MS_HALF_DURATION_S, night_of_mjd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from contimg_lab.records.ms import RawGroup
    from contimg_lab.records.qa import Gap

    Floats = NDArray[np.float64]

__all__ = [
    "DriftLike",
    "declination_chart",
    "drift_chart",
    "jump_words",
    "raw_places",
    "strip_chart",
]

_ARCMIN = 60.0
_ONE_NIGHT_D = 1.5
_HALF_D = MS_HALF_DURATION_S / 86400.0


class DriftLike(Protocol):
    """What is drawn of `contimg_lab.services.drift.Drift`."""

    @property
    def path(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def mid_mjd(self) -> Floats: ...  # noqa: D102
    @property
    def ra_deg(self) -> Floats: ...  # noqa: D102
    @property
    def residual_deg(self) -> Floats: ...  # noqa: D102
    @property
    def dec_of_date_deg(self) -> Floats: ...  # noqa: D102
    @property
    def dec_offset_deg(self) -> Floats: ...  # noqa: D102
    @property
    def dec_state(self) -> NDArray[np.object_]: ...  # noqa: D102
    @property
    def off_meridian(self) -> NDArray[np.bool_]: ...  # noqa: D102
    @property
    def gaps(self) -> tuple[Gap, ...]: ...  # noqa: D102
    @property
    def raw_without_ms(self) -> tuple[RawGroup, ...] | None: ...  # noqa: D102


def raw_places(drift: DriftLike) -> tuple[Floats, Floats, Floats]:
    """Where raw data without an MS must have looked: on the meridian, at the usual declination.

    Returns
    -------
    mid_mjd, ra_deg, dec_deg
        One value for each group of raw files with a time; degrees (ICRS).
    """
    starts = [g.start_mjd for g in drift.raw_without_ms or () if g.start_mjd is not None]
    mid = np.array(starts, float) + _HALF_D
    usual = drift.dec_of_date_deg[np.isfinite(drift.dec_of_date_deg)]
    if not mid.size or not usual.size:
        return np.empty(0), np.empty(0), np.empty(0)
    ra, dec = meridian_icrs(mid, float(np.median(usual)))
    return mid, ra, dec


def strip_chart(
    drift: DriftLike,
    status: Sequence[object],
    *,
    columns: Sequence[Column] = (),
    selected: str | None = None,
    title: str = "",
    name: str = "strip",
) -> Chart:
    """Describe right ascension against time: a telescope at rest draws a straight line.

    Parameters
    ----------
    drift
        Where and when each MS looked.
    status
        Word for each MS; decides colour and marker.
    columns
        What else the row of an MS tells.
    selected
        Path of the MS to ring.
    title, name
        As for `contimg_lab.plots.sky.pointings_chart`.

    Returns
    -------
    Chart
        Hours of UTC upwards where it is one night, else MJD; gaps shaded, the meridian as a
        line, raw data without an MS where they must have looked.
    """
    mid = drift.mid_mjd
    centre, ra = unwrap_ra(drift.ra_deg)
    timed = mid[np.isfinite(mid)]
    one = bool(timed.size) and float(np.ptp(timed)) < _ONE_NIGHT_D
    midnight = float(np.floor(timed.min())) if one else 0.0
    scale = 24.0 if one else 1.0

    def up(mjd: Floats | float) -> Floats:
        return (np.asarray(mjd, float) - midnight) * scale

    points = status_points(ra, up(mid), status, drift.path, columns)
    raw_mjd, raw_ra, _ = raw_places(drift)
    raw_x = (raw_ra - centre + 180.0) % 360.0 - 180.0 + centre
    marks = _raw_points(raw_x, up(raw_mjd))
    usual = drift.dec_of_date_deg[np.isfinite(drift.dec_of_date_deg)]
    lines: tuple[Line, ...] = ()
    if one and usual.size:
        times = np.linspace(float(timed.min()), float(timed.max()), 60)
        along = meridian_icrs(times, float(np.median(usual)))[0]
        along = (along - centre + 180.0) % 360.0 - 180.0 + centre
        lines = (Line(role="constant", x=along, y=up(times), label="meridian"),)
    known = np.isfinite(ra) & np.isfinite(mid)
    every = np.concatenate([ra[known], raw_x])
    limits = pad_limits(float(every.min()), float(every.max()), 0.06, 0.5) if every.size else None
    words = f"UTC on {night_of_mjd(midnight)} (h)" if one else "MJD (UTC, days)"
    return Chart(
        name=f"{name} {midnight}",
        title=title,
        noun="MS",
        x=Axis(label="Right ascension (deg, ICRS)", name="RA", unit="deg", kind="ra",
               limits=limits),
        y=Axis(label=words, name="UTC" if one else "MJD", unit="h" if one else ""),
        points=(*points, *marks),
        lines=lines,
        bands=tuple(
            Band(role="gap", y=(float(up(gap.start_mjd + 2 * _HALF_D)), float(up(gap.end_mjd))))
            for gap in drift.gaps
        ),
        empty="" if known.any() else "no Measurement Set has a time and a position",
        selected=_ringed(selected, points),
        columns=4,
        alt=f"Right ascension against time: {_counts((*points, *marks))}; "
            f"{_strip_words(ra[known], up(mid[known]), words)}; {_gap_words(drift)}.",
    )  # fmt: skip


def declination_chart(
    drift: DriftLike,
    status: Sequence[object],
    *,
    columns: Sequence[Column] = (),
    selected: str | None = None,
    title: str = "",
    name: str = "declination",
) -> Chart:
    """Describe declination of date, less the median of its night, against time.

    Parameters
    ----------
    drift, status, columns, selected, title, name
        As for `strip_chart`.

    Returns
    -------
    Chart
        Jumps are marked, gaps shaded; lines stand at the limit of a new pointing.
    """
    offset = drift.dec_offset_deg * _ARCMIN
    points = status_points(drift.mid_mjd, offset, status, drift.path, columns)
    jumped = np.isin(drift.dec_state.astype(str), ("new pointing", "wrong strip"))
    overlay = _ringed_points("jump", "declination jump", drift, drift.mid_mjd, offset, jumped)
    limit = NEW_POINTING_DEG * _ARCMIN
    known = np.isfinite(offset) & np.isfinite(drift.mid_mjd)
    median = drift.dec_of_date_deg - drift.dec_offset_deg
    usual = f" from {np.nanmedian(median):+.4f} deg of date" if known.any() else ""
    return Chart(
        name=name,
        title=title,
        noun="MS",
        x=Axis(label="MJD (UTC, days)", name="MJD", kind="mjd",
               limits=_time_limits(drift.mid_mjd)),
        y=Axis(label="Dec of date less median (arcmin)", name="Dec offset",
               unit="arcmin", limits=_around(offset, limit)),
        points=(*points, *overlay),
        levels=_limits_of(limit, "new pointing"),
        bands=tuple(
            Band(role="gap", x=(gap.start_mjd + 2 * _HALF_D, gap.end_mjd)) for gap in drift.gaps
        ),
        empty="" if known.any() else "no Measurement Set has a time and a declination",
        selected=_ringed(selected, points),
        columns=4,
        alt=f"Declination against time: {_counts((*points, *overlay))}; "
            f"{_span_words(offset, 'offset')}{usual}; {jump_words(drift)}; {_gap_words(drift)}.",
    )  # fmt: skip


def drift_chart(
    drift: DriftLike,
    status: Sequence[object],
    *,
    columns: Sequence[Column] = (),
    selected: str | None = None,
    title: str = "",
    name: str = "drift",
) -> Chart:
    """Describe right ascension less sidereal time, both of date, against sidereal time.

    Parameters
    ----------
    drift, status, columns, selected, title, name
        As for `strip_chart`.

    Returns
    -------
    Chart
        Those off the meridian are marked; lines stand at the limit.
    """
    residual = drift.residual_deg * _ARCMIN
    sidereal = unwrap_ra(apparent_sidereal_deg(drift.mid_mjd))[1] / 15.0
    points = status_points(sidereal, residual, status, drift.path, columns)
    overlay = _ringed_points(
        "off meridian", "off the meridian", drift, sidereal, residual, drift.off_meridian
    )
    limit = OFF_MERIDIAN_DEG * _ARCMIN
    known = np.isfinite(residual)
    return Chart(
        name=name,
        title=title,
        noun="MS",
        x=Axis(label="Local apparent sidereal time (h)", name="LST", kind="hour"),
        y=Axis(label="RA less LST, both of date (arcmin)", name="RA less LST", unit="arcmin",
               limits=_around(residual, limit)),
        points=(*points, *overlay),
        levels=_limits_of(limit, "off the meridian"),
        empty="" if known.any() else "no Measurement Set has a time and a position",
        selected=_ringed(selected, points),
        columns=4,
        alt=f"Drift against the meridian: {_counts((*points, *overlay))}; "
            f"{_span_words(residual, 'RA less LST')}; {int(drift.off_meridian.sum())} of "
            f"{int(known.sum())} by more than {limit:g} arcmin.",
    )  # fmt: skip


def jump_words(drift: DriftLike) -> str:
    """Count the jumps in declination in words."""
    states = drift.dec_state.astype(str)
    return f"{(states == 'new pointing').sum()} new pointings, " + (
        f"{(states == 'wrong strip').sum()} wrong strip"
    )


def _raw_points(x: Floats, y: Floats) -> tuple[Points, ...]:
    name = "raw data without an MS"
    if not x.size:
        return ()
    return (Points(role="raw group", name=name, label=f"{name} ({x.size})", x=x, y=y),)


def _ringed_points(
    role: str, name: str, drift: DriftLike, x: Floats, y: Floats, mask: NDArray[np.bool_]
) -> tuple[Points, ...]:
    drawn = mask & np.isfinite(x) & np.isfinite(y)
    if not drawn.any():
        return ()
    label = f"{name} ({int(drawn.sum())})"
    keys = pick(drift.path, drawn)
    return (
        Points(role=role, name=name, label=label, x=x[drawn], y=y[drawn], keys=keys, overlay=True),
    )


def _ringed(selected: str | None, points: Sequence[Points]) -> frozenset[Key]:
    found = any(selected in part.keys for part in points)
    return frozenset({selected} if found and selected is not None else ())


def _limits_of(limit: float, words: str) -> tuple[Level, ...]:
    label = f"{words}: beyond ±{limit:g} arcmin"
    return (
        Level(role="cut", axis="y", at=-limit),
        Level(role="cut", axis="y", at=limit, label=label),
    )


def _around(values: Floats, limit: float) -> tuple[float, float]:
    """A range that holds the values and the limits on both sides of zero."""
    most = float(np.abs(values[np.isfinite(values)]).max(initial=limit))
    return (-1.2 * most, 1.2 * most)


def _time_limits(mjd: Floats) -> tuple[float, float] | None:
    known = mjd[np.isfinite(mjd)]
    return pad_limits(float(known.min()), float(known.max()), 0.03, 0.01) if known.size else None


def _counts(points: Sequence[Points]) -> str:
    return ", ".join(part.words for part in points) or "no MS"


def _span_words(values: Floats, what: str) -> str:
    known = values[np.isfinite(values)]
    if not known.size:
        return f"{what} unknown"
    return (
        f"{what} median {np.median(known):+.2f} arcmin, from {known.min():+.2f} to "
        f"{known.max():+.2f} arcmin"
    )


def _strip_words(ra_deg: Floats, times: Floats, words: str) -> str:
    if not ra_deg.size:
        return "no place and time is known"
    first, last = (int(place(times)) for place in (np.argmin, np.argmax))
    return (
        f"RA {ra_deg[first] % 360.0:.4f} to {ra_deg[last] % 360.0:.4f} deg from "
        f"{times[first]:.2f} to {times[last]:.2f} {words}"
    )


def _gap_words(drift: DriftLike) -> str:
    if not drift.gaps:
        return "no gap over 10 min"
    longest = max(gap.minutes for gap in drift.gaps)
    many = "s" if len(drift.gaps) > 1 else ""
    return f"{len(drift.gaps)} gap{many} over 10 min, the longest {longest:.1f} min"
