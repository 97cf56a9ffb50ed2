"""Which checks there are, those of other packages among them, and how all of them are run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from contimg_lab.analysis.checks._declared import (
    NOT_APPLICABLE,
    OWN,
    WHOLE,
    Check,
    Found,
    Function,
    Limits,
)
from contimg_lab.analysis.checks._night import Night
from contimg_lab.records.qa import Outcome
from contimg_lab.thresholds import Thresholds

__all__ = ["GROUP", "all_checks", "run_checks"]

GROUP = "contimg_lab.checks"
"""Entry points by which other packages add checks: each names one, made by `check`."""

_NOT_DONE = "this check could not be made"


def all_checks(*, others: Iterable[EntryPoint] | None = None) -> tuple[Check, ...]:
    """Every check: this package's, then other packages', each by name.

    Parameters
    ----------
    others
        Entry points to read instead of those that are installed.
    """
    theirs: dict[str, Check] = {}
    for point in entry_points(group=GROUP) if others is None else others:
        made = _loaded(point)
        if made.name in OWN or made.name in theirs:
            made = _broken(f"{point.name} ({point.value})", f"a check is named {made.name} already")
        theirs[made.name] = made
    return (*(OWN[name] for name in sorted(OWN)), *(theirs[name] for name in sorted(theirs)))


def run_checks(
    night: Night, thresholds: Thresholds, checks: Iterable[Check] | None = None
) -> tuple[Outcome, ...]:
    """Run checks on a night, in their order; each gives at least one outcome.

    A check that raises is not applicable, with the words of its error.

    Parameters
    ----------
    night
        Its columns.
    thresholds
        The set that it is judged by.
    checks
        None: all of them.
    """
    outcomes: list[Outcome] = []
    for one in all_checks() if checks is None else checks:
        try:
            made = one.run(night, thresholds)
        except Exception as error:  # another's mistake must not take the report with it
            made = replace(one, function=_raised(error, one.scope), needs=()).run(night, thresholds)
        outcomes += made
    return tuple(outcomes)


def _raised(error: Exception, scope: str) -> Function:
    said = f"{_NOT_DONE}: {type(error).__name__}: {error}"

    def tell(night: Night, limits: Limits) -> Iterable[Found]:
        whole = scope in WHOLE or not night.hours
        hours = (None,) if whole else night.hours
        return [Found(word=NOT_APPLICABLE, why=said, hour=hour) for hour in hours]

    return tell


def _loaded(point: EntryPoint) -> Check:
    name = f"{point.name} ({point.value})"
    try:
        made: Any = point.load()
    except Exception as error:  # whatever an import of another package may raise
        return _broken(name, f"{type(error).__name__}: {error}")
    if not isinstance(made, Check):
        return _broken(name, f"{made!r} was not made by contimg_lab.analysis.checks.check")
    return made


def _broken(name: str, why: str) -> Check:
    """Stand in for a check of another package that could not be read."""

    def tell(night: Night, limits: Limits) -> Iterable[Found]:
        yield Found(word=NOT_APPLICABLE, why=f"{_NOT_DONE}: {why}")

    return Check(
        name=name,
        protects_against="not known",
        metric="not known",
        unit="1",
        scope="night",
        severity="notice",
        needs=(),
        function=tell,
        limits={},
        package=name,
    )
