"""Positions on the sky as people write them: read from text, and written."""

from __future__ import annotations

import math
import re

from contimg_lab.errors import InvalidInput

__all__ = ["position_in_name", "read_position", "sexagesimal"]

_MOST_CHARACTERS = 200
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_DECIMAL = re.compile(rf"([+-]?)({_NUMBER})(?:deg|d|°)?", re.ASCII)
_PARTS = re.compile(
    r"([+-]?)(\d{1,3})\s*(?:[:hd°]|\s)\s*(\d{1,2})(?:\s*(?:[:m'′]|\s)\s*"
    rf"(?:({_NUMBER})\s*(?:s|\"|″|'')?)?)?",
    re.ASCII,
)
_NAMED = re.compile(
    r"J(\d{2})(\d{2})(\d{2}(?:\.\d*)?)([+-])(\d{2})(\d{2})(\d{2}(?:\.\d*)?)(?!\d)",
    re.ASCII | re.IGNORECASE,
)
_WAYS = 'write degrees (347.1917, 16.6994) or "23:08:46 +16:41:58"'


def read_position(ra: object, dec: object = None) -> tuple[float, float]:
    """Read a position: degrees, or sexagesimal text.

    Parameters
    ----------
    ra
        Degrees as a number or text; hours as text of two or three parts ("23:08:46.1",
        "23h08m46.1s", "23 08 46.1"). Where ``dec`` is None, a text that holds both.
        Degrees of -360 to 360 are brought into one turn.
    dec
        Degrees as a number or text; degrees, arcminutes and arcseconds as text.

    Returns
    -------
    ra_deg, dec_deg
        In [0, 360) and [-90, 90].

    Raises
    ------
    InvalidInput
        That is no position; the message says how to write one.

    Examples
    --------
    >>> read_position("12:00:00 -00:30:00")
    (180.0, -0.5)
    >>> read_position(0.0, "+16:30")
    (0.0, 16.5)
    """
    if dec is None:
        if not isinstance(ra, str):
            raise InvalidInput(f"position {ra!r} has no declination; {_WAYS}")
        ra, dec = _halves(ra)
    ra_deg = _angle(ra, "right ascension")
    dec_deg = _angle(dec, "declination")
    if not -360.0 <= ra_deg <= 360.0:
        raise InvalidInput(f"right ascension {ra!r} lies outside -360 to 360 degrees; {_WAYS}")
    if not -90.0 <= dec_deg <= 90.0:
        raise InvalidInput(f"declination {dec!r} lies outside -90 to 90 degrees; {_WAYS}")
    turned = ra_deg % 360.0
    # the remainder of a tiny negative number rounds up to a whole turn
    return (0.0 if turned >= 360.0 else turned), dec_deg


def position_in_name(text: str) -> tuple[float, float] | None:
    """Return the position that a name such as ``NVSS J230846+164158`` holds, in degrees; or None.

    Catalogues cut the digits off, so that the source lies up to 15 arcsec (in right ascension,
    at the equator) from the position in its name.

    Examples
    --------
    >>> position_in_name("NVSS J120000-003000")
    (180.0, -0.5)
    >>> position_in_name("3C 48") is None
    True
    """
    found = _NAMED.search(_plain(text))
    if found is None:
        return None
    hours, minutes, seconds, sign, degrees, arcmin, arcsec = found.groups()
    try:
        return read_position(f"{hours}:{minutes}:{seconds}", f"{sign}{degrees}:{arcmin}:{arcsec}")
    except InvalidInput:
        return None


def sexagesimal(ra_deg: float, dec_deg: float, *, digits: int = 2) -> str:
    """Write a position as hours and degrees, as `read_position` reads it.

    Parameters
    ----------
    ra_deg, dec_deg
        Degrees.
    digits
        Decimals of the seconds of time; the arcseconds have one less. At most 9.

    Examples
    --------
    >>> sexagesimal(180.0, -0.5)
    '12:00:00.00 -00:30:00.0'
    """
    if not 0 <= digits <= 9:
        raise InvalidInput(f"digits {digits!r} lies outside 0 to 9")
    ra = _parts(ra_deg % 360.0 / 15.0, digits, 24)
    sign = "-" if math.copysign(1.0, dec_deg) < 0.0 else "+"
    return f"{ra} {sign}{_parts(abs(dec_deg), max(digits - 1, 0), None)}"


def _parts(value: float, digits: int, turn: int | None) -> str:
    # in whole steps of the last digit, so that 59.999 never comes out as 60
    steps = round(value * 3600 * 10**digits)
    seconds, fraction = divmod(steps, 10**digits)
    minutes, seconds = divmod(seconds, 60)
    whole, minutes = divmod(minutes, 60)
    whole = whole if turn is None else whole % turn
    tail = f".{fraction:0{digits}d}" if digits else ""
    return f"{whole:02d}:{minutes:02d}:{seconds:02d}{tail}"


def _plain(text: str) -> str:
    return text.replace("−", "-").replace("–", "-").strip()


def _halves(text: str) -> tuple[str, str]:
    """The two coordinates in one text: at a comma, at the sign, or in the middle."""
    plain = _plain(text)
    if len(plain) <= _MOST_CHARACTERS:
        for cut in (r"\s*,\s*", r"(?<=[\d.hms\"'])\s*(?=[+-])"):
            halves = re.split(cut, plain)
            if len(halves) == 2 and all(halves):
                return halves[0], halves[1]
        words = plain.split()
        if len(words) in (2, 4, 6):
            half = len(words) // 2
            return " ".join(words[:half]), " ".join(words[half:])
    raise InvalidInput(f"position {text[:_MOST_CHARACTERS]!r} cannot be read; {_WAYS}")


def _angle(value: object, name: str) -> float:
    """Degrees; a right ascension of two or three parts is in hours."""
    if isinstance(value, str):
        return _read(value, name)
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise InvalidInput(f"{name} {value!r} is neither a number nor text; {_WAYS}")
    number = float(value)
    if not math.isfinite(number):
        raise InvalidInput(f"{name} {value!r} is not finite; {_WAYS}")
    return number


def _read(text: str, name: str) -> float:
    plain = _plain(text)
    refused = InvalidInput(f"{name} {text[:_MOST_CHARACTERS]!r} cannot be read; {_WAYS}")
    if len(plain) > _MOST_CHARACTERS:
        raise refused
    found = _DECIMAL.fullmatch(plain)
    if found is not None:
        number = float(found[2])
        return -number if found[1] == "-" else number
    found = _PARTS.fullmatch(plain)
    if found is None:
        raise refused
    sign, whole, minutes, seconds = found[1], float(found[2]), float(found[3]), float(found[4] or 0)
    hours = name == "right ascension" and not re.match(r"[+-]?\d+\s*[d°]", plain)
    if "h" in plain and not hours:
        raise refused
    if minutes >= 60.0 or seconds >= 60.0 or (hours and (whole >= 24.0 or sign)):
        raise InvalidInput(
            f"{name} {text!r}: hours go to 23, minutes and seconds to 59.99; {_WAYS}"
        )
    degrees = whole + minutes / 60.0 + seconds / 3600.0
    degrees *= 15.0 if hours else 1.0
    return -degrees if sign == "-" else degrees
