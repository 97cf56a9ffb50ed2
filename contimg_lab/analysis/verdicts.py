"""What the outcomes of a night come to: verdicts, a recommendation by rule, what to withdraw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, PASS, WARN
from contimg_lab.records.qa import Outcome

__all__ = [
    "ACCEPT",
    "DECISIONS",
    "EXCEPTIONS",
    "HOLD",
    "REJECT",
    "Recommendation",
    "Withdrawal",
    "recommend_hour",
    "recommend_night",
    "verdict_of",
    "withdrawals",
]

ACCEPT, EXCEPTIONS, REJECT, HOLD = "accept", "accept with exceptions", "reject", "hold"
DECISIONS = (ACCEPT, EXCEPTIONS, HOLD, REJECT)
"""What can be recommended, and decided."""

_BADNESS = {NOT_APPLICABLE: 0, PASS: 1, WARN: 2, FAIL: 3}
_SHOWN = 4  # names in a rule's words


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One of `DECISIONS`, and the rule that gave it, in words."""

    decision: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """One thing without which some gates would not fail.

    Attributes
    ----------
    scope, key, hour
        As in `Outcome`; ``hour`` None: the whole night.
    checks
        Gates that fail because of it.
    """

    scope: str
    key: str
    hour: int | None
    checks: tuple[str, ...]


def verdict_of(outcomes: Iterable[Outcome], gates: frozenset[str]) -> str:
    """Return the worst word of some outcomes: pass, warn, fail, or not applicable.

    What a notice says counts as a warning at most; not applicable is the verdict only where
    nothing else was said.

    Parameters
    ----------
    outcomes
        Of one hour, or of a night.
    gates
        Names of the checks whose fail is a fail.

    Examples
    --------
    >>> one = Outcome(check="noise", scope="hour", key="06", hour=6, word="fail", unit="1", why="")
    >>> verdict_of([one], frozenset({"noise"})), verdict_of([one], frozenset())
    ('fail', 'warn')
    """
    words = (WARN if one.word == FAIL and one.check not in gates else one.word for one in outcomes)
    return max(words, key=_BADNESS.__getitem__, default=NOT_APPLICABLE)


def recommend_hour(
    outcomes: Sequence[Outcome], gates: frozenset[str], unfinished: int
) -> Recommendation:
    """Recommend what to do with one hour; the first rule that holds gives it.

    Parameters
    ----------
    outcomes
        Of the hour.
    gates
        As for `verdict_of`.
    unfinished
        Runs of the hour that are pending or running.
    """
    failed = _names(one for one in outcomes if one.word == FAIL and one.check in gates)
    if failed:
        return Recommendation(REJECT, f"a gate fails: {failed}")
    if all(one.word == NOT_APPLICABLE for one in outcomes if one.check in gates):
        return Recommendation(HOLD, "no gate could be judged")
    if unfinished:
        runs = "run is" if unfinished == 1 else "runs are"
        return Recommendation(HOLD, f"{unfinished} {runs} not finished")
    warned = _names(one for one in outcomes if one.word in (WARN, FAIL))
    if warned:
        told = f"no gate fails, and each warning needs a word: {warned}"
        return Recommendation(EXCEPTIONS, told + _unjudged(outcomes, gates))
    told = "no gate fails, and nothing warns"
    return Recommendation(ACCEPT, told + _unjudged(outcomes, gates))


def _unjudged(outcomes: Sequence[Outcome], gates: frozenset[str]) -> str:
    """Gates that nothing is known of: a reviewer must read of them, though they alarm nobody."""
    judged = {one.check for one in outcomes if one.word != NOT_APPLICABLE}
    left = dict.fromkeys(o.check for o in outcomes if o.check in gates - judged)
    return f"; gates that could not be judged: {', '.join(left)}" if left else ""


def recommend_night(
    hours: Mapping[int, Recommendation], whole: Sequence[Outcome], gates: frozenset[str]
) -> Recommendation:
    """Recommend what to do with a night: the roll-up of its hours, and what is of the whole night.

    Parameters
    ----------
    hours
        What is recommended for each hour.
    whole
        Outcomes that belong to no hour.
    gates
        As for `verdict_of`.
    """
    failed = _names(one for one in whole if one.word == FAIL and one.check in gates)
    if failed:
        return Recommendation(REJECT, f"a gate of the whole night fails: {failed}")
    if not hours:
        return Recommendation(HOLD, "the night has no hour to judge")
    of: dict[str, list[str]] = {}
    for hour, one in sorted(hours.items()):
        of.setdefault(one.decision, []).append(f"{hour:02d}")
    if set(of) == {REJECT}:
        return Recommendation(REJECT, "every hour fails a gate")
    if HOLD in of:
        return Recommendation(HOLD, f"hours to hold: {', '.join(of[HOLD])}")
    told = []
    if REJECT in of:
        told.append(f"hours {', '.join(of[REJECT])} fail a gate and are to be left out")
    if EXCEPTIONS in of:
        told.append(f"hours {', '.join(of[EXCEPTIONS])} have warnings")
    warned = _names(one for one in whole if one.word in (WARN, FAIL))
    if warned:
        told.append(f"of the whole night: {warned}")
    if told:
        return Recommendation(EXCEPTIONS, "; ".join(told))
    return Recommendation(ACCEPT, "no gate fails, and nothing warns")


def withdrawals(outcomes: Iterable[Outcome], gates: frozenset[str]) -> tuple[Withdrawal, ...]:
    """Name what would have to be withdrawn for no gate to fail, hours first, in order."""
    found: dict[tuple[str, str, int | None], list[str]] = {}
    for one in outcomes:
        if one.word == FAIL and one.check in gates:
            checks = found.setdefault((one.scope, one.key, one.hour), [])
            if one.check not in checks:
                checks.append(one.check)
    order = sorted(found, key=lambda at: (at[2] is None, at[2] or 0, at[0], at[1]))
    return tuple(
        Withdrawal(scope=scope, key=key, hour=hour, checks=tuple(found[scope, key, hour]))
        for scope, key, hour in order
    )


def _names(outcomes: Iterable[Outcome]) -> str:
    counts = Counter(one.check for one in outcomes)
    told = [name if n == 1 else f"{name} ({n})" for name, n in counts.items()]
    more = [f"{len(told) - _SHOWN} more"] if len(told) > _SHOWN else []
    return ", ".join([*told[:_SHOWN], *more])
