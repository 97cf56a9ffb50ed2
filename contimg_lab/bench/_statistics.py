"""Moment statistics of many sources beside pandas, polars and Python loops, in one run."""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from contimg_lab.analysis import scatter
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.two_epoch import largest_pairs
from contimg_lab.analysis.variability import variability

__all__ = [
    "STATISTICS",
    "field",
    "ours",
    "rows",
    "with_loop",
    "with_pandas",
    "with_polars",
    "with_statistics_module",
]

Floats = NDArray[np.float64]
Found = dict[str, Floats]

STATISTICS = ("mean", "weighted_mean", "v", "eta", "p", "m_debiased")
"""What every way computes, one value a source; polars V and eta only."""

_POLARS = "polars (V and eta)"
_ROUNDS = 5
_LOOPED = 400  # sources that loops are timed on; their times are scaled to all
_TRACED = 40  # and that their memory is looked at on, since looking makes them slow


def field(n_sources: int, n_epochs: int) -> tuple[Floats, Floats, Floats]:
    """Fluxes (Jy), errors (Jy) and times (MJD) of constant sources, each of shape (n,)."""
    rng = np.random.default_rng(110)
    err = rng.uniform(0.01, 0.05, n_sources * n_epochs)
    flux = 1.0 + rng.normal(0.0, err)
    return flux, err, np.tile(np.sort(rng.uniform(60000.0, 60400.0, n_epochs)), n_sources)


def ours(flux: Floats, err: Floats, n_epochs: int, threads: int | None = None) -> Found:
    """By `contimg_lab.analysis`, in blocks of sources."""
    sums = moments(flux, err, np.arange(0, len(flux) + 1, n_epochs), threads=threads)
    return {
        "mean": sums.mean_jy,
        "weighted_mean": sums.weighted_mean_jy,
        "v": scatter.coefficient_of_variation(sums).value,
        "eta": scatter.reduced_chi_squared(sums).value,
        "p": scatter.p_constant(sums).value,
        "m_debiased": scatter.debiased_modulation_index(sums).value,
    }


def with_pandas(flux: Floats, err: Floats, n_epochs: int) -> Found:
    """By groupby, in two passes as we take them: the one-pass form loses digits."""
    code = np.repeat(np.arange(len(flux) // n_epochs), n_epochs)
    weight = 1.0 / err**2
    frame = pd.DataFrame(
        {"code": code, "s": flux, "e2": err * err, "w": weight, "ws": weight * flux}
    )
    sums = frame.groupby("code", sort=False).agg(
        n=("s", "size"), mean=("s", "mean"), std=("s", "std"), e2=("e2", "sum"),
        w=("w", "sum"), ws=("ws", "sum"),
    )  # fmt: skip
    weighted = (sums["ws"] / sums["w"]).to_numpy()
    apart = pd.Series(weight * (flux - weighted[code]) ** 2)
    n, mean, std, squares = (sums[name].to_numpy() for name in ("n", "mean", "std", "e2"))
    chi_squared = apart.groupby(code, sort=False).sum().to_numpy()
    return _finished(n, mean, weighted, std, squares, chi_squared)


def with_polars(flux: Floats, err: Floats, n_epochs: int) -> Found:
    """V and eta by group_by on all cores; needs polars."""
    pl: Any = importlib.import_module("polars")
    code = np.repeat(np.arange(len(flux) // n_epochs), n_epochs)
    s, w = pl.col("s"), pl.col("e") ** -2
    weighted = (s * w).sum() / w.sum()
    table = (
        pl.DataFrame({"code": code, "s": flux, "e": err})
        .group_by("code", maintain_order=True)
        .agg(
            v=s.std() / s.mean(),
            eta=((s - weighted) ** 2 * w).sum() / (pl.len() - 1),
        )
    )
    return {name: table[name].to_numpy() for name in ("v", "eta")}


def with_loop(flux: Floats, err: Floats, n_epochs: int) -> Found:
    """Source by source and number by number, in Python."""

    def one(s: list[float], e: list[float]) -> tuple[float, float]:
        mean = sum(s) / len(s)
        return mean, (sum((x - mean) ** 2 for x in s) / (len(s) - 1)) ** 0.5

    return _looped(flux, err, n_epochs, one)


def with_statistics_module(flux: Floats, err: Floats, n_epochs: int) -> Found:
    """As `with_loop`, with mean and standard deviation by Python's own module."""

    def one(s: list[float], e: list[float]) -> tuple[float, float]:
        return statistics.mean(s), statistics.stdev(s)

    return _looped(flux, err, n_epochs, one)


def rows(n_sources: int, n_epochs: int) -> list[dict[str, object]]:
    """Measure every way; one dict a way.

    Parameters
    ----------
    n_sources, n_epochs
        Size of the field; loops run on a part of it, and their times are scaled.

    Returns
    -------
    list of dict
        ``work``, ``way``, ``seconds`` (the best of some runs), ``peak_mb`` (most memory over the
        columns themselves; None where it is not Python's to see) and ``ratio``, the seconds
        over those of our moment statistics.
    """
    flux, err, mjd = field(n_sources, n_epochs)
    offsets = np.arange(0, len(flux) + 1, n_epochs)
    moment = f"moment statistics of {n_sources:,} sources, {n_epochs:,} epochs each"
    ways: list[tuple[str, str, Callable[[], object]]] = [
        (moment, "ours", partial(ours, flux, err, n_epochs)),
        (moment, "ours, one thread", partial(ours, flux, err, n_epochs, 1)),
        (moment, "ours, two threads", partial(ours, flux, err, n_epochs, 2)),
        (moment, "pandas groupby", partial(with_pandas, flux, err, n_epochs)),
    ]
    if importlib.util.find_spec("polars") is not None:
        ways.append((moment, _POLARS, partial(with_polars, flux, err, n_epochs)))
    looped, traced = min(_LOOPED, n_sources), min(_TRACED, n_sources)
    some, few = slice(0, looped * n_epochs), slice(0, traced * n_epochs)
    loops = {"Python loop": with_loop, "statistics module": with_statistics_module}
    for way, loop in loops.items():
        ways.append((moment, way, partial(loop, flux[some], err[some], n_epochs)))
    everything = partial(variability, flux, err, offsets, mjd)
    ways.append(("every statistic, with pairs in time", "ours", everything))
    pairs = partial(largest_pairs, flux, err, offsets)
    ways.append(("largest of all pairs of each source", "ours", pairs))
    best = _best([call for _, _, call in ways])
    found: list[dict[str, object]] = []
    for (work, way, call), took in zip(ways, best, strict=True):
        peak: float | None
        if way == _POLARS:
            peak = None
        elif way in loops:
            peak = _peak_mb(partial(loops[way], flux[few], err[few], n_epochs))
        else:
            peak = _peak_mb(call)
        told = f"{way}, timed on {looped:,} sources" if way in loops else way
        seconds = took * n_sources / looped if way in loops else took
        found.append(
            {"work": work, "way": told, "seconds": seconds, "peak_mb": peak,
             "ratio": seconds / best[0]}
        )  # fmt: skip
    return found


def _looped(
    flux: Floats,
    err: Floats,
    n: int,
    mean_and_std: Callable[[list[float], list[float]], tuple[float, float]],
) -> Found:
    found: dict[str, list[float]] = {name: [] for name in STATISTICS}
    for begin in range(0, len(flux), n):
        s, e = flux[begin : begin + n].tolist(), err[begin : begin + n].tolist()
        mean, std = mean_and_std(s, e)
        w = [1.0 / x**2 for x in e]
        weighted = sum(a * b for a, b in zip(w, s, strict=True)) / sum(w)
        chi_squared = sum(a * (b - weighted) ** 2 for a, b in zip(w, s, strict=True))
        radicand = std**2 * (n - 1) - sum(x**2 for x in e)
        root = abs(radicand / n) ** 0.5 / mean
        found["mean"].append(mean)
        found["weighted_mean"].append(weighted)
        found["v"].append(std / mean)
        found["eta"].append(chi_squared / (n - 1))
        found["p"].append(float(chi2.sf(chi_squared, n - 1)))
        found["m_debiased"].append(root if radicand >= 0.0 else -root)
    return {name: np.array(values) for name, values in found.items()}


def _finished(
    n: Floats, mean: Floats, weighted: Floats, std: Floats, squares: Floats, chi_squared: Floats
) -> Found:
    radicand = std**2 * (n - 1) - squares
    return {
        "mean": mean,
        "weighted_mean": weighted,
        "v": std / mean,
        "eta": chi_squared / (n - 1),
        "p": np.asarray(chi2.sf(chi_squared, n - 1)),
        "m_debiased": np.sign(radicand) * np.sqrt(np.abs(radicand) / n) / mean,
    }


def _best(work: list[Callable[[], object]]) -> list[float]:
    """Shortest of some runs of each, in turn: other work on the machine meets all alike."""
    found = [float("inf")] * len(work)
    for _ in range(_ROUNDS):
        for i, call in enumerate(work):
            begun = time.perf_counter()
            call()
            found[i] = min(found[i], time.perf_counter() - begun)
    return found


def _peak_mb(work: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
