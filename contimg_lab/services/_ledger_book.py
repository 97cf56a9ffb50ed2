"""The ledger in short, as it is listed."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contimg_lab.ledger.chain import Head
from contimg_lab.ledger.store import Ledger
from contimg_lab.records.sign_offs import SignOff
from contimg_lab.services._frames import record_frame
from contimg_lab.services._standing import sign_off_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LedgerBook", "read_book"]


@dataclass(frozen=True, slots=True)
class LedgerBook:
    """The ledger in short.

    Attributes
    ----------
    path
        Where it lies.
    head
        Number and hash of the last entry: kept elsewhere, they show that nothing was cut off.
    entries
        All of them, in order.
    """

    path: Path
    head: Head
    entries: tuple[SignOff, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[SignOff]:
        return iter(self.entries)

    def to_pandas(self) -> pd.DataFrame:
        """Return the entries as a DataFrame, one row each."""
        return record_frame(SignOff, self.entries)

    def __repr__(self) -> str:
        lines = [
            f"  {one.number}: night {one.night} {one.decision}, {one.reviewer}"
            f"{'' if one.is_signed else ', not signed with a key'}"
            f"{'' if one.is_listed else ', not listed'}, {one.signed_at}"
            for one in self.entries
        ]
        return "\n".join([f"Ledger {self.path}, {self._told()}", *lines])

    def _repr_html_(self) -> str:
        title = html.escape(f"Ledger {self.path}, {self._told()}")
        return f"<b>{title}</b>{self.to_pandas().to_html(index=False, border=0)}"

    def _told(self) -> str:
        head = f", head {self.head.number}:{self.head.hash}" if self.entries else ""
        return f"{len(self.entries)} entries{head}"


def read_book(ledger: Ledger) -> LedgerBook:
    """List a ledger; one that is not there yet has no entries. Takes as long as the disk."""
    head = ledger.head()
    entries = ledger.entries() if head.number else []
    last = entries[-1].head if entries else head
    return LedgerBook(ledger.path, last, tuple(map(sign_off_of, entries)))
