"""What the index calls a regression, and the small figures that show it."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.cli._qa_figures import QUANTITIES, compare
from contimg_lab.cli._qa_index_chart import nights_chart, picture
from contimg_lab.cli._qa_index_rows import compared_figures, worst_words

numbers = st.floats(1e-3, 1e3)
series = st.lists(st.one_of(st.none(), numbers), max_size=20)


def report(noise_jy: float | None, failed: int = 0, **values: float) -> dict[str, Any]:
    """As much of a report as figures are taken from."""
    return {
        "summary": {
            "status_counts": {"completed": 40 - failed, "failed": failed},
            "noise_median_jy": noise_jy,
            "n_tiles": 36,
        },
        "outcomes": [
            {"check": name, "value": value, "word": "pass"} for name, value in values.items()
        ],
    }


def nights_of(reports: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Reports of nights that follow each other."""
    return {f"2025-11-{day:02d}": one for day, one in enumerate(reports, start=1)}


def figures(reports: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the index tells of them."""
    held = nights_of(reports)
    return compared_figures(sorted(held), sorted(held), held)


@given(before=series, value=numbers, name=st.sampled_from(sorted(QUANTITIES)))
def test_rule(before: list[float | None], value: float, name: str) -> None:
    """A night stands out by the rule as it is written, and is a regression to the worse side."""
    told = compare(name, before, value, 0.0)
    last = [one for one in before[-14:] if one is not None]
    assert told.n_before == len(last)
    if len(last) < 5:
        assert (told.before, told.deviation, told.stands_out) == (None, None, None)
        return
    middle = statistics.median(last)
    mad = statistics.median(abs(one - middle) for one in last)
    sigma = max(1.4826 * mad, 0.01 * middle)
    assert told.before == pytest.approx(middle)
    assert told.before_sigma == pytest.approx(sigma)
    away = (value - middle) / sigma
    if math.isclose(abs(away), 4.0, rel_tol=1e-6):
        return
    side = ("high" if away > 0 else "low") if abs(away) > 4.0 else None
    assert told.stands_out == side
    worse = QUANTITIES[name].worse
    assert told.is_regression == (side is not None and worse in (side, "both"))


@given(st.lists(numbers, min_size=6, max_size=20), st.lists(numbers, max_size=8))
def test_later_nights_change_nothing(noise: list[float], later: list[float]) -> None:
    """What is told of a night stays as it is, whatever nights come after it."""
    first = figures([report(one) for one in noise])
    both = figures([report(one) for one in [*noise, *later]])
    assert {night: both[night] for night in first} == first


def test_a_jump_is_marked() -> None:
    """A noisy night is a regression; a quiet one stands out and is none."""
    usual = [report(0.010 + 0.0001 * (i % 5)) for i in range(10)]
    told = figures([*usual, report(0.015), report(0.006)])
    assert told["2025-11-11"]["noise_jy"]["stands_out"] == "high"
    assert told["2025-11-11"]["noise_jy"]["is_regression"]
    assert told["2025-11-12"]["noise_jy"]["stands_out"] == "low"
    assert not told["2025-11-12"]["noise_jy"]["is_regression"]
    assert not any(told[night]["noise_jy"]["stands_out"] for night in list(told)[:10])


@pytest.mark.parametrize(("failed", "is_regression"), [(1, False), (4, False), (5, True)])
def test_one_failed_run_is_none(failed: int, is_regression: bool) -> None:
    """After nights without any failed run, it takes more than four to be a regression."""
    told = figures([*(report(0.01) for _ in range(8)), report(0.01, failed)])
    assert told["2025-11-09"]["failed_fraction"]["is_regression"] is is_regression


def test_worst_word() -> None:
    """Of what a check said of hours and rows, the worst word stands."""
    words = [("a", "pass"), ("b", "warn"), ("a", "fail"), ("b", "not applicable"), ("a", "warn")]
    told = {"outcomes": [{"check": check, "word": word} for check, word in words]}
    assert worst_words(told) == {"a": "fail", "b": "warn"}


def test_figure() -> None:
    """A figure tells in words which nights stand out, and is a picture of its own bytes."""
    held = nights_of([*(report(0.010 + 0.0001 * (i % 5)) for i in range(10)), report(0.015)])
    told = compared_figures(sorted(held), sorted(held), held)
    rows = [{"night": night, "figures": one} for night, one in told.items()]
    chart = nights_chart("noise_jy", rows[5:], [
        {"night": row["night"], "figures": {n: f["value"] for n, f in row["figures"].items()}}
        for row in rows[:5]
    ])  # fmt: skip
    assert "2025-11-11 (high)" in chart.alt
    assert "15" in chart.alt
    assert sum(len(points) for points in chart.points) == 11
    assert picture(chart).startswith("data:image/png;base64,iVBOR")
    assert nights_chart("flux_ratio", rows, []).empty
