"""A proof that was saved beside a shown value, read again: nothing in it is taken on trust."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.canonical import digest_of
from contimg_lab.ledger.evidence import Key
from contimg_lab.services._proof import FORMAT
from contimg_lab.services._proof_keys import keys_told

__all__ = ["Proof", "Stood", "read_proof"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHORT = 8
_LATEST_UNIX_S = 253402300799.0  # the end of the year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """Rows of one table that a value stood on.

    Attributes
    ----------
    rows, digest
        How many; their digest, as a ledger keeps it.
    hours
        Digest of each hour; none where the rows are told one by one.
    fields
        What was read of each row.
    keys
        Of the rows, in order.
    starts
        Start of each row's digest, by its key; None where it is told by another part.
    """

    rows: int
    digest: str
    hours: Mapping[str, str]
    fields: tuple[str, ...]
    keys: Sequence[Key]
    starts: Mapping[Key, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What stands beside one shown value, read and found to be of the right kinds."""

    night: str
    part: str
    thresholds_name: str
    threshold_values: Mapping[str, float]
    threshold_sources: Mapping[str, str]
    tables: Mapping[str, Stood]
    value_digest: str
    shown: Mapping[str, str]
    as_of_unix_s: float
    identity: str
    versions: Mapping[str, str]


def read_proof(told: object) -> Proof:
    """Read a proof that was saved; its seal is compared by who reads it.

    Raises
    ------
    InvalidInput
        It is of another format, or something in it is of another kind.
    """
    held = _object(told, "the proof")
    if held.get("format") != FORMAT:
        raise InvalidInput(f"its format is not {FORMAT!r}: another version wrote it, or nobody")
    thresholds = _object(held.get("thresholds"), "thresholds")
    values = _object(thresholds.get("values"), "values of thresholds")
    database = _object(held.get("database"), "database")
    shown = _texts(held.get("shown"), "shown")
    as_of = _number(held.get("as_of_unix_s"), "as_of_unix_s")
    if not 0.0 <= as_of <= _LATEST_UNIX_S:
        raise InvalidInput("as_of_unix_s: no moment")
    if held.get("output_digest") != digest_of(shown):
        raise InvalidInput("output_digest is not that of what it names as shown")
    return Proof(
        night=_text(held.get("night"), "night"),
        part=_text(held.get("part"), "part"),
        thresholds_name=_text(thresholds.get("name"), "name of thresholds"),
        threshold_values={name: _number(value, name) for name, value in values.items()},
        threshold_sources=_texts(thresholds.get("sources", {}), "sources of thresholds"),
        tables={
            name: _stood(table, name)
            for name, table in _object(held.get("tables"), "tables").items()
        },
        value_digest=_digest(held.get("value_digest"), "value_digest"),
        shown=shown,
        as_of_unix_s=as_of,
        identity=_text(database.get("identity"), "identity"),
        versions=_texts(held.get("versions"), "versions"),
    )


def _stood(told: object, name: str) -> Stood:
    held = _object(told, name)
    keys = keys_told(held.get("keys"))
    rows = held.get("rows")
    if type(rows) is not int or rows != len(keys) or rows != len(set(keys)):
        raise InvalidInput(f"{name} has other keys than rows")
    starts = None
    if "row_digests" in held:
        text = _text(held["row_digests"], f"row_digests of {name}")
        if len(text) != rows * _SHORT:
            raise InvalidInput(f"{name} has other digests than rows")
        cut = [text[at : at + _SHORT] for at in range(0, len(text), _SHORT)]
        starts = dict(zip(keys, cut, strict=True))
    return Stood(
        rows=rows,
        digest=_digest(held.get("digest"), f"digest of {name}"),
        hours=_texts(held.get("hours", {}), f"hours of {name}"),
        fields=tuple(_text(held.get("fields"), f"fields of {name}").split()),
        keys=keys,
        starts=starts,
    )


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{what}: no object")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{what}: no text")
    return value


def _texts(value: object, what: str) -> dict[str, str]:
    return {name: _text(held, f"{what}: {name}") for name, held in _object(value, what).items()}


def _digest(value: object, what: str) -> str:
    if _DIGEST.fullmatch(_text(value, what)) is None:
        raise InvalidInput(f"{what}: no SHA-256")
    return str(value)


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInput(f"{what}: no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidInput(f"{what}: no finite number")
    return number
