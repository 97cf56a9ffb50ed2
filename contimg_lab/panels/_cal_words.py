"""Cal tables in words: columns of the table, coverage, tiers, and quality against its floor."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.cal_quality import FLOORS, age_word, metrics_of
from contimg_lab.panels._table import Column, Written, numbers
from contimg_lab.panels._words import clip, count_words, escape, facts, number, plain, short_ms, utc

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.records.caltables import CalTable

__all__ = [
    "HINT",
    "Detail",
    "columns_of",
    "coverage_lines",
    "facts_html",
    "floor_html",
    "headline",
    "quality_words",
    "tier_words",
]

HINT = (
    "<span class='contimg-quiet'>Choose a cal table, in the table or on a plot, to see its window, "
    "its quality and how it was solved; an MS on the plot chooses its bandpass table.</span>"
)
_SIGNS = {"warn": "▲", "fail": "✖"}
_LONG = 200
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Detail:
    """One table, the MS that is chosen (or None), and how it is covered by tables of this type."""

    table: CalTable
    ms_path: str | None
    tied: Mapping[str, Any] | None


def columns_of(tables: pd.DataFrame, *, dated: bool) -> list[Column]:
    """Return the columns of the table; a value beyond its floor has a sign and a word."""
    found = [metrics_of(text) for text in plain(tables["quality_metrics"])]
    start, end = plain(tables["valid_start_at"]), plain(tables["valid_end_at"])
    late = [datetime.max.replace(tzinfo=UTC) if when is None else when for when in end]
    unrated = "the pipeline's quality metrics do not say"
    form = "%Y-%m-%d %H:%M" if dated else "%m-%d %H:%M"

    def metric(title: str, name: str, digits: int) -> Column:
        values = [metrics.get(name) for metrics in found]
        return numbers(title, values, lambda x: signed(name, x, digits), unrated)

    return [
        Column(title="table", texts=Written(plain(tables["path"]), short_ms)),
        Column(
            title="type", texts=Written(plain(tables["table_type"]), lambda kind: clip(kind, 8))
        ),
        Column(title="status", texts=Written(plain(tables["status"]), lambda word: clip(word, 12))),
        metric("mean SNR", "snr_mean", 3),
        metric("flagged (0–1)", "flagged_fraction", 2),
        Column(
            title="calibrator",
            texts=Written(plain(tables["cal_field"]), lambda word: clip(word, 24)),
        ),
        Column(
            title="from (UTC)",
            texts=Written(start, lambda when: utc(when, form)),
            sort_by=start,
            kind="time",
        ),
        Column(
            title="to (UTC)",
            texts=["open" if when is None else utc(when, form) for when in end],
            sort_by=late,
            kind="time",
        ),
        numbers("order", plain(tables["order_index"])),
    ]


def signed(name: str, value: float, digits: int) -> str:
    """Write a metric, with a sign and the word where it is beyond its floor.

    Examples
    --------
    >>> signed("snr_mean", 98.0, 3), signed("snr_mean", 4.0, 3), signed("n_antennas", 96.0, 3)
    ('98.0', '✖ fail 4.00', '96.0')
    """
    floor = FLOORS.get(name)
    word = "pass" if floor is None else floor.word(value)
    sign = f"{_SIGNS[word]} {word} " if word in _SIGNS else ""
    return f"{sign}{number(value, digits)}"


def coverage_lines(coverage: pd.DataFrame) -> dict[str, str]:
    """For each table type: ``28 inside, 3 nearest (max 7.2 h), 0 none``."""
    from contimg_lab.plots.coverage import STATE_STYLE, type_rank

    lines = {}
    for kind in sorted({str(k) for k in plain(coverage["table_type"])}, key=type_rank):
        mine = coverage[coverage["table_type"] == kind]
        words = count_words(plain(mine["state"]), tuple(STATE_STYLE))
        far = mine.loc[mine["state"] == "nearest", "distance_hours"]
        if len(far):
            words = words.replace("nearest", f"nearest (max {float(far.max()):.1f} h)")
        lines[kind] = words if " none" in words else f"{words}, 0 none"
    return lines


def headline(lines: Mapping[str, str]) -> str:
    """Return the line of the bandpass."""
    kind = next((kind for kind in ("BP", "BA", "G") if kind in lines), None)
    return f"{kind}: {lines[kind]}" if kind else "No bandpass table in the registry"


def tier_words(tiers: pd.DataFrame) -> str:
    """Count the tiers of the MS, and say what each means.

    A: both of the same date; B: gains borrowed; C: bandpass borrowed.
    """
    meant = {
        "A": "A (tables of the same date)",
        "B": "B (gains borrowed)",
        "C": "C (bandpass borrowed)",
    }
    words = [meant.get(str(tier), str(tier)) for tier in plain(tiers["tier"])]
    return count_words(words, tuple(meant.values())) if words else "of no MS"


def quality_words(quality: pd.DataFrame, paths: Collection[str]) -> dict[str, list[str]]:
    """For each metric with a floor: the tables shown that are beyond it, worst first, in words."""
    shown = quality[quality["path"].isin(list(paths))]
    told: dict[str, list[str]] = {}
    for name, floor in FLOORS.items():
        bad = shown[shown[f"{name}_word"].isin(["warn", "fail"])]
        bad = bad.sort_values(name, ascending=not floor.high_is_bad, kind="stable")
        rows = zip(plain(bad["path"]), plain(bad[name]), plain(bad["status"]), strict=True)
        told[name] = [
            f"{signed(name, value, 3)}: {short_ms(path)} ({status})" for path, value, status in rows
        ]
    return told


def floor_html(beyond: Mapping[str, Sequence[str]]) -> str:
    """Return the floors in words with their source, and the tables shown that are beyond them."""
    parts = ["<h4>Quality against its floor</h4>"]
    for name, rows in beyond.items():
        floor = FLOORS[name]
        parts.append(
            f"<p><b>{len(rows)} beyond.</b> {escape(floor.told)} "
            f"<span class='contimg-quiet'>({escape(floor.source)})</span></p>"
        )
        listed = [*rows[:_LISTED], *([f"{len(rows) - _LISTED} more"] * (len(rows) > _LISTED))]
        items = "".join(f"<li class='contimg-bad'>{escape(row)}</li>" for row in listed)
        parts.append(f"<ul style='margin:0;padding-left:18px'>{items}</ul>" if rows else "")
    return "".join(parts)


def facts_html(told: Detail) -> str:
    """Return what is known of the chosen table, and what it is to the chosen MS."""
    table = told.table
    start = "unknown" if table.valid_start_mjd is None else f"{table.valid_start_mjd:.5f}"
    end = "open-ended" if table.valid_end_mjd is None else f"{table.valid_end_mjd:.5f}"
    solver = " ".join(part for part in (table.solver_command, table.solver_version) if part)
    rows: dict[str, object] = {
        "Table": table.path,
        "Set": f"{table.set_name or '-'}, applied as {table.order_index}",
        "Type, status": f"{table.table_type or '-'}, {table.status or '-'}",
        "Window (MJD)": f"{start} to {end}",
        "Calibrator, refant": f"{table.cal_field or '-'}, {table.refant or '-'}",
        "Solved on": table.source_ms_path or "not recorded",
        "Solver": solver or "not recorded",
        "Solver parameters": _parameters(table.solver_params),
        "Notes": table.notes,
    }
    if told.ms_path is not None:
        rows |= _tied_rows(told.ms_path, told.tied, table)
    metrics = metrics_of(table.quality_metrics)
    rows |= {f"Quality: {name}": _judged(name, value) for name, value in metrics.items()}
    rows |= _remarks(table.quality_metrics)
    if not metrics and table.quality_metrics:
        rows["Quality (not readable)"] = clip(table.quality_metrics, _LONG)
    return facts({name: value for name, value in rows.items() if value is not None})


def _tied_rows(ms_path: str, tied: Mapping[str, Any] | None, table: CalTable) -> dict[str, object]:
    if tied is None:
        return {"At the chosen MS": f"{short_ms(ms_path)} is not of the night shown"}
    import pandas as pd

    hours = None if pd.isna(tied["distance_hours"]) else float(tied["distance_hours"])
    age = "no age" if hours is None else f"{hours:.1f} h from its middle, {age_word(hours)}"
    named = tied["caltable_path"]
    other = "" if named == table.path else f", by {short_ms(named) if named else 'no table'}"
    return {
        "At the chosen MS": f"{short_ms(ms_path)}: {tied['state']}{other}; {age}",
        "Its tier": f"{tied['tier']}: {tied['why']} (told by {tied['told_by']})",
    }


def _judged(name: str, value: float) -> str:
    if name.endswith("_at"):
        return f"{utc(datetime.fromtimestamp(value, UTC))} UTC" if 0.0 < value < 1e11 else "-"
    floor = FLOORS.get(name)
    return number(value, 4) if floor is None else f"{signed(name, value, 4)} ({floor.told})"


def _parameters(text: str | None) -> str:
    """Return solver parameters as words; JSON that cannot be read as it stands."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        return clip(text, _LONG)
    if not isinstance(found, dict):
        return "not recorded" if found is None else clip(text, _LONG)
    return clip(", ".join(f"{name}={value}" for name, value in found.items()), _LONG)


def _remarks(text: str | None) -> dict[str, object]:
    """Return what the pipeline said of a table: whether it passed, issues and warnings."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    rows: dict[str, object] = {}
    if isinstance(found.get("qa_passed"), bool):
        rows["Pipeline's verdict"] = "passed" if found["qa_passed"] else "✖ failed"
    for name in ("issues", "warnings"):
        told = found.get(name)
        if isinstance(told, list) and told:
            rows[f"Pipeline's {name}"] = clip("; ".join(map(str, told)), _LONG)
    return rows
