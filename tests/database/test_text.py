"""Text that is no UTF-8: read all the same, by the connection that met it."""

from __future__ import annotations

import asyncio
import sqlite3

import contimg_lab as cl
from contimg_lab.config import read_config
from contimg_lab.database import Database
from contimg_lab.layouts import detect


async def test_bad_text_is_read_with_its_bad_bytes_replaced(tmp_path):
    """A row with text that is no UTF-8 comes with U+FFFD in it, and its neighbours as written."""
    path = tmp_path / "pipeline.sqlite3"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE ms_index (path TEXT PRIMARY KEY, status TEXT, field_name TEXT)")
    rows = [("/a.ms", b"m\xfcde"), ("/b.ms", "J0319+4130 \N{GREEK SMALL LETTER ETA}".encode())]
    for ms_path, name in rows:
        db.execute("INSERT INTO ms_index VALUES (?, 'done', CAST(? AS TEXT))", (ms_path, name))
    db.commit()
    db.close()
    async with cl.open(path) as lab:
        for _ in range(2):
            names = {ms.path: ms.field_name for ms in await lab.ms.list_ms()}
            assert names == {"/a.ms": "m\ufffdde", "/b.ms": "J0319+4130 \N{GREEK SMALL LETTER ETA}"}


async def test_each_connection_learns_of_bad_text_by_itself(tmp_path):
    """Good text and bad text read by turns on several connections: each answer is whole."""
    path = tmp_path / "pipeline.sqlite3"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE ms_index (path TEXT PRIMARY KEY)")
    db.executemany(
        "INSERT INTO ms_index VALUES (CAST(? AS TEXT))",
        [(f"/{i}.ms".encode() + (b"\xff" if i % 3 == 0 else b""),) for i in range(30)],
    )
    db.commit()
    db.close()
    expected = sorted(f"/{i}.ms" + ("\ufffd" if i % 3 == 0 else "") for i in range(30))
    database = Database(detect(read_config(path)))
    try:
        every, good = "SELECT path FROM ms_index", "SELECT path FROM ms_index WHERE path = '/1.ms'"
        sqls = (good, every, good, every, every)
        answers = await asyncio.gather(*(database.fetch("ms_index", sql) for sql in sqls))
        for sql, rows in zip(sqls, answers, strict=True):
            assert sorted(row[0] for row in rows) == (["/1.ms"] if sql == good else expected)
        assert await database.fetch("ms_index", good) == [("/1.ms",)]
    finally:
        await database.close()
