"""A night in words: what broke, and the cells of its hours by checks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.hour_checks import CHECKS, LIMITS, NOT_APPLICABLE, Limit
from contimg_lab.panels._matrix import Cell, Heading, MatrixRow
from contimg_lab.panels._table import Column, Written
from contimg_lab.panels._words import clip, escape, facts, number, short_ms

if TYPE_CHECKING:
    from contimg_lab.records.jobs import Run
    from contimg_lab.services._judged_hours import JudgedHours
    from contimg_lab.services.night_summary import NightSummary

__all__ = [
    "HEADINGS",
    "culprits",
    "facts_html",
    "hours_verdict",
    "matrix_rows",
    "runs_verdict",
    "split_key",
    "summary_html",
    "verdict_html",
]

SIGNS: Mapping[str, tuple[str, str]] = {
    "pass": ("✓", "ok"),
    "warn": ("!", "warn"),
    "fail": ("✗", "bad"),
    NOT_APPLICABLE: ("–", "none"),
}
_RANK = ("fail", "warn", "pass", NOT_APPLICABLE)
_TITLES = {
    "tiles": "tiles",
    "failed": "failed",
    "calibration": "cal in/near/none",
    "noise": "noise (mJy/beam)",
    "beam": "beam (arcsec)",
    "flux_ratio": "flux ratio",
    "gaps": "gaps >10 min",
    "declination": "Dec off (deg)",
}


def _rule(limit: Limit) -> str:
    parts = [f"{word} if {rule}" for word, rule in (("warn", limit.warn), ("fail", limit.fail))]
    return "; ".join(part for part in parts if not part.endswith(" if "))


HEADINGS = (
    Heading(text="UTC"),
    *(Heading(text=_TITLES[check], why=_rule(LIMITS[check])) for check in CHECKS),
)
"""What stands above the columns, with the package's limits; a cell tells the site's."""


def split_key(key: str) -> tuple[int, str]:
    """Hour and check of a cell's key."""
    hour, _, check = key.partition(" ")
    return int(hour), check


def matrix_rows(judged: JudgedHours) -> list[MatrixRow]:
    """Return the rows of the grid: an hour each, a cell for each check."""
    return [_row(row, judged) for row in judged.rows]


def _row(row: Mapping[str, Any], judged: JudgedHours) -> MatrixRow:
    hour = int(row["hour"])
    cells = tuple(
        _cell(check, row, judged.reasons[check][hour], judged.limits[check]) for check in CHECKS
    )
    worst = min((cell.word for cell in cells), key=lambda word: _RANK.index(_judged(word)))
    sign, state = SIGNS[_judged(worst)]
    return MatrixRow(key=str(hour), name=f"{hour:02d} h", sign=sign, state=state, cells=cells)


def _cell(check: str, row: Mapping[str, Any], why: str, limit: Limit) -> Cell:
    word = row[f"{check}_word"]
    sign, state = SIGNS[word]
    text, short = _number(check, row), word
    if word == NOT_APPLICABLE:
        text, short = " ".join(why.split()[:3]), "n/a"
    place = f"{row['hour']:02d} h UTC, {_name(check)}"
    return Cell(
        key=f"{row['hour']} {check}",
        sign=sign,
        text=text,
        word=short,
        state=state,
        why=f"{word}: {why}",
        told=f"{place}: {sign} {word}, {why}. {_rule(limit)}.",
    )


def _judged(word: str) -> str:
    return NOT_APPLICABLE if word == "n/a" else word


def _number(check: str, row: Mapping[str, Any]) -> str:
    """The number behind a verdict, in the unit of the column's heading."""
    if check == "calibration":
        return f"{row['n_inside']} / {row['n_nearest']} / {row['n_none']}"
    if check == "noise":
        return f"{_known(row['noise_median_jy'] * 1e3)} ({_known(row['noise_ratio'])}×)"
    if check == "beam":
        return f"{_known(row['beam_major_arcsec'])} ({_known(row['beam_axis_ratio'])})"
    if check == "flux_ratio":
        return f"{_known(row['flux_ratio'], 2)} of {row['n_flux']}"
    if check == "declination":
        off = round(row["dec_offset_deg"], 3)
        return f"{off:+.3f}" if off else "0.000"
    return str(row["n_tiles" if check == "tiles" else f"n_{check}"])


def _value(check: str, row: Mapping[str, Any]) -> str:
    """The number behind a verdict, written out."""
    if check == "noise":
        largest = f"largest {_known(row['noise_max_jy'] * 1e3)} mJy/beam"
        level = f"median {_known(row['noise_median_jy'] * 1e3)} mJy/beam"
        return f"{level}, {_known(row['noise_ratio'])} times the reference; {largest}"
    if check == "beam":
        axes = f"major axis {_known(row['beam_major_arcsec'])} arcsec"
        return f"{axes}, {_known(row['beam_axis_ratio'])} times the minor"
    if check == "flux_ratio":
        return f"{_known(row['flux_ratio'])} (measured over catalogued) of {row['n_flux']} sources"
    if check == "declination":
        return (
            f"{row['dec_offset_deg']:+.4f} deg at most; median {row['dec_deg']:+.4f} deg (of date)"
        )
    return str(row["calibration"]) if check == "calibration" else _number(check, row)


def _known(value: float, digits: int = 3) -> str:
    return number(value, digits) if math.isfinite(value) else "?"


def runs_verdict(summary: NightSummary) -> tuple[str, str, str]:
    """Sign, state and words of what broke among the runs."""
    counts = dict(summary.status_counts)
    failed, done = counts.pop("failed", 0), counts.pop("completed", 0)
    n = failed + done + sum(counts.values())
    others = "".join(f"; {k} {status}" for status, k in counts.items())
    if failed:
        causes = ", ".join(f"{k} {cause}" for cause, k in summary.cause_counts.items())
        return "✗", "bad", f"{failed} of {n} runs failed: {causes}{others}"
    if counts:
        return "!", "warn", f"no run failed, and {done} of {n} are completed{others}"
    return "✓", "ok", f"all {n} of {n} runs are completed"


def hours_verdict(rows: Sequence[MatrixRow]) -> tuple[str, str, str]:
    """Sign, state and words of what the checks say of the hours."""
    of_word = {word: [c for row in rows for c in row.cells if c.word == word] for word in _RANK}
    parts = [
        f"{len(cells)} {word}: {_places(cells)}"
        for word, cells in of_word.items()
        if cells and word in ("fail", "warn")
    ]
    n = sum(len(row.cells) for row in rows)
    parts.append(f"{len(of_word['pass'])} of {n} pass")
    sign, state = SIGNS["fail" if of_word["fail"] else "warn" if of_word["warn"] else "pass"]
    return sign, state, f"hours by checks: {'; '.join(parts)}"


def _places(cells: Sequence[Cell]) -> str:
    hours: dict[str, list[str]] = {}
    for cell in cells:
        hour, check = split_key(cell.key)
        hours.setdefault(check, []).append(f"{hour:02d}")
    return ", ".join(f"{_name(check)} {', '.join(at)} h" for check, at in hours.items())


def verdict_html(parts: Sequence[tuple[str, str, str]]) -> str:
    """Return verdicts as lines, each with its sign."""
    return "".join(
        f"<div class='contimg-verdict contimg-is-{state}'><span class='contimg-sign'>"
        f"{escape(sign)}</span> {escape(words)}</div>"
        for sign, state, words in parts
    )


def summary_html(summary: NightSummary) -> str:
    """Return what else a reviewer asks first."""
    told = [line for line in summary.lines() if not line.startswith(("runs:", "failures"))]
    return f"<div class='contimg-quiet'>{'<br>'.join(map(escape, told))}</div>"


def facts_html(key: str, judged: JudgedHours) -> str:
    """Return what is behind one cell: value, limits and whose they are."""
    hour, check = split_key(key)
    row = next(row for row in judged.rows if row["hour"] == hour)
    limit, word = judged.limits[check], row[f"{check}_word"]
    value = None if word == NOT_APPLICABLE else _value(check, row)
    reference = None
    if check == "noise" and row["noise_reference"]:
        level = _known(row["noise_reference_jy"] * 1e3)
        reference = f"{level} mJy/beam, median of {row['noise_reference']}"
    told: dict[str, object] = {
        "Verdict": f"{SIGNS[word][0]} {word}",
        "Why": judged.reasons[check][hour],
        "Value": value,
        "Reference": reference,
        "Warn if": limit.warn or None,
        "Fail if": limit.fail or None,
        "Limits from": limit.source,
    }
    shown = {name: text for name, text in told.items() if text is not None}
    return f"<h4>{hour:02d} h UTC: {escape(_name(check))}</h4>{facts(shown)}"


def culprits(
    key: str, judged: JudgedHours, summary: NightSummary
) -> tuple[list[str], list[Column], str]:
    """MS paths behind one cell, the columns that tell of them, and words where there are none."""
    hour, check = split_key(key)
    none = ""
    told: list[tuple[str, str, bool]] = []
    if check == "failed":
        told = [
            (run.ms_path, f"{run.cause or 'unknown'}: {_message(run)}", True)
            for run in summary.failed
            if run.hour == hour
        ]
        none = "no run of the hour failed"
    elif check == "gaps":
        mine = {tile.ms_path for tile in judged.tiles["tiles", hour]}
        told = [
            (gap.after_path, f"{gap.minutes:.0f} min to {short_ms(gap.before_path)}", True)
            for gap in summary.gaps
            if gap.after_path in mine
        ]
        none = "no gap begins in the hour"
    else:
        tiles = judged.tiles.get((check, hour), ())
        told = [(tile.ms_path, tile.value, tile.off) for tile in tiles]
        none = "the ratio is of all sources of the hour, not of single tiles"
    columns = [
        Column(title="MS", texts=Written([path for path, _, _ in told], short_ms)),
        Column(title="beyond", texts=["✗ yes" if off else "no" for _, _, off in told]),
        Column(
            title=_heading(check), texts=Written([v for _, v, _ in told], lambda v: clip(v, 200))
        ),
    ]
    beyond = Counter(off for _, _, off in told)[True]
    note = f"; {beyond} beyond the limit, worst first" if told else f"; {none}"
    return [path for path, _, _ in told], columns, note


def _message(run: Run) -> str:
    return (run.message or "no message").replace(run.ms_path, "the MS")


def _heading(check: str) -> str:
    titles = {"failed": "cause: message", "gaps": "gap after it", "tiles": "what"}
    return titles.get(check, _name(check))


def _name(check: str) -> str:
    return "failed runs" if check == "failed" else check.replace("_", " ")
