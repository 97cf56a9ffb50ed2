"""Pointings in words: columns of the table, facts of an MS, and what is out of order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.analysis.drift import OFF_MERIDIAN_DEG
from contimg_lab.panels._table import Column, Written, numbers
from contimg_lab.panels._words import clip, escape, facts, plain, short_ms, utc
from contimg_lab.times import datetime_from_mjd

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.panels._units import UnitColumns
    from contimg_lab.plots.chart import Column as ChartColumn
    from contimg_lab.records.ms import MsMetadata
    from contimg_lab.services.drift import Drift

__all__ = [
    "HINT",
    "NOWHERE",
    "columns_of",
    "facts_html",
    "findings_html",
    "findings_words",
    "rows_of",
    "several_html",
]

HINT = (
    "<span class='contimg-quiet'>Choose an MS, in the table or on the plot, to ring it and see "
    "its metadata. A box or a lasso marks several.</span>"
)
NOWHERE = "no table tells where it pointed"
_ARCMIN = 60.0
_LISTED = 60
_BAD_STATES = ("new pointing", "wrong strip")


def columns_of(ms: pd.DataFrame, drift: Drift, *, dated: bool) -> list[Column]:
    """Return the columns of the table but for the position, which has units of its own."""
    form = "%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S"
    middle = plain(ms["mid_at"])
    times = list(zip(middle, plain(ms["time_source"]), strict=True))
    places = {path: i for i, path in enumerate(drift.path)}
    rows = [places.get(path) for path in plain(ms["path"])]
    off = [None if i is None else _finite(drift.residual_deg[i] * _ARCMIN) for i in rows]
    return [
        Column(title="MS", texts=Written(plain(ms["path"]), short_ms)),
        Column(
            title="middle (UTC)",
            texts=Written(times, lambda told: _when(told[0], told[1], form)),
            sort_by=middle,
            kind="time",
            missing="no table tells its time",
        ),
        numbers("RA − LST (arcmin)", off, _arcmin, "its time or its pointing is unknown"),
        Column(title="position from", texts=Written(plain(ms["pointing_source"]), _short)),
        Column(title="status", texts=Written(plain(ms["status"]), lambda word: clip(word, 22))),
        Column(title="stage", texts=Written(plain(ms["stage"]), lambda word: clip(word, 18))),
        Column(title="kind", texts=Written(plain(ms["kind"]), lambda word: clip(word, 12))),
    ]


def rows_of(
    ms: pd.DataFrame, drift: Drift, units: UnitColumns
) -> tuple[list[Any], tuple[ChartColumn, ...]]:
    """Return the status of each MS in the drift's order, and what the row of a point tells."""
    from contimg_lab.plots.chart import Column as ChartColumn

    status = dict(zip(plain(ms["path"]), plain(ms["status"]), strict=True))
    when = [
        f"{datetime_from_mjd(mjd):%Y-%m-%d %H:%M:%S} UTC" if np.isfinite(mjd) else ""
        for mjd in drift.mid_mjd.tolist()
    ]
    where = [
        units.position_words(ra, dec)
        for ra, dec in zip(drift.ra_deg.tolist(), drift.dec_deg.tolist(), strict=True)
    ]
    return [status.get(path) for path in drift.path], (
        ChartColumn(name="kind", values=drift.kind),
        ChartColumn(name="middle", values=tuple(when)),
        ChartColumn(name="at", values=tuple(where)),
        ChartColumn(name="RA less LST", values=drift.residual_deg * _ARCMIN, unit="arcmin"),
    )


def findings_words(drift: Drift) -> list[str]:
    """Return what is out of order, each in a few words with its numbers."""
    known = drift.residual_deg[np.isfinite(drift.residual_deg)]
    states = Counter(drift.dec_state.tolist())
    left = drift.raw_without_ms
    off = (
        f"{int(drift.off_meridian.sum())} of {known.size} off the meridian (median RA − LST "
        f"{np.median(known) * _ARCMIN:+.2f} arcmin)"
        if known.size
        else "drift unknown"
    )
    if drift.looks_of_date:
        off += ": the right ascensions look like those of date, not J2000"
    jumps = sum(states[word] for word in _BAD_STATES)
    return [
        off,
        f"{jumps} declination jump{'' if jumps == 1 else 's'}",
        f"{len(drift.gaps)} gap{'' if len(drift.gaps) == 1 else 's'} over 10 min",
        f"raw data without an MS unknown: {drift.raw_why}"
        if drift.raw_why or left is None
        else f"{len(left)} raw group{'' if len(left) == 1 else 's'} without an MS",
    ]


def findings_html(drift: Drift) -> str:
    """Return gaps, jumps and raw groups as three tables, side by side where there is room."""
    gaps = _listed(
        "Gaps over 10 min",
        ("after MS", "from (UTC)", "to (UTC)", "minutes"),
        [
            (short_ms(gap.after_path), _utc(gap.start_mjd), _utc(gap.end_mjd), f"{gap.minutes:.1f}")
            for gap in drift.gaps
        ],
        "none",
    )
    jumped = [i for i, state in enumerate(drift.dec_state.tolist()) if state in _BAD_STATES]
    jumps = _listed(
        "Declination jumps",
        ("MS", "what", "Dec − median (deg)"),
        [
            (short_ms(drift.path[i]), drift.dec_state[i], f"{drift.dec_offset_deg[i]:+.3f}")
            for i in jumped
        ],
        "none over 0.1 deg from the night's median",
    )
    off = [i for i in np.flatnonzero(drift.off_meridian).tolist()]
    meridian = _listed(
        f"Off the meridian by more than {OFF_MERIDIAN_DEG * _ARCMIN:g} arcmin",
        ("MS", "RA − LST (arcmin)"),
        [(short_ms(drift.path[i]), _arcmin(drift.residual_deg[i] * _ARCMIN)) for i in off],
        "the right ascensions look like those of date" if drift.looks_of_date else "none",
    )
    raw = _listed(
        "Raw data without an MS",
        ("group (UTC start)", "sub-bands of 16"),
        [(group.group_id, str(group.n_subbands)) for group in drift.raw_without_ms or ()],
        drift.raw_why or "none",
    )
    parts = "".join(f"<div>{part}</div>" for part in (gaps, jumps, meridian, raw))
    return f"<div style='display:flex;flex-wrap:wrap;gap:4px 32px'>{parts}</div>"


def facts_html(told: MsMetadata, drift: Drift | None, units: UnitColumns) -> str:
    """Return what is known of the chosen MS."""
    ms, point = told.ms, told.pointing
    cal = ", ".join(f"{kind} {short_ms(path)}" for kind, path in told.cal_tables)
    mid = "unknown" if told.mid_mjd is None else f"{told.mid_mjd:.6f} ({told.time_source})"
    position = f"{units.position_words(point.ra_deg, point.dec_deg)} ({point.source})"
    rows: dict[str, object] = {
        "MS": ms.path,
        "Run": told.run_id,
        "Middle (MJD)": mid,
        "RA, Dec": position,
    }
    if drift is not None and ms.path in drift.path:
        i = drift.path.index(ms.path)
        if np.isfinite(drift.residual_deg[i]):
            rows["RA − LST"] = f"{_arcmin(drift.residual_deg[i] * _ARCMIN)} arcmin (of date)"
        offset = drift.dec_offset_deg[i]
        if np.isfinite(offset):
            rows["Dec − median"] = f"{offset:+.4f} deg of date: {drift.dec_state[i]}"
    rows |= {
        "Field": ms.field_name,
        "Status": ms.status,
        "Stage": f"{ms.stage or '-'} (stage grade {told.stage_grade})",
        "cal_applied": ms.cal_applied,
        "Cal tables": cal or "none by validity",
        "Group": ms.group_id,
        "Image": ms.imagename,
    }
    return facts({name: value for name, value in rows.items() if value is not None})


def several_html(ms: pd.DataFrame, paths: Collection[str]) -> str:
    """Return what marked MS have together."""
    mine = ms[ms["path"].isin(list(paths))]
    counts = Counter(str(word) for word in plain(mine["status"])).most_common()
    times, dec = mine["mid_at"].dropna(), mine["dec_deg"].dropna()
    rows: dict[str, object] = {
        "Marked": f"{len(mine)} MS",
        "Status": ", ".join(f"{n} {word}" for word, n in counts),
        "Time (UTC)": f"{utc(times.min())} to {utc(times.max())}" if len(times) else "unknown",
        "Dec (deg)": f"{dec.min():+.4f} to {dec.max():+.4f}" if len(dec) else "unknown",
        "MS": ", ".join(short_ms(path) for path in sorted(paths)[:_LISTED])
        + (f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""),
    }
    return facts(rows)


def _listed(heading: str, titles: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> str:
    head = f"<h4>{escape(heading)}: {len(rows) or escape(empty)}</h4>"
    if not rows:
        return head
    names = "".join(f"<th scope='col'>{escape(title)}</th>" for title in titles)
    body = "".join(
        "<tr>" + "".join(f"<td style='padding-right:10px'>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows[:_LISTED]
    )  # fmt: skip
    more = f"<p>and {len(rows) - _LISTED} more</p>" if len(rows) > _LISTED else ""
    return (
        f"{head}<table class='contimg-facts'><thead><tr>{names}</tr></thead>"
        f"<tbody>{body}</tbody></table>{more}"
    )


def _utc(mjd: float) -> str:
    return f"{datetime_from_mjd(mjd):%Y-%m-%d %H:%M:%S}"


def _when(middle: datetime | None, source: str, form: str) -> str:
    return utc(middle, form) + ("" if source in ("mid_mjd", "unknown") else f" by {source}")


def _short(source: str | None) -> str:
    return clip(source, 24).removesuffix(" columns")


def _arcmin(value: float) -> str:
    return f"{value:+.2f}" if abs(value) < 100.0 else f"{value:+.0f}"


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
