"""Which rows count, against the rules written out row by row."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.epochs import (
    REASONS,
    TIME_SOURCES,
    choose_fluxes,
    choose_times,
    superseded,
)

CELL = st.one_of(
    st.none(),
    st.just("--"),
    st.just(math.inf),
    st.just(-math.inf),
    st.floats(-2, 2, allow_nan=False),
    st.just(0.0),
)
ROW = st.fixed_dictionaries(
    {name: CELL for name in ("flux_jy", "flux_err_jy", "peak_jyb", "peak_err_jyb")}
)


def why(flux: object, error: object) -> str:
    for value, is_error in ((flux, False), (error, True)):
        if value is None:
            return "missing"
        if isinstance(value, str):
            return "not a number"
        if not math.isfinite(value):
            return "not finite"
        if is_error and value <= 0:
            return "error not positive"
    return "used"


def stored(rows: list[dict[str, object]]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    value, kind = {}, {}
    for name in ("flux_jy", "flux_err_jy", "peak_jyb", "peak_err_jyb"):
        cells = [row[name] for row in rows]
        value[name] = np.array([c if isinstance(c, float) else np.nan for c in cells], float)
        kind[name] = np.array(
            [0 if c is None else 2 if isinstance(c, str) else 1 for c in cells], np.uint8
        )
    return value, kind


@given(st.lists(ROW, max_size=20))
def test_one_flux_a_row_with_its_own_error(rows):
    """flux_jy where its pair is valid, else peak_jyb, else the reason of what is held."""
    chosen = choose_fluxes(*stored(rows))
    for i, row in enumerate(rows):
        first = why(row["flux_jy"], row["flux_err_jy"])
        second = why(row["peak_jyb"], row["peak_err_jyb"])
        got = REASONS[chosen.reason[i]]
        if first == "used":
            assert (got, chosen.column[i], chosen.flux_jy[i]) == ("used", 0, row["flux_jy"])
            assert chosen.flux_err_jy[i] == row["flux_err_jy"]
        elif second == "used":
            assert (got, chosen.column[i], chosen.flux_jy[i]) == ("used", 1, row["peak_jyb"])
            assert chosen.flux_err_jy[i] == row["peak_err_jyb"]
        else:
            assert got == (first if row["flux_jy"] is not None else second)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30), st.randoms())
def test_the_later_row_of_a_source_in_an_image_counts(cells, random):
    """A row is superseded exactly if a higher id has its source and image."""
    ids = list(range(len(cells)))
    random.shuffle(ids)
    marked = superseded(
        np.array([c[0] for c in cells], int),
        np.array([c[1] for c in cells], int),
        np.array(ids, int),
    )
    for i, cell in enumerate(cells):
        later = any(c == cell and ids[j] > ids[i] for j, c in enumerate(cells))
        assert marked[i] == later


def test_the_best_known_time_is_taken_and_named():
    """mjd, else the MS's mid time, else the name plus 155 s, else measured_at, else unknown."""
    nan = np.nan
    mjd, source = choose_times(
        mjd=np.array([60000.0, nan, nan, nan, nan, 1.7e9, 7.0]),
        ms_mid_mjd=np.array([1.0, 60001.0, 12.0, nan, nan, nan, nan]),
        name_mjd=np.array([nan, 60002.0, 60002.0, nan, nan, nan, nan]),
        measured_at=np.array([1.7e9, nan, nan, 1.7e9, nan, nan, nan]),
    )
    names = [TIME_SOURCES[s] for s in source]
    assert names == ["mjd", "ms_mid_mjd", "name", "measured_at", "unknown", "mjd", "unknown"]
    unix = 1.7e9 / 86400 + 40587
    wanted = [60000.0, 60001.0, 60002.0 + 155 / 86400, unix, nan, unix, nan]
    assert np.array_equal(mjd, wanted, equal_nan=True)
