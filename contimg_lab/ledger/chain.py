"""Entries, each bound to the one before it by that one's hash."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.body import FORMAT, ZEROS, faults_of_body, is_digest
from contimg_lab.ledger.canonical import canonical, digest_of, parse

__all__ = [
    "START",
    "Entry",
    "Head",
    "chain_faults",
    "entry_faults",
    "head_faults",
    "make",
    "read",
    "signed_text",
]

_SIGNATURE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Head:
    """Number and hash of the last entry: what a printed report keeps of the ledger."""

    number: int
    hash: str


START = Head(0, ZEROS)  # of a ledger without entries


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it stands in the ledger.

    Attributes
    ----------
    body
        What was decided, by whom, on what; see `contimg_lab.ledger.body`.
    hash
        SHA-256 of the body's canonical text, in hex.
    signature
        Ed25519 signature of that hash in hex, or None.
    """

    body: Mapping[str, Any]
    hash: str
    signature: str | None = None

    def __repr__(self) -> str:
        body = self.body
        told = "signed" if self.signature else "not signed with a key"
        said = [body.get(name) for name in ("number", "night", "decision", "reviewer", "signed_at")]
        return f"Entry({', '.join(map(str, said))}, {told}, hash={self.hash})"

    @property
    def number(self) -> int:
        """Place in the ledger, from 1."""
        return int(self.body["number"])

    @property
    def head(self) -> Head:
        """The head of a ledger whose last entry this is."""
        return Head(self.number, self.hash)

    @property
    def text(self) -> str:
        """Canonical text of the entry: a line of an export, without its end."""
        return canonical({"body": self.body, "hash": self.hash, "signature": self.signature})


def make(
    said: Mapping[str, Any],
    after: Head,
    *,
    public_key: str | None = None,
    sign: Callable[[bytes], str] | None = None,
) -> Entry:
    """Make the entry that follows a head.

    Parameters
    ----------
    said
        The body without ``format``, ``number``, ``previous`` and ``public_key``.
    after
        Head of the ledger that it is made for.
    public_key, sign
        The reviewer's key in hex, and what signs with it; neither for an unsigned entry.

    Raises
    ------
    InvalidInput
        A member is missing, not known or not what it may be.
    """
    given = {"format", "number", "previous", "public_key"} & set(said)
    if given:
        raise InvalidInput(f"the ledger itself sets {', '.join(sorted(given))}; leave it out")
    body = {
        **said,
        "format": FORMAT,
        "number": after.number + 1,
        "previous": after.hash,
        "public_key": public_key,
    }
    body = parse(canonical(body))  # a copy of our own, of JSON's kinds alone
    for fault in faults_of_body(body):
        raise InvalidInput(f"this cannot be an entry: {fault}")
    if (public_key is None) != (sign is None):
        raise InvalidInput("an entry with a public key is signed, and no other is")
    hash_ = digest_of(body)
    return Entry(body, hash_, None if sign is None else sign(signed_text(hash_)))


def signed_text(hash_: str) -> bytes:
    """What a signature signs: the format, so that it fits nothing else, and the hash."""
    return f"{FORMAT}\n{hash_}".encode("ascii")


def read(line: bytes | str) -> Entry:
    """Read an entry from its canonical text; what it says is not checked here.

    Raises
    ------
    InvalidInput
        The text is not canonical, or no entry.
    """
    told = parse(line)
    if (
        not isinstance(told, dict)
        or set(told) != {"body", "hash", "signature"}
        or not isinstance(told["body"], dict)
        or not is_digest(told["hash"])
    ):
        raise InvalidInput("no entry: it must be an object of body, hash and signature")
    signature = told["signature"]
    if signature is not None and not (
        isinstance(signature, str) and _SIGNATURE.fullmatch(signature)
    ):
        raise InvalidInput("no entry: its signature is neither null nor 128 hex digits")
    return Entry(told["body"], told["hash"], signature)


def entry_faults(entry: Entry) -> Iterator[str]:
    """Say what is wrong with one entry by itself, its signature left aside."""
    if digest_of(entry.body) != entry.hash:
        yield "what it says was changed: it does not have the hash that stands on it"
    yield from faults_of_body(entry.body)


def chain_faults(entries: Iterable[Entry | None]) -> Iterator[tuple[int, str]]:
    """Say where a chain is broken, with the place of the entry (from 1).

    Parameters
    ----------
    entries
        All of them in order; None for one that could not be read.
    """
    previous: str | None = ZEROS
    for place, entry in enumerate(entries, 1):
        if entry is None:
            previous = None
            continue
        number = entry.body.get("number")
        if number != place:
            yield place, f"entry {number} stands in place {place}"
        if previous is not None and entry.body.get("previous") != previous:
            yield (
                place,
                "it does not follow the entry before it: one was changed, added or removed",
            )
        previous = entry.hash


def head_faults(entries: Iterable[Entry | None], kept: Head) -> Iterator[str]:
    """Say whether a chain still holds the head that was kept of it, on paper or elsewhere."""
    chain = list(entries)
    if kept == START:
        return
    if kept.number > len(chain):
        yield (
            f"the end is cut off: the chain has {len(chain)} entries, and the head that was kept "
            f"is number {kept.number}"
        )
        return
    entry = chain[kept.number - 1] if kept.number > 0 else None
    if entry is None or entry.hash != kept.hash:
        yield f"entry {kept.number} is not the one that was kept ({kept.hash})"
