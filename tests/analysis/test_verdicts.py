"""Verdicts, recommendations and what to withdraw, from outcomes alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, PASS, WARN, WORDS
from contimg_lab.analysis.verdicts import (
    ACCEPT,
    DECISIONS,
    EXCEPTIONS,
    HOLD,
    REJECT,
    Recommendation,
    recommend_hour,
    recommend_night,
    verdict_of,
    withdrawals,
)
from contimg_lab.records.qa import Outcome

GATES = frozenset({"noise", "failed"})


def outcome(word: str, check: str = "noise", hour: int | None = 6, key: str = "06") -> Outcome:
    return Outcome(
        check=check, scope="hour", key=key, hour=hour, word=word, unit="1", why="it is so"
    )


some = st.lists(
    st.builds(outcome, st.sampled_from(WORDS), st.sampled_from(["noise", "failed", "subbands"])),
    max_size=8,
)


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ([], NOT_APPLICABLE),
        ([NOT_APPLICABLE], NOT_APPLICABLE),
        ([NOT_APPLICABLE, PASS], PASS),
        ([PASS, WARN], WARN),
        ([WARN, FAIL, PASS], FAIL),
    ],
)
def test_the_worst_word_is_the_verdict(words, verdict):
    """Of gates the worst word counts; not applicable only where nothing else is said."""
    assert verdict_of([outcome(word) for word in words], GATES) == verdict


@given(some)
def test_only_a_gate_rejects(outcomes):
    """An hour is rejected if, and only if, a gate fails; and the rule says which."""
    advice = recommend_hour(outcomes, GATES, 0)
    failed = {one.check for one in outcomes if one.word == FAIL and one.check in GATES}
    assert (advice.decision == REJECT) == bool(failed)
    assert all(name in advice.rule for name in failed)


@given(some, st.integers(1, 3))
def test_nothing_is_accepted_before_it_is_whole(outcomes, unfinished):
    """While runs are not finished an hour is held, unless a gate fails already."""
    assert recommend_hour(outcomes, GATES, unfinished).decision in (HOLD, REJECT)


@given(some)
def test_acceptance_is_earned(outcomes):
    """Accepted without a word is only an hour in which a gate passes and nothing warns or fails."""
    if recommend_hour(outcomes, GATES, 0).decision == ACCEPT:
        assert {one.word for one in outcomes} <= {PASS, NOT_APPLICABLE}
        assert any(one.word == PASS and one.check in GATES for one in outcomes)


def test_what_could_not_be_judged_stands_in_the_rule():
    """A gate of which nothing is known is named where an hour is accepted."""
    advice = recommend_hour([outcome(PASS), outcome(NOT_APPLICABLE, "failed")], GATES, 0)
    assert advice.decision == ACCEPT
    assert "could not be judged: failed" in advice.rule


@given(st.dictionaries(st.integers(0, 23), st.sampled_from(DECISIONS), max_size=6))
def test_a_night_is_the_roll_up_of_its_hours(decisions):
    """All rejected: reject; any held: hold; any that is not plainly accepted: exceptions."""
    hours = {hour: Recommendation(decision, "") for hour, decision in decisions.items()}
    found = recommend_night(hours, [], GATES)
    held = set(decisions.values())
    if not held:
        assert found.decision == HOLD
    elif held == {REJECT}:
        assert found.decision == REJECT
    elif HOLD in held:
        assert found.decision == HOLD
    else:
        assert found.decision == (ACCEPT if held == {ACCEPT} else EXCEPTIONS)


def test_a_gate_of_the_whole_night_rejects_it():
    """A gate that fails for the night as a whole rejects it, however good its hours are."""
    hours = {6: Recommendation(ACCEPT, "")}
    whole = [outcome(FAIL, hour=None, key="2025-10-09")]
    assert recommend_night(hours, whole, GATES).decision == REJECT
    assert recommend_night(hours, [outcome(WARN, hour=None)], GATES).decision == EXCEPTIONS


@given(some)
def test_with_the_withdrawn_gone_no_gate_fails(outcomes):
    """Without what is named for withdrawal, nothing that is left fails."""
    gone = {(one.scope, one.key, one.hour) for one in withdrawals(outcomes, GATES)}
    left = [one for one in outcomes if (one.scope, one.key, one.hour) not in gone]
    assert verdict_of(left, GATES) != FAIL
    assert gone or verdict_of(outcomes, GATES) != FAIL
