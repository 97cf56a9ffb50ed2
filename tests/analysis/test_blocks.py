"""Blocks and threads: what they find is the same to the last bit, and nothing is made whole."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from contimg_lab.analysis import grouping, segments
from contimg_lab.analysis.flux_scale import apply_flux_scale, measure_flux_scale
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.together import vary_together
from contimg_lab.analysis.two_epoch import largest_pairs
from contimg_lab.analysis.variability import variability
from contimg_lab.bench import _statistics as bench

SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.sampled_from(["noise", "tied", "flare", "offset", "tiny", "huge", "uneven"])


def made(seed: int, shape: str) -> tuple[np.ndarray, ...]:
    """Fluxes, errors, offsets and times of some sources, a few without epochs."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, rng.integers(1, 40))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    n = int(offsets[-1])
    flux, err = rng.normal(1.0, 0.1, n), rng.uniform(0.01, 0.1, n)
    if shape == "tied":
        flux, err = rng.integers(0, 3, n) * 1.0, rng.choice([0.5, 1.0], n)
    elif shape == "flare":
        flux[rng.random(n) < 0.1] += 5.0
    elif shape == "offset":
        flux = 1e6 + 1e-6 * flux
    elif shape == "tiny":
        err[rng.random(n) < 0.2] *= 1e-170
    elif shape == "huge":
        err[rng.random(n) < 0.2] *= 1e170
    elif shape == "uneven":
        err = np.exp(rng.normal(-3.0, 2.0, n))
    steps = rng.choice([0.0, 0.01, 0.02, 0.5, 3.0], n)
    mjd = np.concatenate([60000.0 + np.cumsum(s) for s in np.split(steps, offsets[1:-1])])
    mjd[rng.random(n) < 0.02] = np.nan
    return flux, err, offsets, mjd


@contextmanager
def blocks_of(rows: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments.blocks, "__defaults__", (rows,))
        yield


def found(flux: np.ndarray, err: np.ndarray, offsets: np.ndarray, mjd: np.ndarray, threads: int):
    """Every statistic and pair as bytes, by name."""
    statistics = variability(flux, err, offsets, mjd, threads=threads)
    pairs = largest_pairs(flux, err, offsets, threads=threads)
    named = {name: getattr(statistics, name) for name in statistics.why}
    named |= {"why " + name: codes for name, codes in statistics.why.items()}
    named |= {"pair " + name: getattr(pairs, name) for name in pairs.__slots__}
    return {name: values.tobytes() for name, values in named.items()}


@given(SEEDS, SHAPES, st.integers(1, 60))
@settings(deadline=None)
def test_neither_threads_nor_blocks_show_in_the_result(seed, shape, rows):
    """One block on one thread, small blocks on one and on two: the same bits."""
    columns = made(seed, shape)
    whole = found(*columns, threads=1)
    with blocks_of(rows):
        assert found(*columns, threads=1) == whole
        assert found(*columns, threads=2) == whole


@given(SEEDS, st.sampled_from(["noise", "tied", "flare", "offset", "uneven"]))
@settings(deadline=None)
def test_the_largest_pair_is_the_largest_of_all(seed, shape):
    """No pair of the source has a larger |Vs| than the one that was found."""
    flux, err, offsets, _ = made(seed, shape)
    pairs = largest_pairs(flux, err, offsets)
    for i, (a, b) in enumerate(pairwise(offsets)):
        s, e = flux[a:b], err[a:b]
        if b - a < 2:
            assert np.isnan(pairs.vs[i])
            continue
        every = np.abs(s[:, None] - s) / np.hypot(e[:, None], e)
        assert abs(pairs.vs[i]) == pytest.approx(every.max(), rel=1e-12)


@pytest.mark.parametrize("factor", [1e-170, 1e170])
def test_errors_out_of_the_range_of_weights_cost_no_digits(factor):
    """Where 1 / s**2 is no double, the sums are those of the same light curve in other units."""
    flux, err, offsets, _ = made(5, "noise")
    plain, scaled = moments(flux, err, offsets), moments(flux, err * factor, offsets)
    assert scaled.weighted_mean_jy == pytest.approx(plain.weighted_mean_jy, rel=1e-14, nan_ok=True)
    wanted = plain.weighted_mean_err_jy * factor
    assert scaled.weighted_mean_err_jy == pytest.approx(wanted, rel=1e-14, abs=0.0, nan_ok=True)
    wanted = plain.sum_abs_pulls / factor
    assert scaled.sum_abs_pulls == pytest.approx(wanted, rel=1e-13, abs=0.0, nan_ok=True)


def test_two_threads_are_used_for_many_rows_only(monkeypatch):
    """Many rows are shared by two threads where there are two cores; few stay on the caller's."""
    monkeypatch.setattr(segments, "_cores", lambda: 2)

    def used(rows: int) -> set[int]:
        seen: set[int] = set()
        # each waits for the other, so that neither takes all blocks
        both = threading.Barrier(2, timeout=20.0)

        def work(first: int, last: int) -> None:
            if rows >= segments.MANY_ROWS:
                both.wait()
            seen.add(threading.get_ident())

        segments.over_blocks(work, np.linspace(0, rows, 5).astype(int), rows=rows // 2)
        return seen

    assert used(1_000) == {threading.get_ident()}
    assert len(used(segments.MANY_ROWS)) == 2
    monkeypatch.setattr(segments, "_cores", lambda: 1)
    assert used(1_000) == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_fails_in_a_block_reaches_the_caller(threads):
    """An error in any block is raised, on whichever thread it happened."""

    def work(first: int, last: int) -> None:
        if first == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        segments.over_blocks(work, np.arange(0, 70, 10), threads, rows=10)


@given(st.lists(st.integers(0, 99), max_size=60), st.booleans())
def test_rows_in_slices_are_the_rows(wanted, objects):
    """Numbers and objects, by position and by mark, equal plain indexing."""
    values = np.arange(100.0)
    values = np.array([f"/i/{v}" for v in values], object) if objects else values
    rows, marks = np.array(wanted, int), np.isin(np.arange(100), wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "_ROWS_AT_ONCE", 7)
        for chosen in (rows, marks):
            got = grouping.take_rows(values, chosen)
            assert got.dtype == values.dtype
            assert got.tolist() == values[chosen].tolist()


@given(st.lists(st.integers(0, 5) | st.integers(65_530, 200_000), max_size=80))
def test_rows_of_a_code_stay_in_order(codes):
    """Rows are grouped by code, more than 65,536 of them too, each group's in their old order."""
    order, offsets = grouping.grouped(np.array(codes, int), 200_001)
    assert order.tolist() == sorted(range(len(codes)), key=codes.__getitem__)
    assert offsets[-1] == len(codes)
    for code in codes:
        assert offsets[code + 1] - offsets[code] == codes.count(code)


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=60), st.integers(1, 9))
def test_sorting_in_blocks_is_sorting(table, rows):
    """Sorted by code and two keys, block by block: as one sort of all rows, unknown times last."""
    columns = np.array(table, float).reshape(-1, 3)
    keys, codes = (columns[:, 0], np.where(columns[:, 1] > 3, np.nan, columns[:, 1])), columns[:, 2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "SORTED_ROWS", rows)
        got = grouping.sorted_rows(keys, codes.astype(int), 5)
    assert got.tolist() == np.lexsort((*keys, codes)).tolist()


@given(st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=12), st.integers(1, 9))
def test_the_row_of_the_greatest_value_and_values_of_a_source_in_its_rows(sources, rows):
    """The first row of the greatest value is named, -1 without rows; each row has its source's."""
    values = np.array([v for s in sources for v in s], int)
    offsets = segments.offsets_of(np.array([len(s) for s in sources], int))
    wanted = [a + s.index(max(s)) if s else -1 for a, s in zip(offsets[:-1], sources, strict=True)]
    codes = [i for i, s in enumerate(sources) for _ in s]
    with blocks_of(rows):
        assert grouping.rows_of_maxima(values, offsets).tolist() == wanted
        assert segments.source_codes(offsets).tolist() == codes


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=300))
def test_values_are_sorted_within_their_source(sources):
    """Every source's values rise, and none leaves its source."""
    values = np.array([v for s in sources for v in s], float)
    offsets = segments.offsets_of(np.array([len(s) for s in sources]))
    got = values[grouping.order_within(values, offsets)]
    assert got.tolist() == [v for s in sources for v in sorted(s)]


def test_no_whole_field_is_held_twice():
    """Pairs cost little beside a million rows; the flux scale a few columns, not dozens."""
    rng = np.random.default_rng(8)
    n, k = 1_000_000, 2_000
    err = rng.uniform(0.01, 0.02, n)
    flux = 1.0 + rng.normal(0.0, err)
    offsets, image = np.arange(0, n + 1, 400), np.arange(n) % k
    scale = measure_flux_scale(flux, err, offsets, image, k)
    work: list[tuple[Callable[[], object], float]] = [
        (lambda: largest_pairs(flux, err, offsets), 1.0),
        (lambda: apply_flux_scale(flux, err, image, scale), 3.0),  # two columns are its result
        (lambda: vary_together(flux, err, offsets, image, k), 7.0),
        (lambda: measure_flux_scale(flux, err, offsets, image, k), 12.0),
    ]
    for call, columns in work:
        tracemalloc.start()
        call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < columns * flux.nbytes


def test_every_way_of_the_benchmark_finds_the_same():
    """pandas, polars, loops and our blocks are timed on equal answers."""
    flux, err, _ = bench.field(30, 25)
    wanted = bench.ours(flux, err, 25)
    assert set(wanted) == set(bench.STATISTICS)
    ways = [bench.with_pandas, bench.with_loop, bench.with_statistics_module]
    for way in ways:
        got = way(flux, err, 25)
        for name in bench.STATISTICS:
            assert got[name] == pytest.approx(wanted[name], rel=1e-9), (way.__name__, name)


def test_polars_finds_the_same():
    """Where polars is installed its V and eta are ours."""
    pytest.importorskip("polars")
    flux, err, _ = bench.field(30, 25)
    wanted, got = bench.ours(flux, err, 25), bench.with_polars(flux, err, 25)
    for name in ("v", "eta"):
        assert got[name] == pytest.approx(wanted[name], rel=1e-9)


def test_the_benchmark_measures_every_way_against_ours():
    """Each row has its work, way, time, memory and ratio; the first is ours, of ratio 1."""
    rows = bench.rows(20, 10)
    assert rows[0]["way"] == "ours"
    assert rows[0]["ratio"] == 1.0
    assert {"pandas groupby", "ours, one thread"} <= {row["way"] for row in rows}
    assert all(set(row) == {"work", "way", "seconds", "peak_mb", "ratio"} for row in rows)


@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(0, 60), st.integers(1, 6)), elements=st.integers(0, 3)
    )
)
def test_patterns_are_the_different_rows(codes):
    """`patterns` finds each different row once, and says which one every row is."""
    rows, which = grouping.patterns(codes)
    assert len({tuple(row) for row in rows.tolist()}) == len(rows)
    assert {tuple(row) for row in rows.tolist()} == {tuple(row) for row in codes.tolist()}
    np.testing.assert_array_equal(rows[which], codes)
