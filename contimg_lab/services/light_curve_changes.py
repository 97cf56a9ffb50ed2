"""How much one light curve changes: its structure function, and its most different pair."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from contimg_lab import _faces
from contimg_lab.analysis import structure
from contimg_lab.analysis.reasons import WORDS
from contimg_lab.analysis.two_epoch import expected_false_pairs, in_order_of_time, largest_pairs
from contimg_lab.errors import InvalidInput
from contimg_lab.services._curve_value import (
    Curve,
    Floats,
    Result,
    brief_unit,
    square_unit,
    table,
    timed,
    times_told,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["StructureFunction", "TwoEpoch", "find_structure", "find_two_epoch"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StructureFunction(Result, structure.StructureFunction):
    """Structure function of a light curve in bins of lag, each array of shape (k,).

    Attributes
    ----------
    source_id
        Name in the catalogue.
    start_d, end_d, lag_d
        Edges of each bin and the mean lag of its pairs, days; NaN where it has no pair.
    d_jy2
        Structure function less the noise, Jy squared: negative about half the time where nothing
        varies. NaN where a bin has no pair.
    d_err_jy2
        Its error from the scatter of the pairs, which share epochs: a lower limit. NaN below 2
        pairs.
    n_pairs
        Pairs in the bin.
    n, n_untimed
        Epochs used, and those left out because nothing tells their time.
    curve
        The curve.
    """

    source_id: str
    n: int
    n_untimed: int
    curve: Curve

    def __len__(self) -> int:
        return len(self.n_pairs)

    def __repr__(self) -> str:
        lines = [
            f"StructureFunction {self.source_id}: {int(self.n_pairs.sum())} pairs of {self.n} "
            f"epochs in {len(self)} bins, lags {self.start_d[0]:.3g} to {self.end_d[-1]:.3g} d"
        ]
        if np.isfinite(self.d_jy2).any():
            most = int(np.nanargmax(self.d_jy2))
            unit = square_unit(brief_unit(self.curve.flux_unit))
            lines.append(
                f"  largest {self.d_jy2[most]:.3g} +- {self.d_err_jy2[most]:.2g} "
                f"{unit} at {self.lag_d[most]:.3g} d, noise subtracted"
            )
        told = times_told(self.curve, self.n_untimed)
        return "\n".join(lines + ([f"  {told}"] if told else []))

    def to_pandas(self) -> pd.DataFrame:
        """Return the bins as a DataFrame with units in ``attrs["units"]``."""
        names = ("lag_d", "start_d", "end_d", "d_jy2", "d_err_jy2", "n_pairs")
        units = dict.fromkeys(("lag_d", "start_d", "end_d"), "d")
        units |= dict.fromkeys(("d_jy2", "d_err_jy2"), square_unit(self.curve.flux_unit))
        data = {name: getattr(self, name) for name in names}
        return table(data, units, self, "n", "n_untimed")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw it against lag, on ``ax`` or on a new figure's axes."""
        return _faces.plot_structure(self, ax)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TwoEpoch(Result):
    """The two epochs of a light curve that differ most for their errors.

    Attributes
    ----------
    source_id
        Name in the catalogue.
    vs
        ``(S_a - S_b) / sqrt(s_a**2 + s_b**2)``, a the earlier epoch; no unit.
    m
        ``2 (S_a - S_b) / (S_a + S_b)`` of the same pair, no unit; NaN where the sum is not
        positive, and ``why_m`` says so.
    n_pairs
        Pairs that were searched.
    expected_false
        Pairs of a constant source expected at this |Vs| or beyond among so many: far below 1
        where the difference is real, if errors are independent and Gaussian.
    first, second
        Positions of a and b in the curve's arrays.
    mjd, flux_jy, flux_err_jy
        Shape (2,): time (MJD, UTC; NaN where unknown), flux and error (Jy) of a and b.
    curve
        The curve that was searched.
    """

    source_id: str
    vs: float
    m: float
    why_m: str
    n_pairs: int
    expected_false: float
    first: int
    second: int
    mjd: Floats
    flux_jy: Floats
    flux_err_jy: Floats
    curve: Curve

    def __repr__(self) -> str:
        m = f"{self.m:.3g}" if math.isfinite(self.m) else f"undefined ({self.why_m})"
        lines = [
            f"TwoEpoch {self.source_id}: Vs = {self.vs:.3f}, m = {m}, largest |Vs| of "
            f"{self.n_pairs} pair{'s' if self.n_pairs != 1 else ''}"
        ]
        unit = brief_unit(self.curve.flux_unit)
        lines += [
            f"  {name}: MJD {t:.5f}, {s * 1e3:.4g} +- {e * 1e3:.2g} m{unit}"
            for name, t, s, e in zip("ab", self.mjd, self.flux_jy, self.flux_err_jy, strict=True)
        ]
        lines.append(f"  {self.expected_false:.2g} such pairs expected of a constant source")
        return "\n".join(lines)

    def to_pandas(self) -> pd.DataFrame:
        """Return the pair as a DataFrame of two rows, with units in ``attrs["units"]``."""
        image = getattr(self.curve, "image_path", None)
        rows = [self.first, self.second]
        data = {
            "epoch": ["a", "b"],
            "mjd": self.mjd,
            "flux_jy": self.flux_jy,
            "flux_err_jy": self.flux_err_jy,
            "image_path": [None, None] if image is None else image[rows],
        }
        units = {"mjd": "d (MJD, UTC)"}
        units |= dict.fromkeys(("flux_jy", "flux_err_jy"), self.curve.flux_unit)
        return table(data, units, self, "vs", "m", "n_pairs", "expected_false")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the light curve with the pair marked, on ``ax`` or on a new figure's axes."""
        return _faces.plot_pair(self, ax)


def find_structure(
    curve: Curve, edges_d: Sequence[float] | Floats | None, n_bins: int
) -> StructureFunction:
    """Compute a structure function; `LightCurve.structure_function` says how."""
    mjd, flux, err, _, n_untimed = timed(curve)
    if len(np.unique(mjd)) < 2:
        raise InvalidInput("a structure function needs epochs at two different times or more")
    found = structure.structure_function(mjd, flux, err, edges_d=edges_d, n_bins=n_bins)
    return StructureFunction(
        **{one.name: getattr(found, one.name) for one in fields(found)},
        source_id=curve.source_id,
        n=len(mjd),
        n_untimed=n_untimed,
        curve=curve,
    )


def find_two_epoch(curve: Curve) -> TwoEpoch:
    """Find the most different pair; `LightCurve.two_epoch` says how."""
    n = len(curve.flux_jy)
    if n < 2:
        raise InvalidInput(f"a pair needs two epochs or more, this curve has {n}")
    found = in_order_of_time(
        largest_pairs(curve.flux_jy, curve.flux_err_jy, np.array([0, n])), curve.mjd
    )
    first, second = int(found.first[0]), int(found.second[0])
    pair, vs = [first, second], float(found.vs[0])
    return TwoEpoch(
        source_id=curve.source_id,
        vs=vs,
        m=float(found.m[0]),
        why_m=WORDS[int(found.why_m[0])],
        n_pairs=int(found.n_pairs[0]),
        expected_false=expected_false_pairs(found.n_pairs, abs(vs)),
        first=first,
        second=second,
        mjd=curve.mjd[pair],
        flux_jy=curve.flux_jy[pair],
        flux_err_jy=curve.flux_err_jy[pair],
        curve=curve,
    )
