"""One fault planted and judged: whether its check told it, where, and who else spoke."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import contimg_lab as cl
from contimg_lab.records.qa import Outcome

from .kinds import Kind
from .places import Planted
from .seasons import FILE, Ready

__all__ = ["Told", "judge", "outcomes", "plant"]

At = tuple[str, int | None, str]
_BADNESS = {"not applicable": 0, "pass": 0, "warn": 1, "fail": 2}
_BAD = ("warn", "fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said of one planted fault.

    Attributes
    ----------
    is_told
        Its check warns or fails in every hour that it should, and names the rows.
    is_failed
        It fails, in each of them.
    aside
        Checks that neither it nor what follows from it explains, and which turned worse; its
        own, if it turned worse elsewhere.
    """

    is_told: bool
    is_failed: bool
    aside: frozenset[str]


async def outcomes(folder: Path, night: str) -> tuple[Outcome, ...]:
    """Judge a night."""
    async with cl.open(folder) as lab:
        return (await lab.qa.night(night)).outcomes


def plant(ready: Ready, kind: Kind, place: int, size: float, folder: Path) -> tuple[str, Planted]:
    """Plant one fault in a copy, at a place that its number chooses; returns the night."""
    rng = np.random.default_rng([ready.truth.season.seed, zlib.crc32(kind.name.encode()), place])
    night, hour = ready.choose(rng, inner=kind.name == "empty_hour")
    ready.copy(folder)
    with contextlib.closing(sqlite3.connect(folder / FILE)) as db:
        planted = kind.plant(ready.place(db, rng, night, hour), size)
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return night, planted


async def judge(
    ready: Ready, kind: Kind, place: int, size: float, before: dict[str, tuple[Outcome, ...]]
) -> Told:
    """Plant one fault, judge its night, and hold it against the night as it was.

    Parameters
    ----------
    ready, kind, place, size
        What is planted where.
    before
        What was said of each night without it; filled as needed.
    """
    with tempfile.TemporaryDirectory() as folder:
        night, planted = plant(ready, kind, place, size, Path(folder))
        after = await outcomes(Path(folder), night)
    if night not in before:
        before[night] = await outcomes(ready.folder, night)
    return _compared(kind, planted, before[night], after)


def _compared(
    kind: Kind, planted: Planted, before: Iterable[Outcome], after: tuple[Outcome, ...]
) -> Told:
    mine = [one for one in after if one.check == kind.check and one.word in _BAD]
    named = {key for one in mine for keys in one.rows.values() for key in keys}
    named |= {one.key for one in mine}
    is_told = {one.hour for one in mine} >= planted.hours and named >= planted.rows
    failed = {one.hour for one in mine if one.word == "fail"}
    was, now = _worst(before), _worst(after)
    aside = set()
    for at, badness in now.items():
        check, hour, _ = at
        own = check == kind.check and hour in planted.hours
        if badness > was.get(at, 0) and not own and check not in kind.follows:
            aside.add(check)
    return Told(
        is_told=is_told, is_failed=is_told and failed >= planted.hours, aside=frozenset(aside)
    )


def _worst(told: Iterable[Outcome]) -> Mapping[At, int]:
    found: dict[At, int] = {}
    for one in told:
        at = (one.check, one.hour, one.key)
        found[at] = max(found.get(at, 0), _BADNESS[one.word])
    return found
