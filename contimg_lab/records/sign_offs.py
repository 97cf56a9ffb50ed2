"""Sign-offs: what an entry of the ledger says in short, and how a night stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contimg_lab.records._fields import column, required

__all__ = ["STATES", "NightState", "SignOff"]

STATES = ("unsigned", "accepted", "with exceptions", "rejected", "hold", "stale")
"""How a night stands; ``stale``: it was signed, and its rows are no longer those signed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """One entry of the ledger in short."""

    number: int = required(None, "place in the ledger, from 1")
    night: str = required(None, "UTC date that it is about")
    decision: str = required(None, "accept, accept with exceptions, reject or hold")
    reviewer: str = required(None, "name of who decided")
    is_signed: bool = required(None, "whether it bears the signature of a key")
    is_listed: bool = required(None, "whether the reviewer was listed, with that key")
    signed_at: str = required(None, "when, UTC, by the clock of that computer")
    reason: str = required(None, "why, in the reviewer's words")
    n_exceptions: int = required("1", "exceptions with their reasons")
    corrects: int | None = column(None, "number of the entry that it corrects")
    database: str = required(None, "identity of the database that it is about")
    evidence: str = required(None, "digest of the rows that it stands on")
    hash: str = required(None, "SHA-256 of what it says")


@dataclass(frozen=True, slots=True, kw_only=True)
class NightState:
    """How one night stands."""

    night: str = required(None, "UTC date")
    state: str = required(None, "one of STATES")
    decision: str | None = column(None, "what was decided last; None where nobody has")
    reviewer: str | None = column(None, "who decided")
    signed_at: str | None = column(None, "when, UTC")
    number: int | None = column(None, "number of that entry")
    is_signed: bool | None = column(None, "whether it bears the signature of a key")
    is_listed: bool | None = column(None, "whether the reviewer was listed, with that key")
    stale_since: datetime | None = column("UTC", "when a change of its rows was noticed")  # noqa: RUF009
    change: str | None = column(None, "first change of its rows, in words; how many more")
    is_checked: bool | None = column(
        None, "whether its rows were held against the database as it is now"
    )
    checked_at: datetime | None = column("UTC", "when they last were; None: not yet")  # noqa: RUF009
