"""One text for one value: what is hashed, signed and exported."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from contimg_lab.errors import InvalidInput

__all__ = ["canonical", "digest_of", "parse"]

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
)


def canonical(value: Any) -> str:
    """Write a value of JSON's kinds as its one text: sorted keys, no spaces, ASCII.

    Floats are written as Python does, the shortest text that reads back as the same double;
    so 5 and 5.0 differ.

    Raises
    ------
    InvalidInput
        NaN, an infinity, a key that is no text, text that is not Unicode (lone surrogates),
        or a kind of value that JSON does not have.
    """
    _refuse_what_json_would_bend(value)
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"no canonical text: {error}") from error


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical text, in hex."""
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()


def parse(text: bytes | str) -> Any:
    """Read a canonical text; any other text is refused, even one of the same meaning.

    Raises
    ------
    InvalidInput
        The text is no JSON, or another text than `canonical` would write of its value.
    """
    try:
        text = text.decode("ascii") if isinstance(text, bytes) else text
        value = json.loads(text)
        if canonical(value) == text:
            return value
    except (ValueError, RecursionError) as error:  # InvalidInput and decoding errors among them
        raise InvalidInput(f"no canonical text: {error}") from error
    raise InvalidInput("no canonical text: the same value is written otherwise")


def _refuse_what_json_would_bend(value: Any) -> None:
    # json writes the keys 1 and "1" alike, and two lone surrogates like the character they make
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError as error:
                raise InvalidInput(f"no canonical text: {error}") from error
    elif isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise InvalidInput(f"no canonical text: the key {key!r} is no text")
            _refuse_what_json_would_bend(key)
            _refuse_what_json_would_bend(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _refuse_what_json_would_bend(member)
