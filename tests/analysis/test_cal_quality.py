"""Cal tables are judged by stated limits, aged by hours and given a tier by their dates."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.cal_quality import FLOORS, age_word, judge, metrics_of, tier_of

RANK = {"not recorded": 0, "pass": 1, "warn": 2, "fail": 3}


@given(st.floats(0.0, 200.0), st.floats(0.0, 1.0))
def test_the_worst_metric_counts(snr: float, flagged: float) -> None:
    """The word of a table must be the worst of the words of its metrics."""
    metrics = {"snr_mean": snr, "flagged_fraction": flagged}
    words = [FLOORS[name].word(value) for name, value in metrics.items()]
    assert judge(metrics) == max(words, key=RANK.__getitem__)


@given(st.floats(0.0, 200.0), st.floats(0.0, 100.0))
def test_a_better_value_never_has_a_worse_word(value: float, more: float) -> None:
    """Higher SNR, or fewer flags, must not be called worse."""
    words = [RANK[FLOORS["snr_mean"].word(v)] for v in (value, value + more)]
    assert words[0] >= words[1]
    flagged = [RANK[FLOORS["flagged_fraction"].word(v / 300.0)] for v in (value, value + more)]
    assert flagged[0] <= flagged[1]


def test_limits_are_those_of_the_pipeline() -> None:
    """SNR 10 and flagging 0.3 must pass, just beyond warn, beyond the second limits fail."""
    for snr, word in ((10.0, "pass"), (9.99, "warn"), (5.0, "warn"), (4.99, "fail")):
        assert FLOORS["snr_mean"].word(snr) == word
    for flagged, word in ((0.3, "pass"), (0.31, "warn"), (0.5, "warn"), (0.51, "fail")):
        assert FLOORS["flagged_fraction"].word(flagged) == word
    assert judge({}) == "not recorded"
    assert all("practice 1c" in floor.source for floor in FLOORS.values())


@given(st.text() | st.none())
def test_any_text_is_read_or_passed_over(text: str | None) -> None:
    """Malformed metrics must give no numbers and no error."""
    assert all(math.isfinite(value) for value in metrics_of(text).values())


@given(st.dictionaries(st.text(max_size=8), st.floats(-1e6, 1e6) | st.booleans() | st.text()))
def test_numbers_come_back(metrics: dict[str, object]) -> None:
    """Every number must be read as it was written, and nothing else."""
    wanted = {n: v for n, v in metrics.items() if isinstance(v, float)}
    assert metrics_of(json.dumps(metrics)) == pytest.approx(wanted)


def test_ages_and_tiers() -> None:
    """6 h is aging, beyond 12 h stale; a tier needs the dates of both tables."""
    ages = [(5.9, "fresh"), (6.0, "aging"), (-12.0, "aging"), (12.1, "stale"), (None, "unknown")]
    assert all(age_word(hours) == word for hours, word in ages)
    day, other = "2025-11-06", "2025-11-05"
    tiers = [
        (day, day, "A"), (day, other, "B"), (other, day, "C"), (other, other, "C"),
        (None, day, "unknown"), (day, None, "unknown"),
    ]  # fmt: skip
    for bandpass, gain, tier in tiers:
        found, why = tier_of(day, bandpass, gain)
        assert found == tier
        assert why
    assert tier_of(None, day, day)[0] == "unknown"
