"""Our own file of sign-offs: added to, never changed, and whole after any crash."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import InvalidInput, LedgerError, NotALedger, NotFound
from contimg_lab.ledger._file import SCHEMA, reading, refuse_pipeline_files, writing
from contimg_lab.ledger.chain import START, Entry, Head, entry_faults, make, read
from contimg_lab.ledger.evidence import Evidence
from contimg_lab.ledger.verify import Finding, Reviewers, check_evidence, check_lines

if TYPE_CHECKING:
    from contimg_lab.ledger.keys import SigningKey

__all__ = ["Ledger"]

_COLUMNS = "number, previous, hash, entry"


class Ledger:
    """A ledger by its path; each call opens the file, and closes it before it returns.

    So any thread may call, and no lock outlives a call. A call may take as long as the disk, and
    ``timeout_s`` more: on an event loop, call it in a thread.

    Parameters
    ----------
    path
        Where it lies; it need not exist.
    timeout_s
        Seconds to wait while another process writes.
    pipeline_files
        Paths that are the pipeline's: none of them can be a ledger.

    Raises
    ------
    NotALedger
        The path is one of the pipeline's files.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout_s: float = 30.0,
        pipeline_files: Collection[Path] = (),
    ) -> None:
        self.path = Path(path)
        self._timeout_s = timeout_s
        refuse_pipeline_files(self.path, pipeline_files)

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r})"

    def append(
        self, said: Mapping[str, Any], *, evidence: Evidence, key: SigningKey | None = None
    ) -> Entry:
        """Add an entry; when this returns, it is on the disk.

        Parameters
        ----------
        said
            The body without what the ledger sets: ``format``, ``number``, ``previous``,
            ``public_key``, ``evidence``, and ``signed_at`` unless it is given.
        evidence
            The rows that it stands on; kept beside it.
        key
            Signs it; None: the entry says that it is not signed.

        Raises
        ------
        InvalidInput
            A member is missing or not what it may be.
        LedgerError
            Nothing was written: see its kinds in `contimg_lab.errors`.
        """
        if "evidence" in said:
            raise InvalidInput("the ledger itself sets evidence; leave it out")
        packed = evidence.pack()
        said = {**said, "evidence": evidence.summary}
        with writing(self.path, self._timeout_s) as connection:
            after = _last(connection, self.path)
            time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            entry = make(
                {"signed_at": time, **said},
                after,
                public_key=None if key is None else key.public_key,
                sign=None if key is None else key.sign,
            )
            connection.execute(
                f"INSERT INTO entries ({_COLUMNS}) VALUES (?, ?, ?, ?)",
                (entry.number, after.hash, entry.hash, entry.text),
            )
            connection.execute("INSERT INTO evidence VALUES (?, ?)", (entry.number, packed))
        return entry

    def head(self) -> Head:
        """Number and hash of the last entry; number 0 where nobody has signed yet."""
        try:
            with reading(self.path, self._timeout_s) as connection:
                return _last(connection, self.path)
        except LedgerError:
            # looked at afterwards: reading undoes what a kill left of making it
            if not self.path.exists() or self.path.stat().st_size == 0:
                return START
            raise

    def lines(self) -> list[bytes]:
        """Text of each entry in order, as it is stored: what `verify.check_lines` takes."""
        return [_bytes(row[3]) for row in self._rows()]

    def entries(self, *, after: int = 0) -> list[Entry]:
        """All entries in order.

        Parameters
        ----------
        after
            Leave out those up to this number.

        Raises
        ------
        NotALedger
            One of them cannot be read.
        """
        rows = self._rows("WHERE number > ?", after)
        return [_read(_bytes(row[3]), self.path) for row in rows]

    def entry(self, number: int) -> Entry:
        """One entry.

        Raises
        ------
        NotFound
            There is none of this number.
        """
        for row in self._rows("WHERE number = ?", number):
            return _read(_bytes(row[3]), self.path)
        raise NotFound("ledger entry", number)

    def evidence(self, number: int) -> Evidence:
        """Rows kept beside an entry.

        Raises
        ------
        NotFound
            There are none.
        InvalidInput
            They cannot be read.
        """
        with reading(self.path, self._timeout_s) as connection:
            row = connection.execute(
                "SELECT packed FROM evidence WHERE number = ?", (number,)
            ).fetchone()
        if row is None:
            raise NotFound("evidence of ledger entry", number)
        return Evidence.unpack(_bytes(row[0]))

    def check(
        self, *, kept: Head | None = None, reviewers: Reviewers | None = None
    ) -> list[Finding]:
        """Check the whole file: what `verify.check_lines` does, the evidence and the tables.

        Parameters
        ----------
        kept, reviewers
            As `verify.check_lines` has them.
        """
        found: list[Finding] = []
        with reading(self.path, self._timeout_s) as connection:
            said = [_bytes(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            tables = {
                _bytes(name).decode("utf-8", "replace"): _bytes(sql).decode("utf-8", "replace")
                for name, sql in connection.execute(
                    "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
                )
            }
            orphans = connection.execute(
                "SELECT number FROM evidence WHERE number NOT IN (SELECT number FROM entries)"
            ).fetchall()
        if said != [b"ok"]:
            words = said[0].decode("utf-8", "replace")
            found.append(Finding(None, "file", True, f"SQLite finds it damaged: {words}"))
        for name in sorted({*SCHEMA, *tables}):
            if SCHEMA.get(name) != tables.get(name):
                words = f"its table or guard {name!r} is not as it was made"
                found.append(Finding(None, "file", True, words))
        for (number,) in orphans:
            words = f"evidence of entry {number} is kept, which is not there"
            found.append(Finding(None, "evidence", True, words))
        rows = self._rows()
        found += check_lines([_bytes(row[3]) for row in rows], kept=kept, reviewers=reviewers)
        for place, row in enumerate(rows, 1):
            found += self._row_findings(place, row)
        return found

    def _row_findings(self, place: int, row: tuple[Any, ...]) -> list[Finding]:
        try:
            entry = read(_bytes(row[3]))
        except InvalidInput:
            return []  # told with the lines
        found = []
        told = tuple(entry.body.get(name) for name in ("number", "previous"))
        stored = (row[0], *(_bytes(cell).decode("utf-8", "replace") for cell in row[1:3]))
        if stored != (*told, entry.hash) or not isinstance(row[3], bytes):
            found.append(Finding(place, "file", True, "it is stored as another than it says"))
        if any(entry_faults(entry)):
            return found
        try:
            return found + check_evidence(entry, self.evidence(int(row[0])))
        except (InvalidInput, NotFound) as error:
            words = f"the rows kept beside it cannot be read: {error}"
            return [*found, Finding(place, "evidence", True, words)]

    def _rows(self, where: str = "", *values: object) -> list[tuple[Any, ...]]:
        with reading(self.path, self._timeout_s) as connection:
            sql = f"SELECT {_COLUMNS} FROM entries {where} ORDER BY number"
            return connection.execute(sql, values).fetchall()


def _last(connection: sqlite3.Connection, path: Path) -> Head:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM entries ORDER BY number DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return START
    number, previous, hash_, text = row[0], *map(_bytes, row[1:])
    entry = _read(text, path)
    told = (entry.body.get("number"), str(entry.body.get("previous")).encode(), entry.hash.encode())
    for fault in entry_faults(entry):
        raise NotALedger(f"the last entry of {path} is damaged: {fault}; verify it")
    if told != (number, previous, hash_):
        raise NotALedger(f"the last entry of {path} is stored as another than it says; verify it")
    return entry.head


def _read(line: bytes, path: Path) -> Entry:
    try:
        return read(line)
    except InvalidInput as error:
        raise NotALedger(f"an entry of {path} cannot be read: {error}; verify it") from error


def _bytes(cell: object) -> bytes:
    # a cell that was tampered with may be of any kind
    return cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogatepass")
