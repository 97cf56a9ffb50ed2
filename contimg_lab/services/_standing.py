"""How each signed night stands: the ledger's entries in short, and whether their rows still hold.

What is known is kept in memory alone; nothing is ever written to the pipeline's files.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import weakref
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contimg_lab.errors import NotFound
from contimg_lab.ledger.chain import START, Entry
from contimg_lab.ledger.changes import data_changes
from contimg_lab.ledger.evidence import Evidence
from contimg_lab.ledger.store import Ledger
from contimg_lab.records.sign_offs import NightState, SignOff

if TYPE_CHECKING:
    from contimg_lab.services._context import Context

__all__ = ["Standing", "sign_off_of"]

_WORDS = {
    "accept": "accepted",
    "accept with exceptions": "with exceptions",
    "reject": "rejected",
    "hold": "hold",
}
_SETTLED_S = 2.0  # a file system's clock may be so coarse that two commits have one time

ReadEvidence = Callable[[str], Awaitable[Evidence]]
Hear = Callable[[NightState], None]


@dataclass(slots=True)
class _Night:
    """The last entry about a night, and what became of its rows."""

    entry: SignOff
    token: object = None  # of the data that its rows were last held against
    digest: str = ""  # of the rows that are known to be those signed on
    looked_s: float = 0.0
    checked_at: datetime | None = None
    stale_since: datetime | None = None
    change: str | None = None


class Standing:
    """The ledger as one database sees it.

    Parameters
    ----------
    context
        The database.
    ledger
        The ledger, which need not exist.
    read
        Reads the evidence of a night again.
    """

    def __init__(self, context: Context, ledger: Ledger, read: ReadEvidence) -> None:
        self._context = context
        self._ledger = ledger
        self._read = read
        self._stamp: object = None
        self._head = START
        self._mine: list[SignOff] = []
        self._nights: dict[str, _Night] = {}
        self._hearers: set[weakref.WeakMethod[Hear]] = set()
        self.generation = 0

    def hear(self, hear: Hear) -> None:
        """Have a bound method, held weakly, called with the state of each night just checked."""
        self._hearers.add(weakref.WeakMethod(hear))

    def leave(self, hear: Hear) -> None:
        """Call it no longer."""
        self._hearers.discard(weakref.WeakMethod(hear))

    async def refresh(self) -> tuple[SignOff, ...]:
        """Read what came into the ledger; returns all entries about this database, in order.

        While nothing came this is one look at the file's time.

        Raises
        ------
        LedgerError
            The ledger cannot be read.
        """
        stamp = await asyncio.to_thread(_stamp, self._ledger.path)
        if stamp is None or stamp != self._stamp:
            entries, anew = await asyncio.to_thread(self._news)
            self._take(entries, await self._mine_of(entries), anew)
            self._stamp = stamp
        return tuple(self._mine)

    async def token(self) -> tuple[object, ...]:
        """Tell one state of the database from another."""
        return await self._context.database.token()

    def due(self, token: object) -> str | None:
        """Name the signed night whose rows should be looked at next; None: all were."""
        waiting = [held for held in self._nights.values() if held.token != token]
        # those never looked at first, the latest of them before older ones
        waiting.sort(key=lambda held: held.entry.night, reverse=True)
        return min(waiting, key=lambda held: held.looked_s).entry.night if waiting else None

    async def check(self, night: str) -> NightState:
        """Hold the rows of a signed night against those of the database now.

        Reads and digests the night's rows: about as long as its report takes to read them.

        Raises
        ------
        NotFound
            Nobody has signed it.
        LedgerError, DatabaseError
            The ledger or the database cannot be read now.
        """
        if night not in self._nights:
            raise NotFound("sign-off of the night", night)
        held = self._nights[night]
        token = await self._context.database.token()
        if held.token == token:
            return self._state(night, token)
        now: Evidence | None = None
        with contextlib.suppress(NotFound):  # its last Measurement Set has gone
            now = await self._read(night)
        change = await asyncio.to_thread(self._changed, held, now)
        held.token, held.looked_s = token, time.monotonic()
        held.checked_at = datetime.now(UTC)
        if change is None:
            held.stale_since = None
        elif held.stale_since is None:
            held.stale_since = held.checked_at
        held.change = change
        state = self._state(night, token)
        for one in tuple(self._hearers):
            hear = one()
            if hear is None:
                self._hearers.discard(one)
            else:
                hear(state)
        return state

    def states(self, nights: Iterable[str], token: object) -> list[NightState]:
        """Say how nights stand as far as is known, those that nobody signed included."""
        return [self._state(night, token) for night in nights]

    def nights(self) -> tuple[str, ...]:
        """Return the nights that somebody signed, ascending."""
        return tuple(sorted(self._nights))

    def _state(self, night: str, token: object) -> NightState:
        held = self._nights.get(night)
        if held is None:
            return NightState(night=night, state="unsigned")
        entry = held.entry
        return NightState(
            night=night,
            state="stale" if held.stale_since is not None else _WORDS[entry.decision],
            decision=entry.decision,
            reviewer=entry.reviewer,
            signed_at=entry.signed_at,
            number=entry.number,
            is_signed=entry.is_signed,
            is_listed=entry.is_listed,
            stale_since=held.stale_since,
            change=held.change,
            is_checked=held.token == token,
            checked_at=held.checked_at,
        )

    def _changed(self, held: _Night, now: Evidence | None) -> str | None:
        digest = "" if now is None else now.digest
        if digest == held.digest:
            return None
        kept = self._ledger.evidence(held.entry.number)
        changes, _ = data_changes(kept, now)
        if not changes:  # a later version asks for more than was signed on
            held.digest = digest
            return None
        more = len(changes) - 1
        return f"{changes[0]}{f' and {more:,} more' if more else ''}"

    def _news(self) -> tuple[list[Entry], bool]:
        """Return the entries that are new, and whether they are all of another ledger."""
        head = self._ledger.head()
        if head == self._head:
            return [], False
        if head == START:
            return [], True
        after = self._head.number if head.number > self._head.number else 0
        entries = self._ledger.entries(after=after)
        if after and (not entries or entries[0].body.get("previous") != self._head.hash):
            after, entries = 0, self._ledger.entries()
        return entries, after == 0 and self._head != START

    def _take(self, entries: list[Entry], mine: list[SignOff], anew: bool) -> None:
        if anew:
            self._mine, self._nights, self._head = [], {}, START
            self.generation += 1
        for one in mine:
            if one.number > self._head.number:  # else another caller took it meanwhile
                self._mine.append(one)
                self._nights[one.night] = _Night(one, digest=one.evidence)
        if entries and entries[-1].number > self._head.number:
            self._head = entries[-1].head

    async def _mine_of(self, entries: list[Entry]) -> list[SignOff]:
        """Entries about this database, in short."""
        known: dict[object, bool] = {}
        for entry in entries:
            told = entry.body["database"]
            identity, n = told.get("identity"), told.get("n_paths")
            if identity not in known:
                # a young database was known by fewer paths than it has now
                first = n if type(n) is int and n > 0 else None
                known[identity] = await self._context.has_identity(identity, first)
        return [sign_off_of(e) for e in entries if known[e.body["database"].get("identity")]]


def sign_off_of(entry: Entry) -> SignOff:
    """Make the short form of an entry."""
    body = entry.body
    same = ("number", "night", "decision", "reviewer", "signed_at", "reason", "corrects")
    told = {name: body[name] for name in same}
    return SignOff(
        **told,
        is_signed=entry.signature is not None,
        is_listed=body["listed"],
        n_exceptions=len(body["exceptions"]),
        database=str(body["database"].get("identity")),
        evidence=body["evidence"]["digest"],
        hash=entry.hash,
    )


def _stamp(path: Path) -> object:
    """What tells one state of the file from another; None where that cannot be told yet."""
    try:
        told = path.stat()
    except OSError:
        return "absent"
    if abs(time.time() - told.st_mtime) < _SETTLED_S:
        return None
    return told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns
