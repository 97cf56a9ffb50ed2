"""One statement that somebody typed, run on a connection of its own that can only read.

The file is opened read-only, and SQLite asks `_Guard` about each thing that a statement would
do before it does anything: what is not known to be harmless is refused.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any

from contimg_lab.database import files
from contimg_lab.database._heartbeat import heartbeat
from contimg_lab.database.pool import Pool, Row
from contimg_lab.errors import AbsentFeature, DatabaseBusy, DatabaseError, InvalidInput
from contimg_lab.layouts import Layout
from contimg_lab.schema import Schema

__all__ = ["Answer", "Question", "ask"]

_TRIES = 5
_OPS = 10_000  # of SQLite's virtual machine between two looks at the clock: about 1 ms
_LONGEST = 64_000_000
_MOST_BYTES = 512_000_000
_FIRST = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*(\w*)", re.DOTALL)
_READS = frozenset({"explain", "select", "values", "with"})
_TABLES = ("json_each", "json_tree", "pragma_index_list", "pragma_table_info")
_FUNCTIONS = frozenset({
    "->", "->>", "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "avg", "ceil",
    "ceiling", "char", "coalesce", "concat", "concat_ws", "cos", "cosh", "count", "cume_dist",
    "current_date", "current_time", "current_timestamp", "date", "datetime", "degrees",
    "dense_rank", "exp", "first_value", "floor", "format", "glob", "group_concat", "hex", "ifnull",
    "iif", "instr", "json", "json_array", "json_array_length", "json_extract", "json_group_array",
    "json_group_object", "json_insert", "json_object", "json_patch", "json_quote", "json_remove",
    "json_replace", "json_set", "json_type", "json_valid", "julianday", "lag", "last_value",
    "lead", "length", "like", "likelihood", "likely", "ln", "log", "log10", "log2", "lower",
    "ltrim", "max", "median", "min", "mod", "nth_value", "ntile", "nullif", "octet_length",
    "percent_rank", "percentile", "pi", "pow", "power", "printf", "quote", "radians", "random",
    "rank", "replace", "round", "row_number", "rtrim", "sign", "sin", "sinh", "sqrt", "strftime",
    "string_agg", "substr", "substring", "sum", "tan", "tanh", "time", "timediff", "total", "trim",
    "trunc", "typeof", "unhex", "unicode", "unixepoch", "unlikely", "upper",
})  # fmt: skip
_WORDS = {
    sqlite3.SQLITE_INSERT: "INSERT into {}",
    sqlite3.SQLITE_UPDATE: "UPDATE of {}",
    sqlite3.SQLITE_DELETE: "DELETE from {}",
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_PRAGMA: "PRAGMA {}",
    sqlite3.SQLITE_READ: "reading {}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One statement, and what it may cost.

    Attributes
    ----------
    sql
        One SELECT, WITH, VALUES or EXPLAIN.
    values
        Of ``:name`` in it; may hold more than it needs.
    limit
        Most rows to return.
    timeout_s
        Seconds that it may run.
    """

    sql: str
    values: Mapping[str, object] = field(default_factory=dict)
    limit: int
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a statement returned; ``cut`` says why rows are missing, empty where none are."""

    columns: tuple[str, ...]
    rows: list[Row]
    cut: str
    path: Path


class _NoTable(Exception):
    """This file has no such table, or another one owns it."""


class _CannotOpen(Exception):
    """SQLite cannot open the file in place."""


async def ask(
    question: Question,
    layout: Layout,
    pools: Mapping[str, Pool],
    schema: Callable[[str], Awaitable[Schema]],
) -> Answer:
    """Run a statement in the file that has the tables it names.

    Raises
    ------
    InvalidInput
        It is no statement that only reads, or SQLite cannot make sense of it.
    AbsentFeature
        No file has the table, or not one file has all of them.
    DatabaseError
        It ran out of time.
    """
    word = _FIRST.match(question.sql)
    first = word[1].lower() if word else ""
    if first not in _READS:
        raise InvalidInput(
            f"{first.upper()} is refused: only what reads is run (SELECT, WITH, VALUES, EXPLAIN)"
            if first
            else "there is no statement to run; write a SELECT"
        )
    places: dict[str, str] = {}
    left, role = set(pools), layout.main
    while True:
        left.remove(role)
        foreign = {t for t, owner in layout.owners.items() if owner in pools and owner != role}
        try:
            return await _ask_file(question, pools[role], foreign)
        except _NoTable as error:
            table = str(error)
        holds = [r for r in pools if (await schema(r)).table(table) is not None]
        if not holds:
            raise AbsentFeature(await _nowhere(table, layout, pools, schema))
        owner = layout.role_of(table)
        places[table] = role = owner if owner in holds else holds[0]
        if role not in left:
            told = " and ".join(f"{t} is in {layout.files[r].name}" for t, r in places.items())
            raise AbsentFeature(
                f"{told}: one statement reads one file; ask each, and merge the DataFrames"
            )


async def _nowhere(
    table: str,
    layout: Layout,
    pools: Mapping[str, Pool],
    schema: Callable[[str], Awaitable[Schema]],
) -> str:
    why = layout.absent.get(layout.role_of(table))
    if why is not None:
        return f"no table {table} here: {why}"
    held = [
        f"{layout.files[role].name} has "
        + ", ".join(known.name for known in (await schema(role)).tables.values())
        for role in pools
    ]
    return f"no table {table} here: {'; '.join(held)}"


async def _ask_file(question: Question, pool: Pool, foreign: set[str]) -> Answer:
    deadline = monotonic() + question.timeout_s
    for _ in range(_TRIES):
        pool._must_be_open()
        path = pool.path.resolve()
        now = files.stamp(path)
        if now.at_rest:
            await files.settle(now)
        run = _Run(question, pool, foreign, deadline)
        try:
            answer = await run.on(path, immutable=now.at_rest)
        except _CannotOpen as error:
            if now.journal:
                raise DatabaseError(
                    f"cannot read {path}: an unfinished transaction lies beside it"
                ) from error
            copy = await files.copy_aside(path)
            try:
                return await run.on(copy, immutable=False)
            finally:
                files.remove_copy(copy)
        except sqlite3.Error as error:
            if now.at_rest and files.stamp(path) != now:
                continue
            raise pool._translate(error) from error
        if not now.at_rest or files.stamp(path) == now:
            return answer
    raise DatabaseBusy(f"{pool.path} changes faster than it can be read; try again")


class _Run:
    """One try at one file, on a thread that no exit waits for."""

    def __init__(self, question: Question, pool: Pool, foreign: set[str], deadline: float) -> None:
        self._question = question
        self._pool = pool
        self._guard = _Guard(foreign)
        self._deadline = deadline
        self._stop = False

    async def on(self, path: Path, *, immutable: bool) -> Answer:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Answer] = loop.create_future()

        def put(answer: Answer | None, error: BaseException | None) -> None:
            if done.cancelled():
                return
            if error is not None:
                done.set_exception(error)
            elif answer is not None:
                done.set_result(answer)

        def work() -> None:
            answer, error = None, None
            try:
                answer = self._read(files.uri(path, immutable=immutable))
            except BaseException as caught:
                error = caught
            # a loop that is gone wants no answer
            if not loop.is_closed():
                loop.call_soon_threadsafe(put, answer, error)

        threading.Thread(target=work, name="contimg_lab-ask", daemon=True).start()
        try:
            with heartbeat():
                return await done
        finally:
            self._stop = True

    def _read(self, uri: str) -> Answer:
        question = self._question
        left_s = max(0.0, min(self._pool.timeout_s, self._deadline - monotonic()))
        connection = sqlite3.connect(uri, uri=True, timeout=left_s, isolation_level=None)
        try:
            self._make_ready(connection)
            cursor = connection.execute(question.sql, _Values(question.values))
            columns = tuple(column[0] for column in cursor.description or ())
            rows, cut = self._rows(cursor)
        except sqlite3.Error as error:
            told = self._told(error)
            if told is None:
                raise
            raise told from error
        except (OverflowError, UnicodeEncodeError) as error:
            raise InvalidInput(f"a text or number that SQLite cannot take: {error}") from error
        finally:
            connection.close()
        return Answer(columns=columns, rows=rows, cut=cut, path=self._pool.path)

    def _make_ready(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("PRAGMA schema_version").fetchall()
        except sqlite3.OperationalError as error:
            if "unable to open" in str(error):
                raise _CannotOpen(str(error)) from error
            raise
        # SQLite declares these tables when they are first used, by what looks like a write
        for name in _TABLES:
            connection.execute(f"SELECT 1 FROM {name}('[]')").fetchall()
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_progress_handler(self._must_end, _OPS)
        connection.set_authorizer(self._guard)

    def _must_end(self) -> bool:
        return self._stop or monotonic() > self._deadline

    def _rows(self, cursor: sqlite3.Cursor) -> tuple[list[Row], str]:
        rows: list[Row] = []
        size = 0
        for row in cursor:
            if len(rows) == self._question.limit:
                return rows, f"cut at {len(rows)} rows"
            rows.append(row)
            size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
            if size > _MOST_BYTES:
                return rows, f"cut after {_MOST_BYTES // 10**6} MB of text"
            if self._must_end():
                raise self._too_long()
        return rows, ""

    def _told(self, error: sqlite3.Error) -> Exception | None:
        """What is wrong with the statement; None where it is something else."""
        text = str(error)
        if self._guard.elsewhere:
            return _NoTable(self._guard.elsewhere)
        if self._guard.refused:
            return InvalidInput(f"{self._guard.refused} is refused: statements here only read")
        if "interrupted" in text:
            return self._too_long()
        if text.startswith("no such table: "):
            return _NoTable(text.removeprefix("no such table: ").removeprefix("main."))
        if isinstance(error, (sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.Warning)):
            return InvalidInput(f"the statement cannot be run: {text}")
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            return InvalidInput(f"SQLite cannot make sense of the statement: {text}")
        return None

    def _too_long(self) -> DatabaseError:
        return DatabaseError(
            f"the statement was ended after {self._question.timeout_s:g} s; narrow it, "
            "or give it more time (--timeout)"
        )


class _Guard:
    """What SQLite asks before it does anything: yes to reading, and to nothing else."""

    def __init__(self, foreign: set[str]) -> None:
        self._foreign = foreign
        self.refused = ""
        self.elsewhere = ""

    def __call__(
        self, action: int, first: str | None, second: str | None, *rest: str | None
    ) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            if (first or "").lower() not in self._foreign:
                return sqlite3.SQLITE_OK
            self.elsewhere = first or ""
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_FUNCTION:
            if (second or "").lower() in _FUNCTIONS:
                return sqlite3.SQLITE_OK
            self.refused = f"the function {second}"
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_PRAGMA and f"pragma_{first}" in _TABLES:
            return sqlite3.SQLITE_OK
        self.refused = _WORDS.get(action, "what it would do").format(first)
        return sqlite3.SQLITE_DENY


class _Values(dict[str, object]):
    """Values by name, made such as SQLite has when they are asked for."""

    def __init__(self, given: Mapping[str, object]) -> None:
        super().__init__()
        self._given = given

    def __getitem__(self, name: str) -> Any:
        if name not in self._given:
            raise InvalidInput(f"no value for :{name}; set a variable {name} first")
        value = self._given[name]
        if isinstance(value, date):
            return value.isoformat()
        if hasattr(value, "item") and getattr(value, "shape", None) == ():  # of numpy
            value = value.item()
        if value is None or isinstance(value, (str, int, float, bytes)):
            return value
        raise InvalidInput(
            f":{name} is a {type(value).__name__}; give a text, a number, a date or None"
        )
