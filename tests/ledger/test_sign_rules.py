"""What may be signed: no failing check is accepted without its own reason in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.canonical import canonical
from contimg_lab.services._sign_rules import DECISIONS, decide, hour_name, storable

HOURS = ["05", "06"]
OUTCOMES = [
    {"check": "noise", "hour": 5, "key": "/a.fits", "word": "fail"},
    {"check": "noise", "hour": 5, "key": "/b.fits", "word": "fail"},
    {"check": "noise", "hour": 6, "key": "/c.fits", "word": "pass"},
    {"check": "beam", "hour": 6, "key": None, "word": "warn"},
    {"check": "gaps", "hour": None, "key": None, "word": "fail"},
]
NOISE = {"check": "noise", "hour": 5, "reason": "bright source in the field"}
GAPS = {"check": "gaps", "reason": "wind"}


def decided(decision: str, *exceptions: dict[str, Any], **more: Any) -> Any:
    """Hold a decision about these outcomes against the rules."""
    promotions = more.pop("promotions", {})
    outcomes = more.pop("outcomes", OUTCOMES)
    return decide(outcomes, HOURS, promotions, decision=decision, exceptions=exceptions, **more)


def test_a_fail_needs_its_exception() -> None:
    """Accepting beside failing checks must name each that has no exception, and then none."""
    with pytest.raises(InvalidInput, match="accept with exceptions") as error:
        decided("accept with exceptions")
    with pytest.raises(InvalidInput) as error:
        decided("accept")
    assert "noise in hour 05 (/a.fits); noise in hour 05 (/b.fits); gaps of the night" in str(
        error.value
    )
    with pytest.raises(InvalidInput) as error:
        decided("accept with exceptions", NOISE)
    assert "gaps" in str(error.value)
    assert "noise" not in str(error.value)
    with pytest.raises(InvalidInput, match=r"b\.fits"):
        decided("accept with exceptions", GAPS, {**NOISE, "key": "/a.fits"})
    made = decided("accept with exceptions", NOISE, GAPS)
    assert {hour: told["decision"] for hour, told in made.hours.items()} == {
        "05": "accept with exceptions",
        "06": "accept",
    }
    assert made.exceptions[0] == {**NOISE, "hour": "05", "key": None}


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_an_exception_says_why(reason: str | None) -> None:
    """An exception without a reason must be refused."""
    with pytest.raises(InvalidInput, match="has no reason"):
        decided("accept with exceptions", NOISE, {**GAPS, "reason": reason})


@pytest.mark.parametrize(
    "exception",
    [
        {"check": "noise", "hour": 6},
        {"check": "noise"},
        {"check": "noise", "hour": 5, "key": "/c.fits"},
        {"check": "nose", "hour": 5},
        {"check": "gaps", "hour": 5},
    ],
)
def test_an_exception_is_about_something(exception: dict[str, Any]) -> None:
    """An exception for what neither fails nor warns must be refused: it would be a slip."""
    with pytest.raises(InvalidInput, match="about nothing"):
        decided("accept with exceptions", NOISE, GAPS, {**exception, "reason": "so"})


def test_what_is_not_accepted_needs_no_exception() -> None:
    """A rejected hour of an accepted night needs none; nor does a night rejected or held."""
    made = decided("accept with exceptions", GAPS, hours={"05": "reject"})
    assert made.hours["05"]["decision"] == "reject"
    for decision in ("reject", "hold"):
        assert decided(decision).hours["06"] == {"decision": decision, "promotion": None}
        with pytest.raises(InvalidInput, match="no other decision"):
            decided(decision, NOISE)


def test_a_night_is_accepted_with_its_hours() -> None:
    """A night must not be rejected with an hour accepted, nor accepted with none."""
    with pytest.raises(InvalidInput, match="accepted with its hours"):
        decided("reject", hours={6: "accept"})
    with pytest.raises(InvalidInput, match="accepted with its hours"):
        decided("accept with exceptions", GAPS, hours={5: "reject", 6: "hold"})
    with pytest.raises(InvalidInput, match="judges no hour 07"):
        decided("reject", hours={7: "reject"})
    with pytest.raises(InvalidInput, match="exception is about it"):
        decided("accept with exceptions", NOISE, GAPS, hours={5: "accept"})


def test_promotion() -> None:
    """A promotion class must be one whose conditions the report says are met, of a good hour."""
    met = {"promotions": {"06": ["comparator_only"]}, "outcomes": OUTCOMES[2:4]}
    made = decided("accept", hours={6: {"promotion": "comparator_only"}}, **met)
    assert made.hours["06"] == {"decision": "accept", "promotion": "comparator_only"}
    with pytest.raises(InvalidInput, match="conditions are not met"):
        decided("accept", hours={6: {"promotion": "trusted_baseline"}}, **met)
    with pytest.raises(InvalidInput, match="no promotion class"):
        decided("accept", hours={6: {"promotion": "gold"}}, **met)
    one = {"decision": "reject", "promotion": "comparator_only"}
    with pytest.raises(InvalidInput, match="not accepted"):
        decided("accept", hours={6: one}, **met)


@pytest.mark.parametrize("decision", ["", "Accept", "ok", None])
def test_unknown_decisions(decision: Any) -> None:
    """Another word than the four must be refused, of a night and of an hour."""
    with pytest.raises(InvalidInput, match="no decision"):
        decided(decision)
    if decision is not None:
        with pytest.raises(InvalidInput, match="no decision"):
            decided("reject", hours={5: {"decision": decision}})


@given(
    words=st.lists(
        st.tuples(
            st.sampled_from(["noise", "gaps"]),
            st.sampled_from([None, 5, 6]),
            st.sampled_from([None, "/a", "/b"]),
            st.sampled_from(["pass", "warn", "fail", "not applicable"]),
        ),
        max_size=8,
    ),
    decision=st.sampled_from(DECISIONS),
    hours=st.dictionaries(st.sampled_from([5, 6]), st.sampled_from(DECISIONS)),
    given_for=st.lists(
        st.tuples(
            st.sampled_from(["noise", "gaps"]),
            st.sampled_from([None, 5, 6]),
            st.sampled_from([None, "/a", "/b"]),
        ),
        max_size=4,
    ),
)
def test_nothing_failing_is_accepted_silently(
    words: list[Any], decision: str, hours: dict[int, str], given_for: list[Any]
) -> None:
    """Whatever is allowed, each accepted failure has a reason for its check, hour and key."""
    outcomes = [dict(zip(("check", "hour", "key", "word"), one, strict=True)) for one in words]
    exceptions = [
        {**dict(zip(("check", "hour", "key"), one, strict=True)), "reason": "because"}
        for one in given_for
    ]
    try:
        made = decided(decision, *exceptions, hours=hours, outcomes=outcomes)
    except InvalidInput:
        return
    for outcome in outcomes:
        hour = hour_name(outcome["hour"])
        told = made.decision if hour is None else made.hours[hour]["decision"]
        if outcome["word"] == "fail" and told.startswith("accept"):
            assert told == "accept with exceptions"
            assert any(
                one["check"] == outcome["check"]
                and one["hour"] in (None, hour)
                and one["key"] in (None, outcome["key"])
                and (hour is None or one["hour"] or one["key"])
                for one in made.exceptions
            )


def test_what_an_entry_cannot_hold_is_named() -> None:
    """NaN, infinities, numpy's numbers and half characters must become what JSON can say."""
    given = {"a": (math.nan, -math.inf, np.float64(0.5), np.int64(3)), 5: "\ud800", "b": None}
    kept = storable(given)
    assert kept == {"a": ["nan", "-inf", 0.5, 3], "5": "\\ud800", "b": None}
    assert canonical(kept)


@pytest.mark.parametrize("hour", [24, -1, "x", 1.5, "²"])
def test_no_hour(hour: Any) -> None:
    """What is no UTC hour must be refused."""
    with pytest.raises(InvalidInput, match="no UTC hour"):
        hour_name(hour)
