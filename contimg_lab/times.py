"""MJD, Unix seconds and aware datetimes: every conversion of the package is here.

MJD and Unix seconds are both UTC without leap seconds, so ``MJD = Unix / 86400 + 40587``
holds exactly. Every datetime that leaves this module is timezone-aware (UTC).
"""

from __future__ import annotations

import functools
import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from contimg_lab.errors import InvalidInput

__all__ = [
    "MS_HALF_DURATION_S",
    "UNIX_EPOCH_MJD",
    "datetime_from_mjd",
    "datetime_from_unix",
    "mjd_from_datetime",
    "mjd_from_name",
    "mjd_from_unix",
    "mjd_from_value",
    "mjd_from_values",
    "night_bounds_mjd",
    "night_of_mjd",
    "parse_night",
    "time_in_name",
    "unix_from_mjd",
    "unix_from_value",
]

Times = TypeVar("Times", float, NDArray[np.float64])

UNIX_EPOCH_MJD = 40587.0
"""MJD of 1970-01-01T00:00:00 UTC."""

MS_HALF_DURATION_S = 155.0
"""Half of a Measurement Set's length in seconds: what is added to a start time in a name."""

_DAY_S = 86400.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME_TIME = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}T\d{2}([:-])\d{2}\1\d{2}(?!\d)", re.ASCII)


def mjd_from_unix(unix_s: Times) -> Times:
    """MJD (UTC, days) of Unix seconds (UTC).

    Examples
    --------
    >>> mjd_from_unix(0.0)
    40587.0
    """
    return unix_s / _DAY_S + UNIX_EPOCH_MJD


def unix_from_mjd(mjd: Times) -> Times:
    """Unix seconds (UTC) of an MJD (UTC, days).

    Examples
    --------
    >>> unix_from_mjd(40588.0)
    86400.0
    """
    return (mjd - UNIX_EPOCH_MJD) * _DAY_S


def datetime_from_unix(unix_s: float) -> datetime:
    """Timezone-aware UTC datetime of Unix seconds, to the microsecond.

    Raises
    ------
    InvalidInput
        The value is not finite or lies outside the years 1 to 9999.
    """
    try:
        return _EPOCH + timedelta(seconds=unix_s)
    except (OverflowError, ValueError) as error:
        raise InvalidInput(f"{unix_s!r} s is no time between the years 1 and 9999") from error


def datetime_from_mjd(mjd: float) -> datetime:
    """Timezone-aware UTC datetime of an MJD, to the microsecond.

    Raises
    ------
    InvalidInput
        The value is not finite or lies outside the years 1 to 9999.

    Examples
    --------
    >>> datetime_from_mjd(60000.5).isoformat()
    '2023-02-25T12:00:00+00:00'
    """
    return datetime_from_unix(unix_from_mjd(mjd))


def mjd_from_datetime(when: datetime) -> float:
    """MJD (UTC, days) of an aware datetime.

    Raises
    ------
    InvalidInput
        The datetime is naive: it could be any zone's.
    """
    if when.tzinfo is None:
        raise InvalidInput(f"{when!r} has no time zone; give one, for example datetime.UTC")
    return (when - _EPOCH) / timedelta(days=1) + UNIX_EPOCH_MJD


@functools.lru_cache(maxsize=1 << 16)
def mjd_from_name(name: str) -> float | None:
    """Start MJD that a Measurement Set's or image's file name holds, or None.

    Both ``2025-11-30T01:23:45`` and ``2025-11-30T01-23-45`` count, anywhere in the last
    part of the path; digits that are no real time do not.

    Examples
    --------
    >>> mjd_from_name("/ms/2025-11-30T00:00:00_selfcal.ms")
    61009.0
    >>> mjd_from_name("field_B0329_test.ms") is None
    True
    """
    text = time_in_name(name)
    return None if text is None else mjd_from_datetime(datetime.fromisoformat(f"{text}+00:00"))


def time_in_name(name: str) -> str | None:
    """Start time (UTC) that a name holds, as ``YYYY-MM-DDTHH:MM:SS``; see `mjd_from_name`.

    Examples
    --------
    >>> time_in_name("/ms/2025-11-30T01-23-45_selfcal.ms")
    '2025-11-30T01:23:45'
    """
    base = name.rstrip("/").rsplit("/", 1)[-1]
    found = _NAME_TIME.search(base)
    while found is not None:
        text = found[0]
        if found[1] == "-":
            text = f"{text[:13]}:{text[14:16]}:{text[17:]}"
        try:
            datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            if text[11:13] != "24":  # midnight of the next day to a newer Python
                return text
        found = _NAME_TIME.search(base, found.end())
    return None


def mjd_from_value(value: object) -> float | None:
    """MJD of whatever a time column holds, or None where it holds no time.

    The value decides, not the column's name: 5e4 to 1e5 is an MJD, 1e9 and more is Unix
    seconds; text is ISO 8601 (``Z``, an offset, or none, which SQLite means as UTC).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        number = float(value)
        if 5e4 <= number <= 1e5:
            return number
        if 1e9 <= number < 1e11:
            return mjd_from_unix(number)
        return None
    if isinstance(value, str):
        try:
            when = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        return mjd_from_datetime(when if when.tzinfo else when.replace(tzinfo=UTC))
    return None


def mjd_from_values(stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """MJD of each number of a time column, NaN where it is no time; see `mjd_from_value`.

    Examples
    --------
    >>> mjd_from_values(np.array([60000.0, 86400e4 * 2, 0.0])).tolist()
    [60000.0, 60587.0, nan]
    """
    with np.errstate(invalid="ignore"):
        is_mjd = (stored >= 5e4) & (stored <= 1e5)
        is_unix = (stored >= 1e9) & (stored < 1e11)
        unix = stored / _DAY_S + UNIX_EPOCH_MJD
    return np.where(is_mjd, stored, np.where(is_unix, unix, np.nan))


def unix_from_value(value: object) -> float | None:
    """Unix seconds (UTC) of whatever a time column holds, or None; see `mjd_from_value`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 1e9 <= value < 1e11:
        return float(value)  # as stored: by way of the MJD it would lose microseconds
    mjd = mjd_from_value(value)
    return None if mjd is None else unix_from_mjd(mjd)


def parse_night(night: str | date) -> date:
    """UTC date of a night written as ``YYYY-MM-DD`` (or given as a date).

    Raises
    ------
    InvalidInput
        The text is no date.

    Examples
    --------
    >>> parse_night("2025-10-09").isoformat()
    '2025-10-09'
    """
    if isinstance(night, datetime):
        if night.tzinfo is None:
            raise InvalidInput(f"{night!r} has no time zone; a night is a UTC date")
        return night.astimezone(UTC).date()
    if isinstance(night, date):
        return night
    if isinstance(night, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", night, re.ASCII):
        try:
            return date.fromisoformat(night)
        except ValueError:
            pass
    raise InvalidInput(f"night {night!r} is no UTC date; write it as YYYY-MM-DD")


def night_bounds_mjd(night: str | date) -> tuple[float, float]:
    """First MJD of a night and of the next one (a half-open interval)."""
    day = parse_night(night)
    start = float((day - date(1858, 11, 17)).days)
    return start, start + 1.0


def night_of_mjd(mjd: float) -> date:
    """UTC date that holds an MJD.

    Raises
    ------
    InvalidInput
        The value is not finite or lies outside the years 1 to 9999.

    Examples
    --------
    >>> night_of_mjd(60957.99).isoformat()
    '2025-10-09'
    """
    if not math.isfinite(mjd):
        raise InvalidInput(f"{mjd!r} is no MJD")
    try:
        return date(1858, 11, 17) + timedelta(days=math.floor(mjd))
    except OverflowError as error:
        raise InvalidInput(f"MJD {mjd!r} lies outside the years 1 to 9999") from error
