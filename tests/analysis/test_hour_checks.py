"""The words of an hour: each limit at its edge, and nothing to look at never passes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.hour_checks import (
    CHECKS,
    FAIL,
    LIMITS,
    NOT_APPLICABLE,
    PASS,
    WARN,
    HourFigures,
    flux_ratios,
    judge_hour,
)

GOOD = HourFigures(
    n_tiles=12, n_runs=20, n_failed=0, n_gaps=0, n_inside=12, n_nearest=0, n_none=0,
    farthest_hours=math.nan, n_noise=12, noise_ratio=1.0, largest_noise_ratio=1.5,
    beam_axis_ratio=1.45, flux_ratio=0.9, n_flux=40, n_catalogued=50, dec_offset_deg=-0.01,
    absent={},
)  # fmt: skip


def test_a_good_hour_passes_every_check():
    """An hour as it should be has eight times the word pass, each with its numbers."""
    told = judge_hour(GOOD)
    assert tuple(told) == CHECKS == tuple(LIMITS)
    assert {verdict.word for verdict in told.values()} == {PASS}
    assert all(verdict.why for verdict in told.values())
    assert all(limit.source for limit in LIMITS.values())


@pytest.mark.parametrize(
    ("check", "changed", "word"),
    [
        ("tiles", {"n_tiles": 8}, PASS), ("tiles", {"n_tiles": 7}, FAIL),
        ("tiles", {"n_tiles": 13}, WARN), ("tiles", {"n_tiles": 0}, FAIL),
        ("failed", {"n_failed": 2}, WARN), ("failed", {"n_failed": 3}, FAIL),
        ("failed", {"n_failed": 1, "n_runs": 0}, FAIL),
        ("calibration", {"n_none": 1}, FAIL),
        ("calibration", {"n_nearest": 1, "farthest_hours": 6.0}, PASS),
        ("calibration", {"n_nearest": 1, "farthest_hours": 6.1}, WARN),
        ("noise", {"noise_ratio": 1.5}, PASS), ("noise", {"noise_ratio": 1.51}, WARN),
        ("noise", {"noise_ratio": 2.0}, WARN), ("noise", {"noise_ratio": 2.01}, FAIL),
        ("noise", {"largest_noise_ratio": 3.0}, PASS),
        ("noise", {"largest_noise_ratio": 3.1}, WARN),
        ("noise", {"noise_ratio": 2.1, "largest_noise_ratio": 3.1}, FAIL),
        ("noise", {"noise_ratio": math.nan}, NOT_APPLICABLE),
        ("beam", {"beam_axis_ratio": 2.0}, PASS), ("beam", {"beam_axis_ratio": 2.1}, WARN),
        ("beam", {"beam_axis_ratio": 3.1}, FAIL),
        ("beam", {"beam_axis_ratio": math.nan}, NOT_APPLICABLE),
        ("flux_ratio", {"flux_ratio": 0.8}, PASS), ("flux_ratio", {"flux_ratio": 1.2}, PASS),
        ("flux_ratio", {"flux_ratio": 0.79}, FAIL), ("flux_ratio", {"flux_ratio": 1.21}, FAIL),
        ("flux_ratio", {"n_flux": 2}, FAIL), ("flux_ratio", {"n_flux": 3}, PASS),
        ("flux_ratio", {"n_flux": 0, "n_catalogued": 2, "flux_ratio": math.nan}, NOT_APPLICABLE),
        ("flux_ratio", {"n_flux": 2, "n_catalogued": 4, "flux_ratio": 0.7}, NOT_APPLICABLE),
        ("flux_ratio", {"n_flux": 2, "n_catalogued": 5}, FAIL),
        ("flux_ratio", {"n_flux": 0, "flux_ratio": math.nan}, FAIL),
        ("gaps", {"n_gaps": 1}, WARN),
        ("declination", {"dec_offset_deg": 0.1}, PASS),
        ("declination", {"dec_offset_deg": -0.11}, WARN),
        ("declination", {"dec_offset_deg": 5.01}, FAIL),
        ("declination", {"dec_offset_deg": math.nan}, NOT_APPLICABLE),
    ],
)  # fmt: skip
def test_each_limit_is_where_it_is_told(check, changed, word):
    """At a limit the better word holds, beyond it the worse; the other checks do not move."""
    told = judge_hour(replace(GOOD, **changed))
    assert told[check].word == word
    assert {v.word for name, v in told.items() if name not in (check, "failed")} == {PASS}


@given(st.sets(st.sampled_from(CHECKS)))
def test_what_is_absent_is_not_applicable_with_its_reason(absent):
    """A check that cannot be made never passes, whatever the numbers are."""
    told = judge_hour(replace(GOOD, absent=dict.fromkeys(absent, "no such column")))
    for check, verdict in told.items():
        wanted = (NOT_APPLICABLE, "no such column") if check in absent else (PASS, verdict.why)
        assert (verdict.word, verdict.why) == wanted


ROW = st.tuples(st.integers(0, 3), st.integers(0, 5), st.floats(0.1, 9.0), st.booleans())


@given(st.lists(ROW, max_size=60))
def test_flux_ratios_are_medians_of_detections(rows):
    """The median of an hour is over its detections; sources are counted once each."""
    hour, source, ratio, found = (np.array(part) for part in zip(*rows, strict=True)) if rows else (
        np.zeros(0, int), np.zeros(0, int), np.zeros(0), np.zeros(0, bool)
    )  # fmt: skip
    told = flux_ratios(hour, source, ratio, found)
    assert sorted(told) == sorted({row[0] for row in rows})
    for one, (median, n_found, n_measured) in told.items():
        seen = [row for row in rows if row[0] == one and row[3]]
        assert n_found == len({row[1] for row in seen})
        assert n_measured == len({row[1] for row in rows if row[0] == one})
        if seen:
            assert median == np.median([row[2] for row in seen])
        else:
            assert math.isnan(median)
