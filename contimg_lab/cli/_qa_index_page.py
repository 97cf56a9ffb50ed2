"""The index of nights as a page that is whole in itself."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contimg_lab.cli._qa_figures import QUANTITIES
from contimg_lab.cli._qa_index_chart import nights_chart, picture
from contimg_lab.cli._qa_page import head

__all__ = ["index_page"]

_STYLE = """<style>
body{max-width:84em}
.figures{display:grid;grid-template-columns:repeat(3,1fr);gap:.4em}
.figures img{width:100%}
.checks th.check{writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;
padding:.4em .05em;font-weight:normal;white-space:nowrap}
.checks td{text-align:center;padding:.05em .25em}.checks td:first-child{white-space:nowrap}
.nights td:first-child,.nights td:last-child{white-space:nowrap}
@page{size:A4 landscape}
@media print{h2+p{break-after:avoid}.figures{break-inside:avoid}.checks table{font-size:7pt}}
</style>"""
_LEGEND = (
    "Filled points were compared, hollow ones have too few nights before them; triangles stand "
    "out, to the side to which they point; pale ones have no report here, and are compared with "
    "alone. Dashed: median of the nights before; shaded: the range that does not stand out; "
    "dotted: 0.8 and 1.2, the flux ratios of a good epoch."
)
_MARKS = {"pass": "·", "warn": "W", "fail": "F", "not applicable": "–"}
_SIGNS = {"high": "↑", "low": "↓"}


def index_page(told: Mapping[str, Any]) -> str:
    """Write the page of what ``index.json`` holds."""
    nights = told["nights"]
    span = f"{nights[0]['night']} to {nights[-1]['night']}" if nights else "no night"
    foot = f"QA index, {span}, {_ledger(told['ledger'])[:40]}"
    parts = [
        f"<h1>QA of nights, {span} (UTC)</h1>",
        f"<p>{_counts(nights)}</p>",
        _nights(nights),
        "<h2>Trends</h2>",
        f"<p>{_text(told['rule']['words'])} {_LEGEND}</p>",
        _figures(told),
        "<h2>Checks by night</h2>",
        "<p>Worst word of each check: F fail, W warn, · pass, – not applicable.</p>",
        _checks(nights),
        "<h2>To be kept with this page</h2>",
        _kept(told),
    ]
    return f"{head(f'QA of nights, {span}', foot)}<body>{_STYLE}{''.join(parts)}</body></html>\n"


def _text(value: object) -> str:
    return html.escape(str(value))


def _counts(nights: Sequence[Mapping[str, Any]]) -> str:
    words = [_verdict(one) for one in nights]
    told = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    n = sum(bool(_regressions(one)) for one in nights)
    return f"{len(nights)} nights: {', '.join(told)}; {n} with a regression."


def _verdict(night: Mapping[str, Any]) -> str:
    return "could not be judged" if night["why_not"] else str(night["verdict"])


def _nights(nights: Sequence[Mapping[str, Any]]) -> str:
    headings = ("night (UTC)", "verdict", "recommended", "since", "signed", "regressions",
                "stands out, not worse", "read (UTC)")  # fmt: skip
    rows = [
        (
            _link(one),
            _worded(_verdict(one)),
            _text((one["recommendation"] or {}).get("decision", "-")),
            _text(_why(one)),
            _text(_signed(one["sign_off"])),
            f"<b>{_text(', '.join(_regressions(one)) or '')}</b>",
            _text(", ".join(_others(one))),
            _text((one["as_of"] or "-")[:16].replace("T", " ")),
        )
        for one in reversed(nights)
    ]
    return f'<div class="nights">{_table(headings, rows)}</div>'


def _why(one: Mapping[str, Any]) -> str:
    if not one["why_not"]:
        return str(one["recommendation"]["rule"])
    before = f"; on {one['as_of'][:16].replace('T', ' ')}: {one['verdict']}" if one["as_of"] else ""
    return f"{one['why_not']}{before}"


def _link(one: Mapping[str, Any]) -> str:
    night = _text(one["night"])
    return f'<a href="{_text(one["report"])}">{night}</a>' if one["report"] else night


def _worded(word: str) -> str:
    kind = word if word in ("pass", "warn", "fail") else "none"
    return f'<span class="{kind}">{_text(word)}</span>'


def _signed(state: Mapping[str, Any] | None) -> str:
    if state is None:
        return "-"
    if state["number"] is None:
        return str(state["state"])
    key = "" if state["is_signed"] else ", without a key"
    listed = "" if state["is_listed"] else ", not listed"
    stale = f": {state['change']}" if state["state"] == "stale" else ""
    told = f"{state['decision']} by {state['reviewer']}{key}{listed}, entry {state['number']}"
    return f"{state['state']} ({told}){stale}"


def _regressions(one: Mapping[str, Any]) -> list[str]:
    return _outside(one, regression=True)


def _others(one: Mapping[str, Any]) -> list[str]:
    return _outside(one, regression=False)


def _outside(one: Mapping[str, Any], *, regression: bool) -> list[str]:
    told = []
    for name, figure in (one["figures"] or {}).items():
        if figure["stands_out"] and figure["is_regression"] is regression:
            by = figure["deviation"]
            how = "the nights before are all alike" if by is None else f"{by:+.1f} sigma"
            told.append(f"{QUANTITIES[name].name.lower()} {_SIGNS[figure['stands_out']]} ({how})")
    return told


def _figures(told: Mapping[str, Any]) -> str:
    made = []
    for name in QUANTITIES:
        chart = nights_chart(name, told["nights"], told["before"])
        if chart.empty:
            made.append(f"<p>{_text(chart.alt)}</p>")
            continue
        made.append(f'<img src="{picture(chart)}" alt="{_text(chart.alt)}">')
    return f'<div class="figures">{"".join(made)}</div>'


def _checks(nights: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for one in nights for name in one["checks"]))
    top = "".join(f'<th scope="col" class="check">{_text(name)}</th>' for name in names)
    rows = []
    for one in reversed(nights):
        cells = "".join(_cell(name, one["checks"].get(name)) for name in names)
        rows.append(f"<tr><td>{_link(one)}</td>{cells}</tr>")
    head_row = f'<tr><th scope="col">night</th>{top}</tr>'
    body = f"<thead>{head_row}</thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="checks"><table>{body}</table></div>'


def _cell(name: str, word: str | None) -> str:
    if word is None:
        return "<td></td>"
    kind = word if word in ("warn", "fail") else "none"
    return f'<td class="{kind}" title="{_text(f"{name}: {word}")}">{_MARKS.get(word, "?")}</td>'


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    top = "".join(f'<th scope="col">{_text(name)}</th>' for name in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _ledger(held: Mapping[str, Any]) -> str:
    if held["why_not"]:
        return f"ledger could not be read: {held['why_not']}"
    return f"ledger head {held['number']}:{held['hash']}" if held["number"] else "nobody has signed"


def _kept(told: Mapping[str, Any]) -> str:
    sets = {(one["thresholds"]["name"], one["thresholds"]["digest"])
            for one in told["nights"] if one["thresholds"]}  # fmt: skip
    lines = [
        _ledger(told["ledger"]),
        *(f"thresholds {name}, SHA-256 {digest}" for name, digest in sorted(sets)),
        f"database {told['database']['identity']} ({told['database']['layout']})",
        f"made {told['made_at']}",
        ", ".join(f"{name} {version}" for name, version in told["versions"].items()),
        f"nights before, judged for comparison alone: {len(told['before'])}",
    ]
    if told["left_out"]:
        lines.append(f"left out, of another database: {', '.join(told['left_out'])}")
    return f"<ul>{''.join(f'<li class=long>{_text(line)}</li>' for line in lines)}</ul>"
