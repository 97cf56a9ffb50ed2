"""The value of each part of a night's report: what is compared, to the last bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, WARN, WORDS, Check, all_checks
from contimg_lab.records.qa import Outcome

if TYPE_CHECKING:
    from contimg_lab.services.night_report import NightReport

__all__ = ["MEANINGS", "SEVERAL", "check_of", "part_value"]

SEVERAL = ", "
"""Between the names of checks that are one part together."""

_Value = Callable[["NightReport"], Any]


def part_value(report: NightReport, name: str) -> Any:
    """Return the value of one part, of JSON's kinds: a view's, or the outcomes of checks."""
    if SEVERAL in name:
        return {one: part_value(report, one) for one in name.split(SEVERAL)}
    made = _VALUES.get(name)
    return [one.to_json() for one in report.of(name)] if made is None else made(report)


def check_of(name: str) -> Check | None:
    """Return the check of this name, if there is one."""
    return next((one for one in all_checks() if one.name == name), None)


def _verdict(report: NightReport) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {word: {} for word in reversed(WORDS)}
    for one in report.outcomes:
        counts[one.word][one.check] = counts[one.word].get(one.check, 0) + 1
    return {
        "verdict": report.verdict,
        "recommendation": dataclasses.asdict(report.recommendation),
        "outcomes": counts,
    }


def _hours(report: NightReport) -> list[dict[str, Any]]:
    return [
        {
            "hour": one.hour,
            "verdict": one.verdict,
            "recommendation": dataclasses.asdict(one.recommendation),
            "classes": list(one.promotion.classes),
            "conditions": {
                name: {
                    "is_met": None if held.is_met is None else bool(held.is_met),
                    "why": held.why,
                }
                for name, held in one.promotion.conditions.items()
            },
            "summary": dataclasses.asdict(one.summary),
        }
        for one in report.judged
    ]


def _is(met: bool | None) -> bool | None:
    return None if met is None else bool(met)  # of numpy


def _checks(report: NightReport) -> dict[str, Any]:
    return {
        "hours": [one.hour for one in report.judged],
        "words": report.words(),
        "gates": sorted(report.gates),
    }


def _of_word(word: str) -> _Value:
    def listed(report: NightReport) -> list[dict[str, Any]]:
        return [_without_source(one) for one in report.outcomes if one.word == word]

    return listed


def _without_source(one: Outcome) -> dict[str, Any]:
    """Whose limit it is stands with the check, and with the thresholds."""
    return {name: held for name, held in one.to_json().items() if name != "threshold_source"}


def _withdraw(report: NightReport) -> list[dict[str, Any]]:
    return [dataclasses.asdict(one) for one in report.withdraw]


def _thresholds(report: NightReport) -> dict[str, Any]:
    limits = report.thresholds.limits
    return {
        "name": report.thresholds.name,
        "digest": report.thresholds.digest,
        "limits": {name: dataclasses.asdict(limits[name]) for name in sorted(limits)},
    }


def _evidence(report: NightReport) -> dict[str, Any]:
    return report.evidence.summary


def _stage_grade(report: NightReport) -> dict[str, int]:
    return dict(report.stage_grades)


_VALUES: Mapping[str, _Value] = {
    "verdict": _verdict,
    "hours": _hours,
    "checks": _checks,
    "fails": _of_word(FAIL),
    "warns": _of_word(WARN),
    "not applicable": _of_word(NOT_APPLICABLE),
    "withdraw": _withdraw,
    "stage grade": _stage_grade,
    "thresholds": _thresholds,
    "evidence": _evidence,
}

MEANINGS: Mapping[str, str] = {
    "verdict": "the worst word of the hours and of the whole night, and what follows by rule",
    "hours": "the worst word of each hour's checks, what follows by rule, and its counts",
    "checks": "the worst word of each check in each hour, and of the whole night",
    "fails": "every outcome that is a fail",
    "warns": "every outcome that is a warning",
    "not applicable": "every check that could not be made, and why",
    "withdraw": "what would have to be withdrawn for no gate to fail",
    "stage grade": "MS by the older system's grade, told from the stage alone: no measurement",
    "thresholds": "the set of limits that the night was judged by",
    "evidence": "every row that the night was judged by: SHA-256 by table and hour",
}
"""What each part is, in words; a part of any other name is the check of that name."""
