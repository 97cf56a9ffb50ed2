"""Checks of an image against sources that are known: its gain, and where it puts them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks._declared import PASS, Found, Limits, check
from contimg_lab.analysis.checks._hours import graded, nothing, positive
from contimg_lab.analysis.checks._night import Night
from contimg_lab.analysis.trends import roll_up

__all__ = ["Gains", "astrometry", "image_gain", "image_gains"]

_SIGMA_OF_MAD = 1.482602218505602
_OF_MEDIAN = 1.2533141373155003  # a median's standard error over a mean's


class Gains(NamedTuple):
    """Gain of each image (row of ``night.images``), its error, and what it is of."""

    gain: NDArray[np.float64]
    sigma: NDArray[np.float64]
    n: NDArray[np.int64]
    measured: NDArray[np.bool_]


def image_gains(night: Night, limits: Limits) -> Gains:
    """Measure each image's gain: the median flux of its bright sources over their earlier means.

    Parameters
    ----------
    night
        Its columns.
    limits
        ``least_snr`` and ``least_epochs`` of the check `image_gain`.

    Returns
    -------
    Gains
        The gain (NaN without a reference source), its error, the number of reference sources,
        and whether anything at all was measured in the image.
    """
    rows, images = night.photometry, night.images
    mean, err = rows["reference_flux_jy"], rows["flux_err_jy"]
    with np.errstate(all="ignore"):  # no mean, no ratio
        ratio = rows["flux_jy"] / mean
    bright = mean >= limits["least_snr"] * err
    used = np.array([not why for why in rows["reason"]], bool) & positive(mean) & positive(err)
    used &= bright & np.isfinite(ratio) & (rows["reference_n"] >= limits["least_epochs"])
    at = np.where(np.isfinite(rows["image"]), rows["image"], -1.0).astype(np.int64)
    of_image = roll_up(np.where(used, ratio, np.nan), at, images.n_rows)
    # a few ratios that agree by chance do not make their median better than their errors
    spread = err**2 + np.nan_to_num(rows["reference_err_jy"]) ** 2
    weight = np.divide(mean**2, spread, out=np.zeros(rows.n_rows), where=used)
    weights = np.bincount(at[used & (at >= 0)], weight[used & (at >= 0)], images.n_rows)
    measured = np.zeros(images.n_rows, bool)
    measured[at[at >= 0]] = True
    scattered = _SIGMA_OF_MAD * of_image.mad / np.sqrt(np.maximum(of_image.n, 1))
    with np.errstate(divide="ignore"):
        sigma = _OF_MEDIAN * np.maximum(scattered, 1.0 / np.sqrt(weights))
    return Gains(of_image.median, sigma, of_image.n, measured)


@check(
    "image_gain",
    protects_against="one image's own error of scale, which makes every source in it vary",
    metric="median flux of an image's bright sources over their earlier means, less 1",
    unit="1",
    scope="image",
    needs=["images", "photometry", "photometry.reference_flux_jy"],
)
def image_gain(night: Night, limits: Limits) -> Iterator[Found]:
    """Measure the gain of each image against the sources' own means of earlier nights."""
    images, made = night.images, image_gains(night, limits)
    for place in np.flatnonzero(made.measured).tolist():
        hour = images["hour"][place]
        if hour not in night.hours:
            continue
        told: dict[str, Any] = {"key": str(images["id"][place]), "hour": int(hour)}
        n = int(made.n[place])
        if n < limits["fewest"]:
            yield nothing(f"{n} reference sources, {limits['fewest']:g} are needed", **told)
            continue
        gain, sigma = float(made.gain[place]), float(made.sigma[place])
        why = f"gain {gain:.3f} ± {sigma:.3f} from {n} sources"
        off = abs(gain - 1.0)
        # of gains near a limit as many were blamed by their error as rightly
        least = 0.0 if off <= limits["sigma"] * sigma else off - limits["margin"] * sigma
        aside = "" if least else ", 1 within its error"
        found = graded(least, limits, why + aside, rows={"images": [told["key"]]}, **told)
        yield replace(found, value=off)


@check(
    "astrometry",
    protects_against="positions that are shifted, as by a wrong clock or phase centre",
    metric="median of the measured offsets",
    unit="mas",
    scope="night",
    needs=["astrometry", "astrometry.ra_offset_mas", "astrometry.dec_offset_mas"],
)
def astrometry(night: Night, limits: Limits) -> Iterator[Found]:
    """Judge measured astrometry; what the pipeline only assumes is never looked at."""
    rows = night.astrometry
    if not rows.n_rows:
        yield nothing("no measured astrometry of the night")
        return
    offset = np.hypot(rows["ra_offset_mas"], rows["dec_offset_mas"])
    known = np.isfinite(offset) & (rows["n_matches"] >= limits["fewest"])
    if not known.any():
        yield nothing(f"no solution has {limits['fewest']:g} matches or more")
        return
    middle = float(np.median(offset[known]))
    rms = rows["rms_residual_mas"]
    worst = float(np.max(rms[known], initial=0.0, where=np.isfinite(rms[known])))
    far = known & (offset > limits["warn_offset_mas"])
    wide = known & (rms > limits["warn_rms_mas"])
    why = f"median offset {middle:.0f} mas, largest rms {worst:.0f} mas of {known.sum()} solutions"
    ids = {"astrometry": rows["id"][far | wide]}
    of_rms = graded(worst, limits, why, warn="warn_rms_mas", fail="fail_rms_mas", rows=ids)
    of_offset = graded(middle, limits, why, warn="warn_offset_mas", fail="none", rows=ids)
    yield of_rms if of_rms.word not in (PASS, of_offset.word) else of_offset
