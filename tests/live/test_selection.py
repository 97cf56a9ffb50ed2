"""The selection: keys, observers, and a past that can be walked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab import blocking
from contimg_lab.errors import InvalidInput
from contimg_lab.selection import FIELDS, Change, Selection

keys = st.sampled_from(["a", "b", "c"]) | st.none()
steps = st.lists(
    st.tuples(st.just("choose"), st.sampled_from(["source", "image", "caltable"]), keys)
    | st.tuples(st.sampled_from(["back", "forward"]), st.none(), st.none()),
    max_size=40,
)


@given(steps)
def test_back_and_forward_walk_what_was_chosen(walk: list[tuple[str, Any, Any]]) -> None:
    """Back and forward must walk the states that were chosen, as a list and a place in it say."""
    selection = Selection()
    states: list[dict[str, Any]] = [{}]
    at = 0
    for word, name, value in walk:
        if word == "choose":
            setattr(selection, name, value)
            wanted = {**states[at], name: value}
            wanted = {k: v for k, v in wanted.items() if v is not None}
            if wanted != states[at]:
                states[at + 1 :] = [wanted]
                at += 1
        else:
            at = max(0, at - 1) if word == "back" else min(len(states) - 1, at + 1)
            getattr(selection, word)()
        assert selection.to_dict() == states[at]


@given(steps)
def test_observers_can_follow(walk: list[tuple[str, Any, Any]]) -> None:
    """Whoever applies every change that is told must hold what the selection holds."""
    selection = Selection()
    mine: dict[str, Any] = {}

    def follow(change: Change) -> None:
        assert mine.get(change.name) == change.old
        mine[change.name] = change.new

    selection.observe(follow)
    for word, name, value in walk:
        if word == "choose":
            setattr(selection, name, value)
        else:
            getattr(selection, word)()
        assert {k: v for k, v in mine.items() if v is not None} == selection.to_dict()


def test_an_error_of_one_observer_reaches_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """A callback that raises must be logged, and the next one called all the same."""
    selection = Selection()
    told: list[Any] = []

    def broken(change: Change) -> None:
        raise ZeroDivisionError

    selection.observe(broken)
    selection.observe(told.append, "source")
    selection.source = "a"
    assert [(change.name, change.old, change.new) for change in told] == [("source", None, "a")]
    assert "failed on source" in caplog.text
    selection.unobserve(told.append)
    selection.unobserve(print)
    selection.source = "b"
    assert len(told) == 1


def test_an_observer_may_choose_again() -> None:
    """Of a field that an observer changed at once, the others must be told the last value."""
    selection = Selection()
    seen: list[Any] = []

    def correct(change: Change) -> None:
        if change.new == "old name":
            selection.source = "new name"

    selection.observe(correct, "source")
    selection.observe(lambda change: seen.append(change.new), "source")
    selection.source = "old name"
    assert (seen, selection.source) == (["new name"], "new name")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sorce", "a"), ("_now", {}), ("night", "yesterday"), ("hour", 24), ("hour", True),
        ("source", 3), ("source", ""), ("sources", "a"), ("sources", [1]), ("sources", 5),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_refused(name: str, value: object) -> None:
    """A name or value that cannot mean anything must raise InvalidInput and change nothing."""
    selection = Selection()
    selection.source = "a"
    with pytest.raises(InvalidInput):
        setattr(selection, name, value)
    assert selection.to_dict() == {"source": "a"}


def test_unknown_names_are_refused_everywhere() -> None:
    """Observing a field that does not exist must raise; so must asking for one."""
    with pytest.raises(InvalidInput):
        Selection().observe(print, ["sorce"])
    with pytest.raises(AttributeError):
        _ = Selection().sorce
    assert all(hasattr(Selection(), name) for name in FIELDS)


async def test_an_ms_says_its_night_and_hour(lab: cl.Lab) -> None:
    """Choosing any MS of any database must choose the night and hour of its run, in one step."""
    runs = await lab.jobs.list_jobs(limit=None)
    known = [run for run in runs if run.night is not None]
    for run in known[:: max(1, len(known) // 50)]:
        lab.selection.clear()
        lab.selection.ms_path = run.ms_path
        assert (lab.selection.night, lab.selection.hour) == (run.night, run.hour)
        assert lab.selection.back().to_dict() == {}


def test_blocking_and_async_share_no_selection_but_their_own(
    season_folder: Callable[..., Any],
) -> None:
    """Without await the selection must be the same object each time."""
    with blocking.open(season_folder()) as lab:
        lab.selection.source = "a"
        assert lab.selection.source == "a"
        assert isinstance(lab.selection, Selection)
