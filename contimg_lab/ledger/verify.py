"""What is wrong with a ledger, in words: chain, signatures, reviewers, evidence.

Pure, and importable with the standard library and ``cryptography`` alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.chain import (
    Entry,
    Head,
    chain_faults,
    entry_faults,
    head_faults,
    read,
    signed_text,
)
from contimg_lab.ledger.changes import diff
from contimg_lab.ledger.evidence import Evidence

__all__ = ["Finding", "check_entry", "check_evidence", "check_lines", "is_listed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    number
        Place of the entry, from 1; None for the ledger as a whole.
    about
        What was looked at; ``rows``: the pipeline's own, as they are now.
    is_broken
        Whether something is no longer what was written, or signed on; else a note.
    words
        What was found.
    """

    number: int | None
    about: Literal["text", "chain", "signature", "reviewer", "time", "evidence", "rows", "file"]
    is_broken: bool
    words: str

    def __str__(self) -> str:
        place = "the ledger" if self.number is None else f"entry {self.number}"
        return f"{place}: {self.words}"


Reviewers = Mapping[str, Collection[str]]


def is_listed(reviewers: Reviewers, name: str, public_key: str | None) -> bool:
    """Whether a name may sign with this key, or without one.

    Parameters
    ----------
    reviewers
        Public keys (hex) by name. Who has keys signs with one of them; who has none signs
        without.
    """
    keys = reviewers.get(name)
    if keys is None:
        return False
    return public_key in keys if keys or public_key is not None else True


def check_lines(
    lines: Iterable[bytes], *, kept: Head | None = None, reviewers: Reviewers | None = None
) -> list[Finding]:
    """Check a whole ledger.

    Parameters
    ----------
    lines
        Canonical text of each entry in order, without line ends.
    kept
        Number and hash that stand on a report: without them a cut-off end cannot be seen.
    reviewers
        Who may sign (see `is_listed`); None: the keys are not held against any list.

    Returns
    -------
    findings
        In order of entries; empty where nothing is to be said.
    """
    entries: list[Entry | None] = []
    found: list[Finding] = []
    signed_at = ""
    for place, line in enumerate(lines, 1):
        try:
            entry = read(line)
        except InvalidInput as error:
            entries.append(None)
            found.append(Finding(place, "text", True, str(error)))
            continue
        entries.append(entry)
        found += check_entry(entry, place=place, reviewers=reviewers)
        time = entry.body.get("signed_at")
        if isinstance(time, str):
            if time < signed_at:
                words = f"signed at {time}, before an earlier entry ({signed_at}): clocks differ"
                found.append(Finding(place, "time", False, words))
            signed_at = max(signed_at, time)
    found += [Finding(place, "chain", True, words) for place, words in chain_faults(entries)]
    if kept is not None:
        found += [Finding(None, "chain", True, words) for words in head_faults(entries, kept)]
    return sorted(found, key=lambda one: (one.number is None, one.number or 0, not one.is_broken))


def check_entry(
    entry: Entry, *, place: int | None = None, reviewers: Reviewers | None = None
) -> list[Finding]:
    """Check one entry by itself: its text, its signature and who signed.

    Parameters
    ----------
    entry
        What to check.
    place
        Where it stands; None: where it says that it stands.
    reviewers
        As in `check_lines`.
    """
    number = entry.body.get("number") if place is None else place
    number = number if isinstance(number, int) else None
    found = [Finding(number, "text", True, words) for words in entry_faults(entry)]
    if not found:  # else its members may be anything
        found += _signature_findings(entry, number)
        if reviewers is not None:
            found += _reviewer_findings(entry, number, reviewers)
    return found


def check_evidence(entry: Entry, kept: Evidence, now: Evidence | None = None) -> list[Finding]:
    """Check the rows kept beside an entry, and the rows that are there now against them.

    Parameters
    ----------
    entry
        Whose evidence it is.
    kept
        Rows as they were kept with the entry.
    now
        The same rows read again, or None.
    """
    if kept.summary != entry.body["evidence"]:
        words = "the rows kept beside it are not those that it was signed on"
        return [Finding(entry.number, "evidence", True, words)]
    changes = () if now is None else diff(kept, now)
    return [Finding(entry.number, "rows", True, str(change)) for change in changes]


def _signature_findings(entry: Entry, number: int | None) -> Iterator[Finding]:
    # here, since most Labs are never asked to verify anything
    from contimg_lab.ledger.keys import is_signed_by

    public_key, signature = entry.body["public_key"], entry.signature
    if public_key is None and signature is None:
        yield Finding(number, "signature", False, "not signed with a key")
    elif signature is None:
        yield Finding(number, "signature", True, "its signature was taken away")
    elif public_key is None:
        yield Finding(number, "signature", True, "a signature was added: it says it has no key")
    elif not is_signed_by(public_key, signature, signed_text(entry.hash)):
        words = f"its signature is not that of the key {public_key} on this entry"
        yield Finding(number, "signature", True, words)


def _reviewer_findings(entry: Entry, number: int | None, reviewers: Reviewers) -> Iterator[Finding]:
    name, public_key = entry.body["reviewer"], entry.body["public_key"]
    if is_listed(reviewers, name, public_key):
        return
    if not entry.body["listed"]:
        yield Finding(number, "reviewer", False, f"{name} was not listed, and says so")
    elif name not in reviewers:
        yield Finding(number, "reviewer", True, f"says that {name} was listed, who is not")
    else:
        words = f"says that {name} was listed, whose keys on the list are others"
        yield Finding(number, "reviewer", True, words)
