"""The sign-off form in words: verdict, how the night stands, each check, and what was signed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from contimg_lab.panels._sign_draft import Draft
from contimg_lab.panels._sign_items import Item
from contimg_lab.panels._words import MISSING, escape, utc

if TYPE_CHECKING:
    from contimg_lab.ledger.changes import Change
    from contimg_lab.records.qa import Outcome
    from contimg_lab.records.sign_offs import NightState
    from contimg_lab.services._promotion import Promotion
    from contimg_lab.services.night_report import HourReport, NightReport

__all__ = [
    "Line",
    "classes_words",
    "decision_words",
    "freshness_html",
    "heading_html",
    "item_html",
    "lacking_html",
    "lines_html",
    "lines_text",
    "moment",
    "report_line",
    "rest_html",
    "rule_html",
    "state_line",
    "verdict_line",
]

Line = tuple[str, str, str]
"""Sign, state (ok, warn, bad or none) and words."""

SIGNS = {
    "pass": ("✓", "ok"),
    "warn": ("!", "warn"),
    "fail": ("✗", "bad"),
    "not applicable": ("–", "none"),
}
_STATES = {
    "unsigned": ("–", "none", "Unsigned"),
    "accepted": ("✓", "ok", "Accepted"),
    "with exceptions": ("!", "warn", "Accepted with exceptions"),
    "rejected": ("✗", "bad", "Rejected"),
    "hold": ("‖", "warn", "On hold"),
    "stale": ("✗", "bad", "STALE"),
}
_TOLD_CHANGES = 2
_MOST_CHANGES = 20
_MOST_KEYS = 3


def lines_html(lines: Iterable[Line]) -> str:
    """Return lines, each with its sign."""
    return "".join(
        f"<div class='contimg-line'><span class='contimg-{state}'>{escape(sign)}</span> "
        f"{escape(words)}</div>"
        for sign, state, words in lines
    )


def lines_text(lines: Iterable[Line]) -> str:
    """Return lines as plain text."""
    return "\n".join(f"{sign} {words}" for sign, _, words in lines)


def verdict_line(report: NightReport) -> Line:
    """Say what the checks come to, and what is recommended by which rule."""
    advice = report.recommendation
    words = f"Verdict: {report.verdict}. Recommended: {advice.decision} ({advice.rule})."
    return (*SIGNS[report.verdict], words)


def state_line(state: NightState) -> Line:
    """Say whether the night is signed, by whom, and whether that still holds."""
    sign, tone, word = _STATES[state.state]
    if state.number is None:
        return sign, tone, f"{word}: nobody has signed this night."
    by = f"{state.decision} by {state.reviewer}, entry {state.number}, {moment(state.signed_at)}"
    if state.state == "stale":
        since = utc(state.stale_since)
        return sign, tone, f"{word}, noticed {since} UTC: {state.change}. It was signed: {by}."
    how = "signed with a key" if state.is_signed else "not signed with a key"
    listed = "listed reviewer" if state.is_listed else "reviewer not listed"
    held = "its rows are unchanged" if state.is_checked else "its rows were not looked at yet"
    return sign, tone, f"{word}: {by} ({how}; {listed}); {held}."


def report_line(report: NightReport, changes: Sequence[Change]) -> Line:
    """Say when the night was judged, and what of its rows has changed since."""
    judged = f"judged at {utc(report.as_of)} UTC"
    if not changes:
        return "✓", "ok", f"This was {judged}; its rows are unchanged."
    told = "; ".join(map(str, changes[:_TOLD_CHANGES]))
    more = len(changes) - _TOLD_CHANGES
    tail = f"; and {more:,} more" if more > 0 else ""
    words = (
        f"Rows changed since this was {judged}: {told}{tail}. Judge again: what you typed stays."
    )
    return "!", "warn", words


def freshness_html(report: NightReport, changes: Sequence[Change]) -> str:
    """Return the same with a fold that names the rows that changed, where they are many."""
    told = lines_html([report_line(report, changes)])
    if len(changes) <= _TOLD_CHANGES:
        return told
    more = len(changes) - _MOST_CHANGES
    lines = [str(change) for change in changes[:_MOST_CHANGES]]
    lines += [f"and {more:,} more"] if more > 0 else []
    return f"{told}<details><summary>{len(changes):,} changes</summary>{_list(lines)}</details>"


def heading_html(hour: HourReport | None, report: NightReport, items: Sequence[Item]) -> str:
    """Return the heading of a place: what it is and the worst that was said of it."""
    outcomes = [one for one in report.outcomes if one.hour is None] if hour is None else []
    told = outcomes if hour is None else hour.outcomes
    name = "Whole night" if hour is None else f"{hour.hour:02d} h UTC"
    counts = _counts(told)
    if hour is None:
        words = f"checks of no single hour: {counts}"
        sign, tone = _worst(items)
    else:
        words = f"{hour.verdict}: {counts}; {hour.summary.n_tiles} tiles"
        sign, tone = SIGNS[hour.verdict]
    return (
        f"<b style='font-size:14px'>{name}</b> &nbsp;<span class='contimg-{tone}'>{sign}</span> "
        f"{escape(words)}"
    )


def rule_html(recommended: str, rule: str, chosen: str) -> str:
    """Return what is recommended and why, and whether something else is chosen."""
    other = "" if chosen == recommended else f"; <b>chosen: {escape(chosen)}</b>"
    return (
        f"<span class='contimg-quiet'>Recommended: {escape(recommended)} ({escape(rule)})</span>"
        f"{other}"
    )


def classes_words(draft: Draft, hour: int) -> str:
    """Say which promotion classes can be given, and why not the others."""
    promotion: Promotion = draft.hours[hour].promotion
    if not draft.is_accepted(hour):
        return "no class: the hour is not accepted"
    if not promotion.classes:
        return "no class: a gate of the hour fails"
    unmet = "; ".join(
        f"{one.why}{'' if one.is_met is None else ' (not met)'}"
        for one in promotion.conditions.values()
        if not one.is_met
    )
    told = f"candidate: {promotion.classes[0]}"
    return f"{told}; trusted_baseline is not: {unmet}" if unmet else told


def decision_words(draft: Draft) -> str:
    """Say all that is decided, hours of one decision together."""
    of: dict[str, list[str]] = {}
    for hour in draft.hours:
        promotion = draft.promotion(hour)
        told = draft.hour(hour) + (f" as {promotion}" if promotion else "")
        of.setdefault(told, []).append(f"{hour:02d}")
    hours = "".join(f"; {', '.join(hours)} h: {told}" for told, hours in of.items())
    return f"night {draft.report.night}: {draft.night}{hours}"


def item_html(item: Item, gates: frozenset[str]) -> str:
    """Return a check that warns or fails: its values and limits, whose they are, and why."""
    first = item.outcomes[0]
    sign, tone = SIGNS[first.word]
    kind = "" if item.check in gates else " (notice)"
    told = [f"{_measure(one)}{escape(one.why)}{_named(one)}" for one in item.outcomes[:_MOST_KEYS]]
    more = len(item.outcomes) - _MOST_KEYS
    if more > 0:
        keys = ", ".join(one.key for one in item.outcomes[_MOST_KEYS:])
        told.append(f"<details><summary>and {more} more</summary>{escape(keys)}</details>")
    source = f" <span class='contimg-quiet'>{escape(first.threshold_source or '')}</span>"
    return (
        f"<span class='contimg-{tone}'>{sign} {escape(item.check)} {first.word}</span>{kind}: "
        f"{'; '.join(told)}.{source if first.threshold_source else ''}"
    )


def rest_html(report: NightReport) -> str:
    """Return folds of what passes, and of what could not be judged, with the reason."""
    passed = sorted({one.check for one in report.outcomes if one.word == "pass"})
    why: dict[str, list[str]] = {}
    for one in report.outcomes:
        if one.word == "not applicable":
            hours = why.setdefault(f"{one.check}: {one.why}", [])
            where = "night" if one.hour is None else f"{one.hour:02d}"
            if where not in hours:
                hours.append(where)
    lines = [f"{told} ({', '.join(hours)})" for told, hours in why.items()]
    return (
        f"<details><summary>Not applicable, and why: {len(lines)}</summary>{_list(lines)}</details>"
        f"<details><summary>Checks that pass: {len(passed)}</summary>{escape(', '.join(passed))}"
        "</details>"
    )


def lacking_html(lacking: Sequence[str], left_out: Sequence[Item]) -> str:
    """Return why it cannot be signed yet, and what will not be part of the entry."""
    kept = ", ".join(item.name for item in left_out)
    note = (
        f"<div>Not part of the entry: what stands beside {escape(kept)}, since the night is not "
        "accepted with exceptions.</div>"
    ) * bool(left_out)
    if not lacking:
        return f"<div class='contimg-ok'>✓ Nothing is lacking: it can be signed.</div>{note}"
    return f"<div class='contimg-bad'>✗ Cannot be signed yet:</div>{_list(lacking)}{note}"


def _worst(items: Sequence[Item]) -> tuple[str, str]:
    if not items:
        return SIGNS["pass"]
    return SIGNS["fail" if any(item.fails for item in items) else "warn"]


def _counts(outcomes: Sequence[Outcome]) -> str:
    told = []
    for word in ("fail", "warn", "pass", "not applicable"):
        n = len({one.check for one in outcomes if one.word == word})
        if n:
            told.append(f"{n} {word}")
    return ", ".join(told) or "nothing was judged"


def _measure(one: Outcome) -> str:
    if one.value is None:
        return ""
    unit = "" if one.unit == "1" else f" {one.unit}"
    limit = "" if one.threshold is None else f", limit {_number(one.threshold)}{unit}"
    return f"<b>{escape(f'{_number(one.value)}{unit}{limit}')}</b> · "


def _number(value: float) -> str:
    whole = value == round(value) or abs(value) >= 1000.0
    return f"{value:,.0f}" if whole and abs(value) < 1e9 else f"{value:.3g}"


def _named(one: Outcome) -> str:
    own = one.scope in ("hour", "night")
    return "" if own else f" ({escape(one.scope)} {escape(one.key.rsplit('/', 1)[-1])})"


def moment(text: str | None) -> str:
    """Write the ledger's time to the second."""
    return MISSING if text is None else f"{text[:10]} {text[11:19]} UTC"


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
