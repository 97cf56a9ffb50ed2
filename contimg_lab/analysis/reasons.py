"""Why a statistic is undefined: one code and one phrase for each NaN of this package."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["WORDS", "Statistic", "Why", "decide", "words"]


class Why(IntEnum):
    """Codes; 0 is a value that is defined. What each means is in `WORDS`."""

    DEFINED = 0
    NO_EPOCHS = 1
    ONE_EPOCH = 2
    MEAN_NOT_POSITIVE = 3
    NEGATIVE_RADICAND = 4
    NO_SCATTER = 5
    NO_PAIRS = 6
    NO_TIMES = 7
    NO_EXCESS = 8
    SUM_NOT_POSITIVE = 9
    NOT_FINITE = 10
    CANNOT_REACH = 11
    NO_LOGARITHM = 12
    TOO_FEW_SOURCES = 13
    TOO_FEW_REFERENCES = 14
    INPUT_UNDEFINED = 15
    SCALE_NOT_SEEN = 16


WORDS: Mapping[int, str] = {
    Why.DEFINED: "",
    Why.NO_EPOCHS: "no epochs",
    Why.ONE_EPOCH: "fewer than 2 epochs",
    Why.MEAN_NOT_POSITIVE: "mean not positive",
    Why.NEGATIVE_RADICAND: "negative radicand: scatter below the errors",
    Why.NO_SCATTER: "no scatter: all fluxes equal",
    Why.NO_PAIRS: "fewer than 2 pairs of epochs close in time",
    Why.NO_TIMES: "an epoch without a time",
    Why.NO_EXCESS: "no excess: scatter equals the errors",
    Why.SUM_NOT_POSITIVE: "denominator not positive",
    Why.NOT_FINITE: "beyond the range of a double",
    Why.CANNOT_REACH: "too few epochs to reach the threshold",
    Why.NO_LOGARITHM: "not positive: no logarithm",
    Why.TOO_FEW_SOURCES: "too few sources for a fit",
    Why.TOO_FEW_REFERENCES: "too few reference sources in the image",
    Why.INPUT_UNDEFINED: "a value that the rule needs is undefined",
    Why.SCALE_NOT_SEEN: "flux scale not positive by 3 of its errors: the image shows no source",
}
"""What each code means, in words for a table."""


class Statistic(NamedTuple):
    """A statistic of m sources: its value, and why it is NaN.

    Attributes
    ----------
    value
        Shape (m,); NaN exactly where ``reason`` is not 0.
    reason
        Shape (m,): a `Why` code.
    """

    value: NDArray[np.float64]
    reason: NDArray[np.uint8]


def decide(
    value: NDArray[np.float64], *checks: tuple[NDArray[np.bool_], Why], unbounded: bool = False
) -> Statistic:
    """Make NaN of what a check refuses, with the reason of the first that does.

    Parameters
    ----------
    value
        Shape (m,); anything where a check refuses.
    *checks
        Where the statistic is undefined, shape (m,), and why; the first counts.
    unbounded
        Whether an infinity is a value. Else it is NaN, with the reason `Why.NOT_FINITE`.
    """
    value = np.asarray(value, np.float64)
    bad = np.isnan(value) if unbounded else ~np.isfinite(value)
    conditions = [*(where for where, _ in checks), bad]
    codes = [*(np.uint8(why) for _, why in checks), np.uint8(Why.NOT_FINITE)]
    reason = np.select(conditions, codes, np.uint8(Why.DEFINED)).astype(np.uint8)
    return Statistic(np.where(reason == 0, value, np.nan), reason)


def words(reason: NDArray[np.uint8]) -> NDArray[np.object_]:
    """Phrase of each code, ``""`` where the value is defined."""
    phrases = np.array([WORDS[code] for code in range(len(WORDS))], object)
    found: NDArray[np.object_] = phrases[reason]
    return found
