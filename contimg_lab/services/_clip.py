"""Move the epochs of a light curve that lie far from the median to those left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis import curves
from contimg_lab.errors import InvalidInput

if TYPE_CHECKING:
    from contimg_lab.services.light_curve import LightCurve

__all__ = ["clip_curve"]

_OF_EPOCH = (
    "mjd",
    "time_source",
    "flux_jy",
    "flux_err_jy",
    "flux_column",
    "is_detection",
    "row_id",
    "image_path",
)
_OF_EXCLUDED = ("mjd", "flux_jy", "flux_err_jy", "reason", "row_id", "image_path")


def clip_curve(lc: LightCurve, n_sigma: float, most_rounds: int) -> LightCurve:
    """Clip in rounds about the median; `LightCurve.clip` says how."""
    if most_rounds < 1:
        raise InvalidInput(f"most_rounds {most_rounds!r} is below 1")
    keep = curves.clip(lc.flux_jy, n_sigma=n_sigma, most_rounds=most_rounds)
    if keep.all():
        return lc
    left = lc.flux_jy[keep]
    if np.ptp(left) == 0.0 and len(left) > 1:
        raise InvalidInput(
            "flux_jy: most fluxes left are equal, so their median absolute deviation is 0 and "
            "every other epoch would be clipped"
        )
    out = ~keep
    new = {name: getattr(lc, name)[out] for name in _OF_EXCLUDED if name != "reason"}
    new["reason"] = np.full(int(out.sum()), "clipped", object)
    both = {name: np.concatenate([getattr(lc.excluded, name), new[name]]) for name in _OF_EXCLUDED}
    order = np.lexsort((both["row_id"], both["mjd"]))
    return replace(
        lc,
        **{name: getattr(lc, name)[keep] for name in _OF_EPOCH},
        excluded=replace(lc.excluded, **{name: both[name][order] for name in _OF_EXCLUDED}),
    )
