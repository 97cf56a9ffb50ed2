"""Statistics of many sources beside pandas and a Python loop, measured in one run.

``python tests/benchmarks/statistics.py [--sources 25000] [--epochs 400]`` prints one table: time,
ratio to the moment sums, and peak memory over the input.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd

from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.two_epoch import largest_pairs
from contimg_lab.analysis.variability import variability

LOOPED = 500  # sources that the Python loop is timed on; its time is scaled to all


def best(work: Callable[[], object], times: int = 3) -> float:
    """Shortest of some runs, in seconds."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return min(took)


def peak_mb(work: Callable[[], object]) -> float:
    """Most memory that a call holds over what was there before, in MB."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def with_pandas(flux: np.ndarray, err: np.ndarray, code: np.ndarray) -> pd.DataFrame:
    """V and eta by groupby, two passes as we take them."""
    weight = 1.0 / err**2
    frame = pd.DataFrame({"code": code, "s": flux, "w": weight, "ws": weight * flux})
    sums = frame.groupby("code", sort=False).agg(
        n=("s", "size"), mean=("s", "mean"), std=("s", "std"), w=("w", "sum"), ws=("ws", "sum")
    )
    weighted = (sums["ws"] / sums["w"]).to_numpy()[code]
    chi = pd.Series(weight * (flux - weighted) ** 2).groupby(code, sort=False).sum()
    return pd.DataFrame({"v": sums["std"] / sums["mean"], "eta": chi / (sums["n"] - 1)})


def with_loop(flux: np.ndarray, err: np.ndarray, n: int, sources: int) -> list[tuple[float, float]]:
    """V and eta source by source, number by number."""
    found = []
    for i in range(sources):
        s, e = flux[i * n : (i + 1) * n].tolist(), err[i * n : (i + 1) * n].tolist()
        w = [1.0 / x**2 for x in e]
        mean = sum(s) / n
        weighted = sum(a * b for a, b in zip(w, s, strict=True)) / sum(w)
        std = (sum((x - mean) ** 2 for x in s) / (n - 1)) ** 0.5
        chi = sum(a * (b - weighted) ** 2 for a, b in zip(w, s, strict=True))
        found.append((std / mean, chi / (n - 1)))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=25_000)
    parser.add_argument("--epochs", type=int, default=400)
    args = parser.parse_args()
    m, n = args.sources, args.epochs
    rng = np.random.default_rng(110)
    err = rng.uniform(0.01, 0.05, m * n)
    flux = 1.0 + rng.normal(0.0, err)
    mjd = np.tile(np.sort(rng.uniform(60000.0, 60400.0, n)), m)
    code = np.repeat(np.arange(m), n)
    offsets = np.arange(0, m * n + 1, n)
    ours = variability(flux, err, offsets, mjd)
    theirs = with_pandas(flux, err, code)
    assert np.allclose(theirs["eta"], ours.eta)
    assert np.allclose(theirs["v"], ours.v)
    looped = min(LOOPED, m)
    work: dict[str, Callable[[], object]] = {
        "reading both columns once": lambda: flux.sum() + err.sum(),
        "moments: every sum": lambda: moments(flux, err, offsets),
        "variability: every statistic": lambda: variability(flux, err, offsets, mjd),
        "largest pairs": lambda: largest_pairs(flux, err, offsets),
    }
    seconds = {name: best(call) for name, call in work.items()}
    seconds["pandas groupby: V and eta"] = best(lambda: with_pandas(flux, err, code), 2)
    loop_s = best(lambda: with_loop(flux, err, n, looped), 2) * m / looped
    seconds[f"Python loop: V and eta (timed on {looped} sources)"] = loop_s
    unit = seconds["moments: every sum"]
    print(f"{m * n:,} epochs of {m:,} sources, {3 * flux.nbytes / 1e6:.0f} MB")
    for name, took in seconds.items():
        memory = f"{peak_mb(work[name]):8.1f} MB" if name in work else ""
        print(f"{name:52} {took:8.3f} s {took / unit:8.2f} {memory}")


if __name__ == "__main__":
    main()
