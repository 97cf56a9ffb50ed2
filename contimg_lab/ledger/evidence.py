"""The rows that a report was computed from: their digests, and what is kept of them."""

from __future__ import annotations

import functools
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.canonical import canonical, digest_of
from contimg_lab.ledger.tokens import Value, token_of, value_of

__all__ = ["NO_HOUR", "Evidence", "EvidenceTable", "Key", "Row", "gather"]

NO_HOUR = "none"  # stands for None where hours are names

_FORMAT = "contimg_lab evidence 1"

Key = str | int


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stood, and the token of each of its fields.

    Attributes
    ----------
    hour
        UTC hour that it counts to (``"06"``), or None.
    tokens
        By field, in order of their names.
    """

    table: str
    hour: str | None
    key: Key
    tokens: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of the row in hex: table, key and fields, not the hour."""
        return digest_of([self.table, self.key, [[f, t] for f, t in self.tokens.items()]])

    @property
    def values(self) -> dict[str, Value]:
        """The values that the tokens stand for, by field."""
        return {field: value_of(token) for field, token in self.tokens.items()}


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceTable:
    """Rows of one table, as `gather` makes it.

    ``kept`` holds for each key the hour, and the tokens as JSON strings, a line each: 10^5 rows
    of objects would take five times the memory.
    """

    name: str
    fields: tuple[str, ...]
    kept: Mapping[Key, tuple[str | None, str]]

    def row(self, key: Key) -> Row:
        """Return one row; `KeyError` where there is none."""
        hour, tokens = self.kept[key]
        told = map(json.loads, tokens.split("\n"))
        return Row(self.name, hour, key, dict(zip(self.fields, told, strict=True)))

    def row_digests(self) -> Iterator[tuple[Key, str, str]]:
        """Give for each row its key, its hour (`NO_HOUR` for None) and its digest."""
        # the text that `Row.digest` hashes, put together without an encoder for each row
        head = f"[{quoted(self.name)},"
        names = [f"[{quoted(field)}," for field in self.fields]
        for key, (hour, tokens) in self.kept.items():
            told = tokens.split("\n")
            pairs = ",".join([n + t + "]" for n, t in zip(names, told, strict=True)])
            text = f"{head}{_key_text(key)},[{pairs}]]"
            yield key, hour or NO_HOUR, hashlib.sha256(text.encode("ascii")).hexdigest()

    def digests(self) -> dict[str, list[str]]:
        """Digests of the rows by hour, sorted."""
        found: dict[str, list[str]] = {}
        for _, hour, digest in self.row_digests():
            found.setdefault(hour, []).append(digest)
        return {hour: sorted(found[hour]) for hour in sorted(found)}

    def only(self, fields: Iterable[str]) -> EvidenceTable:
        """Return the same rows with some of the fields; `KeyError` for one that there is not."""
        wanted = tuple(sorted(fields))
        if wanted == self.fields:
            return self
        of = {field: place for place, field in enumerate(self.fields)}
        places = [of[field] for field in wanted]
        kept: dict[Key, tuple[str | None, str]] = {}
        for key, (hour, tokens) in self.kept.items():
            told = tokens.split("\n")
            kept[key] = (hour, "\n".join([told[place] for place in places]))
        return EvidenceTable(self.name, wanted, kept)

    @property
    def summary(self) -> dict[str, Any]:
        """``{"rows", "digest", "hours": {hour: digest}}``."""
        hours = {hour: digest_of(rows) for hour, rows in self.digests().items()}
        digest = digest_of([self.name, sorted(hours.items())])
        return {"rows": len(self.kept), "digest": digest, "hours": hours}


def gather(
    table: str,
    columns: Sequence[str],
    rows: Iterable[tuple[str | None, Key, Sequence[object]]],
    kinds: Mapping[str, type] | None = None,
) -> EvidenceTable:
    """Take rows of one table as evidence.

    Parameters
    ----------
    table
        Its name in records, the same in every layout.
    columns
        What the values of a row are, in their order.
    rows
        For each row the hour that it counts to (or None), a key that no other row of the table
        has, and its values as SQLite returned them.
    kinds
        Declared type of each field of the record (float, int or str). A field that is not among
        the columns is evidence too: it is absent.

    Raises
    ------
    InvalidInput
        Two rows with one key, a row of another length, a value that SQLite does not store, or
        no field at all.
    """
    kinds = kinds or {}
    fields = tuple(sorted({*columns, *kinds}))
    canonical([table, *fields])  # refuses names that are no text
    if not fields or len(set(columns)) != len(columns):
        raise InvalidInput(f"{table} has no column, or one of them twice: {list(columns)}")
    places = {column: place for place, column in enumerate(columns)}
    plan = [(places.get(field), kinds.get(field)) for field in fields]
    kept: dict[Key, tuple[str | None, str]] = {}
    for hour, key, values in rows:
        _check_place(table, hour, key, kept)
        if len(values) != len(columns):
            raise InvalidInput(
                f"row {key!r} of {table} has {len(values)} values for {len(columns)} columns"
            )
        tokens = [
            '"absent"' if place is None else quoted(token_of(values[place], kind))
            for place, kind in plan
        ]
        kept[key] = (hour, "\n".join(tokens))
    return EvidenceTable(table, fields, kept)


class Evidence:
    """Every row that a report was computed from.

    Parameters
    ----------
    tables
        One for each table that was read, those without rows included.

    Raises
    ------
    InvalidInput
        Two of them have one name.
    """

    def __init__(self, tables: Iterable[EvidenceTable] = ()) -> None:
        self.tables: dict[str, EvidenceTable] = {}
        for table in tables:
            if table.name in self.tables:
                raise InvalidInput(f"the table {table.name} was given twice")
            self.tables[table.name] = table

    def __len__(self) -> int:
        return sum(len(table.kept) for table in self.tables.values())

    def __iter__(self) -> Iterator[Row]:
        return (table.row(key) for table in self.tables.values() for key in table.kept)

    @property
    def digest(self) -> str:
        """SHA-256 over all tables, in hex: equal only where every row is."""
        return str(self.summary["digest"])

    @functools.cached_property
    def summary(self) -> dict[str, Any]:
        """What an entry holds: ``{"digest", "tables": {name: {"rows", "digest", "hours"}}}``."""
        tables = {name: self.tables[name].summary for name in sorted(self.tables)}
        return {
            "digest": digest_of([[name, told["digest"]] for name, told in tables.items()]),
            "tables": tables,
        }

    def pack(self) -> bytes:
        """Write all rows as compressed canonical JSON, to be kept beside the entry."""
        texts, newline = [], "\n"
        for name in sorted(self.tables):
            table = self.tables[name]
            keys = sorted(table.kept, key=lambda key: (isinstance(key, str), key))
            rows = [
                f"[{'null' if hour is None else quoted(hour)},{_key_text(key)},"
                f"[{tokens.replace(newline, ',')}]]"
                for key in keys
                for hour, tokens in [table.kept[key]]
            ]
            fields = canonical(list(table.fields))
            texts.append(f'{quoted(name)}:{{"fields":{fields},"rows":[{",".join(rows)}]}}')
        text = f'{{"format":"{_FORMAT}","tables":{{{",".join(texts)}}}}}'
        return zlib.compress(text.encode("ascii"))

    @classmethod
    def unpack(cls, packed: bytes) -> Evidence:
        """Read what `pack` wrote.

        Raises
        ------
        InvalidInput
            It is not what `pack` writes.
        """
        try:
            stream = zlib.decompressobj()
            text = stream.decompress(packed)
            if not stream.eof or stream.unused_data:
                raise InvalidInput("these rows were cut off, or something was added to them")
            told = json.loads(text)
            if told.pop("format") != _FORMAT:
                raise InvalidInput("these rows are packed in another format than this version's")
            return cls(_table_of(name, **kept) for name, kept in told.pop("tables").items())
        except (zlib.error, AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"these are no packed rows: {error}") from error


def _table_of(name: str, *, fields: list[str], rows: list[list[Any]]) -> EvidenceTable:
    kept: dict[Key, tuple[str | None, str]] = {}
    for hour, key, tokens in rows:
        _check_place(name, hour, key, kept)
        if not fields or len(tokens) != len(fields):
            raise InvalidInput(f"row {key!r} of {name} is not as it was packed")
        kept[key] = (hour, "\n".join(map(quoted, tokens)))
    return EvidenceTable(name, tuple(fields), kept)


def _check_place(table: str, hour: object, key: object, kept: Mapping[Key, object]) -> None:
    if type(key) is str:
        if not key.isascii():
            canonical(key)
    elif type(key) is not int:
        raise InvalidInput(f"the key {key!r} of a row of {table} is neither text nor int")
    if hour is not None and (type(hour) is not str or not hour or hour == NO_HOUR):
        raise InvalidInput(f"{hour!r} is no hour; give None for a row that counts to none")
    if key in kept:
        raise InvalidInput(f"two rows of {table} have the key {key!r}")


def _key_text(key: Key) -> str:
    return str(key) if isinstance(key, int) else quoted(key)
