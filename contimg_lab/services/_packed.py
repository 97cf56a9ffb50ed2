"""A table as it was seen last, small in memory, and which of its rows differ now."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contimg_lab.repositories.changes import FIELD, ROW, Packed

__all__ = ["Difference", "PackedTable", "parse_rows"]

Row = dict[str, Any]

_HOT = 8  # blocks at the end, and blocks that changed lately, that are always looked at
_SLICE = 48  # other blocks a look


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows that differ, by rowid: as they were, and as they are; a row is column and value."""

    old: Mapping[int, Row] = field(default_factory=dict)
    new: Mapping[int, Row] = field(default_factory=dict)

    def then(self, later: Difference) -> Difference:
        """Return what differs in all, where more has changed since."""
        known = self.old.keys() | self.new.keys()
        gone = later.old.keys() - later.new.keys()
        new = {rowid: row for rowid, row in self.new.items() if rowid not in gone}
        old = {rowid: row for rowid, row in later.old.items() if rowid not in known}
        return Difference({**self.old, **old}, {**new, **later.new})


class PackedTable:
    """The last state of one table: a digest and a compressed text for each block of rows.

    Blocks are looked at in turns: those at the end of the table and those that changed
    lately every time, of the others some at a time. Nothing of it needs the event loop.
    """

    def __init__(self) -> None:
        self.last_rowid = 0
        self._blocks: dict[int, tuple[bytes, bytes, tuple[str, ...]]] = {}
        self._looked: dict[int, int] = {}
        self._changed: dict[int, None] = {}
        self._look = 0
        self._due: set[int] = set()

    @property
    def due(self) -> int:
        """How many blocks were not looked at since `turn` was told of a commit."""
        return len(self._due)

    def turn(self, starts: Sequence[int], *, committed: bool) -> list[int]:
        """Return the blocks to look at now, of all that there are.

        Parameters
        ----------
        starts
            Every block of the table.
        committed
            Whether anything was committed since the last turn: then all are due again.
        """
        there = set(starts)
        self._due = there if committed else self._due & there
        hot = {*starts[-_HOT:], *self._changed, *(there - self._blocks.keys())} & self._due
        rest = sorted(self._due - hot, key=lambda start: self._looked.get(start, -1))
        return sorted(hot) + rest[:_SLICE]

    def update(
        self, packed: Packed, starts: Sequence[int] | None = None, *, first: bool = False
    ) -> Difference:
        """Take blocks as they are now, and return what differs in them from before.

        Parameters
        ----------
        packed
            Some blocks.
        starts
            Every block of the table: those that are not among them are gone.
        first
            There is no before: nothing differs.
        """
        columns, blocks = packed
        old: dict[int, Row] = {}
        new: dict[int, Row] = {}
        self._look += 1
        for start, text in blocks.items():
            self._due.discard(start)
            self._looked[start] = self._look
            raw = text.encode("utf-8", "surrogatepass")
            digest = hashlib.blake2b(raw, digest_size=16).digest()
            before = self._blocks.get(start)
            if before is not None and before[0] == digest and before[2] == columns:
                continue
            self._blocks[start] = (digest, zlib.compress(raw, 1), columns)
            if first:
                continue
            new |= parse_rows(columns, text)
            if before is not None:
                old |= _unpacked(before)
                self._changed.pop(start, None)
                self._changed[start] = None
        for start in () if starts is None else self._blocks.keys() - set(starts):
            old |= _unpacked(self._blocks.pop(start))
            self._looked.pop(start, None)
        for start in list(self._changed)[:-_HOT]:
            del self._changed[start]
        if blocks and max(blocks) == max(self._blocks):
            last = parse_rows(columns, blocks[max(blocks)])
            self.last_rowid = max(last, default=self.last_rowid)
        same = {rowid for rowid in old.keys() & new.keys() if old[rowid] == new[rowid]}
        return Difference(
            {rowid: row for rowid, row in old.items() if rowid not in same},
            {rowid: row for rowid, row in new.items() if rowid not in same},
        )


def _unpacked(block: tuple[bytes, bytes, tuple[str, ...]]) -> dict[int, Row]:
    return parse_rows(block[2], zlib.decompress(block[1]).decode("utf-8", "surrogatepass"))


def parse_rows(columns: Sequence[str], text: str) -> dict[int, Row]:
    r"""Read the rows of a packed text; what is more than the columns is kept under ``rest``.

    Examples
    --------
    >>> parse_rows(["path", "n"], "7\x1f'it''s'\x1f2.5")
    {7: {'path': "it's", 'n': 2.5, 'rest': []}}
    """
    found: dict[int, Row] = {}
    for line in text.split(ROW) if text else ():
        number, *parts = line.split(FIELD)
        if not number.lstrip("-").isdigit():
            continue  # the tail of a text that holds our own mark: its row stands before it
        row: Row = {name: _literal(p) for name, p in zip(columns, parts, strict=False)}
        row["rest"] = parts[len(columns) :]
        found[int(number)] = row
    return found


def _literal(text: str) -> object:
    if text == "NULL":
        return None
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.startswith("X'"):
        return bytes.fromhex(text[2:-1])
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
