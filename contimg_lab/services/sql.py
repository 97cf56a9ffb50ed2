"""A statement of the user's own, as a DataFrame: read-only, with a limit in rows and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contimg_lab.database.ask import Answer, Question
from contimg_lab.errors import InvalidInput
from contimg_lab.records._fields import MJD, UNIX, meanings, units
from contimg_lab.records.caltables import AppliedCalTable, CalTable
from contimg_lab.records.images import Image
from contimg_lab.records.jobs import JobStep
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.records.sources import Measurement
from contimg_lab.services._context import Service
from contimg_lab.services._frames import frame, unix_to_datetime
from contimg_lab.services._origin import with_origin

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ROW_LIMIT", "TIMEOUT_S", "SqlService"]

ROW_LIMIT = 100_000
"""Most rows, unless another limit is asked for."""

TIMEOUT_S = 10.0
"""Seconds that a statement may run, unless others are asked for."""

_MOST_ROWS = 10_000_000
_LONGEST_S = 3600.0
_RECORDS = (AppliedCalTable, CalTable, Image, JobStep, MeasurementSet, Measurement)


class SqlService(Service):
    """Statements of the user's own on the pipeline's tables."""

    async def table(
        self,
        sql: str,
        values: Mapping[str, object] | None = None,
        *,
        limit: int = ROW_LIMIT,
        timeout_s: float = TIMEOUT_S,
    ) -> pd.DataFrame:
        """Run one SELECT, WITH, VALUES or EXPLAIN and return its rows.

        It runs on a connection of its own that can only read. What would write, attach, load
        or set anything is refused before it begins. In the split layout the file that has the
        tables named is asked. ``attrs["cut"]`` says why rows are missing, where any are, and
        ``attrs["file"]`` which file was read. Beside a column that holds times under the
        pipeline's name stands another in UTC, ``<name>_utc``.

        Parameters
        ----------
        sql
            The statement.
        values
            Of ``:name`` in it: texts, numbers, dates or None.
        limit
            Most rows to return.
        timeout_s
            Seconds that it may run.

        Raises
        ------
        InvalidInput
            It would do more than read, or SQLite cannot make sense of it.
        AbsentFeature
            There is no such table, or not one file has all of them.
        DatabaseError
            It ran out of time.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     found = lab.sql.table("SELECT count(*) AS n FROM ms_index WHERE ra_deg IS NULL")
        >>> list(found.columns), found.attrs["file"]
        (['n'], 'pipeline.sqlite3')
        """
        if not isinstance(sql, str):
            raise InvalidInput(f"a statement is text, not {type(sql).__name__}")
        if isinstance(limit, bool) or not isinstance(limit, int) or not 0 < limit <= _MOST_ROWS:
            raise InvalidInput(f"limit {limit!r} is no whole number from 1 to {_MOST_ROWS}")
        if not isinstance(timeout_s, (int, float)) or not 0.0 < timeout_s <= _LONGEST_S:
            raise InvalidInput(f"timeout_s {timeout_s!r} is no number of seconds up to an hour")
        question = Question(sql=sql, values=values or {}, limit=limit, timeout_s=timeout_s)
        answer = await self.context.database.ask(question)
        made = await asyncio.to_thread(_frame, answer)
        return await with_origin(self.context, made, "sql.table", sql=sql, limit=limit)

    async def columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of every table and view that this site's files have, by table."""
        database = self.context.database
        schemas = [await database.schema(role) for role in database.layout.files]
        return {table.name: table.columns for schema in schemas for table in schema.tables.values()}


def _frame(answer: Answer) -> pd.DataFrame:
    parts: Sequence[Sequence[object]] = (
        list(zip(*answer.rows, strict=True)) if answer.rows else [()] * len(answer.columns)
    )
    unit = _agreed(units)
    data: dict[str, Any] = {}
    for name, part in zip(answer.columns, parts, strict=True):
        unique = _unused(name, data)
        data[unique] = part
        if unit.get(name) in (MJD, UNIX):
            data[_unused(f"{name}_utc", {*data, *answer.columns})] = unix_to_datetime(part)
    kind = {name: kind for name, part in data.items() if (kind := _kind(part)) is not None}
    utc = {name: "UTC" for name in data if name.endswith("_utc")}
    made = frame(data, kind, units=unit | utc, meanings=_agreed(meanings))
    made.attrs |= {"cut": answer.cut, "file": answer.path.name}
    return made


def _unused(name: str, taken: Any) -> str:
    """Return a name that no column has yet: of two columns ``id`` the second is ``id_2``."""
    number, unique = 2, name
    while unique in taken:
        number, unique = number + 1, f"{name}_{number}"
    return unique


def _kind(part: Any) -> type | None:
    """Return what a column holds throughout: int, float or str; None for anything else."""
    kinds = {type(value) for value in part} - {type(None)}
    if kinds == {int}:
        return int
    if kinds and kinds <= {int, float}:
        return float
    return str if kinds == {str} else None


def _agreed(of: Any) -> dict[str, str]:
    """Return what all records say of a column's name, where they agree."""
    found: dict[str, set[str]] = {}
    for record in _RECORDS:
        for name, words in of(record).items():
            found.setdefault(name, set()).add(words)
    return {name: words.pop() for name, words in found.items() if len(words) == 1}
