"""What the verification of one sign-off found, and how it is told."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contimg_lab.ledger.changes import Change
from contimg_lab.ledger.verify import Finding

__all__ = ["EXIT_CODES", "ResultChange", "SignOffCheck", "compare_results"]

EXIT_CODES: Mapping[str, int] = {"holds": 0, "warnings": 1, "broken": 2, "could not tell": 3}
"""Words of a verification, and the exit code of each."""

_MOST_TOLD = 20
_SAME = 1e-9  # relative: sums of other versions of numpy differ in their last digits


@dataclass(frozen=True, slots=True)
class ResultChange:
    """One result of a check that is another than was recorded.

    Attributes
    ----------
    check, hour, key
        Which result.
    old, new
        Word and value then and now; None where there was or is none.
    """

    check: str
    hour: str | None
    key: str | None
    old: tuple[str, Any] | None
    new: tuple[str, Any] | None

    def __str__(self) -> str:
        where = f" in hour {self.hour:0>2}" if self.hour is not None else ""
        row = f" ({self.key})" if self.key is not None else ""
        return f"{self.check}{where}{row}: was {_result(self.old)}, is {_result(self.new)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOffCheck:
    """What was found of one sign-off.

    Attributes
    ----------
    number, night, head
        Of the entry; number and hash of the ledger's last entry now.
    findings
        About chain, signature, reviewer and the rows kept, broken ones and notes.
    changes
        Rows of this database that are not as they were; None where they were not compared.
    results
        Results that differ with the recorded thresholds; None where they were not run again.
    why_not
        Why rows or results were not compared, in words; empty where both were.
    moved
        Whether data or code moved, in words, where results differ.
    notes
        What else a reader should know.
    """

    number: int
    night: str
    head: tuple[int, str]
    findings: Sequence[Finding]
    changes: Sequence[Change] | None = None
    results: Sequence[ResultChange] | None = None
    why_not: str = ""
    moved: str = ""
    notes: Sequence[str] = ()

    @property
    def word(self) -> str:
        """``holds``, ``warnings``, ``broken`` or ``could not tell``."""
        if any(finding.is_broken for finding in self.findings) or self.changes:
            return "broken"
        if self.why_not:
            return "could not tell"
        return "warnings" if self.findings or self.results else "holds"

    @property
    def exit_code(self) -> int:
        """The word as an exit code: 0, 1, 2 or 3."""
        return EXIT_CODES[self.word]

    def lines(self, most: int | None = _MOST_TOLD) -> list[str]:
        """Tell it line by line; of changes no more than ``most`` (None: all)."""
        return list(self._lines(most))

    def lines_of_rows(self, most: int | None = _MOST_TOLD) -> list[str]:
        """Tell what was found of this database alone."""
        return list(self._lines_of_rows(most))

    def to_json(self) -> dict[str, Any]:
        """Return it as values of JSON's kinds, every change included."""
        return {
            "number": self.number,
            "night": self.night,
            "word": self.word,
            "findings": [
                {"number": f.number, "about": f.about, "is_broken": f.is_broken, "words": f.words}
                for f in self.findings
            ],
            "changes": None if self.changes is None else [_told(c) for c in self.changes],
            "results": None if self.results is None else [_told(r) for r in self.results],
            "why_not": self.why_not,
            "moved": self.moved,
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        return f"Sign-off {self.number} of {self.night}: {self.word}\n  " + "\n  ".join(
            self.lines()
        )

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self.lines())
        title = f"Sign-off {self.number} of {self.night}: {self.word}"
        return f"<b>{html.escape(title)}</b><ul>{items}</ul>"

    def _lines(self, most: int | None) -> Iterator[str]:
        for finding in self.findings:
            yield str(finding)
        if not self.findings:
            yield "chain, signature and reviewer: as they were written"
        yield from self._lines_of_rows(most)
        yield f"head of the ledger: {self.head[0]}:{self.head[1]}"

    def _lines_of_rows(self, most: int | None) -> Iterator[str]:
        if self.changes is not None:
            if self.changes:
                yield f"rows: {len(self.changes):,} changes since it was signed"
                yield from _first(self.changes, most)
            else:
                yield "rows: unchanged"
        if self.results is not None:
            if self.results:
                yield f"results: {len(self.results):,} differ; {self.moved}"
                yield from _first(self.results, most)
            else:
                yield "results: the recorded thresholds give them again"
        if self.why_not:
            yield f"could not tell: {self.why_not}"
        yield from (f"note: {note}" for note in self.notes)


def compare_results(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> tuple[ResultChange, ...]:
    """Tell which results differ: words, or values by more than their last digits."""
    then, now = _by_place(old), _by_place(new)
    return tuple(
        ResultChange(*place, then.get(place), now.get(place))
        for place in [*then, *(place for place in now if place not in then)]
        if not _is_same(then.get(place), now.get(place))
    )


_Place = tuple[str, str | None, str | None]


def _by_place(results: Sequence[Mapping[str, Any]]) -> dict[_Place, tuple[str, Any]]:
    return {
        (str(one["check"]), _text(one.get("hour")), _text(one.get("key"))): (
            one["word"],
            one.get("value"),
        )
        for one in results
    }


def _is_same(old: tuple[str, Any] | None, new: tuple[str, Any] | None) -> bool:
    if old is None or new is None or old[0] != new[0]:
        return old == new
    numbers = [value for value in (old[1], new[1]) if isinstance(value, (int, float))]
    if len(numbers) == 2:
        return math.isclose(*numbers, rel_tol=_SAME)
    return bool(old[1] == new[1])


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _result(told: tuple[str, Any] | None) -> str:
    if told is None:
        return "not there"
    return told[0] if told[1] is None else f"{told[0]} ({told[1]})"


def _told(one: Change | ResultChange) -> dict[str, Any]:
    names = ("kind", "table", "check", "hour", "key", "field", "old", "new")
    said = {name: getattr(one, name) for name in names if hasattr(one, name)}
    return said | {"words": str(one)}


def _first(told: Sequence[object], most: int | None) -> Iterator[str]:
    for one in told[:most]:
        yield f"  {one}"
    if most is not None and len(told) > most:
        yield f"  and {len(told) - most:,} more"
