"""One token for one stored value: text that differs wherever the values do."""

from __future__ import annotations

import math
import numbers
import struct
from typing import Final

from contimg_lab.errors import InvalidInput

__all__ = ["ABSENT", "Absent", "Value", "token_of", "value_of"]

_DOUBLE = struct.Struct(">d")
_INT64 = 2.0**63


class Absent:
    """The value of a column that this layout does not have: no value, and not NULL either."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()

Value = str | int | float | bytes | Absent | None


def token_of(value: object, kind: type | None = None) -> str:
    """Write a stored value as its token.

    Parameters
    ----------
    value
        What SQLite returned, or `ABSENT`.
    kind
        Type that the column is declared to have (float, int or str). A number is cast to it
        first where that loses nothing: an int 5 in a column of floats is 5.0. Nothing else is
        cast, so text in a column of numbers stays text.

    Returns
    -------
    token
        ``absent``, ``null``, ``i:5``, ``f:`` and the 16 hex digits of the double (``f:nan``),
        ``t:`` and the text, ``u:`` and hex of text that is not Unicode, ``b:`` and hex of bytes.

    Raises
    ------
    InvalidInput
        The value is of a kind that SQLite does not store.
    """
    if type(value) is float or type(value) is int:  # nearly all; the rest costs more to tell
        return _number(value, kind)
    if value is None:
        return "null"
    if isinstance(value, str):
        return _text(value)
    if value is ABSENT:
        return "absent"
    if isinstance(value, numbers.Integral):  # numpy's too
        return _number(int(value), kind)
    if isinstance(value, numbers.Real):
        return _number(float(value), kind)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "b:" + bytes(value).hex()
    raise InvalidInput(f"{value!r} ({type(value).__name__}) is no value that SQLite stores")


def value_of(token: str) -> Value:
    """Read a token back.

    Raises
    ------
    InvalidInput
        It is no token.
    """
    tag, colon, rest = token.partition(":")
    try:
        if not colon:
            return {"absent": ABSENT, "null": None}[tag]
        if tag == "t":
            return rest
        if tag == "i":
            return int(rest)
        if tag == "f":
            value: float = math.nan if rest == "nan" else _DOUBLE.unpack(bytes.fromhex(rest))[0]
            return value
        raw = bytes.fromhex(rest)
        return {"b": raw, "u": raw.decode("utf-8", "surrogatepass") if tag == "u" else None}[tag]
    except (KeyError, ValueError, struct.error) as error:
        raise InvalidInput(f"{token[:80]!r} is no token of a value") from error


def _number(value: float, kind: type | None) -> str:
    if kind is float and isinstance(value, int):
        try:
            as_float = float(value)
        except OverflowError:
            as_float = math.inf
        if as_float == value:  # Python compares an int and a float exactly
            value = as_float
    elif kind is int and isinstance(value, float):
        is_zero = value == 0.0 and math.copysign(1.0, value) < 0.0  # -0.0 would lose its sign
        if value.is_integer() and -_INT64 <= value < _INT64 and not is_zero:
            value = int(value)
    if isinstance(value, int):
        return f"i:{value}"
    return "f:nan" if value != value else "f:" + _DOUBLE.pack(value).hex()


def _text(value: str) -> str:
    if value.isascii():
        return "t:" + value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # bytes that were no UTF-8, kept as surrogates
        return "u:" + value.encode("utf-8", "surrogatepass").hex()
    return "t:" + value
