"""Which chart each check of a night has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis.checks import NOT_APPLICABLE
from contimg_lab.errors import NotFound
from contimg_lab.plots import (
    _check_beam,
    _check_calibration,
    _check_images,
    _check_noise,
    _check_outcomes,
    _check_sources,
    _check_tables,
    _check_work,
)

if TYPE_CHECKING:
    from contimg_lab.plots._check_report import ReportLike
    from contimg_lab.plots.chart import Chart

__all__ = ["check_chart"]

_CHARTS: Mapping[str, Callable[[ReportLike, str], Chart | None]] = {
    "astrometry": _check_sources.astrometry_chart,
    "beam": _check_beam.axis_ratio_chart,
    "beam_angle": _check_beam.angle_chart,
    "beam_size": _check_beam.size_chart,
    "calibration": _check_calibration.windows_chart,
    "calibration_age": _check_calibration.age_chart,
    "calibration_antennas": _check_tables.antennas_chart,
    "calibration_flagged": _check_tables.flagged_chart,
    "calibration_gains": _check_calibration.gains_coverage_chart,
    "calibration_snr": _check_tables.snr_chart,
    "calibration_tier": _check_calibration.tier_chart,
    "completeness": _check_sources.completeness_chart,
    "declination": _check_work.declination_chart,
    "dynamic_range": _check_images.dynamic_range_chart,
    "failed": _check_work.failed_chart,
    "flux_ratio": _check_sources.ratio_chart,
    "gaps": _check_work.gaps_chart,
    "image_gain": _check_images.gain_chart,
    "noise": _check_noise.noise_chart,
    "pointing": _check_work.pointing_chart,
    "tiles": _check_work.tiles_chart,
}


_BARS: Mapping[str, tuple[str, str]] = {
    "clock_kinds": ("Times of the wrong kind", ""),
    "clock_name": ("Recorded start off the name's", "s"),
    "clock_order": ("Runs and images out of order", ""),
    "damaged": ("Damaged rows", ""),
    "duplicate_epochs": ("Repeated measurements", ""),
    "epoch_times": ("Farthest epoch from its MS", "s"),
    "flux_scatter": ("Flux ratio, 1.4826 MAD", ""),
    "measurement_flags": ("Flagged, share of measurements", ""),
    "missing": ("Missing, share of tiles", ""),
    "missing_values": ("Unusable, share of measurements", ""),
    "ms_times": ("Tiles that overlap or contradict", ""),
    "raw_without_ms": ("No MS, share of raw groups", ""),
    "stuck": ("Running for", "min"),
    "subbands": ("Fewest sub-bands of a raw group", ""),
    "variables": ("Far from earlier nights, share", ""),
}
"""Words and unit of the axis, of checks whose outcomes say it all."""

_NO_PICTURE = frozenset({"clock_future", "empty_hours"})  # one number each


def check_chart(report: ReportLike, check: str) -> Chart | None:
    """Describe what a reviewer looks at for one check.

    Parameters
    ----------
    report
        A `NightReport`.
    check
        Name of a check.

    Returns
    -------
    Chart or None
        Points marked by their word in shape and colour, the limits with whose they are, hours
        of UTC. None where nothing could be judged, and where a picture says no more than a
        number does.

    Raises
    ------
    NotFound
        The report has no such check.
    """
    outcomes = report.of(check)
    if not outcomes:
        raise NotFound("check", check, "report.words() names those that there are")
    if check in _NO_PICTURE or all(one.word == NOT_APPLICABLE for one in outcomes):
        return None
    with np.errstate(all="ignore"):  # what is missing is NaN, and is not drawn
        if check in _CHARTS:
            return _CHARTS[check](report, check)
        return _check_outcomes.outcome_chart(report, check, *_BARS.get(check, ()))
