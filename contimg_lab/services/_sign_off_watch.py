"""Events of sign-offs, told while anybody listens: new entries, and rows that no longer hold."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from contimg_lab.errors import Closed, ContimgLabError
from contimg_lab.records.events import Event
from contimg_lab.records.sign_offs import NightState, SignOff
from contimg_lab.services._standing import Standing

__all__ = ["LOOK_S", "SignOffWatch"]

LOOK_S = 0.5
"""Seconds between two looks at the ledger."""

_FIRST_S = 2.0  # panels that just opened read first
_LEAST_S = 0.05
_REST = 9.0  # a night that was looked at is followed by a rest of so many times as long
_TROUBLED_S = 5.0

Tell = Callable[[Sequence[Event]], bool]


class SignOffWatch:
    """Looks at the ledger and at the rows of signed nights.

    While nothing was signed about this database a look is one question for the ledger's time.
    Where something was, each commit has the signed nights looked at again, one after the other
    with rests between, for at most a tenth of a core; a night is reported after at most the
    time that all of them take so.

    Parameters
    ----------
    standing
        What is known of the ledger.
    """

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._generation: int | None = None
        self._n = 0
        self._stale: dict[str, int | None] = {}  # number of the entry, by night

    async def begin(self) -> None:
        """Take the first state; the entries that are there already are no events."""
        with contextlib.suppress(ContimgLabError):
            self._new(await self._standing.refresh())

    async def run(self, tell: Tell) -> None:
        """Look again and again, until nobody is left to tell."""
        not_before_s = time.monotonic() + _FIRST_S
        while True:
            events: list[Event] = []
            pause_s = LOOK_S
            try:
                events += self._new(await self._standing.refresh())
                started_s = time.monotonic()
                if started_s >= not_before_s:
                    night = self._standing.due(await self._standing.token())
                    if night is not None:
                        events += self._state(await self._standing.check(night))
                        rest_s = _REST * (time.monotonic() - started_s)
                        not_before_s = time.monotonic() + rest_s
                        pause_s = min(LOOK_S, max(_LEAST_S, rest_s))
            except Closed:
                return
            except ContimgLabError:  # locked, being replaced or damaged: looked at again later
                not_before_s = time.monotonic() + _TROUBLED_S
            if not tell(events):
                return
            await asyncio.sleep(pause_s)

    def _new(self, entries: Sequence[SignOff]) -> list[Event]:
        """Events of entries that came since; none the first time, and of another ledger."""
        known = self._n if self._generation == self._standing.generation else len(entries)
        self._generation, self._n = self._standing.generation, len(entries)
        return [
            Event(
                kind="sign_off",
                key=one.night,
                at=datetime.now(UTC),
                old=_before(entries, place),
                new=one.decision,
                text=_words(one),
            )
            for place, one in enumerate(entries)
            if place >= known
        ]

    def _state(self, now: NightState) -> list[Event]:
        """An event where a night has turned stale, or holds again."""
        was = now.night in self._stale and self._stale[now.night] == now.number
        is_stale = now.stale_since is not None
        if is_stale:
            self._stale[now.night] = now.number
        else:
            self._stale.pop(now.night, None)
        if was == is_stale:
            return []
        words = f"is stale: {now.change}" if is_stale else "holds again"
        return [
            Event(
                kind="stale",
                key=now.night,
                at=datetime.now(UTC),
                old=now.decision if is_stale else "stale",
                new="stale" if is_stale else now.decision,
                text=f"night {now.night}, {now.decision} by {now.reviewer} (entry {now.number}), "
                f"{words}",
            )
        ]


def _before(entries: Sequence[SignOff], place: int) -> str | None:
    night = entries[place].night
    earlier = [one.decision for one in entries[:place] if one.night == night]
    return earlier[-1] if earlier else None


def _words(one: SignOff) -> str:
    how = "" if one.is_signed else ", not signed with a key"
    who = one.reviewer if one.is_listed else f"{one.reviewer} (not listed)"
    return f"night {one.night}: {one.decision}, by {who}{how} (entry {one.number})"
