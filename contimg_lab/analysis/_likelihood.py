"""Likelihood of a Gaussian flux distribution seen with errors, for a block of sources at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.segments import offsets_of, segment_maxima, segment_minima, segment_sums

__all__ = ["Curves", "fit", "solve"]

Floats = NDArray[np.float64]
Solvable = Callable[[Floats, Floats], tuple[Floats, Floats]]

_GRID = 28
_FLOOR = 1e-3
_STEPS = 100
_SCORINGS = 12
_CLOSE = 1e-12


@dataclass(slots=True, kw_only=True)
class Curves:
    """Light curves of k sources, each with 2 epochs or more, in units of its least error.

    Fluxes are about the source's weighted mean, so that a large one costs no digits.
    """

    apart: Floats
    square_err: Floats
    counts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    n: Floats
    centre: Floats
    unit: Floats

    @classmethod
    def of(cls, flux: Floats, err: Floats, counts: NDArray[np.int64]) -> Curves:
        """Take the rows of some sources: shape (n,) each, and rows a source, shape (k,)."""
        offsets = offsets_of(counts)
        unit = segment_minima(err, offsets)
        per_row = np.repeat(unit, counts)
        first = flux[offsets[:-1]]
        apart = (flux - np.repeat(first, counts)) / per_row
        square_err = (err / per_row) ** 2
        weight = 1.0 / square_err
        shift = segment_sums(weight * apart, offsets) / segment_sums(weight, offsets)
        apart -= np.repeat(shift, counts)
        return cls(
            apart=apart, square_err=square_err, counts=counts, offsets=offsets,
            n=counts.astype(float), centre=first / unit + shift, unit=unit,
        )  # fmt: skip

    def typical_error(self) -> Floats:
        """Root of the mean squared error of each source."""
        return np.asarray(np.sqrt(segment_sums(self.square_err, self.offsets) / self.n))

    def at_variance(self, variance: Floats, restricted: bool) -> tuple[Floats, Floats, Floats]:
        """Log-likelihood at an intrinsic variance, its slope, and the likeliest mean.

        The mean is in units about ``centre``; ln L leaves out N/2 ln(2 pi). Restricted: the
        likelihood integrated over the mean, at this variance.
        """
        total = self.square_err + np.repeat(variance, self.counts)
        weight = 1.0 / total
        sum_weight = segment_sums(weight, self.offsets)
        mean = segment_sums(weight * self.apart, self.offsets) / sum_weight
        residual = self.apart - np.repeat(mean, self.counts)
        square = weight * residual * residual
        level = segment_sums(np.log(total), self.offsets) + segment_sums(square, self.offsets)
        slope = segment_sums(weight * square, self.offsets) - sum_weight
        if restricted:
            level += np.log(sum_weight)
            slope += segment_sums(weight * weight, self.offsets) / sum_weight
        return -0.5 * level, slope, mean

    def profile(self, m: Floats, start: Floats) -> tuple[Floats, Floats, Floats]:
        """Restricted log-likelihood at m, highest over S_0; that S_0; the error of m squared.

        ``start`` is where to look for S_0: Fisher's scoring, which may not leave the positive
        side.
        """
        a = m * m
        mean = start
        for _ in range(_SCORINGS):
            weight, residual = self._at(a, mean)
            sum_weight = segment_sums(weight, self.offsets)
            weight_squared = segment_sums(weight * weight, self.offsets)
            residual *= weight
            tug = segment_sums(residual, self.offsets)
            pull = segment_sums(residual * residual, self.offsets) - sum_weight
            score = tug + a * mean * (pull + weight_squared / sum_weight)
            information = sum_weight + 2.0 * (a * mean) ** 2 * weight_squared
            step = score / information
            mean = np.maximum(mean + step, 0.1 * mean)
            # ln L is then within 1e-13 of its height over S_0
            if not (step * step * information > 1e-13).any():
                break
        weight, residual = self._at(a, mean)
        level = segment_sums(weight * residual * residual - np.log(weight), self.offsets)
        level += np.log(segment_sums(weight, self.offsets))
        spread = np.sqrt(2.0 / segment_sums(weight * weight, self.offsets)) / mean**2
        return -0.5 * level, mean, spread

    def _at(self, a: Floats, mean: Floats) -> tuple[Floats, Floats]:
        weight = np.repeat(a * mean * mean, self.counts)
        weight += self.square_err
        np.divide(1.0, weight, out=weight)
        return weight, self.apart - np.repeat(mean - self.centre, self.counts)


def fit(curves: Curves, *, restricted: bool = False) -> tuple[Floats, Floats, Floats]:
    """Likeliest intrinsic standard deviation and mean of each source, and ln L there.

    The highest of the maxima between neighbours of a grid, and of the boundary 0: with errors
    of many sizes the likelihood may have several.
    """
    lowest, highest = (f(curves.apart, curves.offsets) for f in (segment_minima, segment_maxima))
    # beyond the squared range the slope is negative for certain
    most = np.maximum(1.01 * (highest - lowest) ** 2, 1.0)
    zero = np.zeros_like(most)
    level, slope, mean = curves.at_variance(zero, restricted)
    best, sigma2, at_mean = level, zero, mean
    low, high, crest = zero, zero, np.full_like(most, -np.inf)
    before = zero
    previous_level, rising = level, slope > 0.0
    for step in range(_GRID):
        here = _FLOOR * (most / _FLOOR) ** (step / (_GRID - 1.0))
        level, slope, _ = curves.at_variance(here, restricted)
        peak = rising & (slope <= 0.0)
        height = np.maximum(level, previous_level)
        better = peak & (height > crest)
        low, high = np.where(better, before, low), np.where(better, here, high)
        crest = np.where(better, height, crest)
        before, previous_level, rising = here, level, slope > 0.0

    def falling(at: Floats, _: Floats) -> tuple[Floats, Floats]:
        return -curves.at_variance(at, restricted)[1], at

    found = np.isfinite(crest)
    root = solve(falling, low, high, zero, found)
    level, _, mean = curves.at_variance(np.where(found, root, 0.0), restricted)
    better = found & (level >= best)
    best = np.where(better, level, best)
    sigma2 = np.where(better, root, sigma2)
    at_mean = np.where(better, mean, at_mean)
    return np.sqrt(sigma2), curves.centre + at_mean, best


def solve(
    function: Solvable, low: Floats, high: Floats, start: Floats, wanted: NDArray[np.bool_]
) -> Floats:
    """Root of each source's function between two points where its signs differ.

    Chandrupatla's method: inverse quadratic steps where they are safe, else bisection.

    Parameters
    ----------
    function
        Of the points, shape (k,), and of what it returned second at the last call.
    low, high
        Ends of the brackets, shape (k,).
    start
        What the function is given second at its first call.
    wanted
        Where a root is wanted, shape (k,); elsewhere the result means nothing.

    References
    ----------
    Chandrupatla (1997), Adv. Eng. Software 28, 145.
    """
    x1, x2 = low, high
    f1, carried = function(x1, start)
    f2, carried = function(x2, carried)
    x3, f3 = x2, f2
    part = np.full(len(x1), 0.5)
    for _ in range(_STEPS):
        least = _CLOSE * np.minimum(np.abs(x1), np.abs(x2)) + 1e-300
        rim = least / np.abs(x2 - x1)
        on_it = (f1 == 0.0) | (f2 == 0.0)
        unsolved = wanted & ~on_it & (rim < 0.5)
        if not unsolved.any():
            break
        x = np.where(unsolved, x1 + np.clip(part, rim, 1.0 - rim) * (x2 - x1), x1)
        value, carried = function(x, carried)
        same = np.sign(value) == np.sign(f1)
        x3 = np.where(unsolved, np.where(same, x1, x2), x3)
        f3 = np.where(unsolved, np.where(same, f1, f2), f3)
        swap = unsolved & ~same
        x2, f2 = np.where(swap, x1, x2), np.where(swap, f1, f2)
        x1, f1 = np.where(unsolved, x, x1), np.where(unsolved, value, f1)
        along, rise = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        safe = (rise * rise < along) & ((1.0 - rise) ** 2 < 1.0 - along)
        quadratic = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (
            f3 - f1
        ) * f2 / (f3 - f2)
        part = np.where(safe & np.isfinite(quadratic), quadratic, 0.5)
    return np.where(np.abs(f1) < np.abs(f2), x1, x2)
