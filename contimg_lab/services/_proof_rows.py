"""Which rows of its evidence a part of a night's report stands on, and which differ from others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from contimg_lab.analysis.checks import TABLES, Check, Night
from contimg_lab.ledger.evidence import Evidence, EvidenceTable, Key
from contimg_lab.services._night_evidence import DERIVED
from contimg_lab.services._night_rows import KINDS
from contimg_lab.services._proof_keys import in_order, told_keys
from contimg_lab.thresholds import Thresholds

__all__ = ["EVERY", "STANDS_ON", "empty", "short_digests", "tables_of_check", "told_tables"]

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

_SHORT = 8

_Told = tuple[dict[str, Any], dict[Key, str]]
_known: WeakKeyDictionary[Evidence, dict[str, _Told]] = WeakKeyDictionary()


class _Watched(Night):
    """A night that notes which of its tables are looked at."""

    __slots__ = ("_seen",)

    def __getattribute__(self, name: str) -> Any:
        if name in TABLES:
            object.__getattribute__(self, "_seen").add(name)
        return object.__getattribute__(self, name)


def tables_of_check(check: Check, night: Night, thresholds: Thresholds) -> tuple[str, ...]:
    """Return the tables of evidence that one check of a night stands on.

    The check is run once more, and watched: what it does not look at cannot have decided. Of a
    check of another package, which may know more than it is given, it is every table.
    """
    if check.package != "contimg_lab":
        return EVERY
    watched = _Watched(**{f.name: getattr(night, f.name) for f in dataclasses.fields(Night)})
    seen = {need.partition(".")[0] for need in check.needs} | {"hours"}
    object.__setattr__(watched, "_seen", seen)
    try:
        check.run(watched, thresholds)
    except Exception:  # a check that raises says so in its outcome, and looked at what it looked at
        return EVERY
    found = {table for name in seen for table in STANDS_ON[name]}
    return tuple(table for table in EVERY if table in found)


def empty(name: str) -> EvidenceTable:
    """Return a table of evidence that has no row."""
    return EvidenceTable(name, (), {})


def told_tables(
    evidence: Evidence, names: Sequence[str], *, each: bool = True
) -> dict[str, dict[str, Any]]:
    """Tell the rows of some tables: how many, their digests and their keys.

    A table that the site lacks has no rows. ``each``: with the start of each row's digest, by
    which a row that changed can be named.
    """
    told = {name: _told(evidence, name)[0] for name in names}
    if each:
        return told
    return {
        name: {k: v for k, v in one.items() if k != "row_digests"} for name, one in told.items()
    }


def short_digests(evidence: Evidence, name: str) -> dict[Key, str]:
    """Return the start of each row's digest, by key."""
    return _told(evidence, name)[1]


def _told(evidence: Evidence, name: str) -> _Told:
    known = _known.setdefault(evidence, {})
    if name not in known:
        table = evidence.tables.get(name) or empty(name)
        digests = {key: digest[:_SHORT] for key, _, digest in table.row_digests()}
        keys = in_order(digests)
        made = {
            **table.summary,
            "fields": " ".join(table.fields),
            "keys": told_keys(keys),
            "row_digests": "".join([digests[key] for key in keys]),
        }
        known[name] = made, digests
    return known[name]
