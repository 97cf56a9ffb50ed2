"""A night's report as HTML: whole in itself, to be printed; words, not colours alone."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, WARN
from contimg_lab.records.qa import Outcome
from contimg_lab.services.night_summary import NightSummary

if TYPE_CHECKING:
    from contimg_lab.services.night_report import NightReport

__all__ = ["STYLE", "report_html"]

STYLE = """
.cl-report{font:14px/1.4 system-ui,sans-serif;max-width:75em}
.cl-report table{border-collapse:collapse;margin:.5em 0}
.cl-report.cl-report th,.cl-report.cl-report td{border:1px solid #999;padding:.15em .5em;
text-align:left;vertical-align:top}
.cl-report .pass{background:#e3f1e3;color:#111}.cl-report .warn{background:#fff0c2;color:#111}
.cl-report .fail{background:#f8d0cc;color:#111;font-weight:bold}
.cl-report .none{color:#595959}
.cl-report code{overflow-wrap:anywhere}
@media print{.cl-report{max-width:none;font-size:9pt}.cl-report tr{break-inside:avoid}
.cl-report td,.cl-report th{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
_SHORT = {NOT_APPLICABLE: "n/a"}
_MOST = 200  # outcomes of one word that are listed
_MOST_KEYS = 5


def report_html(report: NightReport) -> str:
    """Write a report as one element, with its own style."""
    parts = [
        f"<h2>Night {_text(report.night)} (UTC): {_word(report.verdict)}</h2>",
        f"<p><b>Recommended: {_text(report.recommendation.decision)}</b>, since "
        f"{_text(report.recommendation.rule)}.</p>",
        _hours(report),
        _matrix(report),
        _listed("What fails", [one for one in report.outcomes if one.word == FAIL]),
        _listed("What warns", [one for one in report.outcomes if one.word == WARN]),
        _withdraw(report),
        _unjudged([one for one in report.outcomes if one.word == NOT_APPLICABLE]),
        "<h3>What is there</h3>",
        _items(NightSummary.lines(report)),
        _stands_on(report),
    ]
    return f'<div class="cl-report"><style>{STYLE}</style>{"".join(parts)}</div>'


def _text(value: object) -> str:
    return html.escape(str(value))


def _word(word: str | None) -> str:
    if word is None:
        return '<span class="none">-</span>'
    kind = word if word in ("pass", "warn", "fail") else "none"
    return f'<span class="{kind}" title="{_text(word)}">{_text(_SHORT.get(word, word))}</span>'


def _items(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</ul>"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _hours(report: NightReport) -> str:
    rows = [
        (
            f"{one.hour:02d}",
            _word(one.verdict),
            _text(one.recommendation.decision),
            _text(one.recommendation.rule),
            _text(one.promotion.candidate or "none"),
            _text("; ".join(held.why for held in one.promotion.conditions.values())),
            str(one.summary.n_tiles),
            _milli(one.summary.noise_median_jy),
        )
        for one in report.judged
    ]
    headings = (
        "hour (UTC)", "verdict", "recommended", "rule", "class", "since", "tiles",
        "median noise (mJy/beam)",
    )  # fmt: skip
    return "<h3>Hours</h3>" + (_table(headings, rows) if rows else "<p>none that has a tile</p>")


def _milli(value: float | None) -> str:
    return "-" if value is None else f"{value * 1e3:.1f}"


def _matrix(report: NightReport) -> str:
    headings = ["check", *(f"{one.hour:02d}" for one in report.judged), "night"]
    rows = [
        [f"<b>{_text(check)}</b>{'' if check in report.gates else ' (notice)'}", *map(_word, words)]
        for check, words in report.words().items()
    ]
    return f"<h3>Checks by hour</h3>{_table(headings, rows)}"


def _listed(title: str, outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return f"<h3>{title}</h3><p>nothing</p>"
    rows = [
        (
            f"<b>{_text(one.check)}</b>",
            _text(f"{one.scope} {one.key}"),
            "" if one.hour is None else f"{one.hour:02d}",
            _text(one.why),
            "-" if one.value is None else _text(f"{one.value:.4g} {_unit(one.unit)}".strip()),
            "-" if one.threshold is None else _text(f"{one.threshold:.4g} {_unit(one.unit)}"),
            _text(one.threshold_source or ""),
            _keys(one),
        )
        for one in outcomes[:_MOST]
    ]
    left = len(outcomes) - len(rows)
    more = f"<p>and {left} more</p>" if left else ""
    headings = ("check", "of", "hour", "why", "value", "limit", "whose limit", "rows")
    return f"<h3>{title}</h3>{_table(headings, rows)}{more}"


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _keys(one: Outcome) -> str:
    told = []
    for table, keys in one.rows.items():
        more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
        named = ", ".join(f"<code>{_text(key)}</code>" for key in keys[:_MOST_KEYS])
        told.append(f"{_text(table)}: {named}{more}")
    return "<br>".join(told)


def _withdraw(report: NightReport) -> str:
    if not report.withdraw:
        return ""
    lines = [f"{one.scope} {one.key}: {', '.join(one.checks)}" for one in report.withdraw]
    return f"<h3>To be withdrawn for it to pass</h3>{_items(lines)}"


def _unjudged(outcomes: Sequence[Outcome]) -> str:
    why: dict[tuple[str, str], list[str]] = {}
    for one in outcomes:
        where = "night" if one.hour is None else f"{one.hour:02d}"
        places = why.setdefault((one.check, one.why), [])
        if where not in places:
            places.append(where)
    lines = [f"{check} ({', '.join(places)}): {told}" for (check, told), places in why.items()]
    return f"<h3>Not applicable, and why</h3>{_items(lines)}" if lines else ""


def _stands_on(report: NightReport) -> str:
    grades = ", ".join(f"{n} {grade}" for grade, n in report.stage_grades.items())
    lines = [
        f"stage grade (the older system's, from the stage alone: no measurement): {grades}",
        f"thresholds: {report.thresholds.name}, SHA-256 {report.thresholds.digest}",
        f"evidence: {len(report.evidence)} rows, SHA-256 {report.evidence.digest}",
        f"database: {report.database['identity']} ({report.database['layout']})",
        f"read: {report.as_of:%Y-%m-%d %H:%M:%S} UTC",
        ", ".join(f"{name} {version}" for name, version in report.versions.items()),
    ]
    return f"<h3>What it stands on</h3>{_items(lines)}"
