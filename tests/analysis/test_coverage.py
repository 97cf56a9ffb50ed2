"""Coverage against the rules written out table by table."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.coverage import STATES, cover

HOUR = 1 / 24
TIME = st.integers(0, 96).map(lambda k: 60000 + k * HOUR / 2)
TABLE = st.tuples(
    st.one_of(st.none(), TIME),
    st.one_of(st.none(), st.integers(0, 20)),
    st.sampled_from(["active", "retired", "failed"]),
)


def slow(mid, tables):
    """State, hours, row of the active table, row of the retired one."""
    if mid is None:
        return "unknown", None, None, None
    inside, near, retired = [], [], []
    for row, (start, length, status) in enumerate(tables):
        if start is None:
            continue
        end = math.inf if length is None else start + length * HOUR
        middle = start if length is None else 0.5 * (start + end)
        hours = abs(mid - middle) * 24
        if start <= mid <= end and status != "failed":
            (inside if status == "active" else retired).append((hours, -row, row))
        if status == "active":
            near.append((hours, -row, row))
    gone = min(retired)[2] if retired else None
    if inside:
        return "inside", min(inside)[0], min(inside)[2], gone
    if near and min(near)[0] <= 12.0:
        return "nearest", min(near)[0], min(near)[2], gone
    return "none", None, None, gone


@given(st.lists(st.one_of(st.none(), TIME), max_size=8), st.lists(TABLE, max_size=6))
def test_inside_nearest_or_none(mids, tables):
    """The nearest middle among windows that hold it, else within 12 h, else none."""
    starts = [t[0] for t in tables]
    ends = [math.inf if None in t[:2] else t[0] + t[1] * HOUR for t in tables]
    covered = cover(
        np.array(mids, float),
        start_mjd=np.array(starts, float),
        end_mjd=np.array(ends, float),
        table_id=np.arange(len(tables)),
        is_active=np.array([t[2] == "active" for t in tables], bool),
        is_retired=np.array([t[2] == "retired" for t in tables], bool),
    )
    for i, mid in enumerate(mids):
        state, hours, active, retired = slow(mid, tables)
        assert STATES[covered.state[i]] == state
        assert (None if covered.active[i] < 0 else covered.active[i]) == active
        assert (None if covered.retired[i] < 0 else covered.retired[i]) == retired
        assert (
            np.isnan(covered.distance_hours[i])
            if hours is None
            else covered.distance_hours[i] == hours
        )


def test_open_ended_windows_are_measured_from_their_start():
    """A window without an end holds every later MS, and its distance counts from its start."""
    covered = cover(
        np.array([60010.0]),
        start_mjd=np.array([60000.0]),
        end_mjd=np.array([np.inf]),
        table_id=np.array([1]),
        is_active=np.array([True]),
        is_retired=np.array([False]),
    )
    assert (STATES[covered.state[0]], covered.distance_hours[0]) == ("inside", 240.0)
