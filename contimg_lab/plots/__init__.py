"""Pictures: each function takes values and the user's axes, and returns the axes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contimg_lab.plots.blocks import plot_blocks
    from contimg_lab.plots.checks import check_chart, figure_of_checks, plot_check
    from contimg_lab.plots.coverage import plot_coverage
    from contimg_lab.plots.curve_pair import plot_pair
    from contimg_lab.plots.cutout import cutout_words, plot_cutout
    from contimg_lab.plots.folded import plot_folded
    from contimg_lab.plots.gallery import plot_gallery
    from contimg_lab.plots.light_curve import plot_light_curve
    from contimg_lab.plots.normalized import plot_normalized
    from contimg_lab.plots.periodogram import plot_periodogram
    from contimg_lab.plots.sky import plot_pointings
    from contimg_lab.plots.sky_sources import plot_sources
    from contimg_lab.plots.structure import plot_structure
    from contimg_lab.plots.trends import plot_tiles, plot_trends, trend_words
    from contimg_lab.plots.two_epoch import plot_vs_m
    from contimg_lab.plots.variability import EtaVAxes, plot_eta_v

__all__ = [
    "EtaVAxes",
    "check_chart",
    "cutout_words",
    "figure_of_checks",
    "plot_blocks",
    "plot_check",
    "plot_coverage",
    "plot_cutout",
    "plot_eta_v",
    "plot_folded",
    "plot_gallery",
    "plot_light_curve",
    "plot_normalized",
    "plot_pair",
    "plot_periodogram",
    "plot_pointings",
    "plot_sources",
    "plot_structure",
    "plot_tiles",
    "plot_trends",
    "plot_vs_m",
    "trend_words",
]

# imported when first asked for: a light curve on screen does not wait for pictures of the sky
_LATE = {
    "EtaVAxes": "variability",
    "check_chart": "checks",
    "cutout_words": "cutout",
    "figure_of_checks": "checks",
    "plot_blocks": "blocks",
    "plot_check": "checks",
    "plot_coverage": "coverage",
    "plot_cutout": "cutout",
    "plot_eta_v": "variability",
    "plot_folded": "folded",
    "plot_gallery": "gallery",
    "plot_light_curve": "light_curve",
    "plot_normalized": "normalized",
    "plot_pair": "curve_pair",
    "plot_periodogram": "periodogram",
    "plot_pointings": "sky",
    "plot_sources": "sky_sources",
    "plot_structure": "structure",
    "plot_tiles": "trends",
    "plot_trends": "trends",
    "plot_vs_m": "two_epoch",
    "trend_words": "trends",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'contimg_lab.plots' has no attribute {name!r}")
    return getattr(import_module(f"contimg_lab.plots.{_LATE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
