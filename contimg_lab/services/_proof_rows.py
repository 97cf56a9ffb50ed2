"""Which rows of its evidence a part of a night's report stands on, and which differ from others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from contimg_lab.analysis.checks import TABLES, Check, Night
from contimg_lab.ledger.evidence import Evidence, EvidenceTable, Key
from contimg_lab.services._night_evidence import DERIVED
from contimg_lab.services._night_rows import KINDS
from contimg_lab.services._proof_keys import in_order, told_keys
from contimg_lab.thresholds import Thresholds

__all__ = ["EVERY", "SHORT", "STANDS_ON", "RowsOf", "rows_of", "tables_of_check",
           "tables_of_seen", "told_tables", "watched"]  # fmt: skip

EVERY: tuple[str, ...] = (*KINDS, *DERIVED)
"""Every table of evidence."""

_MS = ("ms_index", "derived: kind of MS")
_IMAGES = (*_MS, "images")
_COVERS = (*_MS, "caltables", "derived: types of cal tables")

STANDS_ON: Mapping[str, tuple[str, ...]] = {
    "hours": _MS,
    "ms": (*_MS, "pointing_history"),
    "runs": (
        *_MS, "jobs", "batch_job_items", "calibration_applied", "ms_state", "dead_letter_queue",
    ),
    "groups": ("hdf5_files", "derived: raw groups"),
    "covers": _COVERS,
    "tiers": (*_COVERS, "calibration_applied"),
    "caltables": _COVERS,
    "images": _IMAGES,
    "references": (*_IMAGES, "derived: noise reference"),
    "photometry": (*_IMAGES, "photometry", "derived: sources before"),
    "catalogue": (*_IMAGES, "photometry", "pointing_history", "catalog_sources"),
    "astrometry": ("mosaics", "astrometric_solutions"),
    "clocks": (*_IMAGES, "jobs", "photometry"),
}  # fmt: skip
"""Tables of evidence that the hours and each table of a `Night` are made of."""

SHORT = 8
"""Hex digits that are kept of each row's digest: enough to name it, for the table's finds it."""


@dataclass(frozen=True, slots=True)
class RowsOf:
    """Of the rows of one table: ``rows``, ``digest`` and ``hours``, and each digest's start."""

    summary: Mapping[str, Any]
    starts: Mapping[Key, str]


_known: WeakKeyDictionary[Evidence, dict[tuple[str, tuple[str, ...]], RowsOf]] = WeakKeyDictionary()


class _Watched(Night):
    """A night that notes which of its tables are looked at."""

    __slots__ = ("_night", "_seen")

    _night: Night
    _seen: set[str]

    def __getattribute__(self, name: str) -> Any:
        if name in TABLES:
            self._seen.add(name)
        elif name == "absent":
            self._seen.update(TABLES)
        return object.__getattribute__(self, name)

    def why_absent(self, *needs: str) -> str:
        """As of any night; what is asked for is noted."""
        self._seen.update(need.partition(".")[0] for need in needs)
        return Night.why_absent(self._night, *needs)


def tables_of_check(check: Check, night: Night, thresholds: Thresholds) -> tuple[str, ...]:
    """Return the tables of evidence that one check of a night stands on.

    The check is run once more, and watched: what it does not look at cannot have decided. Of a
    check of another package, which may know more than it is given, it is every table.
    """
    if check.package != "contimg_lab":
        return EVERY
    copy, seen = watched(night)
    seen.update(need.partition(".")[0] for need in check.needs)
    try:
        check.run(copy, thresholds)
    except Exception:  # its outcome says so, and not what it would have looked at
        return EVERY
    return tables_of_seen(seen)


def watched(night: Night) -> tuple[Night, set[str]]:
    """Return the same night, and the set in which it notes what is looked at; its hours always."""
    copy = _Watched(**{f.name: getattr(night, f.name) for f in dataclasses.fields(Night)})
    seen = {"hours"}
    object.__setattr__(copy, "_night", night)
    object.__setattr__(copy, "_seen", seen)
    return copy, seen


def tables_of_seen(seen: Iterable[str]) -> tuple[str, ...]:
    """Return the tables of evidence that what was looked at stands on."""
    found = {table for name in seen for table in STANDS_ON[name]}
    return tuple(table for table in EVERY if table in found)


def told_tables(
    evidence: Evidence, names: Sequence[str], *, each: bool = True
) -> dict[str, dict[str, Any]]:
    """Tell the rows of some tables: how many, their digest and their keys.

    A table that the site lacks has no rows. ``each``: with the start of each row's digest, by
    which a row that changed can be named; else with the digest of each hour.
    """
    told = {}
    for name in names:
        fields = evidence.tables[name].fields if name in evidence.tables else ()
        found = rows_of(evidence, name, fields)
        keys = in_order(found.starts)
        told[name] = {
            "rows": found.summary["rows"],
            "digest": found.summary["digest"],
            "fields": " ".join(fields),
            "keys": told_keys(keys),
        }
        if each:
            told[name]["row_digests"] = "".join([found.starts[key] for key in keys])
        else:
            told[name]["hours"] = found.summary["hours"]
    return told


def rows_of(evidence: Evidence, name: str, fields: tuple[str, ...]) -> RowsOf:
    """Return the digests of one table, of some of its fields; each is made once.

    Where either has no field, the table was lacking or is: then it has the rows that it has.

    Raises
    ------
    KeyError
        A field that the table does not have.
    """
    known = _known.setdefault(evidence, {})
    if (name, fields) not in known:
        table = evidence.tables.get(name) or EvidenceTable(name, (), {})
        if table.fields and fields:
            table = table.only(fields)
        starts = {key: digest[:SHORT] for key, _, digest in table.row_digests()}
        known[name, fields] = RowsOf(table.summary, starts)
    return known[name, fields]
