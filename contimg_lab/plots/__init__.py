"""Pictures: each function takes values and the user's axes, and returns the axes."""

from __future__ import annotations

from contimg_lab.plots.coverage import plot_coverage
from contimg_lab.plots.light_curve import plot_light_curve
from contimg_lab.plots.sky import plot_pointings
from contimg_lab.plots.variability import plot_eta_v

__all__ = ["plot_coverage", "plot_eta_v", "plot_light_curve", "plot_pointings"]
