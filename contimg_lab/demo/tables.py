"""Make the tables of a layout in an open SQLite file, and list their columns."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping

from contimg_lab.demo.columns import INDEXES, SECOND_SHAPES, SPLIT, SPLIT_OLD, TOGETHER, UNIFIED

__all__ = ["column_names", "create_indexes", "create_tables", "files_of"]

_COLUMN = re.compile(r"(\w+)([$#]?)(\*?)(\^?)(!?)(?:=(\S+))?")
_TYPES = {"": "REAL", "$": "TEXT", "#": "INTEGER"}
_COUNTED = frozenset({"jobs", "images"})
_SPLIT_INDEXES = {"photometry": "source_id", "images": "ms_path"}


def files_of(layout: str, *, untidy: bool = False) -> dict[str, Mapping[str, str]]:
    """Each file of a layout with its tables and their column listings."""
    if layout == "unified":
        tables = {**UNIFIED, **SECOND_SHAPES} if untidy else UNIFIED
        return {"pipeline.sqlite3": tables}
    products = SPLIT if layout == "split" else SPLIT_OLD
    registry = {"caltables": UNIFIED["caltables"]}
    return {"products.sqlite3": products, "cal_registry.sqlite3": registry}


def column_names(listing: str) -> list[str]:
    """Names in a column listing, in order."""
    return [name for name, *_ in _COLUMN.findall(listing)]


def create_tables(connection: sqlite3.Connection, tables: Mapping[str, str]) -> None:
    """Create every table, without indexes: rows go in faster before them."""
    for table, listing in tables.items():
        parts = [_declare(table, word) for word in listing.split()]
        if table in TOGETHER and set(TOGETHER[table].split(",")) <= set(column_names(listing)):
            parts.append(f"UNIQUE({TOGETHER[table]})")
        connection.execute(f"CREATE TABLE {table} ({', '.join(parts)})")


def create_indexes(connection: sqlite3.Connection, tables: Mapping[str, str]) -> None:
    """Create the indexes that this layout keeps; split files have two."""
    wanted = INDEXES if "jobs" in tables or "caltables" in tables else _SPLIT_INDEXES
    for table, listing in tables.items():
        names = set(column_names(listing))
        for index in wanted.get(table, "").split():
            columns = [column.rstrip("-") for column in index.split(",")]
            if not names.issuperset(columns):
                continue
            order = ", ".join(
                f"{name} DESC" if text.endswith("-") else name
                for name, text in zip(columns, index.split(","), strict=True)
            )
            connection.execute(f"CREATE INDEX idx_{table}_{'_'.join(columns)} ON {table}({order})")


def _declare(table: str, word: str) -> str:
    found = _COLUMN.fullmatch(word)
    if found is None:
        raise ValueError(f"column {word!r} of {table} cannot be read")
    name, kind, key, unique, required, default = found.groups()
    text = f"{name} {_TYPES[kind]}"
    if key:
        text += " PRIMARY KEY" + (" AUTOINCREMENT" if table in _COUNTED and kind == "#" else "")
    text += " NOT NULL" * bool(required) + " UNIQUE" * bool(unique)
    if default == "@now":
        return text + " DEFAULT (strftime('%s','now'))"
    if default is not None:
        return text + (f" DEFAULT {default}" if kind == "#" else f" DEFAULT '{default}'")
    return text
