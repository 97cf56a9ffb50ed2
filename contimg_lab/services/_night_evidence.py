"""The rows that a night was judged by, as evidence: digests, and what is kept of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contimg_lab.analysis.checks import Night
from contimg_lab.ledger.evidence import Evidence, EvidenceTable, Key, gather
from contimg_lab.ledger.tokens import token_of
from contimg_lab.records.images import Image
from contimg_lab.repositories.stored import Stored, shown
from contimg_lab.services._night_references import NoiseReference, SourceReference
from contimg_lab.services._night_rows import KINDS, NightRows

__all__ = ["DERIVED", "evidence_of", "hours_of_rows", "keys_of_rows"]

_KEYS = {
    "ms_index": "path", "ms_state": "ms_path", "hdf5_files": "path", "caltables": "path",
    "pointing_history": "timestamp",
}  # fmt: skip
"""Column that a row is known by; ``id`` in the others."""

DERIVED: Mapping[str, Mapping[str, type]] = {
    "derived: kind of MS": {"kind": str},
    "derived: raw groups": {"has_ms": int},
    "derived: types of cal tables": {"table_type": str},
    "derived: noise reference": {"median_jy": float, "mad_jy": float, "n": int, "of": str},
    "derived: sources before": {"flux_jy": float, "err_jy": float, "n": int, "eta": float},
}
"""What follows from rows that are too many to keep: other nights, other Measurement Sets."""


def evidence_of(
    rows: NightRows,
    night: Night,
    keys: Mapping[str, Sequence[Key]],
    hours: Mapping[str, Sequence[str | None]],
    noise: Iterable[NoiseReference],
    sources: Mapping[str, SourceReference],
) -> Evidence:
    """Gather the rows of a night, and what was derived from others.

    Parameters
    ----------
    rows
        What was read.
    night
        What was made of it.
    keys, hours
        By table, of each row: see `keys_of_rows` and `hours_of_rows`.
    noise, sources
        What the night was compared with.
    """
    tables = [
        gather(
            name,
            stored.columns,
            zip(hours[name], keys[name], stored.rows, strict=True),
            KINDS[name],
        )
        for name, stored in rows.stored.items()
    ]
    ms, groups = night.ms, night.groups
    types = sorted(set(night.covers["table_type"].tolist()))
    derived: dict[str, Iterable[tuple[str | None, Key, Sequence[object]]]] = {
        "derived: kind of MS": (
            (_hour(hour), path, (kind,))
            for path, hour, kind in zip(ms["path"], ms["hour"], ms["kind"], strict=True)
        ),
        "derived: raw groups": (
            (_hour(hour), group, (int(has),))
            for group, hour, has in zip(
                groups["group_id"], groups["hour"], groups["has_ms"], strict=True
            )
        ),
        "derived: types of cal tables": ((None, name, (name,)) for name in types),
        "derived: noise reference": (
            (f"{one.hour:02d}", one.hour, (one.median_jy, one.mad_jy, one.n, one.of))
            for one in noise
        ),
        "derived: sources before": (
            (None, name, (one.flux_jy, one.err_jy, one.n, one.eta))
            for name, one in sorted(sources.items())
        ),
    }
    tables += [_gathered(name, told) for name, told in derived.items()]
    return Evidence(tables)


def _gathered(name: str, told: Iterable[tuple[str | None, Key, Sequence[object]]]) -> EvidenceTable:
    return gather(name, tuple(DERIVED[name]), told, DERIVED[name])


def keys_of_rows(stored: Stored) -> list[Key]:
    """Return a key for each row that no other row of the table has.

    The value of its key column; where that is no text or number, its token; where two rows have
    one, a number beside it, in order of all that the rows hold.
    """
    column = _KEYS.get(stored.table, "id")
    if column not in stored.columns:
        column = next((c for c in ("timestamp_mjd", "group_id", "id") if c in stored.columns), "")
    values = stored.column(column)
    keys: list[Key] = [v if type(v) is int else _text_key(v) for v in values]
    if len(set(keys)) == len(keys):
        return keys
    alike: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        alike.setdefault(key, []).append(place)
    used = set(alike)
    for key, places in alike.items():
        if len(places) == 1:
            continue
        places.sort(key=lambda place: [token_of(value) for value in stored.rows[place]])
        number = 2
        for place in places[1:]:
            while f"{key} #{number}" in used:
                number += 1
            keys[place] = f"{key} #{number}"
            used.add(keys[place])
    return keys


def _text_key(value: Any) -> str:
    if type(value) is str and shown(value) == value:
        return value
    return token_of(value)


def hours_of_rows(
    rows: NightRows, images: Sequence[Image], groups: Mapping[str, float]
) -> dict[str, list[str | None]]:
    """Return the UTC hour that each row counts to, by table; None: to the night.

    ``groups``: the hour of each raw group.
    """
    of_ms = {e.ms.path: None if e.hour is None else f"{e.hour:02d}" for e in rows.entries}
    of_image = {image.path: of_ms.get(image.ms_path or "") for image in images}
    found: dict[str, list[str | None]] = {}
    for name, stored in rows.stored.items():
        if name == "photometry":
            hours = [of_image.get(shown(path)) for path in stored.column("image_path")]
        elif name == "ms_index":
            hours = [of_ms.get(_shown_path(path)) for path in stored.column("path")]
        elif name == "hdf5_files":
            named = map(_shown_path, stored.column("group_id"))
            hours = [_hour(groups.get(group, math.nan)) for group in named]
        elif "ms_path" in stored.columns:
            hours = [of_ms.get(_shown_path(path)) for path in stored.column("ms_path")]
        else:
            hours = [None] * len(stored.rows)
        found[name] = hours
    return found


def _shown_path(path: Any) -> str:
    return path.decode("utf-8", "replace") if isinstance(path, bytes) else str(shown(path))


def _hour(hour: float) -> str | None:
    return None if hour != hour else f"{int(hour):02d}"
