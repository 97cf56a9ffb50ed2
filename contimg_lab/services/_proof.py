"""SHA-256 of what is shown: of a value, of the forms it is shown in, and of a whole proof."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.canonical import digest_of
from contimg_lab.ledger.tokens import token_of

__all__ = ["FORMAT", "METADATA", "seal", "shown_digests", "value_digest"]

METADATA = "contimg_lab"
"""Key of a proof in the metadata of an output."""

FORMAT = "contimg_lab proof 1"

_EXACT = 2.0**53


def value_digest(value: Any) -> str:
    """SHA-256 of a value: numbers to the last bit, an int never a float, in one order of keys."""
    return digest_of(_tokens(value))


def _tokens(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _tokens(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tokens(member) for member in value]
    return value if isinstance(value, bool) else token_of(value)


def shown_digests(data: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of each form that an output is shown in, by its media type.

    Text is joined where it was saved in lines; a picture is its bytes, however they are written.

    Raises
    ------
    InvalidInput
        A form that is neither text nor a picture.
    """
    found = {}
    for kind, content in data.items():
        lines = [content] if isinstance(content, str) else content
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise InvalidInput(f"{kind} is no text")
        text = "".join(lines)
        if kind == "image/png":
            try:
                raw = base64.b64decode("".join(text.split()), validate=True)
            except (ValueError, binascii.Error) as error:
                raise InvalidInput(f"{kind} is no picture") from error
        else:
            raw = text.encode("utf-8", "surrogatepass")
        found[kind] = hashlib.sha256(raw).hexdigest()
    return found


def seal(told: Mapping[str, Any]) -> str:
    """SHA-256 of a proof without its own ``seal``: finds what was changed by hand or by accident.

    A number is what it is however a browser writes it, 5.0 or 5.
    """
    return digest_of(_even({name: held for name, held in told.items() if name != "seal"}))


def _even(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _even(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_even(member) for member in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and abs(value) > _EXACT:
        return token_of(value)
    return token_of(value, float)
