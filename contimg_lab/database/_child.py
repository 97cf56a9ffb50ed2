"""The child process of a scan: reads a file through Arrow and writes columns into a mapped file.

It never shares a process with Python's sqlite3: each brings its own SQLite, and closing one's
file would drop the other's locks. Its parent's end of the pipe is its life line.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cells", "Codes", "Out", "Snapshot", "floats", "main", "whole"]

LONGEST_S = 120.0
"""Longest that a child lives, and so the longest that it holds a snapshot of the file."""

_SAY_EVERY_S = 0.1
_TRIES = 5

Cells = Any  # pyarrow.RecordBatch, imported late and untyped


class Out:
    """Where the child's answer goes: columns into the file, words to the parent."""

    def __init__(self, file: BinaryIO, words: Any) -> None:
        self._file, self._words = file, words
        self._columns: dict[str, tuple[str, int, int]] = {}
        self._lock = threading.Lock()
        self._said_at = 0.0

    def say(self, **words: object) -> None:
        """Tell the parent something."""
        with self._lock:
            self._words.write(json.dumps(words) + "\n")
            self._words.flush()

    def progress(self, done: int, total: int) -> None:
        """Tell how far the work is, now and then."""
        now = time.monotonic()
        if now - self._said_at > _SAY_EVERY_S:
            self._said_at = now
            self.say(done=done, total=total)

    def column(self, name: str, parts: Sequence[NDArray[Any]], dtype: str) -> None:
        """Write one column, in parts."""
        self._file.write(b"\0" * (-self._file.tell() % 64))
        start = self._file.tell()
        for part in parts:
            self._file.write(np.ascontiguousarray(part, dtype).view(np.uint8).data)
        self._columns[name] = (dtype, start, sum(len(part) for part in parts))

    def finish(self, **told: object) -> None:
        """Write what is told of the columns after them, and say that all is there."""
        start = self._file.tell()
        text = json.dumps({"columns": self._columns, "told": told}).encode()
        self._file.write(text)
        self._file.flush()
        self.say(whole=[start, len(text)])


class Snapshot:
    """One state of a database file, on several connections.

    Parameters
    ----------
    uri
        Read-only SQLite URI.
    links
        Connections, for as many threads.
    timeout_s
        Seconds to wait for a locked file.
    """

    def __init__(self, uri: str, *, links: int, timeout_s: float) -> None:
        from adbc_driver_sqlite import dbapi

        def connect(*, autocommit: bool) -> Any:
            link = dbapi.connect(uri, autocommit=autocommit)
            with link.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {int(timeout_s * 1000)}")
                cursor.fetchall()
            return link

        watch = connect(autocommit=True)
        for _ in range(_TRIES):
            before = _first(watch, "PRAGMA data_version")
            self.links = [connect(autocommit=False) for _ in range(links)]
            for link in self.links:  # its first read is what begins a snapshot
                _first(link, "SELECT count(*) FROM sqlite_master")
            if _first(watch, "PRAGMA data_version") == before:
                break
            self.close()
        else:  # commits come too fast for two: one is always a snapshot
            self.links = [connect(autocommit=False)]
            _first(self.links[0], "SELECT count(*) FROM sqlite_master")
        watch.close()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a small SELECT."""
        with self.links[0].cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def scan(
        self,
        table: str,
        select: str,
        where: str,
        kinds: str,
        each: Callable[[Cells], Any],
        out: Out,
    ) -> list[Any]:
        """Hand each batch of a table's rows, in order of rowid, to a function, on every link.

        Parameters
        ----------
        table, select, where
            Of the SELECT; no ORDER BY.
        kinds
            A letter a column: ``f`` a float, ``t`` text, ``i`` a whole number.
        each
            Makes of a batch what is kept of it; called on several threads.
        out
            Is told the progress.

        Returns
        -------
        list
            What ``each`` made, in order.

        Raises
        ------
        TypeError
            A value is not of its column's kind.
        """
        low, high = self.rows(f"SELECT min(rowid), max(rowid) FROM {table}")[0]
        if low is None:
            return []
        cuts = np.linspace(low, high + 1, len(self.links) + 1).astype(np.int64).tolist()
        found: list[list[Any]] = [[] for _ in self.links]
        failed: list[BaseException] = []
        done = [0] * len(self.links)

        def work(i: int) -> None:
            sql = (
                f"SELECT {_first_row(kinds)} UNION ALL SELECT {select} FROM {table} "
                f"WHERE rowid >= {cuts[i]} AND rowid < {cuts[i + 1]} AND {where}"
            )
            try:
                for number, batch in enumerate(_batches(self.links[i], sql, kinds)):
                    if failed:
                        return
                    # the first row is ours: it fixes the kind of each column
                    found[i].append(each(batch if number else batch.slice(1)))
                    done[i] += batch.num_rows
                    out.progress(sum(done), int(high - low + 1))
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(1, len(self.links))]
        for thread in threads:
            thread.start()
        work(0)
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]
        return [part for parts in found for part in parts]

    def close(self) -> None:
        """Let the snapshot go."""
        for link in self.links:
            link.close()


class Codes:
    """Whole numbers for texts, in order of appearance, shared by threads; -1 for none."""

    def __init__(self) -> None:
        self._code: dict[bytes, int] = {}
        self._known: Any = None  # the same texts, as Arrow looks them up
        self._lock = threading.Lock()

    def of(self, column: Any) -> NDArray[np.int32]:
        """Codes of a column of text."""
        import pyarrow as pa
        import pyarrow.compute as pc

        texts = column.cast(pa.binary())
        if self._known is None:
            self._learn(texts)
        at = pc.index_in(texts, value_set=self._known)
        if at.null_count > texts.null_count:
            self._learn(texts.filter(pc.and_(at.is_null(), texts.is_valid())))
            at = pc.index_in(texts, value_set=self._known)
        code: NDArray[np.int32] = at.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.array(code, np.int32)

    def texts(self) -> list[str]:
        """The texts, by code."""
        return [text.decode("utf-8", "replace") for text in self._code]

    def _learn(self, texts: Any) -> None:
        import pyarrow as pa

        with self._lock:
            for text in texts.drop_null().unique().to_pylist():
                self._code.setdefault(text, len(self._code))
            self._known = pa.array(list(self._code), pa.binary())


def floats(column: Any) -> NDArray[np.float64]:
    """A column of numbers, NaN where there is none; a copy, as a view would keep its batch."""
    return np.array(column.to_numpy(zero_copy_only=False), np.float64)


def whole(column: Any) -> NDArray[np.int64]:
    """A column of whole numbers; a copy, as a view would keep its batch."""
    return np.array(column.to_numpy(), np.int64)


def main() -> None:
    """Do the work that the parent asks for on the standard input."""
    words = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(5)
    with open(asked["fd"], "wb") as file:  # noqa: PTH123 - a file that has no name
        out = Out(file, words)
        module, name = asked["work"].split(":")
        try:
            getattr(importlib.import_module(module), name)(asked["request"], out)
        except Exception as error:
            out.say(error=f"{type(error).__name__}: {error}")
            sys.exit(1)


def _end_with_parent() -> None:
    # a parent that is gone, even killed, closes the pipe; a child that hangs ends, too
    threading.Timer(LONGEST_S, os._exit, (3,)).start()
    sys.stdin.buffer.read()
    os._exit(2)


def _first(link: Any, sql: str) -> Any:
    with link.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()[0][0]


def _first_row(kinds: str) -> str:
    return ", ".join({"f": "0.5", "t": "'x'", "i": "1"}[kind] for kind in kinds)


def _batches(link: Any, sql: str, kinds: str) -> Iterator[Cells]:
    import pyarrow as pa

    wanted = [{"f": pa.float64(), "t": pa.string(), "i": pa.int64()}[kind] for kind in kinds]
    with link.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": "65536"})
        cursor.execute(sql)
        reader = cursor.fetch_record_batch()
        if list(reader.schema.types) != wanted:
            raise TypeError(f"a column is not of its kind: {reader.schema.types}")
        try:
            yield from reader
        except OSError as error:
            if "Type mismatch" in str(error):
                raise TypeError(str(error)) from error
            raise
