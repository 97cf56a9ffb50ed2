"""A light curve on its images' corrected flux scale, as the statistics with it see it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from contimg_lab.services.light_curve import DETECTION_SIGMA, LightCurve

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from contimg_lab.services.explanation import Explanation

__all__ = ["scaled_curve"]

_NUMBERS = ("mjd", "flux_jy", "flux_err_jy")
_EVERY = (*_NUMBERS, "row_id", "image_path")


def scaled_curve(explanation: Explanation) -> LightCurve:
    """Return the curve with the corrected fluxes and errors.

    Parameters
    ----------
    explanation
        Of the source, with the flux scale corrected.

    Returns
    -------
    LightCurve
        Without the epochs whose image has no scale: they are left out with that reason.
    """
    epochs = explanation.epochs()
    used = epochs["used"].to_numpy(bool)

    def columns(which: NDArray[np.bool_], *names: str) -> dict[str, Any]:
        some = epochs.loc[which]
        return {n: some[n].to_numpy(float if n in _NUMBERS else None) for n in names}

    curve = explanation.light_curve
    made = dataclasses.replace(
        curve,
        **columns(used, *_EVERY, "time_source", "flux_column"),
        excluded=dataclasses.replace(curve.excluded, **columns(~used, *_EVERY, "reason")),
    )
    return dataclasses.replace(
        made, is_detection=made.flux_jy >= DETECTION_SIGMA * made.flux_err_jy
    )
