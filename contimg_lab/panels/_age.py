"""How old may be what takes long to read again, and when that has to be told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

__all__ = ["LONG_S", "is_told", "most_age_s"]

LONG_S = 2.0
"""Who waits longer than that for photometry is shown what was read before."""

_LENGTHS = 10.0  # in lengths of reading it again


def most_age_s(lab: Any) -> float:
    """Return how old photometry may be, in seconds: 0 unless it takes long to read again."""
    built_s = lab.status().store.built_s or 0.0
    return _LENGTHS * built_s if built_s > LONG_S else 0.0


def is_told(as_of: datetime, max_age_s: float) -> bool:
    """Whether a state that was current then is so old that its time has to stand beside it."""
    return max_age_s > 0.0 and (datetime.now(UTC) - as_of).total_seconds() > LONG_S
