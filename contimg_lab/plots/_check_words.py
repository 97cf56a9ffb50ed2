"""What the figures of checks say: their titles, and all of it in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, PASS, WARN, WORDS
from contimg_lab.plots._check_bounds import Bound
from contimg_lab.plots._check_report import Floats, ReportLike

if TYPE_CHECKING:
    from contimg_lab.records.qa import Outcome

__all__ = ["headline", "in_words", "named", "why_no_chart"]

_MOST = 6  # outcomes that are told one by one


def headline(report: ReportLike, check: str, what: str) -> str:
    """Return a title: the check, the night, what is shown, and what was said."""
    outcomes = report.of(check)
    scope = {one.scope for one in outcomes}.pop() if outcomes else "night"
    plural = scope if scope == "MS" or len(outcomes) == 1 else f"{scope}s"
    said = f"{plural}: {_counted(outcomes)}"
    return f"{check}: {what}; {said}"


def in_words(
    report: ReportLike,
    check: str,
    what: str,
    values: Floats,
    unit: str,
    bounds: Iterable[Bound],
    more: Iterable[str] = (),
) -> str:
    """Say a figure in words, with its numbers: the alternative text."""
    unit = f" {unit}" if unit else ""
    known = values[np.isfinite(values)]
    told = [f"{what} on {report.night} (UTC)"]
    if known.size:
        told[0] += f", N = {known.size}"
        told.append(f"median {np.median(known):.4g}{unit}, {known.min():.4g} to {known.max():.4g}")
    limits = [bound.words for bound in bounds]
    if limits:
        told.append(f"limits: {', '.join(limits)}")
    told += more
    worst = [one for one in report.of(check) if one.word in (WARN, FAIL)]
    for one in worst[:_MOST]:
        where = f"{one.scope} {one.key}" if one.scope != "hour" else f"hour {one.key}"
        told.append(f"{where} {one.word}: {one.why}")
    if len(worst) > _MOST:
        told.append(f"and {len(worst) - _MOST} more")
    told.append(f"outcomes: {_counted(report.of(check))}")
    return f"{'; '.join(told)}."


def _counted(outcomes: Iterable[Outcome]) -> str:
    """Count outcomes by word, the worst first: "1 fail, 2 warn, 5 pass"."""
    words = [one.word for one in outcomes]
    order = (FAIL, WARN, PASS, NOT_APPLICABLE)
    return ", ".join(f"{words.count(word)} {word}" for word in order if word in words)


def named(paths: Iterable[object]) -> tuple[str, ...]:
    """Return the last part of each path."""
    return tuple(str(path).rsplit("/", 1)[-1] for path in paths)


def why_no_chart(report: ReportLike, check: str) -> str:
    """Say in words what a check without a picture said: how often, and the worst of it."""
    outcomes = report.of(check)
    worst = max(outcomes, key=lambda one: WORDS.index(one.word), default=None)
    why = "" if worst is None else f"; {worst.word}: {worst.why}"
    return f"{check}: {_counted(outcomes)}{why}."
