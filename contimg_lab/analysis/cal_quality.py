"""The floor of a cal table: its SNR and its flagged fraction, the limits with their source."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from contimg_lab.analysis.coverage import MAX_DISTANCE_HOURS, WARN_DISTANCE_HOURS

__all__ = [
    "EMPTY_SLOTS_FRACTION",
    "FLOORS",
    "Floor",
    "age_word",
    "judge",
    "metrics_of",
    "tier_of",
]

EMPTY_SLOTS_FRACTION = 0.18
"""Flagged share of a table that lost nothing: 21 of 117 antenna slots are empty for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Limits of one metric.

    Attributes
    ----------
    warn, fail
        Beyond these the word is warn, and fail.
    high_is_bad
        The limits are ceilings.
    told
        The rule in words.
    source
        Who uses them.
    """

    warn: float
    fail: float
    high_is_bad: bool
    told: str
    source: str

    def word(self, value: float) -> str:
        """Return pass, warn, fail, or "not recorded" for NaN."""
        if math.isnan(value):
            return "not recorded"
        for limit, word in ((self.fail, "fail"), (self.warn, "warn")):
            if (value > limit) if self.high_is_bad else (value < limit):
                return word
        return "pass"


FLOORS: Mapping[str, Floor] = {
    "snr_mean": Floor(
        warn=10.0,
        fail=5.0,
        high_is_bad=False,
        told="mean SNR: warn below 10, fail below 5",
        source="practice 1c: the pipeline's alert, and its hardening module",
    ),
    "flagged_fraction": Floor(
        warn=0.3,
        fail=0.5,
        high_is_bad=True,
        told="flagged: warn above 0.30, fail above 0.50; 0.18 is lost in any table "
        "(21 of 117 antenna slots are empty)",
        source="practice 1c; the newer pipeline only warns above 0.50 unless it is strict",
    ),
}
"""Defaults by metric, which upstream does not agree on with itself."""


def metrics_of(text: str | None) -> dict[str, float]:
    """Return the numbers of a JSON text; what is malformed or no number is left out.

    Examples
    --------
    >>> metrics_of('{"snr_mean": 98, "qa_passed": true, "issues": []}'), metrics_of("{snr")
    ({'snr_mean': 98.0}, {})
    """
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        str(name): float(value)
        for name, value in found.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
    }


def judge(metrics: Mapping[str, float]) -> str:
    """Return the worst word of a table's metrics.

    Parameters
    ----------
    metrics
        By name, as the pipeline recorded them; those without a floor are passed over.

    Examples
    --------
    >>> judge({"snr_mean": 98.0, "flagged_fraction": 0.31}), judge({"n_solutions": 4.0})
    ('warn', 'not recorded')
    """
    words = {floor.word(metrics.get(name, math.nan)) for name, floor in FLOORS.items()}
    return next((word for word in ("fail", "warn", "pass") if word in words), "not recorded")


def age_word(hours: float | None) -> str:
    """Return how old a table is for an MS: fresh, aging, stale or unknown.

    Parameters
    ----------
    hours
        From the MS's mid time to the middle of the table's window; None: not known.

    Examples
    --------
    >>> age_word(1.2), age_word(-7.0), age_word(13.0), age_word(None)
    ('fresh', 'aging', 'stale', 'unknown')
    """
    if hours is None or math.isnan(hours):
        return "unknown"
    away = abs(hours)
    if away < WARN_DISTANCE_HOURS:
        return "fresh"
    return "aging" if away <= MAX_DISTANCE_HOURS else "stale"


def tier_of(date: str | None, bandpass: str | None, gain: str | None) -> tuple[str, str]:
    """Return the provenance tier of an MS, and why.

    Parameters
    ----------
    date
        UTC date of the MS.
    bandpass, gain
        UTC dates on which its tables were solved; None: there is none, or it is not known.

    Examples
    --------
    >>> tier_of("2025-11-06", "2025-11-06", "2025-11-05")
    ('B', 'bandpass of the same date, gains of 2025-11-05')
    """
    if date is None:
        return "unknown", "the MS has no time"
    if bandpass is None:
        return "unknown", "no bandpass table, or not known when it was solved"
    if gain is None:
        return "unknown", "no gain table, or not known when it was solved"
    own = (bandpass == date, gain == date)
    if own == (True, True):
        return "A", "bandpass and gains of the same date"
    if own[0]:
        return "B", f"bandpass of the same date, gains of {gain}"
    if own[1]:
        return "C", f"bandpass of {bandpass}, gains of the same date"
    return "C", f"both borrowed: bandpass of {bandpass}, gains of {gain}"
