"""How text is read that may be no UTF-8: quickly as long as it is."""

from __future__ import annotations

import sqlite3
from typing import Any

import aiosqlite

__all__ = ["read_rows"]

Row = tuple[Any, ...]


async def read_rows(
    connection: aiosqlite.Connection, sql: str, values: Row, *, exact: bool = False
) -> list[Any]:
    """Run a SELECT and return all its rows, texts that are no UTF-8 included.

    ``exact``: bytes that are no UTF-8 become lone surrogates, so that texts that differ stay
    different; else they become U+FFFD, which can be shown.
    """
    usual = connection.text_factory
    if exact:
        connection.text_factory = str
    try:
        return list(await connection.execute_fetchall(sql, values))
    except sqlite3.OperationalError as error:
        if not str(error).startswith("Could not decode to UTF-8"):
            raise
        # a call in Python for each text costs more than the rest of the read: only a connection
        # that has met bad text pays it
        if exact:
            connection.text_factory = _exact
        else:
            usual = connection.text_factory = _text
        return list(await connection.execute_fetchall(sql, values))
    finally:
        connection.text_factory = usual


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _exact(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
