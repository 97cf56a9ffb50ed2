"""The one owner of every connection of a Lab: which file a table is in, and what it has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from contimg_lab.database.ask import Answer, Question, ask
from contimg_lab.database.files import stamp
from contimg_lab.database.pool import Pool, Row
from contimg_lab.database.scan import Handed, scan_file
from contimg_lab.errors import AbsentFeature, UnknownLayout
from contimg_lab.layouts import Layout
from contimg_lab.schema import COLUMNS_SQL, INDEXES_SQL, Schema, Table

__all__ = ["Database"]


class Database:
    """The pipeline's files of one site, read-only.

    Parameters
    ----------
    layout
        Which files, and which file owns which table.
    timeout_s
        Seconds to wait for a locked file.
    connections
        Most connections to each file at a time.
    """

    def __init__(self, layout: Layout, *, timeout_s: float = 30.0, connections: int = 2) -> None:
        self.layout = layout
        self._pools = {
            role: Pool(path, size=connections, timeout_s=timeout_s)
            for role, path in layout.files.items()
        }
        self._schemas: dict[str, tuple[object, Schema]] = {}

    async def check(self) -> None:
        """Open every file once and see that it is the pipeline's.

        Raises
        ------
        UnknownLayout
            The main file is SQLite but has no ``ms_index``.
        """
        for role in self.layout.files:
            await self.schema(role)
        main = self.layout.main
        if (await self.schema(main)).table("ms_index") is None:
            held = ", ".join(sorted((await self.schema(main)).tables)) or "no tables"
            raise UnknownLayout(
                f"{self.layout.path} is no pipeline database: it has no ms_index "
                f"(it has {held[:200]}); give the pipeline's file or its folder"
            )

    async def schema(self, role: str) -> Schema:
        """What one file has now; read again when it has changed."""
        pool = self._pools[role]
        token = await pool.token()
        known = self._schemas.get(role)
        if known is not None and known[0] == token:
            return known[1]
        version = (await pool.fetch("PRAGMA schema_version"))[0][0]
        if known is not None and known[1].version == version and _same_file(known[0], token):
            schema = known[1]
        else:
            schema = Schema.build(
                version, await pool.fetch(COLUMNS_SQL), await pool.fetch(INDEXES_SQL)
            )
        self._schemas[role] = (token, schema)
        return schema

    async def find_table(self, name: str) -> Table | None:
        """Look a table up; None where this site has none."""
        role = self.layout.role_of(name)
        if role in self.layout.absent:
            return None
        return (await self.schema(role)).table(name)

    async def table(self, name: str) -> Table:
        """Look a table up.

        Raises
        ------
        AbsentFeature
            This site has no such table: a known absence.
        """
        found = await self.find_table(name)
        if found is None:
            role = self.layout.role_of(name)
            why = self.layout.absent.get(role) or f"{self.layout.files[role]} has none"
            raise AbsentFeature(f"no table {name} here: {why}")
        return found

    async def fetch(
        self, table: str, sql: str, parameters: Iterable[object] = (), *, exact: bool = False
    ) -> list[Row]:
        """Run one SELECT in the file that owns a table, and return all its rows.

        ``exact``: bytes of a text that are no UTF-8 become lone surrogates, not U+FFFD.
        """
        pool = self._pools[self.layout.role_of(table)]
        return await pool.fetch(sql, parameters, exact=exact)

    async def ask(self, question: Question) -> Answer:
        """Run a statement that somebody typed; see `contimg_lab.database.ask.ask`."""
        return await ask(question, self.layout, self._pools, self.schema)

    async def scan(
        self,
        table: str,
        work: str,
        request: Mapping[str, Any],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Handed, tuple[object, ...] | None]:
        """Run a function on the file that owns a table, in a child process.

        Parameters
        ----------
        table
            Its file is the one that is read.
        work, request, progress
            As for `contimg_lab.database.scan.run_child`; ``uri`` and ``timeout_s`` are added.

        Returns
        -------
        handed, token
            What the child made of one state of the file, and that state's `token_of`; None
            where the file was committed to while the child began, so that it is not known.
        """
        pool = self._pools[self.layout.role_of(table)]
        return await scan_file(pool, work, request, progress)

    async def token_of(self, table: str) -> tuple[object, ...]:
        """`token` of the one file that owns a table."""
        return await self._pools[self.layout.role_of(table)].token()

    async def token(self) -> tuple[object, ...]:
        """Tell one state of all files from another: equal tokens, same data."""
        return tuple([await pool.token() for pool in self._pools.values()])

    @staticmethod
    def openings(token: tuple[object, ...]) -> tuple[object, ...]:
        """Of a token only which files are open: equal while no other takes a file's place.

        A file at rest that has changed was opened again, too.
        """
        return tuple(part[0] for part in token if isinstance(part, tuple))

    def files(self) -> tuple[object, ...]:
        """Tell the files from others that take their place, whatever is in them."""
        return tuple(stamp(pool.path.resolve()).identity for pool in self._pools.values())

    def how(self) -> dict[str, str]:
        """How each file is open at the moment, by role."""
        return {role: pool.how for role, pool in self._pools.items()}

    async def close(self) -> None:
        """End running queries and close every connection; may be called twice."""
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))


def _same_file(before: object, now: object) -> bool:
    # the first part of a token counts how often the file was opened
    return isinstance(before, tuple) and isinstance(now, tuple) and before[0] == now[0]
